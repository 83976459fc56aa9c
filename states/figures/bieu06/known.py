"""Biểu 06 as it was known at a moment, what differs today, and why."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from states import seeing
from states.errors import BadInput
from states.figures.bieu06.form import FORM
from states.figures.comparing import differences
from states.figures.counting import DIMENSIONS
from states.figures.knowing import Between, Counted, Known, Shift, as_known
from states.figures.periods import ZONE, Period
from states.figures.reporting import Asked, Report, called
from states.figures.sheets import Both, Column, Kind, Paper, Sheet
from states.ledger.statements import e
from states.logs.telling import Names

OPTIONS = {
    "as_known": Both(
        "như sổ đã ghi nhận đến thời điểm này, ví dụ 2024-01-15 (đầu ngày)",
        "as the ledger had recorded it by then, such as 2024-01-15 (when that day began)",
    ),
    "explain": Both(
        "yes: với as_known, từng hồ sơ nay tính khác và các lần ghi từ đó",
        "yes: with as_known, each dossier counted elsewhere now, and what was recorded since",
    ),
}
YEARS = range(1900, 2201)  # beyond them not every moment can be told in every zone
AGENCY = Column("agency", DIMENSIONS["agency"], Kind.called)
MANY = 200  # lines that are shown at once
THEN, NOW = Both("Khi đó", "Then"), Both("Hiện nay", "Now")


async def known_paper(asked: Asked, report: Report) -> Paper:
    """Raises `BadInput` for what only today's figures can be asked."""
    known_at = _moment(asked.options.get("as_known"))
    if asked.each is not None or asked.policy is not None or set(asked.dims(report)) != {"agency"}:
        raise BadInput(
            "figures as they were known are by agency, of one period, as their classes were frozen:"
            " leave out the rest"
        )
    if (explain := asked.options.get("explain", "no")) not in {"yes", "no"}:
        raise BadInput("explain is yes or no, not '{said}'", said=explain[:80])
    period = _begun(asked.period, known_at)
    since, until = period.since, period.until
    found = await as_known(asked.db, asked.book, since, until, known_at, asked.agencies)
    sheets = [_form(asked, report.title, found), _differences(asked, found)]
    if explain == "yes":
        shifts = [hidden(each, asked.hidden) for each in found.shifts]
        if asked.who is not None and asked.through is not None and asked.hidden is None:
            seen = (each.id for each in found.shifts)
            await seeing.looked(asked.db, asked.who, asked.through, seen)
        sheets.append(_explained(shifts))
    faults: tuple[Both, ...] = () if found.unread == 0 else (_unread(found.unread),)
    if not found.then.rows and found.shifts:
        faults += await _unrecorded(asked, known_at)
    paper = replace(asked, period=period).paper(report, *sheets, faults=faults)
    return replace(paper, known_at=known_at)


async def _unrecorded(asked: Asked, known_at: datetime) -> tuple[Both, ...]:
    """Why there is nothing: all was recorded later, as where history was taken over."""
    first = await asked.db.scalar(sa.select(sa.func.min(e.recorded_at)))
    if first is None or first <= known_at:
        return ()
    when = f"{first.astimezone(ZONE):%d/%m/%Y %H:%M}"
    return (
        Both(
            f"Khi đó sổ chưa ghi gì: dòng đầu tiên được ghi lúc {when}, dù việc xảy ra trước đó",
            f"The ledger had recorded nothing by then: its first line was recorded on {when},"
            " whenever it happened",
        ),
    )


def _begun(period: Period, known_at: datetime) -> Period:
    """What of it was over by then, as who had asked then would have been told."""
    if period.since is not None and period.since >= known_at:
        raise BadInput(
            "the period had not begun by {known_at}: ask as known later",
            known_at=known_at.astimezone(ZONE).isoformat(timespec="minutes"),
        )
    return replace(period, until=min(period.until, known_at))


