"""Who gets a dossier that enters a stage: the rules of the stage, in order. Pure.

The first rule whose conditions hold decides. What none catches goes to the stage's unit; where the
stage names none it lies in the agency's own queue, under the agency's code, until one of its units
takes it in: never nowhere.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

QUEUE = "no rule of the stage caught it: it lies in the agency's queue"


@dataclass(frozen=True, slots=True)
class Case:
    """What rules look at. `counter` is the unit or service point that took the dossier in."""

    counter: str
    place: str | None
    field: str
    channel: str
    agency: str
    on: date


@dataclass(frozen=True, slots=True)
class Routed:
    """Where a dossier goes, to whom if to anybody, and why; `why` is empty for the plain unit."""

    unit: str
    person: str | None = None
    why: str = ""

    @property
    def queued(self) -> bool:
        """Whether no rule caught it."""
        return self.why == QUEUE

    @property
    def decided(self) -> bool:
        """Whether it says more than the stage does."""
        return bool(self.why or self.person)

    def told(self) -> dict[str, Any]:
        """As a line keeps it."""
        return {"unit": self.unit, "person": self.person, "why": self.why}


def caught(routes: Sequence[Any], case: Case) -> tuple[int, Any] | None:
    """The first rule that catches the case, with its number from 1."""
    return next(((n, each) for n, each in enumerate(routes, 1) if _holds(each, case)), None)


def _holds(route: Any, case: Case) -> bool:
    asked = (
        (route.received_at, case.counter),
        (route.place, case.place),
        (route.field, case.field),
        (route.channel, case.channel),
    )
    return all(not among or found in among for among, found in asked)


def choose(
    stage: Any,
    case: Case,
    loads: Mapping[str, int],
    present: Callable[[str], Sequence[str]],
    stands_in: Callable[[str], str | None],
) -> Routed:
    """Who gets it. `present`: who of the stage's role is at a unit on the day, in a settled order;
    `stands_in`: the person themselves if they are there, else who substitutes them, if anybody.
    """
    found = caught(stage.routes, case)
    if found is None:
        why = "no rule caught it: the stage's own unit" if stage.routes else ""
        return Routed(stage.unit, None, why) if stage.unit else Routed(case.agency, None, QUEUE)
    n, route = found
    unit = route.unit or stage.unit or case.agency
    rule = f"rule {n} of the stage"
    if route.person is not None:
        there = stands_in(route.person)
        if there is None:
            return Routed(unit, None, f"{rule}: {route.person} is absent, and nobody stands in")
        instead = "" if there == route.person else f", in place of {route.person} who is absent"
        return Routed(unit, there, f"{rule}{instead}")
    if route.least_loaded and (staff := present(unit)):
        person = min(staff, key=lambda each: (loads.get(each, 0), staff.index(each)))
        has = loads.get(person, 0)
        return Routed(unit, person, f"{rule}: {has} in hand, least of {len(staff)}")
    return Routed(unit, None, rule)
