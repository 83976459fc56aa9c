"""Which dossiers: what may be asked of a list, and of a search."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from states.catalogue import Catalogue
from states.errors import BadInput
from states.finding.rows import LONGEST, Kind
from states.finding.terms import found
from states.ledger.acts import SHORT, check_text
from states.ledger.statements import d, v
from states.words import Channel, State, Tally

UNFINISHED = d.finished_at.is_(None)


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment on, before another; either may be left open."""

    since: datetime | None = None
    until: datetime | None = None

    def check(self, name: str) -> None:
        """Raises `BadInput`."""
        for end in (self.since, self.until):
            if end is not None and (end.tzinfo is None or not 1900 <= end.year < 9999):
                raise BadInput(
                    "{name} must be moments from 1900 on, each with its offset", name=name
                )
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise BadInput("{name} ends before it begins: the end itself is not in it", name=name)

    def where(self, column: Any) -> list[Any]:
        """As conditions."""
        since = [] if self.since is None else [column >= self.since]
        return since if self.until is None else [*since, column < self.until]


@dataclass(frozen=True, slots=True, kw_only=True)
class Only:
    """Of several values of one kind, any; of several kinds, all.

    An agency or a unit stands for those it took over from, too. `overdue`: not finished, and past
    its last minute. `due_before` is asked of what runs; `due` of what is finished, too. `person`:
    who has the stage it is in.
    """

    state: tuple[State, ...] = ()
    agency: tuple[str, ...] = ()
    unit: tuple[str, ...] = ()
    procedure: tuple[str, ...] = ()
    field: tuple[str, ...] = ()
    channel: tuple[Channel, ...] = ()
    verdict: tuple[Tally, ...] = ()
    received: Span = Span()
    due: Span = Span()
    finished: Span = Span()
    due_before: datetime | None = None
    overdue: bool | None = None
    person: str | None = None

    def check(self) -> None:
        """Raises `BadInput`."""
        for name in ("agency", "unit", "procedure", "field"):
            for text in getattr(self, name):
                check_text(name, text, SHORT)
        check_text("person", self.person, SHORT)
        for name in ("received", "due", "finished"):
            getattr(self, name).check(name)
        Span(until=self.due_before).check("due_before")

    def where(self, book: Catalogue, at: datetime) -> list[Any]:
        """As conditions on a query of dossiers."""
        self.check()

        def lines(codes: Iterable[str]) -> set[str]:
            return {each for code in codes for each in book.organisation.line(code)}

        among = {name: getattr(self, name) for name in ("state", "field", "channel", "verdict")}
        among |= {"agency": lines(self.agency), "unit": lines(self.unit)}
        holds = [
            *(d[name].in_(sorted(values)) for name, values in among.items() if values),
            *self._procedures(),
            *self.received.where(d.received_at),
            *was_due(self.due),
            *self.finished.where(d.finished_at),
        ]
        if self.due_before is not None:
            holds += [UNFINISHED, d.due_at < self.due_before]
        if self.overdue is not None:
            holds.append(overdue(at) if self.overdue else in_time(at))
        return holds if self.person is None else [*holds, held_by(self.person)]

    def _procedures(self) -> list[Any]:
        """Found by its index, and compared in full: a term may be cut off."""
        if not self.procedure:
            return []
        cut = [code[:LONGEST] for code in self.procedure]
        return [found(Kind.procedure, *cut), d.procedure.in_(self.procedure)]


def was_due(span: Span) -> list[Any]:
    """Due in a span, running or finished: each has an index of its own."""
    holds = span.where(d.due_at)
    return [sa.or_(sa.and_(UNFINISHED, *holds), sa.and_(~UNFINISHED, *holds))] if holds else []


def overdue(at: datetime) -> Any:
    """Past its last minute. What is so is past its due moment too, which an index knows."""
    return UNFINISHED & (d.due_at <= at) & (d.late_at <= at)


def in_time(at: datetime) -> Any:
    """Not overdue: finished, without a date, or before its last minute."""
    return sa.or_(~UNFINISHED, d.late_at.is_(None), d.late_at > at)


def held_by(person: str) -> Any:
    """Whether somebody has the stage that it is in."""
    return sa.exists().where(
        v.dossier_id == d.id, v.visit == d.visit, v.closed_at.is_(None), v.person == person
    )
