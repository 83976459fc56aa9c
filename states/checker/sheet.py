"""The clerk's sheet: one question worked out with the pencil, from the facts to the verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from fractions import Fraction
from functools import cache
from typing import Any

from states.checker.pencil import (
    DAY,
    MINUTE,
    NEVER,
    Hold,
    Margin,
    Wall,
    one_term,
)

Turn = tuple[str, Any]


@dataclass
class Sheet:
    """`due` is where the terms end, be it held or not; `late` are the holds that began after it.

    `before` are the holds since the receipt, `holds` those since the restart.
    """

    start: datetime
    end: datetime
    before: list[Hold]
    holds: list[Hold]
    late: list[Hold]
    margin: Margin
    original: datetime | None = None
    due: datetime | None = None
    waiting: bool = False
    verdict: str = "no_term"
    remaining: int | None = None
    used: int = 0

    @property
    def effective(self) -> list[Hold]:
        """The holds whose time does not count."""
        return [hold for hold in self.holds if hold not in self.late]


def work(wall: Wall, question: dict[str, Any]) -> Sheet:
    """Raises `OffTheWall` where the calendar is too short."""
    received, given = question["received"], question.get("promised")
    start, end = question["restart"] or received, question["finished"] or question["at"]
    holds = pencil_in(question["holds"], start, question["finished"])
    before = pencil_in(question["holds"], received, question["finished"])
    sheet = Sheet(start, end, before, holds, [], Margin())
    if given or question["term"] != "none":
        texts = [] if given else [question["term"]]
        sheet.original = count(wall, texts, received, [], Margin(), given)[0]
        texts += question["extend"]
        closed = [hold for hold in holds if hold[1] != NEVER]
        still_open = [hold for hold in holds if hold[1] == NEVER]
        due, late = count(wall, texts, start, closed, sheet.margin, given)
        sheet.due, since = due, end
        if still_open and still_open[0][0] <= due:
            since, sheet.waiting, sheet.verdict, sheet.late = still_open[0][0], True, "held", late
        else:
            sheet.late, sheet.verdict = late + still_open, standing(wall, question, due, end)
        sheet.remaining = len(wall.between(since, due)) - len(wall.between(due, since))
    sheet.used = spent(wall, start, end, sheet.effective)
    return sheet


def answer(wall: Wall, question: dict[str, Any]) -> dict[str, Any]:
    """What the clerk says: due, due_original, verdict, used, remaining; and elapsed, the working
    minutes from receipt to finish (or `at`). Raises OffTheWall where the calendar is too short.
    """
    sheet = work(wall, question)
    return {
        "due": None if sheet.waiting else sheet.due,
        "due_original": sheet.original,
        "verdict": sheet.verdict,
        "remaining": sheet.remaining,
        "used": sheet.used,
        "elapsed": len(wall.between(question["received"], sheet.end)),
    }


def count(
    wall: Wall,
    texts: Sequence[str],
    start: datetime,
    holds: list[Hold],
    margin: Margin,
    given: datetime | None = None,
) -> tuple[datetime, list[Hold]]:
    """The due moment of the terms in turn, and the holds that began only after it."""
    late = list(holds)
    for kind, amount in terms_in_turn(texts, wall.standard_day, given):
        start = one_term(wall, kind, amount, start, late, margin)
    return start, late


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


def terms_in_turn(texts: Sequence[str], standard_day: int, given: datetime | None) -> list[Turn]:
    """A term and its extensions: what is of the first one's kind is added to it, then neighbours
    of a kind are added up; each sameday stands alone. `given` elsewhere, a date is the first.
    """
    turns: list[Turn] = [] if given is None else [("promise", given)]
    first = turns[0][0] if turns else kind_of(texts[0])
    if first != "same":
        texts = sorted(texts, key=lambda text: kind_of(text) != first)  # stable: others keep order
    for text in texts:
        kind = kind_of(text)
        if kind == "same":
            turns.append((kind, text.partition("@")[2] or "15:00"))
        elif turns and turns[-1][0] == kind:
            turns[-1] = (kind, turns[-1][1] + amount_of(text, standard_day))
        else:
            turns.append((kind, amount_of(text, standard_day)))
    return turns


def pencil_in(
    holds: Sequence[tuple[datetime, datetime | None]], start: datetime, finished: datetime | None
) -> list[Hold]:
    """Holds from the start of the count to the finish, in order, those that touch joined."""
    joined: list[Hold] = []
    for begins, ends in sorted((begins, ends or NEVER) for begins, ends in holds):
        begins, ends = max(begins, start), min(ends, finished or NEVER)
        if begins >= ends:
            continue
        if joined and begins <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], ends))
        else:
            joined.append((begins, ends))
    return joined


def verdict_of(wall: Wall, due: datetime, finished: datetime, policy: str) -> str:
    opens = closes = due
    if policy == "day":
        opens = datetime.combine(due.date(), time.min)
        closes = opens + DAY - MINUTE
    if policy == "session":
        for morning, evening in wall.days.get(due.date(), ()):
            if morning <= due.time() <= evening:
                opens = datetime.combine(due.date(), morning)
                closes = datetime.combine(due.date(), evening)
                break
    if finished < opens:
        return "early"
    return "on_time" if finished <= closes else "late"


def standing(wall: Wall, question: dict[str, Any], due: datetime, end: datetime) -> str:
    verdict = verdict_of(wall, due, end, question["policy"])
    if question["finished"]:
        return verdict
    return "overdue" if verdict == "late" else "open"


def spent(wall: Wall, start: datetime, end: datetime, holds: list[Hold]) -> int:
    """The working minutes from start to end that no hold crosses out."""
    crossed: set[datetime] = set()
    for begins, ends in holds:
        crossed.update(wall.between(begins, min(ends, end)))
    return len([minute for minute in wall.between(start, end) if minute not in crossed])
