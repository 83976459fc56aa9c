"""Dossiers of which every form can be printed, under every regime, and papers read again."""

import io
import re
import unicodedata
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pypdf import PdfReader
from sqlalchemy.ext.asyncio import AsyncConnection
from town import UNIT, move

from states import ledger
from states.catalogue import Catalogue
from states.forms import every, reading
from states.forms.form import Facts
from states.forms.matter import Matter, Track
from states.forms.rows import FormName
from states.ledger import Act, Lodging
from states.words import Channel, Event, Role

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
PERMIT = "1.000459"  # of H42.05: five working days, two components, free of charge
FILES = {"don": "0" * 64, "ho-chieu": "0" * 64}
RECEPTION, LEADER = "p-reception-01", "p-labour-director"
TRACK = Track("https://hoso.example.vn/", "7K3M9QXD")
WHY = {"reason": "Bản sao hộ chiếu chưa chứng thực", "ground": "Nghị định 61/2018/NĐ-CP Điều 19"}
DAYS = {
    "R2018": datetime(
        2023, 3, 6, 8, tzinfo=HANOI
    ),  # no procedure of the sample is so old: see `of`
    "R2021": datetime(2023, 3, 6, 8, tzinfo=HANOI),
    "R2025": datetime(2025, 8, 4, 8, tzinfo=HANOI),
    "R2026": datetime(2026, 8, 3, 8, tzinfo=HANOI),
}
"""Mondays on which dossiers are received, by the regime they are then under."""


@dataclass(frozen=True)
class Page:
    """What can be read on a paper again."""

    pages: int
    text: str

    def says(self, *texts: str) -> bool:
        return all(bare(each) in self.text for each in texts)


def bare(text: str) -> str:
    """Without spaces and line ends, and what lets a long word break."""
    return re.sub(r"[\s\u200b\u00ad]+", "", unicodedata.normalize("NFC", text))


def read(pdf: bytes) -> Page:
    paper = PdfReader(io.BytesIO(pdf))
    return Page(len(paper.pages), bare("".join(each.extract_text() for each in paper.pages)))


async def received(
    db: AsyncConnection,
    book: Catalogue,
    when: datetime,
    event: Event = Event.receive,
    applicant: str = "Nguyễn Thị Quỳnh Ánh",
) -> str:
    lodging = Lodging(
        unit=UNIT, procedure=PERMIT, channel=Channel.counter, applicant=applicant,
        phone="0912345678", email="anh@example.vn",
    )  # fmt: skip
    act = Act(
        event=event, actor=RECEPTION, role=Role.reception, at=when, payload={"components": FILES}
    )
    return (await ledger.open_(db, book, lodging, act)).code


async def lived(
    db: AsyncConnection, book: Catalogue, form: FormName, when: datetime
) -> tuple[str, datetime]:
    """A dossier of which that form is due, and a moment at which it is."""
    if form is FormName.refusal:
        code = await received(db, book, when, Event.register)
        return code, await acted(db, book, code, Event.decline, when, RECEPTION)
    code = await received(db, book, when)
    for event in (Event.digitise, Event.route, Event.accept):
        await move(db, book, code, event, when)
    if form is FormName.supplement:
        await acted(db, book, code, Event.request_supplement, when, "p-labour-officer-11")
    elif form is FormName.apology:
        await acted(db, book, code, Event.extend, when, LEADER, term="2wd")
    elif form is FormName.stop:
        await acted(db, book, code, Event.stop, when, LEADER)
    elif form is FormName.control:
        for event in (Event.advance, Event.advance):
            await move(db, book, code, event, when)
        await move(db, book, code, Event.return_result, when, outcome="approved")
        await move(db, book, code, Event.deliver, when)
    return code, when


async def acted(
    db: AsyncConnection,
    book: Catalogue,
    code: str,
    event: Event,
    when: datetime,
    actor: str,
    **payload: Any,
) -> datetime:
    role = {RECEPTION: Role.reception, LEADER: Role.leader}.get(actor, Role.officer)
    act = Act(event=event, actor=actor, role=role, at=when, payload=payload, **WHY)
    await ledger.move(db, book, code, act)
    return when


async def of(
    db: AsyncConnection, book: Catalogue, code: str, at: datetime, regime: str | None = None
) -> Matter:
    """The dossier with all that its forms are made of; under another regime, if one is named."""
    paper, _ = await ledger.find(db, code)
    matter = await reading.matter(db, book, paper, at, TRACK)
    if regime is not None and paper.regime != regime:
        older = copy(matter.paper)
        older.regime = regime
        matter = replace(matter, paper=older)
    return matter


async def facts(
    db: AsyncConnection, book: Catalogue, form: FormName, when: datetime, regime: str | None = None
) -> Facts:
    code, at = await lived(db, book, form, when)
    return every.facts(form, await of(db, book, code, at, regime))
