"""Which file is of which component of a dossier, now and before. Nothing here commits.

The ledger binds hashes when a move brings them; what is attached is what such a move brings when it
names none. See docs/decisions/0022.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from states import people, seeing
from states.catalogue import Catalogue
from states.catalogue.procedures import Component
from states.errors import NotOpen, NotYours, Stale, Unknown
from states.files.rows import Provenance, attachment, file
from states.files.store import Received
from states.ledger import Act, effects
from states.ledger.acts import BRINGS, WithFiles
from states.ledger.statements import d
from states.people import Caller
from states.sentences import any_of
from states.sight import Sight
from states.tables import Dossier

log = structlog.get_logger()

Row = Mapping[str, Any]

a, f = attachment.c, file.c
BIGINTS = ARRAY(sa.BigInteger)
FULL = sa.select(attachment, f.size, f.type).join_from(attachment, file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What is said of a file that is handed in."""

    code: str
    component: str
    name: str
    provenance: Provenance

    def told(self) -> dict[str, Any]:
        """Of the row that it becomes."""
        return {name: getattr(self, name) for name in ("component", "name", "provenance")}


class Attached(NamedTuple):
    """A component's present file, and whether it is there since just now."""

    paper: Dossier
    row: Row
    new: bool


class Held(NamedTuple):
    """A component and its files. `wanted` is None where the version does not list it (any more)."""

    code: str
    wanted: Component | None
    present: Row | None
    earlier: Sequence[Row]
    bound: str | None  # the SHA-256 that the ledger holds

    @property
    def required(self) -> bool:
        return self.wanted is not None and self.wanted.required

    @property
    def lacking(self) -> bool:
        """Required, and neither attached nor in the ledger."""
        return self.required and self.present is None and self.bound is None


# What a version lists ---------------------------------------------------------------------


def wanted(book: Catalogue, paper: Dossier) -> tuple[Component, ...]:
    """The components that a dossier's version of its procedure lists; none where none is ours."""
    if not paper.version:
        return ()
    return book.procedure(paper.procedure, paper.version).components


def check(book: Catalogue, who: Caller, paper: Dossier, component: str) -> None:
    """Whether somebody may hand in a file of it now. Raises `Unknown`, `NotOpen` or `NotYours`."""
    known = [each.code for each in wanted(book, paper)]
    if component not in known:
        raise Unknown(
            "dossier {code} has no component {component}: it has {known}",
            code=paper.code,
            component=component[:60],
            known=any_of(known),
        )
    if why := people.may(book, who, paper.agency, paper.unit, paper.field):
        raise NotYours("{id} may not hand in its files: {why}", id=who.person.id, why=why)
    if paper.finished_at is not None:
        raise NotOpen(
            "dossier {code} is {state}: its files change no more",
            code=paper.code,
            state=paper.state,
        )


# In ---------------------------------------------------------------------------------------


async def reserve(db: AsyncConnection, received: Received[Any], by: str, at: datetime) -> None:
    """Enter a file before it is put in its place; committed by itself, so that a sweep finds it."""
    row = {
        "sha256": received.sha256,
        "size": received.size,
        "type": received.kind,
        "at": at,
        "by": by,
    }
    again = {"at": at, "by": by}
    await db.execute(
        insert(file).values(row).on_conflict_do_update(index_elements=[f.sha256], set_=again)
    )


async def attach(
    db: AsyncConnection,
    book: Catalogue,
    who: Caller,
    sight: Sight,
    handed: Handed,
    sha256: bytes,
    at: datetime,
    seen: bytes | None = None,
) -> Attached:
    """Make a file that is kept the present one of a component; the one before stays as replaced.

    The same file under the same name again is the same attachment. `seen`: the hash of the file
    that it replaces, where the caller knows it. Raises what `check` raises, and `Stale`.
    """
    # Locked first: no move closes the dossier meanwhile, and two files get two numbers.
    locking = sa.select(d.id).where(d.code == handed.code).with_for_update(key_share=True)
    await db.execute(locking)
    paper, _ = await seeing.find(db, handed.code, sight)
    check(book, who, paper, handed.component)
    before = await one(db, paper, handed.component)
    check_seen(paper, handed.component, before, seen)
    if before is not None and _same(before, handed, sha256):
        return Attached(paper, before, new=False)
    n = 1 if before is None else await _replace(db, before, at)
    row = {"dossier_id": paper.id, "n": n, "sha256": sha256, "by": who.person.id, "at": at}
    await db.execute(sa.insert(attachment).values(row | handed.told()))
    log.info("file.attached", code=paper.code, component=handed.component, n=n)
    present = await one(db, paper, handed.component)
    assert present is not None
    return Attached(paper, present, new=True)


