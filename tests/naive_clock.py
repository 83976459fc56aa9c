"""A deadline counted as a clerk counts it: on a wall calendar, with a pencil, one day or one
working minute at a time.

Written from the rules alone, to be compared with `states.clock`; it shares no line with it and
knows no arithmetic: no positions, no ordinals, only steps. Slow on purpose. Moments are naive local
time, truncated to the minute. A question is a plain dict with `term`, `received`, `at`, `policy`
and, if any, `holds` (pairs, None for a hold still open), `restart`, `extend` (texts), `finished`.
"""

from datetime import date, datetime, time, timedelta
from fractions import Fraction
from functools import cached_property

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
        found, day = [], start.date()
        while day <= min(end.date(), self.last):
            found += [minute for minute in self.minutes.get(day, []) if start <= minute < end]
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


def amount_of(wall: Wall, text: str) -> int:
    whole = 60 if text.endswith("wh") else wall.standard_day if kind_of(text) == "minutes" else 1
    return int(Fraction(text[:-2]) * whole)


def one_term(wall, kind, amount, start, holds):
    if kind == "minutes":
        return count_minutes(wall, start, amount, holds)
    if kind == "cd":
        return count_dates(wall, start, amount, holds, lambda day: True)
    if kind == "wd":
        return count_dates(wall, start, amount, holds, wall.works)
    cut_off = datetime.combine(start.date(), time.fromisoformat(amount))
    today = (
        wall.works(start.date()) and start < cut_off and start < wall.closing(start.date())
    )  # sameday
    return count_dates(wall, start, 0 if today else 1, holds, wall.works)


def terms_in_turn(wall, question):
    """The term and its extensions: what is of the first one's kind is added to it, then neighbours
    of a kind are added up; each sameday stands alone.
    """
    texts = [question["term"], *question.get("extend", ())]
    first = kind_of(texts[0])
    if first != "same":
        alike = [text for text in texts if kind_of(text) == first]
        texts = alike + [text for text in texts if kind_of(text) != first]
    turns = []
    for text in texts:
        kind = kind_of(text)
        if kind == "same":
            turns.append((kind, text.partition("@")[2] or "15:00"))
        elif turns and turns[-1][0] == kind:
            turns[-1] = (kind, turns[-1][1] + amount_of(wall, text))
        else:
            turns.append((kind, amount_of(wall, text)))
    return turns


def pencil_in(holds, start, finished):
    """Holds from the start of the count to the finish, in order, those that touch joined."""
    joined = []
    for begins, ends in sorted((begins, ends or NEVER) for begins, ends in holds):
        begins, ends = max(begins, start), min(ends, finished or NEVER)  # noqa: PLW2901 clipped
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


def answer(wall: Wall, question: dict) -> dict:
    """What the clerk says: due, due_original, verdict, used, remaining; and elapsed, the working
    minutes from receipt to finish (or `at`). Raises OffTheWall where the calendar is too short.
    """
    received, finished = question["received"], question.get("finished")
    start, end = question.get("restart") or received, finished or question["at"]
    holds = pencil_in(question.get("holds", ()), start, finished)
    due = due_original = remaining = None
    opened = holds[-1] if holds and holds[-1][1] == NEVER else None
    ignored: list = []
    if question["term"] != "none":
        due_original = due = received
        for kind, amount in terms_in_turn(wall, question | {"extend": ()}):
            due_original = one_term(wall, kind, amount, due_original, [])
        ignored = [hold for hold in holds if hold != opened]
        due = start
        for kind, amount in terms_in_turn(wall, question):
            due = one_term(wall, kind, amount, due, ignored)
        if opened and opened[0] > due:
            ignored.append(opened)
            opened = None
        since = opened[0] if opened else end
        remaining = len(wall.between(since, due)) - len(wall.between(due, since))
    crossed = {
        minute
        for begins, ends in holds
        if (begins, ends) not in ignored
        for minute in wall.between(begins, min(ends, end))
    }
    if due is None:
        verdict = "no_term"
    elif opened:
        due, verdict = None, "held"
    else:
        verdict = verdict_of(wall, due, end, question["policy"])
        if not finished:
            verdict = "overdue" if verdict == "late" else "open"
    return {
        "due": due,
        "due_original": due_original,
        "verdict": verdict,
        "used": len([minute for minute in wall.between(start, end) if minute not in crossed]),
        "remaining": remaining,
        "elapsed": len(wall.between(received, end)),
    }
