"""A world of two agencies, each with everything that could leak: for the test of permissions.

It is built in stages, so that what is told before and after one of them can be compared.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from noticing import queue
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states import deadlines, ledger, people
from states.breaches import explaining
from states.breaches.listing import Named
from states.breaches.recording import record
from states.breaches.rows import Cause
from states.catalogue import bundles, publishing
from states.catalogue.rows import Kind
from states.changes import applying, deciding, proposing
from states.consultations.asking import Question, ask
from states.db import engine as db_engine
from states.figures import freezing
from states.files.rows import attachment, file
from states.files.store import opened
from states.finding import searching
from states.intake import asking as importing
from states.intake import exports, running
from states.ledger import Act, Lodging
from states.sight import sight
from states.words import Channel, Event, Role, State

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
APRIL = {"from": "2024-03-01T00:00:00+07:00", "to": "2024-04-08T09:00:00+07:00"}
NOW = datetime(2024, 4, 8, 9, tzinfo=HANOI)  # a Monday; what was received in March is late by now
SAMPLE = Path(__file__).parents[1] / "config" / "sample" / "procedures"
ASKED = "H42.07.02"


E = Event
TO_UNIT = (E.receive, E.digitise, E.route)
EVENTS: dict[str, tuple[Event, ...]] = {
    "main": (*TO_UNIT, E.accept),
    "signing": (*TO_UNIT, E.accept, E.advance),
    "registered": (E.register,),
    "routed": TO_UNIT,
    "returned": (*TO_UNIT, E.accept, E.advance, E.advance, E.return_result),
    "closed": (*TO_UNIT, E.accept, E.advance, E.advance, E.return_result, E.deliver),
}
"""By what each dossier came to where it is."""


@dataclass
class Side:
    """An agency: its people, and the names under which its things could be found elsewhere."""

    agency: str
    unit: str
    procedure: str  # its dossiers are of
    idle: str  # another of its procedures, without dossiers
    components: tuple[str, ...]
    prefix: str  # of its people
    applicants: str  # what all their names hold
    phone: str
    citizen: str = "0"
    codes: dict[str, str] = field(default_factory=dict)
    letter: int = 0
    intake: int = 0
    change: int = 0  # proposed
    applied: int = 0

    @property
    def main(self) -> str:
        return self.codes["main"]

    @property
    def officer(self) -> str:
        return f"p-{self.prefix}-officer-21"

    @property
    def leader(self) -> str:
        return f"p-{self.prefix}-lead-02"

    @property
    def director(self) -> str:
        return f"p-{self.prefix}-director"

    def secrets(self, name: str) -> Iterator[str]:
        """What nobody is told who does not see that dossier."""
        yield self.codes[name]
        yield f"{self.applicants} {name}"
        yield f"{self.prefix}-citizen-{name}"  # of an address
        if name == "main":
            yield f"{self.prefix}-words"  # of what was asked, explained and attached
            yield self.phone


def numbered(first: int) -> dict[str, str]:
    return {name: f"H42.14-240305-{n:04}" for n, name in enumerate(EVENTS, first)}


SCIENCE = Side(
    *("H42.03", "H42.03.02", "1.003659", "1.003868"),
    ("don", "dang-ky-kinh-doanh", "phuong-an"),
    *("sci", "Quỳnh Khoa", "0913131313", "035190001111"),
    codes=numbered(1),
)
EDUCATION = Side(
    *("H42.02", "H42.02.02", "1.001029", "1.004650"),
    ("don", "dang-ky-kinh-doanh"),
    *("edu", "Trạch Giáo", "0912121212", "035190002222"),
    codes=numbered(1 + len(EVENTS)),
)
NOWHERE = Side(
    *("H42.98", "H42.98.02", "1.009999", "1.009998"),
    ("don", "dang-ky-kinh-doanh"),
    *("nil", "Vô Danh", "0919191919", "035190009999"),
    codes=numbered(9001),
    letter=999_999,
    intake=999_999,
    change=999_998,
    applied=999_997,
)


MAP = "kind: dossiers\nzone: Asia/Ho_Chi_Minh\ncode: Mã\nreceived: Nhận\n"


@dataclass
class World:
    """Where the two are built, one after the other."""

    engine: AsyncEngine
    owner: str  # the address of who may analyse
    folder: Path
    key: bytes  # of numbers of identity cards
    book: Any = None

    async def common(self) -> None:
        """What is of neither: a report of an empty month, templates that are checked."""
        async with self.engine.begin() as db:
            self.book = await bundles.read(db)
            await freezing.freeze(db, self.book, "bieu06", "2024-03", "p-control-01", NOW)
            await _draft_templates(db, self.book)

    async def build(self, side: Side) -> None:
        """Everything that an agency has."""
        for each in EVENTS:
            await self._dossier(side, each)
        await self._extended(side)
        await deadlines.sweep(self.engine, self.book, NOW)
        await record(self.engine, self.book, NOW)
        async with self.engine.begin() as db:
            told = Named(side.codes["returned"], "term-late")
            said = f"{side.prefix}-words", side.director, NOW
            await explaining.explain(db, self.book, told, Cause.workload, *said)
            shut = Named(side.codes["closed"], "term-late")
            await explaining.explain(db, self.book, shut, Cause.workload, *said)
            await explaining.close(db, self.book, shut, said[0], "p-control-01", NOW)
            await self._asked(db, side)
        await self._attached(side)
        await self._told(side)
        await self._taken_in(side)
        await self._versions(side)
        await self._analysed()

    async def _analysed(self) -> None:
        """So that what is estimated by statistics knows of everything."""
        owner = db_engine(self.owner, 1)
        async with owner.begin() as db:
            await db.execute(sa.text("ANALYZE"))
        await owner.dispose()

    async def freeze(self) -> None:
        """A report of what both have: the second."""
        async with self.engine.begin() as db:
            said = "2024-03", "p-control-01", NOW, "Nhập muộn"
            await freezing.restate(db, self.book, "bieu06", *said)

    async def _dossier(self, side: Side, name: str) -> None:
        at = datetime(2024, 3, 5, 8, tzinfo=HANOI)
        lodging = Lodging(
            unit="H42.14",
            procedure=side.procedure,
            channel=Channel.online if name == "registered" else Channel.counter,
            applicant=f"{side.applicants} {name}",
            email=f"{side.prefix}-citizen-{name}@example.vn",
            phone=side.phone,
            citizen=searching.citizen(self.key, side.citizen),
        )
        first, *rest = EVENTS[name]
        files = {"components": dict.fromkeys(side.components, "0" * 64)}
        async with self.engine.begin() as db:
            act = Act(
                event=first, actor="p-reception-01", role=Role.reception, at=at, payload=files
            )
            paper = await ledger.open_(db, self.book, lodging, act)
            for n, event in enumerate(rest, 1):
                act = self._act(side, event, at + timedelta(minutes=20 * n), paper)
                paper = await ledger.move(db, self.book, paper.code, act)
            assert side.codes[name] == paper.code

    async def _extended(self, side: Side) -> None:
        """An apology with a new date, a day too late."""
        act = Act(
            event=Event.extend,
            actor=side.leader,
            role=Role.leader,
            at=datetime(2024, 4, 5, 8, tzinfo=HANOI),
            payload={"term": "2cd" if side is SCIENCE else "2wd"},
            reason="Xin lỗi và hẹn lại",
            ground="NĐ 61/2018/NĐ-CP Điều 19",
        )
        async with self.engine.begin() as db:
            await ledger.move(db, self.book, side.codes["routed"], act)

    def _act(self, side: Side, event: Event, at: datetime, paper: Any) -> Act:
        role, actor, payload = Role.reception, "p-reception-01", dict[str, Any]()
        if event is Event.accept:
            role, actor = Role.officer, side.officer
        elif paper.state is State.processing:
            role = paper.stage_role
            leads = side.leader if paper.unit == side.unit else side.director
            actor = side.officer if role is Role.officer else leads
            payload = {"produced": ["Phiếu trình giải quyết"]} if role is Role.officer else {}
        if event is Event.return_result:
            payload = {"produced": ["Kết quả giải quyết"], "outcome": "approved"}
            at = NOW - timedelta(days=3)
        return Act(event=event, actor=actor, role=role, at=max(at, paper.moved_at), payload=payload)

    async def _asked(self, db: AsyncConnection, side: Side) -> None:
        who = people.caller(self.book, side.officer, None, None, self.book.day(NOW))
        asked = Question(to=ASKED, about=f"{side.prefix}-words", term="3wd")
        await ask(db, self.book, side.codes["main"], who, asked, NOW)

    async def _attached(self, side: Side) -> None:
        store = opened(None, self.folder)

        async def pieces() -> Any:
            yield f"%PDF-1.7\n{side.prefix}-words\n%%EOF\n".encode()

        async with store.receiving(pieces(), NOW, 10_000) as received, self.engine.begin() as db:
            kept = {"sha256": received.sha256, "size": received.size, "type": received.kind}
            await db.execute(sa.insert(file).values(kept | {"at": NOW, "by": side.officer}))
            await store.keep(received)
            whose = sa.text("SELECT id FROM dossier WHERE code = :code")
            of = await db.scalar(whose, {"code": side.codes["main"]})
            said = {"dossier_id": of, "component": "don", "n": 1, "sha256": received.sha256}
            said |= {"name": f"{side.prefix}-words.pdf", "provenance": "scanned"}
            await db.execute(sa.insert(attachment).values(said | {"by": side.officer, "at": NOW}))

    async def _told(self, side: Side) -> None:
        async with self.engine.begin() as db:
            whose = sa.text("SELECT id FROM dossier WHERE code = :code")
            of = await db.scalar(whose, {"code": side.codes["main"]})
        about = {"dossier_id": of, "fact": f"entry/{of}/1"}
        dead = {"sending": "dead", "tries": 9, "error": "mailbox unknown"}
        to = {"recipient": f"{side.prefix}-citizen@example.vn"}
        [side.letter] = await queue(self.engine, 1, **about, **dead, **to)

    async def _taken_in(self, side: Side) -> None:
        """An import of its own: a dossier that is refused, for its code is one of ours."""
        by = f"{MAP}agency: {{default: {side.agency}}}\n"
        table = f"Mã,Nhận\n{side.main},2024-03-01\n".encode()
        store = opened(None, self.folder)

        async def pieces() -> Any:
            yield table

        who = people.caller(self.book, side.director, None, None, self.book.day(NOW))
        async with store.receiving(pieces(), NOW, 10_000, exports) as received:
            async with self.engine.begin() as db:
                await importing.reserve(db, received, side.director, NOW)
            await store.keep(received)
            wanted = importing.Wanted(name="a.csv", sha256=received.sha256, map=by)
            async with self.engine.begin() as db:
                sees = sight(self.book, who)
                asked = await importing.ask(db, self.book, who, sees, wanted, NOW)
        side.intake = asked.row["id"]
        await running.run(self.engine, self.book, store, side.intake, lambda: NOW)

    async def _versions(self, side: Side) -> None:
        """A second version of both procedures, a migration that is proposed and one that was made,
        and a third version that is checked.
        """
        for code, moves in ((side.procedure, False), (side.idle, True)):
            async with self.engine.begin() as db:
                await self._published(db, side, code)
                self.book = await bundles.read(db)
                number = await proposing.propose_migration(
                    db, self.book, code, 2, stages={}, overrides=False, reason="Rút ngắn",
                    ground="QĐ 12", by=side.director, at=NOW,
                )  # fmt: skip
                if moves:
                    await deciding.approve(db, self.book, number, side.leader, NOW)
            side.applied, side.change = (number, side.change) if moves else (0, number)
        await applying.apply(self.engine, self.book, side.applied, NOW)
        async with self.engine.begin() as db:
            await _draft(db, self.book, text(side.procedure, 3), side.officer)

    async def _published(self, db: AsyncConnection, side: Side, code: str) -> None:
        book = await bundles.read(db)
        row = await _draft(db, book, text(code, 2), side.officer)
        await publishing.publish(db, book, row, side.leader, "QĐ 12", NOW)


def text(code: str, version: int, **instead: str) -> str:
    """The text of a version to come."""
    begins = {2: "2024-04-01", 3: "2024-05-01"}.get(version, "2024-06-01")
    said = (SAMPLE / f"{code}.yaml").read_text()
    said = said.replace("version: 1\n", f"version: {version}\n", 1)
    said = said.replace("valid_from: 2023-01-01", f"valid_from: {begins}", 1)
    for one, other in instead.items():
        said = said.replace(one, other)
    return said


async def _draft(db: AsyncConnection, book: Any, said: str, by: str) -> Any:
    code, n = await publishing.draft(
        db, book, Kind.procedure, "procedure.yaml", said.encode(), by, NOW
    )
    row = await bundles.find(db, Kind.procedure, code, n)
    linted = await publishing.check(db, book, row, by, NOW)
    assert not linted.errors, linted
    return await bundles.find(db, Kind.procedure, code, n)


async def _draft_templates(db: AsyncConnection, book: Any) -> None:
    row = await bundles.find(db, Kind.templates, bundles.ONE)
    said = f"{row.text}\n# more\n".encode()
    of = Kind.templates, "templates.yaml", said, "p-reception-02", NOW
    code, n = await publishing.draft(db, book, *of)
    row = await bundles.find(db, Kind.templates, code, n)
    assert not (await publishing.check(db, book, row, "p-reception-02", NOW)).errors
