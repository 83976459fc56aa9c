"""Biểu 06 as it was known at a moment, what differs today, and why."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from states.errors import BadInput
from states.figures.bieu06.form import FORM
from states.figures.comparing import differences
from states.figures.counting import DIMENSIONS
from states.figures.knowing import Counted, Known, as_known
from states.figures.periods import ZONE
from states.figures.reporting import Asked, Report, called
from states.figures.sheets import Both, Column, Kind, Paper, Sheet

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
AGENCY = Column("agency", DIMENSIONS["agency"], Kind.called)
THEN, NOW = Both("Khi đó", "Then"), Both("Hiện nay", "Now")


async def known_paper(asked: Asked, report: Report) -> Paper:
    """Raises `BadInput` for what only today's figures can be asked."""
    known_at = _moment(asked.options.get("as_known"))
    if asked.each is not None or asked.policy is not None or set(asked.by) - {"agency"}:
        raise BadInput(
            "figures as they were known are by agency, of one period, as their classes were frozen:"
            " leave out the rest"
        )
    if (explain := asked.options.get("explain", "no")) not in {"yes", "no"}:
        raise BadInput("explain is yes or no, not '{said}'", said=explain[:80])
    named = asked.period
    # Who names no end means the moment that is asked about, and not the one of asking.
    until = known_at if named.until == asked.at else named.until
    found = await as_known(asked.db, asked.book, named.since, until, known_at, asked.agencies)
    sheets = [_form(asked, report.title, found), _differences(asked, found)]
    if explain == "yes":
        sheets.append(_explained(found))
    faults = () if found.unread == 0 else (_unread(found.unread),)
    period = replace(named, until=until)
    paper = replace(asked, period=period).paper(report, *sheets, faults=faults)
    return replace(paper, known_at=known_at)


def _moment(text: str | None) -> datetime:
    """A day, which is its beginning in Viet Nam, or a moment with offset. Raises `BadInput`."""
    if text is None:
        raise BadInput("explain explains what as_known differs by: say as_known, too")
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=ZONE)).astimezone(ZONE)
    except (ValueError, OverflowError):
        raise BadInput(
            "'{said}' is no date: write 2024-01-15 or 2024-01-15T08:00+07:00", said=text[:80]
        ) from None


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


def _explained(found: Known) -> Sheet:
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
        for each in found.shifts
        for line in each.between
    )  # fmt: skip
    title = Both("Từng hồ sơ nay tính khác", "Each dossier that is counted elsewhere now")
    return Sheet("explained", title, columns, rows)


def _place(counted: Counted) -> str:
    return " ".join(counted) or "–"
