"""The year as days of acts: every dossier's life drawn, numbered and cut at the year's end."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from itertools import accumulate, zip_longest
from random import Random
from typing import NamedTuple

from states.catalogue import Catalogue
from states.errors import BadInput
from states.ledger import Act, Lodging
from states.pilot.cast import Centre
from states.pilot.life import Case, Life, NotThen, tell
from states.pilot.plan import Course, Plan
from states.words import Outcome

TRIES = 5_000  # days drawn for one life before the plan is held to be impossible


class Step(NamedTuple):
    """A person's act on a dossier; the first one brings the lodging. `key` is the act's own."""

    dossier: int
    number: int
    act: Act
    lodging: Lodging | None


Chain = tuple[Step, ...]  # what is done to one dossier in a day, in order


class Day(NamedTuple):
    """A working day: its end, and what people did. Chains may be lived at once."""

    at: datetime
    chains: tuple[Chain, ...]


def story(catalogue: Catalogue, plan: Plan) -> tuple[Day, ...]:
    """Every working day of the plan's year, in order.

    The same plan and catalogue give the same story. Raises `BadInput` for a pace no day allows.
    """
    calendar = catalogue.calendar(catalogue.keeps)
    days = [
        date.fromordinal(number)
        for number in range(
            date(plan.year, 1, 1).toordinal(), date(plan.year + 1, 1, 1).toordinal()
        )
        if calendar.works(number)
    ]
    ends = {day: calendar.when(calendar.nth(calendar.ordinal(day))) for day in days}
    centre = Centre(catalogue, plan)
    lives = [life for course in plan.procedures for life in _lives(centre, course, ends)]
    acts = _by_day(plan, sorted(lives, key=lambda life: life.acts[0].at))
    return tuple(
        Day(ends[day], tuple(tuple(chain) for chain in acts[day].values())) for day in days
    )


def _by_day(plan: Plan, lives: list[Life]) -> dict[date, dict[int, list[Step]]]:
    """The steps of every day by dossier, each with its key."""
    acts: dict[date, dict[int, list[Step]]] = defaultdict(lambda: defaultdict(list))
    for dossier, life in enumerate(lives, start=1):
        for number, act in enumerate(life.acts, start=1):
            step = Step(
                dossier,
                number,
                replace(act, key=key(plan.name, dossier, number)),
                life.lodging if number == 1 else None,
            )
            acts[act.at.date()][dossier].append(step)
    return acts


def key(name: str, dossier: int, number: int) -> str:
    """The idempotency key of a step: `pilot-2023/0001/3`."""
    return f"{name}/{dossier:04d}/{number}"


# One procedure ----------------------------------------------------------------------------


def _lives(centre: Centre, course: Course, ends: dict[date, datetime]) -> Iterator[Life]:
    """The dossiers of one procedure. Seeded by itself: it does not change with the others."""
    rng = Random(f"{centre.plan.seed}/{course.code}")  # noqa: S311  a story, no secret
    days = [day for day in ends if not course.months or day.month in course.months]
    weights = list(accumulate(centre.plan.season.weight(day) for day in days))
    closing = ends[max(ends)]
    for case in _cases(centre.catalogue, course, rng):
        yield _life(centre, case, (days, weights), closing, rng)


def _cases(catalogue: Catalogue, course: Course, rng: Random) -> list[Case]:
    """Channels and outcomes fall on anybody, what goes wrong on the slowest."""
    paces: list[int | None] = [pace for pace, count in course.pace.items() for _ in range(count)]
    paces += [None] * course.unfinished
    rng.shuffle(paces)
    paces.sort(key=lambda pace: -(pace or 0))
    channels = [channel for channel, count in course.come.items() for _ in range(count)]
    rng.shuffle(channels)
    outcomes = [Outcome.refused] * course.refused
    outcomes += [Outcome.approved] * (len(paces) - course.refused)
    rng.shuffle(outcomes)
    procedure = catalogue.procedure(course.code)
    return [
        Case(procedure, channel, pace, hitch, outcome)
        for (channel, pace, outcome), hitch in zip_longest(
            zip(channels, paces, outcomes, strict=True), course.hitches
        )
    ]


def _life(
    centre: Centre,
    case: Case,
    draw: tuple[list[date], list[int]],
    closing: datetime,
    rng: Random,
) -> Life:
    """A life on the first day drawn that suits it: received in the year, finished in it or not."""
    days, weights = draw
    for _ in range(TRIES):
        try:
            life = tell(centre, case, rng.choices(days, cum_weights=weights)[0], rng)
        except NotThen:
            continue
        if life.received <= closing and (life.finished <= closing) == (case.pace is not None):
            return life
    pace = "is unfinished" if case.pace is None else f"has pace {case.pace}"
    hitch = f" with {case.hitch}" if case.hitch else ""
    raise BadInput(
        f"plan {centre.plan.name}: no day of {centre.plan.year} suits a dossier that {pace}{hitch}"
        f" under {case.procedure.code}, whose term is {case.procedure.term}: correct its pace"
    )