def check_seen(
    paper: Dossier, component: str, present: Row | None, seen: bytes | None
) -> None:  # fmt: skip
    """Raises `Stale` when the caller has seen another file than the present one."""
    if seen is not None and (present is None or present["sha256"] != seen):
        raise Stale(
            "component {component} of dossier {code} has another file by now: read it again and"
            " decide anew",
            component=component,
            code=paper.code,
        )


def _same(before: Row, handed: Handed, sha256: bytes) -> bool:
    given = (sha256, handed.name, handed.provenance)
    return given == (before["sha256"], before["name"], before["provenance"])


async def _replace(db: AsyncConnection, before: Row, at: datetime) -> int:
    """Say of the present file that it is replaced; the number of the next."""
    key = (a[name] == before[name] for name in ("dossier_id", "component", "n"))
    await db.execute(sa.update(attachment).where(*key).values(replaced_at=at))
    return int(before["n"]) + 1


# Out --------------------------------------------------------------------------------------


async def one(
    db: AsyncConnection, paper: Dossier, component: str, n: int | None = None
) -> Row | None:
    """A component's present file, or its n-th."""
    asked = FULL.where(a.dossier_id == paper.id, a.component == component)
    asked = asked.where(a.replaced_at.is_(None) if n is None else a.n == n)
    row = (await db.execute(asked)).mappings().one_or_none()
    return None if row is None else dict(row)


async def held(db: AsyncConnection, book: Catalogue, paper: Dossier) -> list[Held]:
    """Every component that the version lists, in its order, and those that only have files."""
    asked = FULL.where(a.dossier_id == paper.id).order_by(a.component, a.n.desc())
    rows: dict[str, list[Row]] = {}
    for row in (await db.execute(asked)).mappings():
        rows.setdefault(row["component"], []).append(dict(row))
    listed = {each.code: each for each in wanted(book, paper)}
    bound = paper.facts.get("components", {})
    return [
        Held(
            code,
            listed.get(code),
            next((row for row in rows.get(code, ()) if row["replaced_at"] is None), None),
            [row for row in rows.get(code, ()) if row["replaced_at"] is not None],
            bound.get(code),
        )
        for code in dict.fromkeys((*listed, *rows))
    ]


async def attached(db: AsyncConnection, dossier_id: int) -> dict[str, str]:
    """The SHA-256 of every component's present file."""
    asked = sa.select(a.component, a.sha256).where(
        a.dossier_id == dossier_id, a.replaced_at.is_(None)
    )
    return {row.component: row.sha256.hex() for row in await db.execute(asked)}


# What a move brings -----------------------------------------------------------------------


def unbound(book: Catalogue, paper: Dossier, files: Mapping[str, str]) -> dict[str, str]:
    """Of the attached files, those that the ledger does not hold yet."""
    bound = paper.facts.get("components", {})
    codes = {each.code for each in wanted(book, paper)}
    return {code: sha for code, sha in files.items() if code in codes and bound.get(code) != sha}


async def bringing(
    db: AsyncConnection, book: Catalogue, papers: Iterable[Dossier]
) -> Callable[[Dossier, Act], Act]:
    """As `brought`, of many dossiers, which are locked: their files are asked for together."""
    files: dict[int, dict[str, str]] = {int(paper.id or 0): {} for paper in papers}
    asked = sa.select(a.dossier_id, a.component, a.sha256)
    asked = asked.where(a.dossier_id == sa.any_(sa.cast(sorted(files), BIGINTS)))
    for row in await db.execute(asked.where(a.replaced_at.is_(None))):
        files[row.dossier_id][row.component] = row.sha256.hex()
    return lambda paper, act: _with(book, paper, act, files[int(paper.id or 0)])


def takes_files(act: Act) -> bool:
    """Whether an act brings the attached files: it may bring files, and names none."""
    return "components" not in act.payload and BRINGS.get(act.event) is WithFiles


def _with(book: Catalogue, paper: Dossier, act: Act, files: Mapping[str, str]) -> Act:
    if not (takes_files(act) and (new := unbound(book, paper, files))):
        return act
    return replace(act, payload={**act.payload, "components": new})


async def brought(db: AsyncConnection, book: Catalogue, paper: Dossier, act: Act) -> Act:
    """The act, with the attached files where it may bring files and names none."""
    if not takes_files(act):
        return act
    return _with(book, paper, act, await attached(db, int(paper.id or 0)))


def foreseen(book: Catalogue, paper: Dossier, files: Mapping[str, str]) -> Dossier:
    """A copy of the dossier as it is when a move brings these: what guards read of it."""
    then = copy(paper)
    if new := unbound(book, paper, files):
        pinned: Any = book.procedure(paper.procedure, paper.version)
        effects.bring(then, pinned, WithFiles(components=new))
    return then
