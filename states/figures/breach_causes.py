"""Breaches by cause and unit, over months and, if so asked, beside another period."""

from typing import Any

from states.accounts.scopes import Scope
from states.breaches import grouping
from states.breaches.grouping import GroupedBy, Span
from states.breaches.listing import EVERY, Only
from states.catalogue import Catalogue
from states.errors import BadInput
from states.figures.auditing import Audit
from states.figures.counting import named
from states.figures.periods import Period
from states.figures.reporting import Asked, Report, called
from states.figures.sheets import Both, Called, Chart, Column, Kind, Paper, Shape, Sheet
from states.ledger.statements import d

HEADS = {
    GroupedBy.cause: Both("Nguyên nhân", "Cause"),
    GroupedBy.unit: Both("Đơn vị", "Unit"),
    GroupedBy.holder: Both("Người giữ khi quá hạn", "Holder past the due moment"),
}
CAUSES = {
    "workload": "quá nhiều việc", "absence": "vắng người",
    "waiting_for_other": "chờ cơ quan khác", "incomplete_dossier": "hồ sơ chưa đủ",
    "complex_case": "vụ việc phức tạp", "system": "lỗi hệ thống", "other": "khác",
}  # fmt: skip
UNSAID = "chưa giải trình / unexplained"
NUMBERS = (
    named("breaches", "Số vụ", "Breaches"),
    named("share", "% số vụ", "% of breaches", kind=Kind.percent),
    named("minutes", "Thời gian làm việc trễ", "Working time late", kind=Kind.minutes),
    named("share_of_minutes", "% thời gian", "% of time", kind=Kind.percent),
    named("running", "Còn trễ", "Late still"),
    named("unexplained", "Chưa giải trình", "Unexplained"),
    named("without_apology", "Quá hạn chưa xin lỗi", "Late without apology"),
    named("corrected", "Bỏ ra do đính chính", "Set aside by correction"),
)
COMPARED = (
    named("before", "Kỳ đối chiếu", "Other period"),
    named("after", "Kỳ này", "This period"),
    named("change", "Tăng, giảm", "Change"),
    named("share_before", "% kỳ đối chiếu", "% of the other", kind=Kind.percent),
    named("share_after", "% kỳ này", "% of this", kind=Kind.percent),
    named("minutes_before", "Thời gian trễ kỳ đối chiếu", "Time late, other", kind=Kind.minutes),
    named("minutes_after", "Thời gian trễ kỳ này", "Time late, this", kind=Kind.minutes),
)
NOTES = (
    Both(
        "Số vụ: thời hạn bị lỡ mà ngày hẹn nằm trong kỳ; một hồ sơ có thể có nhiều vụ",
        "Breaches: deadlines missed that were due in the period; a dossier may have several",
    ),
    Both(
        "Thời gian làm việc trễ: của các vụ đã hết trễ; % tính trên tổng số vụ và tổng thời gian"
        " của biểu",
        "Working time late: of what has ended; percents are of all breaches and of all time here",
    ),
    Both(
        "Bỏ ra do đính chính: lịch được sửa sau đó và theo lịch đúng thì không trễ; không có trong"
        " số nào khác của biểu",
        "Set aside by correction: the calendar was corrected since, and by the right one it was not"
        " late; in no other number here",
    ),
)
HELD = Both(
    "Người giữ: thời gian làm việc sau hạn chia theo nơi giữ hồ sơ; một vụ có thể có nhiều nơi giữ",
    "Holder: working time past the due moment by who had the dossier; a breach may have several",
)


async def _make(asked: Asked) -> Paper:
    only = Only(since=asked.period.since, until=asked.period.until)
    seen = EVERY if asked.agencies is None else d.agency.in_(asked.agencies)
    sheets = [
        _sheet(asked.book, by, await grouping.grouped(asked.db, asked.book, only, by, seen))
        for by in HEADS
    ]
    months = await grouping.grouped(asked.db, asked.book, only, GroupedBy.cause, seen, monthly=True)
    sheets.append(_months(asked.book, months))
    if (other := asked.options.get("against")) is not None:
        spans = _span(Period.parse(other)), _span(asked.period)
        for by in (GroupedBy.cause, GroupedBy.unit):
            rows = await grouping.compared(asked.db, asked.book, Only(), by, spans, seen)
            sheets.append(_side_by_side(asked.book, by, rows, other))
    return asked.paper(REPORT, *sheets)


