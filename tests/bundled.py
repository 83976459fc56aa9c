"""Bundles for the tests of the catalogue: the sample's with something changed, and their steps."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import date, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from databases import alone, run_as_owner
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states import db as database_of
from states import ledger
from states.catalogue import Catalogue, bundles, publishing
from states.catalogue.bundles import b, bundle
from states.catalogue.rows import Kind
from states.ledger import Act, Lodging
from states.tables import Dossier
from states.words import Channel, Event, Role

if TYPE_CHECKING:
    from states.embedded import Embedded

SAMPLE = Path(str(resources.files("config"))) / "sample"
FILES = sorted((SAMPLE / "procedures").glob("*.yaml"))
PERMIT = "2.000205"
PAPERS = dict.fromkeys(("don", "suc-khoe", "ly-lich-tu-phap", "ho-chieu", "anh"), "0" * 64)
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
MONDAY = datetime(2026, 1, 5, 9, tzinfo=HANOI)
AUTHOR, CHECKER, DECIDER = "p-labour-lead-01", "p-labour-officer-11", "p-control-01"
DECISION = "Quyết định 12/QĐ-UBND"
SHORTER = ("term: 5wd", "term: 4wd"), ("term: 3wd", "term: 2wd")


# Texts ------------------------------------------------------------------------------------


def sample(name: str = f"procedures/{PERMIT}.yaml") -> bytes:
    return (SAMPLE / name).read_bytes()


def edited(raw: bytes, *pairs: tuple[str, str]) -> bytes:
    """A text with the first of each pair, where it is first found, replaced by the second."""
    for old, new in pairs:
        assert old.encode() in raw, old
        raw = raw.replace(old.encode(), new.encode(), 1)
    return raw


def permit(version: int = 2, since: str = "2026-02-02", *pairs: tuple[str, str]) -> bytes:
    """The next version of the permit."""
    numbered = ("version: 1\n", f"version: {version}\n")
    begun = ("valid_from: 2023-01-01", f"valid_from: {since}")
    return edited(sample(), numbered, begun, *pairs)


def staff(*pairs: tuple[str, str]) -> bytes:
    return edited(sample("organisation.yaml"), *pairs)


def rules(*pairs: tuple[str, str]) -> bytes:
    return edited(sample("regimes.yaml"), *pairs)


# Steps ------------------------------------------------------------------------------------


async def drafted(
    db: AsyncConnection,
    raw: bytes,
    kind: Kind = Kind.procedure,
    by: str = AUTHOR,
    at: datetime = MONDAY,
) -> Any:
    """Kept as a draft; its row."""
    book = await bundles.read(db)
    code, version = await publishing.draft(db, book, kind, "it.yaml", raw, by, at)
    return await bundles.find(db, kind, code, version)


async def checked(
    db: AsyncConnection, raw: bytes, kind: Kind = Kind.procedure, at: datetime = MONDAY
) -> Any:
    """Kept, and found without errors; its row."""
    row = await drafted(db, raw, kind, at=at)
    linted = await publishing.check(db, await bundles.read(db), row, CHECKER, at)
    assert not linted.errors, linted.findings
    return await bundles.find(db, kind, row.code, row.version)


async def publish(
    db: AsyncConnection,
    row: Any,
    by: str = DECIDER,
    document: str = DECISION,
    at: datetime = MONDAY,
) -> Catalogue:
    """Published; the catalogue afterwards."""
    await publishing.publish(db, await bundles.read(db), row, by, document, at)
    return await bundles.read(db)


async def published(
    db: AsyncConnection, raw: bytes, kind: Kind = Kind.procedure, at: datetime = MONDAY
) -> Catalogue:
    """From a text to the counter."""
    return await publish(db, await checked(db, raw, kind, at), at=at)


# Dossiers ---------------------------------------------------------------------------------


async def opened(
    db: AsyncConnection,
    book: Catalogue,
    at: datetime = MONDAY,
    event: Event = Event.receive,
    procedure: str = PERMIT,
    unit: str = "H42.14",
) -> Dossier:
    """A complete dossier."""
    channel = Channel.online if event is Event.register else Channel.counter
    role = Role.citizen if event is Event.register else Role.reception
    lodging = Lodging(unit=unit, procedure=procedure, channel=channel, applicant="Ánh")
    brings = {"components": PAPERS if procedure == PERMIT else {"don": "0" * 64}}
    act = Act(event=event, actor="a", role=role, at=at, payload=brings)
    return await ledger.open_(db, book, lodging, act)


async def moved(
    db: AsyncConnection, book: Catalogue, code: str, event: Event, role: Role, at: datetime
) -> Dossier:
    said = {"reason": "vì thế", "ground": "61/2018/NĐ-CP Điều 19"}
    return await ledger.move(db, book, code, Act(event=event, actor="a", role=role, at=at, **said))


# What there is ----------------------------------------------------------------------------


async def everything(db: AsyncConnection, *tables: str) -> list[Any]:
    """All rows, column by column: of the catalogue, unless tables are named."""
    named = tables or ("bundle", "edition")
    asked = "SELECT to_jsonb(t) FROM {} t ORDER BY 1"
    return [
        [dict(row) for row in (await db.execute(sa.text(asked.format(name)))).scalars()]
        for name in named
    ]


async def row_of(db: AsyncConnection, version: int, code: str = PERMIT) -> Any:
    this = (b.kind == Kind.procedure, b.code == code, b.version == version)
    return (await db.execute(sa.select(bundle).where(*this))).one()


def day(text: str) -> date:
    return date.fromisoformat(text)


# A database of one's own ------------------------------------------------------------------


@contextmanager
def database(server: "Embedded", name: str) -> Iterator[str]:
    """A copy of the sample's, gone afterwards: what is published is there for ever."""
    with alone(server.data):
        run_as_owner(server, f"CREATE DATABASE {name} TEMPLATE hoso")
    yield name
    run_as_owner(server, f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def connected(
    server: "Embedded", name: str, role: str = "hoso_app"
) -> AsyncIterator[AsyncEngine]:
    engine = database_of.engine(server.address(name, role), size=20)
    yield engine
    await engine.dispose()
