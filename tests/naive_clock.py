"""A deadline counted as a clerk counts it: on a wall calendar, with a pencil, one day or one
working minute at a time.

Written from the rules alone, to be compared with `states.clock`; it shares no line with it and
knows no arithmetic: no positions, no ordinals, only steps. Slow on purpose. Moments are naive
local time, truncated to the minute. A question is a plain dict: `term`, `received`, `at`,
`policy`, `holds` (pairs, None for the end of one still open), `extend` (texts), and `restart` and
`finished`, or None.
"""

from datetime import date, datetime, time, timedelta
from fractions import Fraction
from functools import cache, cached_property

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
NEVER = datetime.max


class OffTheWall(Exception):
    """The wall calendar ends before the count does."""


class Wall:
    """The calendar on the wall: for each working date, when the office opens and closes."""

    def __init__(
        self,
        days: dict[date, list[tuple[time, time]]],
        first: date,
        last: date,
        standard_day: int = 480,
        zone: str = "Asia/Ho_Chi_Minh",
    ):
        self.days, self.first, self.last = days, first, last
        self.standard_day, self.zone = standard_day, zone

    @cached_property
    def minutes(self) -> dict[date, list[datetime]]:
        """The working minutes of each working date, each named by its first instant."""
        pencilled = {}
        for day, sessions in self.days.items():
            pencilled[day] = []
            for opens, closes in sessions:
                minute = datetime.combine(day, opens)
                while minute < datetime.combine(day, closes):
                    pencilled[day].append(minute)
                    minute += MINUTE
        return pencilled

    def works(self, day: date) -> bool:
        return day in self.days

    def closing(self, day: date) -> datetime:
        return datetime.combine(day, self.days[day][-1][1])

    def next(self, day: date) -> date:
        if day >= self.last:
            raise OffTheWall
        return day + DAY

    def between(self, start: datetime, end: datetime) -> list[datetime]:
        """The working minutes that begin in [start, end)."""
        found, day, last = [], start.date(), min(end.date(), self.last)
        edges = (day, last)
        while day <= last:
            minutes = self.minutes.get(day, [])
            if day in edges:
                minutes = [minute for minute in minutes if start <= minute < end]
            found += minutes
            day += DAY
        return found


def count_dates(wall, start, owed, holds, counts):
    """The closing of the first working day on which `owed` dates have passed that `counts`.

    A hold met on the way, or begun on the last day before closing, makes the clerk owe one more
    for each date after the one it begins on, up to the one it ends on. Holds met are taken out of
    `holds`; those left began after the due moment.
    """
    day, passed = start.date(), 0
    while True:
        done = passed >= owed and wall.works(day)
        if holds and holds[0][0].date() <= day and not (done and holds[0][0] > wall.closing(day)):
            begins, ends = holds.pop(0)
            held = begins.date()
            while held < ends.date():
                held += DAY
                owed += counts(held)
        elif done:
            return wall.closing(day)
        else:
            day = wall.next(day)
            passed += counts(day)


def count_minutes(wall, start, left, holds):
    """The end of the working minute with which `left` is spent; minutes in a hold are crossed out.

    A hold that begins as the last minute is spent still counts: the clerk goes on crossing out to
    its last working minute. Holds met are taken out of `holds`.
    """
    day, held_until = start.date(), start
    while True:
        for minute in wall.minutes.get(day, []):
            if minute < start:
                continue
            while holds and holds[0][0] <= minute:
                held_until = holds.pop(0)[1]
            if minute >= held_until:
                left -= 1
            spent = minute + MINUTE
            while holds and holds[0][0] <= spent:
                held_until = holds.pop(0)[1]
            if left == 0 and not wall.between(spent, held_until):
                return spent
        day = wall.next(day)


def kind_of(text: str) -> str:
    if text.startswith(("sameday", "none")):
        return text[:4]
    if text.endswith("wh") or "." in text:
        return "minutes"
    return text[-2:]


@cache
def amount_of(text: str, standard_day: int) -> int:
    """Days, or minutes where the term is counted in minutes."""
    whole = 60 if text.endswith("wh") else standard_day if kind_of(text) == "minutes" else 1
    return int(Fraction(text[:-2]) * whole)


