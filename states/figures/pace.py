"""How fast: what came in, what was resolved and how much of it late, month by month.

Of nothing but what is rolled up, so that a year is told at once however many dossiers there are.
"""

from states.figures.bieu06.form import FORM as BIEU06
from states.figures.counting import Condition, Form, Measure, Rate, Span, Sum, counted, named
from states.figures.periods import divided
from states.figures.reporting import PERIOD, Asked, Report
from states.figures.sheets import Both, Chart, Column, Kind, Paper, Shape, Sheet
from states.words import Tally

RESOLVED = (Tally.early, Tally.on_time, Tally.late)


def _reads(span: Span) -> Condition:
    return span.holds(span.of.received_at) | span.holds(span.of.finished_at)


def _resolved(verdict: Tally) -> Measure:
    of = BIEU06.find(verdict)
    return Measure(
        Column(verdict, of.column.head),
        of.meaning,
        lambda span: span.holds(span.of.finished_at) & (span.of.verdict == verdict),
    )


FORM = Form(
    reads=_reads,
    rolls=True,
    figures=(
        Measure(
            named("came", "Tiếp nhận", "Received"),
            Both("Tiếp nhận trong kỳ, mọi kênh", "Received in the period, by whatever channel"),
            lambda span: span.holds(span.of.received_at),
        ),
        *(_resolved(each) for each in RESOLVED),
        Sum(named("resolved", "Đã giải quyết", "Resolved"),
            Both("Trước hạn + đúng hạn + quá hạn, giải quyết xong trong kỳ",
                 "Early + on time + late, resolved in the period"), RESOLVED),
        Rate(named("late_share", "Tỷ lệ quá hạn", "Late, of resolved", kind=Kind.percent),
             Both("Quá hạn / đã giải quyết", "Late / resolved"), (Tally.late,), RESOLVED),
    ),
)  # fmt: skip


async def _make(asked: Asked) -> Paper:
    periods = divided(asked.period, asked.each or "month", asked.at)
    rows = await counted(asked.db, FORM, (), periods, asked.only)
    there = {row["period"]: row for row in rows}
    nothing = FORM.reckoned(dict.fromkeys((each.column.key for each in FORM.measures), 0))
    told = [there.get(each.name, nothing) for each in periods]
    columns = (PERIOD, *FORM.columns)
    cells = tuple(
        [each.name, *(row[column.key] for column in FORM.columns)]
        for each, row in zip(periods, told, strict=True)
    )
    total = FORM.totalled(told)
    last = ["Tổng / Total", *(total[column.key] for column in FORM.columns)]
    notes = tuple(each.told for each in FORM.figures)
    share = [columns.index(PERIOD), len(columns) - 1]
    return asked.paper(
        REPORT,
        Sheet("pace", REPORT.title, columns, cells, last, notes,
              Chart(Shape.line, "period", ("came", "resolved")), 1),
        Sheet("late", LATE, tuple(columns[at] for at in share),
              tuple([row[at] for at in share] for row in cells), None,
              chart=Chart(Shape.line, "period", ("late_share",)), dims=1),
    )  # fmt: skip


LATE = Both("Tỷ lệ quá hạn trên số đã giải quyết", "Late, of what was resolved")
REPORT = Report(
    name="pace",
    title=Both("Nhịp tiếp nhận và giải quyết", "Pace of receiving and resolving"),
    source=Both("", ""),
    meaning=Both(
        "Tiếp nhận, giải quyết và tỷ lệ quá hạn theo từng tháng",
        "What came in, what was resolved and the late share, month by month",
    ),
    make=_make,
    form=FORM,
    each=True,
)
