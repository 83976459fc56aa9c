"""The question that a document puts: its calendar, its facts, what its trace names."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from states.checker.fault import fail
from states.checker.pencil import Wall
from states.checker.story import Story
from states.checker.tracing import Asked

LONGEST = 60_000  # days: past that it is no cut of a calendar
MOST = 5_000_000  # working minutes, all of which are pencilled in: forty years of eight hours a day
TERM = re.compile(r"\d{1,9}(\.\d{1,4})?(wd|wh)|\d{1,9}cd|sameday(@\d\d:\d\d)?|none", re.ASCII)
Document = Mapping[str, Any]


def zone_of(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (LookupError, TypeError, ValueError, OSError):  # not there, a folder, too long a name
        fail("calendar", f"{str(name)[:40]!r} is no time zone")


def wall_of(calendar: Document) -> tuple[Wall, dict[date, str]]:
    first, last = (date.fromisoformat(calendar[name]) for name in ("first", "last"))
    if not first <= last or (last - first).days > LONGEST:
        fail("calendar", f"it reaches from {first} to {last}: that is no cut of one")
    days = {date.fromisoformat(day): _hours(day, said) for day, said in calendar["days"].items()}
    notes = {date.fromisoformat(each["day"]): each["note"] for each in calendar["exceptions"]}
    if strange := [day for day in (*days, *notes) if not first <= day <= last]:
        fail("calendar", f"{strange[0]} lies outside it")
    if (minutes := sum(map(_length, days.values()))) > MOST:
        fail("calendar", f"it has {minutes:,} working minutes: no cut of one has over {MOST:,}")
    return Wall(days, first, last, calendar["standard_day"], calendar["zone"]), notes


def _hours(day: str, said: Sequence[Sequence[str]]) -> list[tuple[time, time]]:
    hours = [(time.fromisoformat(opens), time.fromisoformat(closes)) for opens, closes in said]
    edges = [edge for span in hours for edge in span]
    if not hours or edges != sorted(edges) or any(opens >= closes for opens, closes in hours):
        fail("calendar", f"the sessions of {day} do not follow one another")
    return hours


def _length(hours: Sequence[tuple[time, time]]) -> int:
    """The minutes between opening and closing."""
    return sum(
        60 * (closes.hour - opens.hour) + closes.minute - opens.minute for opens, closes in hours
    )


def _local(text: str, zone: ZoneInfo) -> datetime:
    """A moment as the clock on the wall shows it, to the minute."""
    at = datetime.fromisoformat(text).astimezone(zone)
    return at.replace(tzinfo=None, second=0, microsecond=0)


def question_of(document: Document, zone: ZoneInfo) -> dict[str, Any]:
    facts = document["facts"]

    def moment(fact: Any) -> datetime | None:
        return None if fact is None else _local(fact["at"], zone)

    asked = {name: moment(facts[name]) for name in ("received", "promised", "restart", "finished")}
    asked["at"] = _local(document["at"], zone)
    holds = [(moment(each["from"]), moment(each["to"])) for each in facts["holds"]]
    extend = [each["term"] for each in facts["extend"]]
    for text in (document["term"], *extend):
        if not TERM.fullmatch(text):
            fail("term", f"'{text[:40]}' is none")
    told = {"term": document["term"], "policy": document["policy"]}
    return asked | told | {"holds": holds, "extend": extend}


def said(at: datetime | None, zone: ZoneInfo) -> str | None:
    return None if at is None else at.replace(tzinfo=zone).isoformat()


def asked_of(document: Document, story: Story, calendar: str, notes: dict[date, str]) -> Asked:
    facts = document["facts"]
    received = _local(facts["received"]["at"], story.zone)
    ended, given = facts["finished"] is not None, facts["promised"] is not None
    extend = [each["term"] for each in facts["extend"]]
    named = document["term"], calendar, document["policy"]
    return Asked(*named, received, ended, given, extend, notes)
