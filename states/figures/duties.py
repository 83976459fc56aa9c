"""Which periodic reports are due, which were made, what is missing in them, and what is overdue.

Which there are is data of the catalogue (`plans.yaml`); what was made is what was frozen, or what
the file says was made elsewhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum, auto
from typing import Any

import sqlalchemy as sa

from states.catalogue.plans import Duty
from states.figures.counting import named
from states.figures.freezing import f, frozen
from states.figures.periods import ZONE, Period, divided
from states.figures.reporting import Asked, Report
from states.figures.sheets import Both, Called, Column, Kind, Paper, Sheet

Frozen = Mapping[tuple[str, str], date]
"""When a report was frozen first, by its name and the period's."""


class Standing(StrEnum):
    """Where a report stands."""

    in_time = auto()
    late = auto()
    due = auto()  # its period is over, and its day not
    overdue = auto()
    coming = auto()  # its period runs


SAID = {
    Standing.in_time: "đúng hạn",
    Standing.late: "trễ",
    Standing.due: "đến kỳ",
    Standing.overdue: "quá hạn",
    Standing.coming: "chưa đến kỳ",
}


@dataclass(frozen=True, slots=True)
class Due:
    """One report of one period. `made`: on which day, if it was; `by`: the document, or what was
    frozen of it. `unfrozen`: what we could have frozen of it, and have not.
    """

    duty: Duty
    period: Period
    on: date
    made: date | None = None
    by: str | None = None
    unfrozen: tuple[str, ...] = ()

    def standing(self, today: date) -> Standing:
        """On a day."""
        if self.made is not None:
            return Standing.in_time if self.made <= self.on else Standing.late
        if today < self.period.until.astimezone(ZONE).date():
            return Standing.coming
        return Standing.due if today <= self.on else Standing.overdue

    def days(self, today: date) -> int:
        """How many days it was or is late; less than nought, what is left."""
        return ((self.made or today) - self.on).days


def due_on(duty: Duty, period: Period) -> date:
    """The day a report must be made by: of the month after its period, included."""
    first = period.until.astimezone(ZONE).date()
    if duty.day is not None:
        return first.replace(day=duty.day)
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def due(
    duties: Sequence[Duty], within: Period, made: Frozen, at: datetime, today: date
) -> list[Due]:
    """The reports of all whole periods that lie in one and have begun, by the day they are due."""
    found: list[Due] = []
    for duty in duties:
        for period in divided(within, duty.every, at):
            only = duty.only is None or period.name.endswith(f"-{duty.only}")
            if only and period == Period.parse(period.name):
                found.append(_found(duty, period, made, today))
    return sorted(found, key=lambda each: (each.on, each.duty.code))


def _found(duty: Duty, period: Period, made: Frozen, today: date) -> Due:
    on = due_on(duty, period)
    said = [each for each in duty.made if each.period == period.name and each.on <= today]
    if said:
        return Due(duty, period, on, said[0].on, said[0].document)
    named = [duty.report, *(each.report for each in duty.contents)]
    asked = tuple(dict.fromkeys(filter(None, named)))
    frozen = {each: made[each, period.name] for each in asked if (each, period.name) in made}
    if not asked or len(frozen) < len(asked):
        return Due(duty, period, on, unfrozen=tuple(each for each in asked if each not in frozen))
    return Due(duty, period, on, max(frozen.values()), ", ".join(asked))


async def _frozen(asked: Asked) -> Frozen:
    first = sa.select(f.report, f.period, sa.func.min(f.frozen_at)).select_from(frozen)
    first = first.where(f.frozen_at <= asked.at).group_by(f.report, f.period)
    rows = (await asked.db.execute(first)).tuples()
    return {(report, period): asked.book.day(at) for report, period, at in rows}


