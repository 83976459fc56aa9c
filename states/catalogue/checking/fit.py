"""Whether the stages fit into the term on every day on which a dossier may be received.

The clock is walked over the calendar, day by day: a dossier whose every stage takes all of its term
must still be on time. Of stages that branch the way that takes longest counts. Neighbours in
calendar days add up as a term and its extension do; each alone would be rolled forward to a working
day, and no term in calendar days could ever be shared out.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import NamedTuple

from states.catalogue.checking.draft import Draft, Sessions
from states.catalogue.checking.finding import Flaw, Severity
from states.catalogue.checking.graph import Ways
from states.catalogue.checking.lengths import finer
from states.catalogue.procedures import Procedure
from states.clock import Kind, Term, late_from
from states.sentences import Sentence
from states.yaml_files import Key

RECEIPT = -1  # where the first stage begins
Days = tuple[tuple[int, Sessions], ...]
Done = Callable[[datetime], datetime | None]


class Leg(NamedTuple):
    """A stretch of a way: from the end of a stage, or the receipt, through stages whose terms add
    up to one.
    """

    begin: int
    through: tuple[int, ...]
    term: Term


class Run(NamedTuple):
    """A dossier whose every stage takes all of its term. No `done`: past the calendar's end."""

    received: datetime
    due: datetime
    done: datetime | None
    late: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The legs into each stage that matters, in an order in which they can be walked."""

    legs: dict[int, list[Leg]]
    last: tuple[int, ...]
    branches: bool


def flaws(draft: Draft) -> Iterator[Flaw]:
    """For the term, and for each other term, what does not fit into it."""
    procedure, calendar = draft.procedure, draft.calendar
    if calendar is None or not draft.days or any(finer(procedure, calendar.standard_day)):
        return
    totals: list[tuple[Key, Term]] = [(("stages",), procedure.term)]
    totals += [(("terms", n, "term"), each.term) for n, each in enumerate(procedure.terms)]
    totals = [(key, each) for key, each in totals if each.kind is not Kind.none]
    plan = planned(procedure, draft.ways)
    if not totals or not plan.last:
        return
    if open_ := sorted(n for n in plan.legs if procedure.stages[n].term.kind is Kind.none):
        for n in open_:
            why = Sentence(
                "must have a length, as {totals} is to be shared out", totals=totals[0][1]
            )
            yield Flaw(("stages", n, "term"), why, "give the stage its share of it")
        return
    done = cache(partial(_done, draft, plan))
    for key, total in totals:
        if (found := worst(draft, plan, total, done)) is not None:
            yield _told(draft, plan, key, total, *found)


def _told(draft: Draft, plan: Plan, key: Key, total: Term, run: Run, severity: Severity) -> Flaw:
    until = _moment(run.done) if run.done else "past the end of the calendar"
    if plan.branches and run.done:
        way = _longest(draft, plan, run)
        until += " by way of " + ", ".join(draft.procedure.stages[n].code for n in way)
    why = Sentence(
        "no stage is late and yet the dossier is: received on {moment} it is due on"
        " {moment_run_due} after {total}, and its stages may take until {until}",
        moment=_moment(run.received),
        moment_run_due=_moment(run.due),
        total=total,
        until=until,
    )
    if severity is Severity.error:
        return Flaw(key, why, "shorten a stage, or lengthen the term")
    return Flaw(key, why, "leave room for such days, or have their dossiers watched", severity)


def _moment(at: datetime) -> str:
    return f"{at:%a %d/%m/%Y %H:%M}"


# The ways, once -----------------------------------------------------------------------------


def planned(procedure: Procedure, found: Ways) -> Plan:
    """How the stages follow one another up to the result. A circle is gone round once."""
    stages = range(len(procedure.stages))
    before: dict[int, list[int]] = {n: [] for n in stages}
    for at in found.reached:
        for to in found.onward[at]:
            if to > at or to not in found.circle(at):
                before[to].append(at)
    legs: dict[int, list[Leg]] = {}
    for n in _in_order(found, before):
        own = procedure.stages[n].term
        into = [Leg(RECEIPT, (n,), own)] if n == 0 else []
        for at in before[n]:
            into += _joined(legs[at], n, own) or [Leg(at, (n,), own)]
        legs[n] = _longest_each(into)
    last = tuple(n for n in legs if found.ends[n])
    several = len(last) > 1 or any(len(each) > 1 for each in before.values())
    return Plan(_needed(legs, last), last, several)


def _in_order(found: Ways, before: dict[int, list[int]]) -> list[int]:
    """Every stage that is reached, after all of those before it."""
    order: list[int] = []
    waits = {n: sum(1 for each in before[n]) for n in found.reached}
    ready = [n for n, many in waits.items() if not many]
    while ready:
        order.append(at := ready.pop())
        for to in found.onward[at]:
            if at in before[to]:
                waits[to] -= 1
                if not waits[to]:
                    ready.append(to)
    return order


def _joined(into: list[Leg], n: int, own: Term) -> list[Leg]:
    """The legs into the stage before, gone on with in calendar days; none of another kind."""
    if own.kind is not Kind.calendar:
        return []
    return [
        Leg(begin, (*through, n), Term(own.kind, term.amount + own.amount, own.unit))
        for begin, through, term in into
        if term.kind is Kind.calendar
    ]


def _longest_each(legs: list[Leg]) -> list[Leg]:
    """Of those that begin at one stage and are counted alike, the longest."""
    best: dict[int, Leg] = {}
    for each in legs:
        if each.begin not in best or best[each.begin].term.amount < each.term.amount:
            best[each.begin] = each
    return list(best.values())


def _needed(legs: dict[int, list[Leg]], last: tuple[int, ...]) -> dict[int, list[Leg]]:
    """Those that some way to the result goes by."""
    needed = set(last)
    for n in reversed(legs):
        if n in needed:
            needed |= {each.begin for each in legs[n]}
    return {n: each for n, each in legs.items() if n in needed}


# The walk -----------------------------------------------------------------------------------


def worst(draft: Draft, plan: Plan, total: Term, done: Done) -> tuple[Run, Severity] | None:
    """The first dossier that is late in an ordinary week, or the first where all are: an error;
    else the one that is latest, on whatever days are special.
    """
    calendar = draft.calendar
    assert calendar is not None
    days = _days(draft, plan, total)
    runs = list(_runs(draft, total, days, done))
    late = [each for each in runs if each.late]
    if not late:
        return None

    def ordinary(run: Run) -> bool:
        last = (run.done or run.due).toordinal()
        return not calendar.special(run.received.toordinal(), last)

    def by(run: Run) -> int:
        return calendar.position(run.done) - calendar.position(run.due) if run.done else 0

    if (first := next(filter(ordinary, late), None)) is not None:
        return first, Severity.error
    if {each.received.date() for each in late} == {each.received.date() for each in runs}:
        return late[0], Severity.error
    return max(late, key=by), Severity.warning


def _runs(draft: Draft, total: Term, days: Days, done: Done) -> Iterator[Run]:
    """In the order of receipt, up to the calendar's end."""
    calendar, policy = draft.calendar, draft.procedure.policy
    assert calendar is not None
    for day, hours in days:
        for minute in _receipts(total, hours, fine=len(days) == 1):
            received = draft.moment(day, minute)
            if (due := draft.due(total, received)) is None:
                return
            end = done(received)
            late = end is None or (end > due and end >= late_from(calendar, policy, due))
            yield Run(received, due, end, late)


