"""The clock against a clerk with a pencil (`naive_clock`), against published dates, and by rule."""

import csv
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_clock import DAY, MINUTE, NEVER, OffTheWall, Wall, answer, kind_of

from states.clock import Calendar, Facts, Policy, Reading, Term, Verdict, read
from states.errors import BadInput

DUE_DATES = Path(__file__).parents[2] / "shared/data/due_dates.csv"


# Walls: each week is written Monday to Sunday, "" for a day off. Small offices open for minutes,
# so that ten thousand minute-by-minute walks stay quick; the rules do not know the difference.


def sessions(text: str) -> list[tuple[time, time]]:
    clocks = [time.fromisoformat(clock) for clock in text.replace("-", " ").split()]
    return list(zip(clocks[::2], clocks[1::2], strict=True))


def wall(weeks: list[list[str]], off: set[int] = frozenset(), **more) -> Wall:
    """Nine weeks from Monday 3 March 2025; `off` are days counted from it."""
    first = date(2025, 3, 3)
    days = {
        first + n * DAY: sessions(weeks[n // 7 % len(weeks)][n % 7])
        for n in range(63)
        if n not in off and weeks[n // 7 % len(weeks)][n % 7]
    }
    return Wall(days, first, first + 62 * DAY, **more)


VN_DAY = "07:30-11:30 13:00-17:00"
VN = wall([[VN_DAY] * 5 + ["", ""]] * 3 + [[VN_DAY] * 6 + [""]], off={17, 18, 30})
WALLS = [
    VN,
    wall([["08:00-08:20 13:00-13:07"] * 5 + ["08:00-08:11", ""]], standard_day=30),
    wall([["07:00-07:12 14:00-14:30"] * 5 + ["", ""]] * 4 + [["07:30-07:50 13:30-13:52"] * 5 + ["", ""]] * 5, standard_day=44),
    wall([["00:00-00:05 09:00-09:01 11:11-11:31 23:40-23:59"] * 7], off={5, 6, 13}, standard_day=10),
    wall([["", "10:00-10:01", "", "09:00-09:25 10:00-10:10 15:00-15:03", "", "", "20:00-20:15"]], standard_day=6),
    wall([["08:00-08:15 15:00-15:15", "14:00-14:40", "08:00-08:15"] + ["08:30-08:50"] * 2 + ["", ""]], off=set(range(20, 31)), standard_day=20),
]