async def _make(asked: Asked) -> Paper:
    period, today = asked.named, asked.book.day(asked.at)
    if period.since is None:  # nobody named a beginning: last year's, and this year's so far
        year = str(period.until.astimezone(ZONE).year - 1)
        period = replace(period, since=Period.parse(year).since)
    duties = asked.book.plans.duties
    found = due(duties, period, await _frozen(asked), asked.at, today)
    contents = tuple(
        [_called(duty), each.name.vi, each.report or MISSING.vi]
        for duty in duties
        for each in duty.contents
    )
    paper = asked.paper(
        REPORT,
        Sheet("duties", REPORT.title, COLUMNS, tuple(_row(each, today) for each in found),
              notes=(*NOTES, *(_ground(each) for each in duties)), dims=2),
        Sheet("contents", Both("Nội dung phải có", "What each must hold"), CONTENTS, contents,
              dims=2),
        faults=tuple(_overdue(found, today)),
    )  # fmt: skip
    return replace(paper, since=period.since, until=period.until)


def _called(duty: Duty) -> Called:
    return Called(duty.name.vi, duty.code)


def _row(each: Due, today: date) -> list[Any]:
    standing = each.standing(today)
    lacking = sum(content.report is None for content in each.duty.contents)
    return [
        _called(each.duty), each.period.name, each.on, each.made, each.by or _unfrozen(each),
        Called(SAID[standing], standing), each.days(today), lacking,
    ]  # fmt: skip


def _unfrozen(each: Due) -> str | None:
    return f"chưa chốt / not frozen: {', '.join(each.unfrozen)}" if each.unfrozen else None


def _overdue(found: Sequence[Due], today: date) -> Iterator[Both]:
    """How many are overdue, and which the longest."""
    late = [each for each in found if each.standing(today) is Standing.overdue]
    if late:
        first, on = late[0], f"{late[0].on:%d/%m/%Y}"
        yield Both(
            f"{len(late)} báo cáo quá hạn; lâu nhất: {first.duty.name.vi} {first.period.name},"
            f" hạn {on}",
            f"{len(late)} reports are overdue; the longest: {first.duty.name.en}"
            f" {first.period.name}, due {on}",
        )


def _ground(duty: Duty) -> Both:
    ground = duty.ground
    where = ", ".join(each for each in (ground.article, ground.document) if each)
    vi, en = ("", "") if ground.verified else (" (chưa kiểm chứng)", " (not verified)")
    return Both(
        f"{duty.name.vi}: {duty.who.vi} gửi {duty.to.vi}; {where}{vi}",
        f"{duty.name.en}: {duty.who.en} to {duty.to.en}; {where}{en}",
    )


MISSING = Both("không có trong dữ liệu", "not in the data")
COLUMNS = (
    Column("duty", Both("Báo cáo", "Report"), Kind.called),
    Column("period", Both("Kỳ", "Period"), Kind.code),
    Column("due", Both("Hạn", "Due"), Kind.day),
    Column("made", Both("Đã lập", "Made"), Kind.day),
    Column("by", Both("Bằng", "As"), Kind.text),
    Column("standing", Both("Tình trạng", "Standing"), Kind.called),
    named("days", "Ngày trễ", "Days late"),
    named("lacking", "Mục thiếu", "Contents lacking"),
)
CONTENTS = (
    COLUMNS[0],
    Column("content", Both("Nội dung", "Content"), Kind.text),
    Column("told_by", Both("Báo cáo có nội dung", "Told by"), Kind.text),
)
NOTES = (
    Both(
        "Đã lập: ngày chốt đủ các biểu mà nội dung của báo cáo nêu, hoặc ngày ghi trong tệp plans;"
        " ngày trễ âm: còn lại bấy nhiêu ngày",
        "Made: the day all reports that its contents name were frozen, or that plans say; days late"
        " below nought are left",
    ),
    Both(
        "Mục thiếu: số nội dung phải có mà không có trong dữ liệu (bảng sau)",
        "Contents lacking: those it must hold that are not in the data (see below)",
    ),
)
REPORT = Report(
    name="duties",
    title=Both("Báo cáo định kỳ phải lập", "Periodic reports that are due"),
    source=Both(
        "Thông tư 17/2017/TT-BTTTT, Điều 13; Kế hoạch 125/KH-UBND (2019)",
        "Circular 17/2017/TT-BTTTT Art. 13; Plan 125/KH-UBND (2019)",
    ),
    meaning=Both(
        "Báo cáo nào đến hạn, đã lập, trễ, quá hạn; nội dung nào không có trong dữ liệu",
        "Which reports are due, were made, are late or overdue; what of them no data tells",
    ),
    make=_make,
)