def _days(draft: Draft, plan: Plan, total: Term) -> Days:
    """Where only working days count and all are alike, one of them stands for all."""
    assert draft.calendar is not None
    kinds = {total.kind, *(leg.term.kind for legs in plan.legs.values() for leg in legs)}
    first = draft.days[0][0]
    alike = {hours for day, hours in draft.calendar.worked() if day >= first}
    return draft.days[:1] if Kind.calendar not in kinds and len(alike) == 1 else draft.days


def _receipts(total: Term, hours: Sessions, fine: bool) -> list[int]:
    """The minutes of a day at which a dossier is worst received.

    Where the due date is the same all day (or up to the cut-off), the last minute. On the line it
    depends on where in the day the stages end: every minute of a day that stands for all, else
    every hour.
    """
    opens, closes = hours[0][0], hours[-1][1]
    if total.kind is Kind.minutes:
        return [*range(opens, closes, 1 if fine else 60), closes]
    if total.kind is Kind.sameday and opens < total.cut_off:
        return [min(total.cut_off, closes) - 1, closes]
    return [closes]


def _ends(draft: Draft, plan: Plan, received: datetime) -> dict[int, datetime] | None:
    """When each stage is over at the latest; None where that is past the calendar's end."""
    ends = {RECEIPT: received}
    for n, legs in plan.legs.items():
        for leg in legs:
            if (end := draft.due(leg.term, ends[leg.begin])) is None:
                return None
            ends[n] = max(end, ends.get(n, end))
    return ends


def _done(draft: Draft, plan: Plan, received: datetime) -> datetime | None:
    ends = _ends(draft, plan, received)
    return None if ends is None else max(ends[n] for n in plan.last)


def _longest(draft: Draft, plan: Plan, run: Run) -> list[int]:
    """The stages of the way that takes longest."""
    ends = _ends(draft, plan, run.received)
    assert ends is not None
    at, way = max(plan.last, key=lambda n: ends[n]), list[int]()
    while at != RECEIPT:
        leg = next(e for e in plan.legs[at] if draft.due(e.term, ends[e.begin]) == ends[at])
        way[:0] = leg.through
        at = leg.begin
    return way
