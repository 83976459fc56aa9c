"""The organisation's text with one thing changed: who is away, acts for whom, sits where.

What a form asks goes the way of every draft: into the text, checked, and published by a second
person.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from difflib import unified_diff
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from states.catalogue import Catalogue, bundles, publishing
from states.catalogue.bundles import ONE
from states.catalogue.checking import Severity
from states.catalogue.organisation import Delegation, Organisation, Position, Row
from states.catalogue.rights import NoRight, may_draft
from states.catalogue.rows import Kind, Status
from states.errors import BadInput, Unknown
from states.words import Role
from states.yaml_files import editing

Change = Callable[[str], str]
FILE = "organisation.yaml"
ORDER = (
    *("calendar", "centre", "fields", "agencies", "units", "people", "places", "points"),
    *("delegations", "absences", "longest_delegation"),
    *("unit", "role", "since", "until", "revoked", "revoked_by"),
)


# In the text --------------------------------------------------------------------------------------


def absence(
    person: str, since: date, until: date, substitute: str | None, reason: str | None
) -> Change:
    """Somebody is away, and who of the same role stands in."""
    said = {"person": person, "since": since, "until": until}
    return _appended("absences", said | {"substitute": substitute, "reason": reason})


def delegation(
    person: str,
    role: Role,
    agencies: Iterable[str],
    fields: Iterable[str],
    document: str,
    since: date,
    until: date,
) -> Change:
    """A person acts for agencies, in all of their fields where none is named."""
    said: dict[str, Any] = {"person": person, "role": role}
    said |= {"agencies": list(agencies), "fields": list(fields)}
    said |= {"document": document, "document_verified": False, "since": since, "until": until}
    return _appended("delegations", said)


def revocation(of: Delegation, on: date, document: str) -> Change:
    """A delegation holds before that day only."""

    def change(text: str) -> str:
        there = editing.at(editing.plain(text), ("delegations",))
        path = ("delegations", _like(there, of, ("person", "role", "agencies", "since", "until")))
        text = editing.put(text, (*path, "revoked"), on.isoformat(), ORDER)
        return editing.put(text, (*path, "revoked_by"), document, ORDER)

    return change


def hired(person: str, name: str, unit: str, role: Role, since: date) -> Change:
    """Somebody new with a first position."""
    position = _plain({"unit": unit, "role": role, "since": since})
    return _appended("people", {"id": person, "name": name, "positions": [position]})


def position(person: str, unit: str, role: Role, since: date) -> Change:
    """One more role at a unit for somebody who is there."""

    def change(text: str) -> str:
        path = ("people", _place(text, person), "positions")
        return editing.append(text, path, _plain({"unit": unit, "role": role, "since": since}))

    return change


def ended(person: str, of: Position, until: date) -> Change:
    """A position that somebody holds until a day."""

    def change(text: str) -> str:
        path = ("people", _place(text, person), "positions")
        number = _like(editing.at(editing.plain(text), path), of, ("unit", "role", "since"))
        return editing.put(text, (*path, number, "until"), until.isoformat(), ORDER)

    return change


def _like(there: Any, of: Row, keys: Iterable[str]) -> int:
    """Which of a list in the text says the same: a draft may have more, and in another order.

    Raises `Unknown`.
    """
    said = of.model_dump(mode="json", include=set(keys))
    for n, each in enumerate(there if isinstance(there, list) else ()):
        if isinstance(each, dict) and all(each.get(key) == said[key] for key in said):
            return n
    raise Unknown("the draft of the organisation has this no more: see what it changes")


def _appended(key: str, said: dict[str, Any]) -> Change:
    def change(text: str) -> str:
        return editing.append(text, (key,), _plain(said), ORDER)

    return change


def _plain(said: dict[str, Any]) -> dict[str, Any]:
    """As a text says it: what is empty is left out."""
    kept = {key: value for key, value in said.items() if value not in (None, "", [])}
    return {
        key: value.isoformat() if isinstance(value, date) else value for key, value in kept.items()
    }


def _place(text: str, person: str) -> int:
    """Where somebody stands in the text. Raises `Unknown`."""
    people = editing.at(editing.plain(text), ("people",)) or []
    for n, each in enumerate(people):
        if isinstance(each, dict) and each.get("id") == person:
            return n
    raise Unknown("there is no person {id} in the draft of the organisation", id=person[:80])


# On the way to being published ----------------------------------------------------------------


def may_change(book: Catalogue, by: str, at: datetime, bodies: Iterable[str]) -> None:
    """Raises `NoRight` for whoever is of none of these bodies' agencies; the centre writes for all.

    Stricter than the draft of the whole text, which any of the staff may propose.
    """
    may_draft(book, by, at)
    staff, on = book.organisation, book.day(at)
    mine = {staff.agency_of(e.unit) for e in book.person(by).positions if e.stands(on)}
    theirs = {staff.agency_of(each) for each in bodies}
    if book.centre.code not in mine and not theirs <= mine:
        raise NoRight(
            "{by} is not of {agencies}: ask somebody who is, or the centre",
            by=by,
            agencies=sorted(theirs - mine),
        )


def bodies_of(staff: Organisation, person: str) -> set[str]:
    """Where somebody sits, or sat."""
    return {each.unit for each in staff.person(person).positions}


async def draft(
    db: AsyncConnection, book: Catalogue, change: Change, by: str, at: datetime
) -> Any:  # fmt: skip
    """The row of the draft with the change in it, checked by whoever made it.

    It goes into the draft there is, so that several changes are published together. Raises
    `BadInput` where the checker finds an error, then nothing is to be kept.
    """
    await db.execute(publishing.DRAFTING)
    last = await bundles.find(db, Kind.organisation, ONE)
    text = change(last.text).encode()
    _, version = await publishing.draft(db, book, Kind.organisation, FILE, text, by, at)
    row = await bundles.find(db, Kind.organisation, ONE, version)
    linted = await publishing.check(db, book, row, by, at)
    for each in linted.findings:
        if each.severity is Severity.error:
            raise BadInput(
                "{field} {why}: {mend}", field=each.field or FILE, why=each.why, mend=each.mend
            )
    return await bundles.find(db, Kind.organisation, ONE, version)


async def waiting(db: AsyncConnection) -> tuple[Any, list[tuple[str, str]]]:
    """The draft there is, and the lines it takes out (-) and puts in (+); None and nothing."""
    last = await bundles.find(db, Kind.organisation, ONE)
    if last.status not in {Status.draft, Status.checked}:
        return None, []
    rows = await bundles.versions(db, Kind.organisation, ONE)
    before = next((each.text for each in reversed(rows) if each.status in bundles.BOUND), "")
    told = unified_diff(before.splitlines(), last.text.splitlines(), n=0, lineterm="")
    lines = [each for each in told if not each.startswith(("---", "+++", "@@"))]
    return last, [(each[:1], each[1:]) for each in lines]
