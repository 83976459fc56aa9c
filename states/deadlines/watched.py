"""Which times of a dossier are watched, and which were, out of its lines and visits. Pure.

A time that is over is told too, with the line that ended it: what was missed while nobody swept is
missed all the same. One thing is forgotten: how late a stage was before its term began again or its
calendar was corrected, if no sweep ran in between.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, NamedTuple

from states import clock
from states.catalogue.rules import On
from states.clock import Calendar, Facts, Policy, Term
from states.deadlines.moments import MINUTE, Deadline, shifted, transfer_due
from states.lifecycle import FINISHED, HELD, moves
from states.words import Channel, Clock, Event, State

TRANSFER_BY = "15:00"  # Decree 61/2018/NĐ-CP Art. 18, unless the procedure says otherwise
NOTICE = Term.parse("3wd")  # Art. 19(4), as above
APOLOGY = Term.parse("1wd")  # Art. 19(9): one day; that it is a working day is our policy, as above
ONLINE = Term.parse("8wh")  # Decree 45/2020/NĐ-CP
HERE = {State.received, State.digitised}  # received, and not sent on yet


def _events(*clocks: Clock) -> frozenset[Event]:
    return frozenset(e for e in Event if any(row.clock in clocks for row in moves(e)))


MOVING = _events(Clock.runs, Clock.restarts, Clock.reckons)
"""What may give a stage another due moment."""
TICKING = frozenset(Event) - _events(Clock.nothing)
"""Whose lines may tell the dossier's due moment."""


class Line(NamedTuple):
    """A line of the ledger. `tells`: whether it says what is due from then on, None included."""

    seq: int
    event: Event
    source: State | None
    dest: State
    at: datetime
    due: datetime | None = None
    tells: bool = False


class Told(NamedTuple):
    """The last that was told of a time: its version and what was due."""

    version: int
    due: datetime


@dataclass(frozen=True, slots=True)
class Life:
    """A dossier's row, lines and visits, the latter two in order."""

    paper: Any
    lines: Sequence[Line]
    visits: Sequence[Any]


Before = Mapping[tuple[On, int], Told]


def deadlines(
    life: Life, procedure: Any | None, calendar: Calendar, before: Before
) -> Iterator[Deadline]:
    """Every time of it that is or was watched. No `procedure`: it was taken over from elsewhere,
    where the duties of reception were somebody else's. `before`: what was told of it last.
    """
    terms = list(_terms(life, calendar))
    yield from (_deadline(each) for each in terms)
    for each in _stages(life, calendar):
        yield _same(each, before)
    if procedure is None:
        return
    for each in _transfers(life, procedure, calendar):
        yield _same(each, before)
    yield from _notices(life, procedure, calendar)
    yield from _apologies(life, terms, procedure, calendar)
    yield from _answers(life, calendar)


def _same(deadline: Deadline, before: Before) -> Deadline:
    """A line that moved nothing makes no new version: what was told of it keeps its number."""
    told = before.get((deadline.on, deadline.visit))
    if told is not None and told.due == deadline.due and told.version <= deadline.version:
        return deadline._replace(version=told.version)
    return deadline


# The dossier's own term ---------------------------------------------------------------------


class _Term(NamedTuple):
    """A version of the dossier's due moment, from one line to the line that ended it."""

    version: int
    start: datetime
    due: datetime
    late: datetime
    begun: Line
    over: Line | None


def _deadline(term: _Term) -> Deadline:
    over = term.over and (term.over.at, term.over.seq)
    times = (term.start, term.due, term.late, term.begun.at)
    return Deadline(On.term, 0, term.version, *times, *(over or ()))


def _terms(life: Life, calendar: Calendar) -> Iterator[_Term]:
    """As the lines tell: a line that tells another due moment is its version, as in the ledger."""
    version, last, begun = 0, None, None
    for line in life.lines:
        runs = line.dest not in FINISHED and line.dest not in HELD
        if begun is not None and (not runs or (line.tells and line.due != begun.due)):
            yield _term(life, calendar, version, begun, line)
            begun = None
        if line.tells:
            if runs and line.due != last:
                version = line.seq
            last = line.due
        if runs and line.tells and line.due is not None and begun is None:
            begun = line
    if begun is not None:
        yield _term(life, calendar, version, begun, None)


def _term(life: Life, calendar: Calendar, version: int, begun: Line, over: Line | None) -> _Term:
    assert begun.due is not None
    late = clock.late_from(calendar, Policy(life.paper.policy), begun.due)
    again = life.paper.restart
    start = life.paper.received_at if again is None or again > begun.at else again
    return _Term(version, start, begun.due, late, begun, over)


