"""How a deadline stands in a list: a badge, and the time that is left in words. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from states.catalogue import Catalogue
from states.clock import Calendar
from states.clock.words import Lang, working_time
from states.errors import BadInput
from states.finding.queues import SOON
from states.lifecycle import HELD

WORDS: dict[str, tuple[str, str]] = {  # vi, en
    "days": ("còn {n} ngày làm việc", "{n} working days left"),
    "day": ("còn 1 ngày làm việc", "1 working day left"),
    "hours": ("hôm nay, còn {time}", "today, {time} left"),
    "last": ("hết hôm nay là quá hạn", "late after today"),
    "over": ("quá {n} ngày làm việc", "{n} working days over"),
    "over_day": ("quá 1 ngày làm việc", "1 working day over"),
    "over_hours": ("vừa quá {time}", "over by {time}"),
    "held": ("chờ đến {day}", "waits until {day}"),
    "far": ("quá {n} ngày", "{n} days over"),
}


class Left(NamedTuple):
    """`kind`: overdue, soon, open, held, none, or the class that was frozen; `words`: how long."""

    kind: str
    words: str | None


def left(book: Catalogue, row: Mapping[str, Any], at: datetime, lang: Lang) -> Left:
    """Of one row of a list, by the calendar it is pinned to."""
    if row["finished_at"] is not None:
        return Left(row["verdict"] or "none", None)
    calendar = book.calendar(row["calendar"], row["calendar_version"])
    if row["state"] in HELD and row["lapse_at"] is not None:
        there = row["lapse_at"].astimezone(calendar.zone)
        return Left("held", _said("held", lang, day=f"{there:%d/%m/%Y}"))
    due, late_at = row["due_at"], row["late_at"]
    if due is None or late_at is None:
        return Left("none", None)
    kind = "overdue" if late_at <= at else "soon" if due < at + SOON else "open"
    return Left(kind, remaining(calendar, due, late_at, at, lang))


def remaining(
    calendar: Calendar, due: datetime, late_at: datetime, at: datetime, lang: Lang
) -> str:  # fmt: skip
    """The time between now and the due moment: whole working days, or hours on the last."""
    try:
        here, there = calendar.stamp(at), calendar.stamp(due)
    except BadInput:  # beyond the days that the pinned calendar knows
        return _said("far", lang, n=(at - due).days) if late_at <= at else f"{due:%d/%m/%Y}"
    days = calendar.ordinal(due.astimezone(calendar.zone).date())
    days -= calendar.ordinal(at.astimezone(calendar.zone).date())
    minutes = calendar.along(there) - calendar.along(here)
    if late_at <= at:
        if not days:
            return _said("over_hours", lang, time=working_time(-minutes, lang))
        return _said("over" if days < -1 else "over_day", lang, n=-days)
    if days > 0:
        return _said("days" if days > 1 else "day", lang, n=days)
    return _said("hours" if due > at else "last", lang, time=working_time(minutes, lang))


def _said(which: str, lang: Lang, **given: Any) -> str:
    return WORDS[which][lang is Lang.en].format(**given)
