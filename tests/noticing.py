"""For the tests of notices: an office with addresses, dossiers in it, and a wire that notes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import SQLModel

import states.migrations.every  # noqa: F401  so that the metadata is full
from states import catalogue, ledger
from states.catalogue import Catalogue
from states.catalogue.rules import On, What
from states.catalogue.templates import Templates
from states.ledger import Act, Lodging
from states.notices.making import make
from states.notices.rows import Message, Way
from states.notices.sending import Letter, NotSent, Outlet
from states.tables import Dossier
from states.words import Channel, Event, Role

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
MORNING = datetime(2024, 3, 4, 8, tzinfo=HANOI)  # a Monday
FILE = "0" * 64
LICENCE = "1.003659"
PAPERS = {"components": {"don": FILE, "dang-ky-kinh-doanh": FILE, "phuong-an": FILE}}
MAIL, PHONE = "anh@example.vn", "0912345678"
PLAIN = frozenset({Way.email, Way.sms, Way.chat})
M = Message.__table__.c  # type: ignore[attr-defined]
ALERT = SQLModel.metadata.tables["alert"]


@cache
def office() -> Catalogue:
    """The sample catalogue whose staff can be reached."""
    book = catalogue.load()
    staff = book.organisation
    people = tuple(
        each.model_copy(update={"email": f"{each.id}@example.vn", "phone": f"09{at:08}"})
        for at, each in enumerate(staff.people)
    )
    fields = {name: getattr(staff, name) for name in type(staff).model_fields}
    return replace(book, organisation=type(staff)(**fields | {"people": people}))


TEMPLATES = office().templates


WHO = {
    Role.reception: "p-reception-01",
    Role.officer: "p-sci-officer-21",
    Role.leader: "p-sci-lead-02",
    Role.control: "p-control-01",
    Role.citizen: "citizen",
    Role.system: "system",
}


async def receive(
    db: AsyncConnection,
    when: datetime = MORNING,
    event: Event = Event.receive,
    applicant: str = "Nguyễn Thị Ánh",
    email: str | None = MAIL,
    phone: str | None = PHONE,
) -> Dossier:
    lodging = Lodging(
        unit="H42.14.01",
        procedure=LICENCE,
        channel=Channel.counter,
        applicant=applicant,
        email=email,
        phone=phone,
    )
    act = Act(event=event, actor=WHO[Role.reception], role=Role.reception, at=when, payload=PAPERS)
    return await ledger.open_(db, office(), lodging, act)


async def move(
    db: AsyncConnection,
    paper: Dossier,
    event: Event,
    role: Role,
    when: datetime,
    reason: str = "vì thế",
    book: Catalogue | None = None,
    **payload: Any,
) -> Dossier:
    act = Act(
        event=event,
        actor=WHO[role],
        role=role,
        at=when,
        payload=payload,
        reason=reason,
        ground="61/2018/NĐ-CP Điều 19",
    )
    return await ledger.move(db, book or office(), paper.code, act)


async def processing(db: AsyncConnection, when: datetime = MORNING, **lodged: Any) -> Dossier:
    """In its first stage."""
    paper = await receive(db, when, **lodged)
    for event, role in (
        (Event.digitise, Role.reception),
        (Event.route, Role.reception),
        (Event.accept, Role.officer),
    ):
        paper = await move(db, paper, event, role, when)
    return paper


async def alert(db: AsyncConnection, paper: Dossier, rule: str = "term-near", **told: Any) -> None:
    holder = {"person": "p-sci-officer-21", "unit": "H42.03.02", "role": "officer", "why": "holds"}
    known: dict[str, Any] = {
        "dossier_id": paper.id,
        "rule": rule,
        "visit": 0,
        "deadline": 1,
        "watched": On.term,
        "what": What.alert,
        "due_at": MORNING + timedelta(days=9),
        "at": MORNING + timedelta(days=7),
        "unit": "H42.03.02",
        "person": "p-sci-officer-21",
        "concerns": [holder],
    }
    await db.execute(sa.insert(ALERT).values(known | told))


async def made(
    engine: AsyncEngine,
    at: datetime = MORNING,
    ways: Any = PLAIN,
    endpoints: Sequence[str] = (),
    templates: Templates = TEMPLATES,
    **how: Any,
) -> dict[str, int]:
    return dict(await make(engine, office(), templates, at, ways, endpoints, **how))


async def messages(engine: AsyncEngine, *where: Any) -> list[Any]:
    async with engine.connect() as db:
        return list(
            (await db.execute(sa.select(Message.__table__).where(*where).order_by(M.id))).all()  # type: ignore[attr-defined]
        )


class Noting:
    """A wire that notes what it was given, and fails as it is told to."""

    def __init__(self, *failures: NotSent | None, always: NotSent | None = None) -> None:
        self.letters: list[Letter] = []
        self.failures, self.always = list(failures), always

    async def __call__(self, letter: Letter) -> None:
        self.letters.append(letter)
        failure = self.failures.pop(0) if self.failures else self.always
        if failure is not None:
            raise failure

    def outlet(self, way: Way = Way.email, **how: Any) -> Outlet:
        return Outlet(way, self, **how)


async def queue(engine: AsyncEngine, count: int = 1, **told: Any) -> list[int]:
    """Messages that are due."""
    known: dict[str, Any] = {
        "template": "received",
        "audience": "citizen",
        "way": "email",
        "recipient": MAIL,
        "subject": "Hồ sơ H42.14-240304-0001: đã tiếp nhận",
        "body": "Hồ sơ đã được tiếp nhận.",
        "law": True,
        "sending": "queued",
        "tries": 0,
        "next_at": MORNING,
        "made_at": MORNING,
    }
    async with engine.begin() as db:
        first = await db.scalar(sa.select(sa.func.count()).select_from(M.id.table))
        rows = [known | {"fact": f"entry/{first + n}/1"} | told for n in range(count)]
        await db.execute(sa.insert(M.id.table), rows)
        ids = sa.select(M.id).order_by(M.id.desc()).limit(count)
        return sorted((await db.execute(ids)).scalars())
