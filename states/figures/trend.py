"""Volumes over time, and an alarm where they fall.

One province's post had 11,700 dossiers in 2017, 9,600 in 2018 and 3,000 in the first half of 2019,
and nobody rang a bell until the review of three years. Months and quarters are held against those a
year before, since few come around Tet and many after; halves and years against the one before. A
period that is not over, or of which a part is asked for, is held against as much of the other.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from states.errors import BadInput
from states.figures.channels import FORM
from states.figures.counting import counted
from states.figures.periods import EACH, ZONE, Period, divided
from states.figures.reporting import PERIOD, Asked, Report
from states.figures.sheets import Both, Chart, Column, Kind, Paper, Shape, Sheet

FALL = 15.0  # percent: a fall of as much from one period to the next is told
LAG = {"month": 12, "quarter": 4, "half": 1, "year": 1}  # periods back
SERIES = ("in_all", "in_post", "out_post")


class Change(NamedTuple):
    """A volume beside the one before. `percent`: of the one before; None where that is nought.

    Where a period is not over or not all of it is asked for, `share` of it is, and its volume is
    held against as much of the one before.
    """

    period: str
    series: str
    before: int
    now: int
    share: float

    @property
    def percent(self) -> float | None:
        """The change at equal lengths."""
        whole = self.before * self.share
        return None if whole == 0 else 100 * (self.now - whole) / whole

    def falls(self, by: float) -> bool:
        """Whether it fell by as many percent or more."""
        return self.percent is not None and self.percent <= -by


def share(period: Period, at: datetime) -> float:
    """How much of a period of the calendar is asked for and over at a moment, from 0 to 1."""
    assert period.since is not None
    whole = Period.parse(period.name)
    assert whole.since is not None
    over: timedelta = min(period.until, at) - period.since
    return min(1.0, max(0.0, over / (whole.until - whole.since)))


def changes(
    periods: Sequence[Period],
    volumes: Sequence[dict[str, Any]],
    before: Sequence[dict[str, Any]],
    at: datetime,
) -> Iterator[Change]:
    """Each period's volumes beside those of the whole one that it is held against; of one of which
    hardly a part is asked for and over none.
    """
    for period, now, was in zip(periods, volumes, before, strict=True):
        if (part := share(period, at)) >= 0.1:
            for series in SERIES:
                yield Change(period.name, series, was[series], now[series], part)


async def _make(asked: Asked) -> Paper:
    fall, each = _fall(asked.options), asked.each or "month"
    periods = divided(asked.period, each, asked.at)
    volumes = await _volumes(asked, periods)
    before = await _volumes(asked, [earlier(period, each) for period in periods])
    told = list(changes(periods, volumes, before, asked.at))
    percents = {(each.period, each.series): each.percent for each in told}
    cells = tuple(
        [
            period.name,
            *(cell for s in SERIES for cell in (row[s], percents.get((period.name, s)))),
        ]
        for period, row in zip(periods, volumes, strict=True)
    )
    return asked.paper(
        REPORT,
        Sheet("trend", REPORT.title, COLUMNS, cells, chart=CHART, notes=NOTES, dims=1),
        faults=tuple(_alarm(each) for each in told if each.falls(fall)),
    )


async def _volumes(asked: Asked, periods: Sequence[Period]) -> list[dict[str, Any]]:
    rows = await counted(asked.db, FORM, (), periods, asked.only)
    there = {row["period"]: row for row in rows}
    nothing = FORM.reckoned(dict.fromkeys((each.column.key for each in FORM.measures), 0))
    return [there.get(each.name, nothing) for each in periods]


def earlier(period: Period, each: str) -> Period:
    """The whole period that one, or a part of one, is held against: a year, or half a one before.

    Whole, since of a part nobody knows how many of the days that count lay in it.
    """
    whole = Period.parse(period.name)
    assert whole.since is not None
    begin = whole.since.astimezone(ZONE)
    month = begin.month - 1 - LAG[each] * EACH[each]
    since = begin.replace(year=begin.year + month // 12, month=month % 12 + 1)
    return divided(Period("", since, whole.since), each, whole.since)[0]


def _fall(options: Any) -> float:
    text = options.get("fall", str(FALL))
    try:
        fall = float(text)
    except ValueError:
        fall = -1.0
    if not 0 < fall <= 100:
        raise BadInput("'{fall}' is no fall in percent: give a number from 1 to 100", fall=text)
    return fall


HEADS = {each.column.key: each.column.head for each in FORM.figures}
COLUMNS = (
    PERIOD,
    *(
        column
        for series in SERIES
        for column in (
            Column(series, HEADS[series]),
            Column(f"{series}_change", Both("so sánh", "change"), Kind.percent),
        )
    ),
)
CHART = Chart(Shape.line, "period", SERIES)
NOTES = (
    Both(
        "Tháng, quý so với cùng kỳ năm trước; sáu tháng, năm so với kỳ liền trước; kỳ chưa kết"
        " thúc hoặc chỉ hỏi một phần so với phần tương ứng",
        "Months and quarters against those a year before, halves and years against the one before;"
        " a period that is not over, or is asked for in part, against as much of the other",
    ),
)


def _alarm(change: Change) -> Both:
    head, percent = HEADS[change.series], -(change.percent or 0.0)
    before, now = (f"{n:,}" for n in (change.before, change.now))
    vi = f"{head.vi}: {change.period} giảm {percent:.1f} % ({before} → {now})".replace(",", ".")
    return Both(vi, f"{head.en}: {change.period} fell by {percent:.1f} % ({before} → {now})")


REPORT = Report(
    name="trend",
    title=Both("Diễn biến số lượng hồ sơ", "Volumes over time"),
    source=Both("Quyết định 45/2016/QĐ-TTg, Điều 13", "Decision 45/2016/QĐ-TTg Art. 13"),
    meaning=Both(
        "Số hồ sơ theo kỳ, và cảnh báo khi giảm",
        "Dossiers by period, and an alarm where they fall",
    ),
    make=_make,
    each=True,
    options={"fall": Both("Báo khi giảm từ bao nhiêu phần trăm", "Tell a fall of so many percent")},
)
