"""What befalls the machines, and when: drawn from the seed."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from enum import StrEnum
from random import Random
from typing import NamedTuple

from scale import Scale

OFTEN = 0.35  # of the days have a fault more than there must be
DOWN = 2  # days that sweeps, the mail server or the gateway are away


class Kind(StrEnum):
    """A fault, by the name that the table gives it."""

    worker_killed = "worker killed amid a run"
    ten_at_once = "ten runs of a flow at once"
    clock_ahead = "worker's clock an hour ahead"
    clock_behind = "worker's clock an hour behind"
    sweeps_down = "sweeps down for two days"
    postgres_by_day = "Postgres killed while people work"
    postgres_by_night = "Postgres killed while flows run"
    lines_cut = "connections that die"
    mail_refuses = "mail server refuses for two days"
    gateway_hangs = "SMS gateway hangs for two days"


class Fault(NamedTuple):
    """`part`: how far into the day's acts, or into the run, it happens. `flow`: which one's run."""

    kind: Kind
    part: float
    flow: str = ""


NIGHTLY = ("drive", "sweep", "notify", "classify", "report")
LONGEST = "classify"  # ten of it at once take a minute: disturbed no oftener than it must be
FLOWS = {
    Kind.worker_killed: NIGHTLY,
    Kind.ten_at_once: NIGHTLY,
    Kind.postgres_by_night: ("drive", "sweep", "notify"),
}
# Not before decisions: those have a run of their own that is disturbed, and what was missed by the
# rules of then is to be told before they change.
SPARING = {Kind.postgres_by_day, Kind.postgres_by_night, Kind.lines_cut, Kind.sweeps_down}
Fates = Mapping[int, list[Fault]]
PEACE: Fates = {}


def drawn(scale: Scale, days: int, decided: Collection[int]) -> Fates:
    """By number of the day. Everything happens once at least; the last days are quiet."""
    chance = Random(f"{scale.seed}/faults")
    spared = {day - ago for day in decided for ago in range(DOWN + 1)}
    last = max(1, days - DOWN - 1)
    must = [(kind, flow) for kind in Kind for flow in FLOWS.get(kind, ("",))]
    fates: dict[int, list[Fault]] = defaultdict(list)
    for kind, flow in must:
        _add(fates, chance, _days(last, kind, spared), kind, flow)
    for _ in range(int(OFTEN * days)):
        kind = chance.choice(list(Kind))
        flow = chance.choice([each for each in FLOWS.get(kind, ("",)) if each != LONGEST])
        _add(fates, chance, _days(last, kind, spared), kind, flow)
    return fates


def _days(last: int, kind: Kind, spared: Collection[int]) -> list[int]:
    """On which it may happen."""
    return [day for day in range(last) if kind not in SPARING or day not in spared]


def _add(
    fates: dict[int, list[Fault]], chance: Random, days: list[int], kind: Kind, flow: str
) -> None:
    day = chance.choice(days)
    if all((kind, flow) != (each.kind, each.flow) for each in fates[day]):
        fates[day].append(Fault(kind, chance.uniform(0.1, 0.9), flow))


def away(fates: Fates, kind: Kind, day: int) -> bool:
    """Whether what is away for some days is so on that one."""
    since = (fates.get(day - ago, ()) for ago in range(DOWN))
    return any(each.kind is kind for faults in since for each in faults)