# Stages -------------------------------------------------------------------------------------


def _stages(life: Life, calendar: Calendar) -> Iterator[Deadline]:
    paper, policy = life.paper, Policy(life.paper.policy)
    for visit in life.visits:
        if visit.due_at is None:
            continue
        start = visit.opened_at if paper.restart is None else max(visit.opened_at, paper.restart)
        late = clock.late_from(calendar, policy, visit.due_at)
        version = _moved(life.lines, visit.opened_seq, visit.closed_seq)
        times = (start, visit.due_at, late, visit.opened_at)
        over = (visit.closed_at, visit.closed_seq)
        yield Deadline(On.stage, visit.visit, version, *times, *over)


def _moved(lines: Sequence[Line], begun: int, over: int | None) -> int:
    """The last line in that stretch which may have moved a due moment; else the first."""
    moving = (e.seq for e in lines if e.event in MOVING and (over is None or e.seq < over))
    return max((seq for seq in moving if seq > begun), default=begun)


# The duties of the law ----------------------------------------------------------------------


def _ending(lines: Sequence[Line], after: Line, within: set[State]) -> Line | None:
    return next((e for e in lines if e.seq > after.seq and e.dest not in within), None)


def _over(line: Line | None) -> tuple[datetime | None, int | None]:
    return (None, None) if line is None else (line.at, line.seq)


def _transfers(life: Life, procedure: Any, calendar: Calendar) -> Iterator[Deadline]:
    """Said in hours of the day, so late by the minute, whatever the dossier's policy."""
    for line in life.lines:
        if line.event != Event.receive:
            continue
        end = _ending(life.lines, line, HERE)
        by = time.fromisoformat(procedure.transfer_by or TRANSFER_BY)
        due = transfer_due(calendar, line.at, by)
        version = _moved(life.lines, line.seq, None if end is None else end.seq)
        times = (line.at, due, due + MINUTE, line.at)
        yield Deadline(On.transfer, 0, version, *times, *_over(end))


def _answers(life: Life, calendar: Calendar) -> Iterator[Deadline]:
    """Received, declined or asked to supplement, each is an answer; a supplement is a new lodging.

    Said in working hours, so late by the minute.
    """
    if life.paper.channel != Channel.online:
        return
    for line in life.lines:
        if line.dest != State.registered:
            continue
        due = clock.read(ONLINE, calendar, Facts(line.at), Policy.instant, line.at).due
        assert due is not None
        times = (line.at, due, due + MINUTE, line.at)
        end = _ending(life.lines, line, {State.registered})
        yield Deadline(On.online_answer, 0, line.seq, *times, *_over(end))


def _notices(life: Life, procedure: Any, calendar: Calendar) -> Iterator[Deadline]:
    """Each supplement that was asked for too late, told by the asking itself: until then nobody can
    know that one will be asked for. The time runs from when the papers were last handed in.
    """
    notice, policy = procedure.supplement.notice or NOTICE, Policy(life.paper.policy)
    complete: datetime | None = None
    for line in life.lines:
        if line.event in {Event.receive, Event.supplement} and line.dest not in HELD:
            complete = line.at
        if line.event != Event.request_supplement or line.source != State.processing:
            continue
        assert complete is not None
        due = clock.read(notice, calendar, Facts(complete), policy, line.at).due
        if due is not None and line.at >= clock.late_from(calendar, policy, due):
            over = (None, None) if line is life.lines[-1] else (line.at, line.seq)
            times = (complete, due, line.at, complete)
            yield Deadline(On.supplement_notice, 0, line.seq, *times, *over)


def _apologies(
    life: Life, terms: Sequence[_Term], procedure: Any, calendar: Calendar
) -> Iterator[Deadline]:
    """The apology with the new date, one day before the first date runs out.

    That it was owed shows only when the dossier gets late without it, or when it comes too late: a
    dossier that is done on its last day owes none. Where the procedure allows no new date, or the
    day before lies before the receipt, none can be given.
    """
    if procedure.extension.times == 0:
        return
    before, policy = procedure.extension.before or APOLOGY, Policy(life.paper.policy)
    given = next((line for line in life.lines if line.event == Event.extend), None)
    for term in terms:
        if given is not None and term.begun.seq >= given.seq:
            return
        due = shifted(calendar, term.due, before, -1)
        if due is None or due <= term.start:
            continue
        late, over = term.late, term.over
        if given is not None and (over is None or over.seq >= given.seq):
            over = given
            if given.at < clock.late_from(calendar, policy, due):
                continue
            late = min(late, given.at)
        times = (term.start, due, late, term.begun.at)
        yield Deadline(On.apology, 0, term.version, *times, *_over(over))