def _span(period: Period) -> Span:
    if period.since is None:
        raise BadInput("periods are compared that begin somewhere: give --from")
    return Span(period.since, period.until)


def _called(book: Catalogue, by: GroupedBy, group: str | None) -> Called:
    if by is GroupedBy.unit:
        return called(book, by, group)
    if by is GroupedBy.cause:
        said = UNSAID if group is None else f"{CAUSES[group]} / {group.replace('_', ' ')}"
        return Called(said, group)
    kind, _, unit = (group or "").partition(" ")
    return Called(f"{called(book, GroupedBy.unit, unit)} ({kind})" if unit else kind, group)


def _sheet(book: Catalogue, by: GroupedBy, rows: list[dict[str, Any]]) -> Sheet:
    columns = (Column(by, HEADS[by], Kind.called), *NUMBERS)
    cells = tuple(
        [_called(book, by, row["group"]), *(row[each.key] for each in NUMBERS)] for row in rows
    )
    notes = (*NOTES, HELD) if by is GroupedBy.holder else NOTES
    chart = Chart(Shape.bars, by, ("minutes" if by is GroupedBy.holder else "breaches",))
    title = Both(
        f"Vi phạm thời hạn theo {HEADS[by].vi.lower()}", f"Breaches by {HEADS[by].en.lower()}"
    )
    total = None if by is GroupedBy.holder else _total(rows)  # a breach may have several holders
    return Sheet(by, title, columns, cells, total, notes, chart, 1)


def _total(rows: list[dict[str, Any]]) -> list[Any]:
    """All groups together: counts are added, and shares are of the whole."""
    sums: list[Any] = ["Tổng / Total"]
    for each in NUMBERS:
        told = [row[each.key] for row in rows if row[each.key] is not None]
        share = each.kind is Kind.percent
        sums.append((100.0 if told else None) if share else sum(told))
    return sums


def _months(book: Catalogue, rows: list[dict[str, Any]]) -> Sheet:
    columns = (
        named("month", "Tháng đến hạn", "Month due", kind=Kind.code),
        Column("cause", HEADS[GroupedBy.cause], Kind.called),
        *NUMBERS[:3],
    )
    cells = tuple(
        [
            row["month"],
            _called(book, GroupedBy.cause, row["group"]),
            *(row[each.key] for each in NUMBERS[:3]),
        ]
        for row in rows
    )
    title = Both("Nguyên nhân theo tháng", "Causes by month")
    return Sheet("months", title, columns, cells, notes=NOTES, dims=2)


def _side_by_side(book: Catalogue, by: GroupedBy, rows: list[dict[str, Any]], other: str) -> Sheet:
    columns = (Column(by, HEADS[by], Kind.called), *COMPARED)
    cells = tuple(
        [_called(book, by, row["group"]), *(row[each.key] for each in COMPARED)] for row in rows
    )
    title = Both(f"{HEADS[by].vi}: đối chiếu với {other}", f"{HEADS[by].en}: beside {other}")
    chart = Chart(Shape.bars, by, ("before", "after"))
    return Sheet(f"{by}-against", title, columns, cells, notes=NOTES, chart=chart, dims=1)


REPORT = Report(
    name="breach-causes",
    title=Both("Nguyên nhân vi phạm thời hạn", "Causes of breaches"),
    source=Both("", ""),
    meaning=Both(
        "Thời hạn bị lỡ theo nguyên nhân, đơn vị, nơi giữ và tháng; đối chiếu hai kỳ",
        "Deadlines missed by cause, unit, holder and month; two periods side by side",
    ),
    make=_make,
    audit=Audit(Scope.breaches_read),
    options={
        "against": Both("Kỳ để đối chiếu: 2023, 2023-Q1 …", "A period beside it: 2023, 2023-Q1 …")
    },
)
