"""Why a dossier is where it is in a queue, as a clerk reads it. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from states.clock.words import Lang
from states.finding.fairness import PATIENCE

SAID: dict[str, tuple[str, str]] = {  # vi, en
    "overdue": ("quá hạn từ {when}", "overdue since {when}"),
    "due": ("hạn {when}", "due {when}"),
    "stage_overdue": ("quá hạn bước từ {when}", "the stage is overdue since {when}"),
    "stage_due": ("hạn bước {when}", "the stage is due {when}"),
    "lapses": ("công dân trả lời trước {when}", "the citizen may answer until {when}"),
    "waiting_today": ("đang chờ từ {when}", "waiting since {when}"),
    "waiting": ("đã chờ {days} ngày", "waiting for {days} days"),
    "waiting_one": ("đã chờ 1 ngày", "waiting for 1 day"),
}
DAYS = {
    -1: ("{hour} hôm qua", "yesterday {hour}"),
    0: ("{hour} hôm nay", "today {hour}"),
    1: ("{hour} ngày mai", "tomorrow {hour}"),
}
DAY, LAST = timedelta(days=1), datetime.max.replace(tzinfo=UTC)
THEN = ("{hour} ngày {day}", "{day} {hour}")


def reason(row: Mapping[str, Any], at: datetime, zone: tzinfo, lang: Lang) -> str:
    """What put it there: its date or its stage's, what the citizen owes, or how long it waits."""
    which, moment = _why(row, at)
    nth = list(Lang).index(lang)
    here = moment.astimezone(zone)
    days = (here.date() - at.astimezone(zone).date()).days
    if which == "waiting":
        which = {0: "waiting_today", -1: "waiting_one"}.get(days, which)
    hour, day = here.strftime("%H:%M"), here.strftime("%d/%m/%Y")
    when = DAYS.get(days, THEN)[nth].format(hour=hour, day=day)
    return SAID[which][nth].format(when=when, days=-days)


def _why(row: Mapping[str, Any], at: datetime) -> tuple[str, datetime]:
    """By the key that it is sorted by, as `fairness` makes it."""
    if row["finished_at"] is not None:
        return "waiting", row["moved_at"]
    if row["lapse_at"] is not None:
        return "lapses", row["lapse_at"]
    due, stage = row["due_at"], row["stage_due"]
    if due is not None and row["late_at"] <= at:
        return "overdue", due
    # What came today is told its date, however far: to wait has not begun to count.
    patience = row["moved_at"] + PATIENCE if at - row["moved_at"] > DAY else LAST
    if stage is not None and stage <= min(due or stage, patience):
        return ("stage_due" if stage > at else "stage_overdue"), stage
    if due is not None and due <= patience:
        return "due", due
    return "waiting", row["moved_at"]
