"""The lives of a season, drawn by the plan of the pilot year, and what goes wrong in some of them.

A dossier's life depends on the seed and its own number, and on no other dossier: so the twin, who
lives through one in ten, lives through the same.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import NamedTuple

from scale import Scale

from states import pilot
from states.catalogue import Catalogue
from states.ledger import Act, Lodging
from states.pilot import Course, Day, Step
from states.pilot.cast import Centre
from states.pilot.life import Case, Life, NotThen, tell
from states.words import Event, Outcome, Role

FIRST = date(2023, 10, 2)  # a Monday
REACHED = 40  # of so many dossiers, one has an e-mail address and one a telephone
MINUTE = timedelta(minutes=1)
HITCHED = 3  # times as many hitches as in the pilot year
TARDY = 0.05  # have their result days after it was promised
# What becomes of some, whatever was drawn.
LEFT = 0.03  # nobody goes on with it
SILENT = 0.3  # of those who are asked for something: no answer comes
WITHDRAWN = 0.02
TAKEN_BACK = 0.02  # the result was wrong

Dated = tuple[date, datetime]  # a working day and its end


class Season(NamedTuple):
    """Working days with what people do on them."""

    days: tuple[Day, ...]
    size: int


def working(book: Catalogue, scale: Scale) -> list[Dated]:
    """The working days of the season."""
    calendar = book.calendar(book.keeps)
    span = (FIRST + timedelta(days=n) for n in range(scale.days))
    days = [day for day in span if calendar.works(day.toordinal())]
    return [(day, calendar.when(calendar.nth(calendar.ordinal(day)))) for day in days]


def season(book: Catalogue, scale: Scale) -> Season:
    """Every day's acts. The same scale gives the same season."""
    plan = pilot.load(book)
    centre, days = Centre(book, plan), working(book, scale)
    weights = list(accumulate(plan.season.weight(day) for day, _ in days))
    lives = [_life(centre, Random(f"{scale.seed}/{n}"), days, weights) for n in range(scale.size)]
    lives.sort(key=lambda life: life.acts[0].at)
    closing = days[-1][1]
    acts: dict[date, dict[int, list[Step]]] = defaultdict(lambda: defaultdict(list))
    for dossier, life in enumerate(lives, start=1):
        for number, act in enumerate(life.acts, start=1):
            if act.at <= closing:
                lodging = _reached(life.lodging, dossier) if number == 1 else None
                step = Step(dossier, number, replace(act, key=key(dossier, number)), lodging)
                acts[act.at.date()][dossier].append(step)
    told = tuple(Day(end, tuple(map(tuple, acts[day].values()))) for day, end in days)
    return Season(told, scale.size)


def few(season: Season, one_in: int) -> Season:
    """One dossier in so many of them, with their acts as they were."""
    days = tuple(
        Day(day.at, tuple(chain for chain in day.chains if chain[0].dossier % one_in == 0))
        for day in season.days
    )
    return Season(days, season.size // one_in)


def key(dossier: int, number: int) -> str:
    return f"soak/{dossier:06}/{number:02}"


def _reached(lodging: Lodging, dossier: int) -> Lodging:
    if dossier % REACHED == 0:
        return replace(lodging, email=f"cong-dan-{dossier}@example.vn")
    if dossier % REACHED == REACHED // 2:
        return replace(lodging, phone=f"09{dossier:08}")
    return lodging


# One life ---------------------------------------------------------------------------------


def _life(centre: Centre, rng: Random, days: Sequence[Dated], weights: list[int]) -> Life:
    courses = centre.plan.procedures
    course = rng.choices(courses, [sum(each.come.values()) for each in courses])[0]
    while True:
        case = _case(centre.catalogue, course, rng)
        day, _ = rng.choices(days, cum_weights=weights)[0]
        try:
            life = tell(centre, case, day, rng)
        except NotThen:
            continue
        return replace(life, acts=_fate(centre, case, life.acts, rng))


def _case(book: Catalogue, course: Course, rng: Random) -> Case:
    dated = {pace: count for pace, count in course.pace.items() if count}
    pace = rng.choices(list(dated), list(dated.values()))[0]
    if rng.random() < TARDY:
        pace = rng.randint(1, 6)
    chance = HITCHED * len(course.hitches) / sum(course.come.values())
    hitch = rng.choice(course.hitches) if rng.random() < chance else None
    refused = rng.random() < course.refused / sum(course.come.values())
    return Case(
        book.procedure(course.code),
        rng.choices(list(course.come), list(course.come.values()))[0],
        pace,
        hitch,
        Outcome.refused if refused else Outcome.approved,
    )


def _fate(centre: Centre, case: Case, acts: tuple[Act, ...], rng: Random) -> tuple[Act, ...]:
    """The same life, unless something befalls it."""
    lot = rng.random()
    received = next(n for n, act in enumerate(acts) if act.event is Event.receive)
    result = next(n for n, act in enumerate(acts) if act.event is Event.return_result)
    asked = [n for n, act in enumerate(acts) if act.event in ASKS]
    if asked and rng.random() < SILENT:
        return acts[: asked[0] + 1]
    if lot < LEFT:
        return acts[: rng.randint(1, result)]
    if lot < LEFT + WITHDRAWN:
        kept = acts[: rng.randint(received + 1, result)]
        return (*kept, _withdrawal(kept[0], kept[-1]))
    if lot < LEFT + WITHDRAWN + TAKEN_BACK:
        return _taken_back(centre, case, acts, result)
    return acts


ASKS = {Event.request_supplement, Event.request_payment}


def _withdrawal(first: Act, last: Act) -> Act:
    return Act(
        event=Event.withdraw,
        actor=first.actor if first.role is Role.citizen else "người nộp hồ sơ",
        role=Role.citizen,
        at=last.at + MINUTE,
        reason="Người nộp không còn nhu cầu",
    )


def _taken_back(centre: Centre, case: Case, acts: tuple[Act, ...], result: int) -> tuple[Act, ...]:
    """The result was wrong: a leader takes the dossier back, and the result comes again."""
    stage, given, after = case.procedure.stages[-1], acts[result], acts[result + 1]
    leaders = centre.staff.get((stage.unit or "", Role.leader), [])
    if not leaders or given.at + 4 * MINUTE > after.at or given.at.date() != after.at.date():
        return acts
    back = Act(
        event=Event.reopen,
        actor=leaders[0],
        role=Role.leader,
        at=given.at + MINUTE,
        reason="Kết quả ghi sai họ tên",
        ground="Nghị định 61/2018/NĐ-CP Điều 19",
    )
    again = replace(given, at=given.at + 2 * MINUTE)
    return (*acts[: result + 1], back, again, *acts[result + 1 :])