def _moment(text: str | None) -> datetime:
    """A day, which is its beginning in Viet Nam, or a moment with offset. Raises `BadInput`."""
    if text is None:
        raise BadInput("explain explains what as_known differs by: say as_known, too")
    try:
        at = datetime.fromisoformat(text)
        at = (at if at.tzinfo else at.replace(tzinfo=ZONE)).astimezone(ZONE)
    except (ValueError, OverflowError):
        raise BadInput(
            "'{said}' is no date: write 2024-01-15 or 2024-01-15T08:00+07:00", said=text[:80]
        ) from None
    if at.year not in YEARS:
        raise BadInput(
            "as_known lies in the years {first} to {last}, not in that of '{said}'",
            first=YEARS[0],
            last=YEARS[-1],
            said=text[:80],
        )
    return at


def _form(asked: Asked, title: Both, found: Known) -> Sheet:
    rows = tuple(
        (called(asked.book, "agency", row.agency), *_numbers(row.reckoned))
        for row in found.then.rows
    )
    read = Both(
        f"{found.replayed:,} hồ sơ có thay đổi được ghi từ đó, đọc lại đến thời điểm ấy;"
        f" {len(found.shifts):,} hồ sơ nay tính khác",
        f"{found.replayed:,} dossiers had a change recorded since and were read again up to then;"
        f" {len(found.shifts):,} are counted elsewhere now",
    )
    total = ("Tổng / Total", *_numbers(found.then.total.reckoned))
    notes = (read, *(each.told for each in FORM.figures))
    return Sheet("bieu06", title, (AGENCY, *FORM.columns), rows, total, notes, dims=1)


def _unread(count: int) -> Both:
    return Both(
        f"{count:,} hồ sơ không đọc lại được như khi đó: tính theo hiện nay",
        f"{count:,} dossiers cannot be read again as they were: they are counted as they are now",
    )


def _numbers(row: dict[str, Any]) -> Iterator[Any]:
    return (row[each.key] for each in FORM.columns)


def _differences(asked: Asked, found: Known) -> Sheet:
    columns = (
        AGENCY,
        Column("column", Both("Cột", "Column"), Kind.text),
        Column("then", THEN),
        Column("now", NOW),
    )
    cells = differences(map(asdict, found.then.rows), map(asdict, found.now.rows))
    rows = tuple(
        (called(asked.book, "agency", each.agency), _column(each.column), each.was, each.now)
        for each in cells
    )
    return Sheet("differences", Both("Chênh lệch với hiện nay", "What differs now"), columns, rows)


def _column(key: str) -> str:
    column = FORM.find(key).column
    return f"{column.number} {column.head.vi} / {column.head.en}".strip()


def hidden(shift: Shift, names: Names | None) -> Shift:
    """By the names that people have for who may not know who they are, and without what people
    wrote; None: as it is.
    """
    if names is None:
        return shift

    def without(line: Between) -> Between:
        return line._replace(by=names(line.by, line.role), reason=None)

    return shift._replace(between=tuple(map(without, shift.between)))


def _explained(shifts: Iterable[Shift]) -> Sheet:
    """A row a line recorded since, under its dossier."""
    columns = (
        Column("code", Both("Hồ sơ", "Dossier"), Kind.code),
        Column("was", THEN, Kind.text),
        Column("is", NOW, Kind.text),
        Column("line", Both("Dòng", "Line")),
        Column("event", Both("Việc", "Event"), Kind.text),
        Column("recorded_at", Both("Ghi lúc", "Recorded"), Kind.moment),
        Column("by", Both("Người ghi", "By"), Kind.code),
        Column("reason", Both("Lý do", "Reason"), Kind.text),
    )
    rows = tuple(
        (
            each.code, _place(each.was), _place(each.now), line.seq, line.event,
            line.recorded_at.astimezone(ZONE), line.by, line.reason,
        )
        for each in shifts
        for line in each.between
    )  # fmt: skip
    title = Both("Từng hồ sơ nay tính khác", "Each dossier that is counted elsewhere now")
    if len(rows) <= MANY:
        return Sheet("explained", title, columns, rows)
    count = Both(f"Tất cả: {len(rows):,} dòng", f"In all {len(rows):,} lines")
    return Sheet("explained", title, columns, (), notes=(count,), more=_some(rows))


async def _some(rows: Sequence[Sequence[Any]]) -> AsyncIterator[Sequence[Sequence[Any]]]:
    """Some at a time, so that a screen shows the first of them and a file has all."""
    for n in range(0, len(rows), MANY):
        yield rows[n : n + MANY]


def _place(counted: Counted) -> str:
    return " ".join(counted) or "–"
