"""Who may see which dossiers: the one predicate, for every door that reads. Pure.

A caller's `Sight` is worked out once from the organisation of the day and asked in two ways: as a
WHERE on the table (lists, counts, searches, exports, reports, streams), and of one row in hand.

| role | sees |
|---|---|
| reception | every dossier of the centre: handed in and fetched at whatever counter |
| postal | those of the agency it acts for, in the fields delegated, while the delegation is in force |
| officer | what lies or has lain in their unit, what waits for any unit of their agency, what is or was theirs |
| leader, control | those of their agency; of the centre, all |

Whoever took over from a body that ended sees what was that body's. A delegation of another role
adds its agencies and fields. A body that was consulted sees what it was asked about.
"""  # noqa: E501  a table is read across

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from states.catalogue import Catalogue
from states.consultations import opened
from states.ledger.statements import d, dossier, v, visit
from states.people import Caller
from states.words import Role

WIDE = frozenset({Role.leader, Role.control})


@dataclass(frozen=True, slots=True)
class Sight:
    """What a caller may see: data, so that equal sights are one."""

    person: str
    all: bool = False
    agencies: frozenset[str] = field(default_factory=frozenset)  # each with all its dossiers
    fields: frozenset[tuple[str, str]] = field(default_factory=frozenset)  # of an agency, one field
    units: frozenset[str] = field(default_factory=frozenset)  # what lies or has lain there
    asked: frozenset[str] = field(default_factory=frozenset)  # bodies: what they are asked about

    def where(self) -> sa.ColumnElement[bool]:
        """The predicate on a query of dossiers."""
        if self.all:
            return sa.true()
        visited = self._visited()
        return sa.or_(
            d.agency.in_(sorted(self.agencies)) if self.agencies else sa.false(),
            *(
                (d.agency == agency) & (d.field == of)
                for agency, of in sorted(self.fields)
            ),
            d.unit.in_(sorted(self.units)) if self.units else sa.false(),
            # Each with an index of its own; of its own visits, where the query reads visits too.
            *(sa.exists().where(v.dossier_id == d.id, its).correlate(dossier) for its in visited),
            opened.asked(self.asked) if self.asked else sa.false(),
        )  # fmt: skip

    def plainly(self, row: Any) -> bool:
        """Whether the row of a dossier alone says that it is seen; visits may say so still."""
        return (
            self.all
            or row.agency in self.agencies
            or (row.agency, row.field) in self.fields
            or row.unit in self.units
        )

    def sees(self, row: Any) -> bool:
        """`where` of a row with the persons and units of its visits, and the bodies asked of it."""
        return (
            self.plainly(row)
            or self.person in row.persons
            or not self.units.isdisjoint(row.units)
            or not self.asked.isdisjoint(row.asked)
        )  # fmt: skip

    def by_visit(self, dossier_id: int) -> sa.Select[Any]:
        """Asks whether a visit or a consultation of the dossier shows it to the caller."""
        visited = sa.exists().where(v.dossier_id == dossier_id, sa.or_(*self._visited()))
        visited = visited.select_from(visit)
        if not self.asked:
            return sa.select(visited)
        consulted = sa.exists().where(d.id == dossier_id, opened.asked(self.asked))
        return sa.select(visited | consulted)

    def _visited(self) -> list[sa.ColumnElement[bool]]:
        mine: list[sa.ColumnElement[bool]] = [v.person == self.person]
        return [*mine, v.unit.in_(sorted(self.units))] if self.units else mine


def sight(book: Catalogue, who: Caller) -> Sight:
    """What somebody may see in the capacity in which they ask, on the caller's day."""
    staff, person = book.organisation, who.person.id
    held = [each.unit for each in who.person.positions if each.role is who.role]
    stands = {each.unit for each in who.person.positions if each.stands(who.on)}
    places = {unit for unit in held if unit in stands}
    bodies = {staff.agency_of(place) for place in places}
    if book.centre.code in bodies and who.role in WIDE | {Role.reception}:
        return Sight(person, all=True)
    agencies, fields = _delegated(book, who)
    if who.role in WIDE:
        agencies |= bodies
    units = places | bodies if who.role is Role.officer else set()
    return Sight(
        person,
        agencies=_with_predecessors(book, agencies),
        fields=frozenset(
            (line, of) for agency, of in fields for line in staff.line(agency)
        ),
        units=_with_predecessors(book, units),
        asked=opened.answering(book, who),
    )  # fmt: skip


def _delegated(book: Catalogue, who: Caller) -> tuple[set[str], set[tuple[str, str]]]:
    """The agencies, and the fields of agencies, of the delegations in force that are used now."""
    agencies: set[str] = set()
    fields: set[tuple[str, str]] = set()
    for each in book.organisation.delegations:
        if each.person != who.person.id or each.role is not who.role:
            continue
        for agency in each.agencies:
            if not each.holds(agency, who.on) or who.acts_for not in {None, agency}:
                continue
            if each.fields:
                fields |= {(agency, of) for of in each.fields}
            else:
                agencies.add(agency)
    return agencies, fields


def _with_predecessors(book: Catalogue, codes: Iterable[str]) -> frozenset[str]:
    return frozenset(line for code in codes for line in book.organisation.line(code))