def one_term(wall, kind, amount, start, holds):
    """The due moment of a term begun at `start`; `amount` is the cut-off if it is the same day."""
    if kind == "minutes":
        return count_minutes(wall, start, amount, holds)
    if kind == "cd":
        return count_dates(wall, start, amount, holds, lambda day: True)
    if kind == "wd":
        return count_dates(wall, start, amount, holds, wall.works)
    today = start.date()
    cut_off = datetime.combine(today, time.fromisoformat(amount))
    in_time = wall.works(today) and start < min(cut_off, wall.closing(today))
    return count_dates(wall, start, 0 if in_time else 1, holds, wall.works)


def terms_in_turn(texts, standard_day):
    """A term and its extensions: what is of the first one's kind is added to it, then neighbours
    of a kind are added up; each sameday stands alone.
    """
    first = kind_of(texts[0])
    if first != "same":
        texts = sorted(texts, key=lambda text: kind_of(text) != first)  # stable: others keep order
    turns = []
    for text in texts:
        kind = kind_of(text)
        if kind == "same":
            turns.append((kind, text.partition("@")[2] or "15:00"))
        elif turns and turns[-1][0] == kind:
            turns[-1] = (kind, turns[-1][1] + amount_of(text, standard_day))
        else:
            turns.append((kind, amount_of(text, standard_day)))
    return turns


def count(wall, texts, start, holds):
    """The due moment of the terms in turn, and the holds that began only after it."""
    late = list(holds)
    for kind, amount in terms_in_turn(texts, wall.standard_day):
        start = one_term(wall, kind, amount, start, late)
    return start, late


def pencil_in(holds, start, finished):
    """Holds from the start of the count to the finish, in order, those that touch joined."""
    joined = []
    for begins, ends in sorted((begins, ends or NEVER) for begins, ends in holds):
        begins, ends = max(begins, start), min(ends, finished or NEVER)
        if begins >= ends:
            continue
        if joined and begins <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], ends))
        else:
            joined.append((begins, ends))
    return joined


def verdict_of(wall, due, finished, policy):
    opens = closes = due
    if policy == "day":
        opens = datetime.combine(due.date(), time.min)
        closes = opens + DAY - MINUTE
    if policy == "session":
        for morning, evening in wall.days[due.date()]:
            if morning < due.time() <= evening:
                opens = datetime.combine(due.date(), morning)
                closes = datetime.combine(due.date(), evening)
    if finished < opens:
        return "early"
    return "on_time" if finished <= closes else "late"


def standing(wall, question, due, end):
    verdict = verdict_of(wall, due, end, question["policy"])
    if question["finished"]:
        return verdict
    return "overdue" if verdict == "late" else "open"


def spent(wall, start, end, holds):
    """The working minutes from start to end that no hold crosses out."""
    crossed = set()
    for begins, ends in holds:
        crossed.update(wall.between(begins, min(ends, end)))
    return len([minute for minute in wall.between(start, end) if minute not in crossed])


def answer(wall: Wall, question: dict) -> dict:
    """What the clerk says: due, due_original, verdict, used, remaining; and elapsed, the working
    minutes from receipt to finish (or `at`). Raises OffTheWall where the calendar is too short.
    """
    received, term = question["received"], question["term"]
    start, end = question["restart"] or received, question["finished"] or question["at"]
    holds = pencil_in(question["holds"], start, question["finished"])
    said = {"due": None, "due_original": None, "verdict": "no_term", "remaining": None}
    if term != "none":
        closed, still_open = (
            [h for h in holds if h[1] != NEVER],
            [h for h in holds if h[1] == NEVER],
        )
        said["due_original"] = count(wall, [term], received, [])[0]
        due, late = count(wall, [term, *question["extend"]], start, closed)
        if still_open and still_open[0][0] <= due:
            since, said["verdict"] = still_open[0][0], "held"
        else:
            late, since, said["due"] = late + still_open, end, due
            said["verdict"] = standing(wall, question, due, end)
        said["remaining"] = len(wall.between(since, due)) - len(wall.between(due, since))
        holds = [hold for hold in holds if hold not in late]
    said["used"] = spent(wall, start, end, holds)
    return said | {"elapsed": len(wall.between(received, end))}
