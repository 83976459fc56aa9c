"""Suspicions of endings: results that nobody is given, receipts that are cancelled and come again,
finishes that crowd at the end of the month.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.clock import Calendar
from states.columns import MOMENT
from states.figures.periods import ZONE, Period, divided
from states.figures.sheets import Both
from states.ledger.statements import d, dossier, e, entry
from states.suspicions.cases import LAIN, RESULTS, of_lines, of_results
from states.suspicions.odds import at_least
from states.suspicions.rule import Rule
from states.suspicions.scope import Scope
from states.words import Event, Tally

WAITS = 30  # days after the result
SOON = 5  # days after it was handed in
AGAIN = 10  # days after it was cancelled
LAST = 2  # working days of a month
SELDOM = 0.001  # so often chance alone makes such a crowd
FEWEST = 5  # finishes that are a crowd
CANCELS = (Event.decline, Event.withdraw, Event.stop)


def _days(number: int) -> Any:
    return sa.literal_column(f"interval '{number} days'")


async def _undelivered(db: AsyncConnection, scope: Scope) -> sa.Select[Any]:
    end, at = d.finished_at + _days(WAITS), sa.literal(scope.at, MOMENT)
    return of_results(scope, sa.func.coalesce(d.delivered_at, at) > end, end <= at)


async def _cancelled(db: AsyncConnection, scope: Scope) -> sa.Select[Any]:
    other = dossier.alias("other")
    who, same = (sa.func.coalesce(each.citizen, each.applicant) for each in (d, other.c))
    again = sa.exists().where(
        who == same,
        other.c.procedure == d.procedure,
        other.c.registered_at >= d.finished_at,
        other.c.registered_at < d.finished_at + _days(AGAIN),
        other.c.id != d.id,
    )
    hit = again.select_from(other).correlate(dossier)
    rows = dossier.join(entry, (e.dossier_id == d.id) & (e.seq == d.seq))
    soon = d.finished_at <= d.registered_at + _days(SOON)
    here = d.verdict == Tally.not_counted, scope.holds(d.finished_at), soon
    return of_lines(scope, CANCELS, hit, *here, rows=rows)


# Crowds at the end of the month ---------------------------------------------------------------


class Crowd(NamedTuple):
    """A unit's finishes on the last working days of a month, from the first of those days on."""

    unit: str
    since: date
    until: date


class Month(NamedTuple):
    """The working days of a month, by one calendar."""

    days: tuple[date, ...]

    @property
    def last(self) -> tuple[date, ...]:
        return self.days[-LAST:]


def crowds(finishes: Mapping[str, Mapping[date, int]], months: Iterable[Month]) -> Iterator[Crowd]:
    """Units that finished so much on a month's last working days as chance seldom does.

    If each working day were alike, the finishes of the last ones would be a share of the month's:
    the tail of the binomial distribution says how seldom they are that many. Pure.
    """
    for month in months:
        if len(month.days) <= LAST:
            continue
        for unit, by_day in finishes.items():
            whole = sum(by_day.get(day, 0) for day in month.days)
            late = sum(by_day.get(day, 0) for day in month.last)
            share = len(month.last) / len(month.days)
            if late >= FEWEST and at_least(late, whole, share) < SELDOM:
                yield Crowd(unit, month.last[0], month.last[-1])


def months_of(calendar: Calendar, scope: Scope) -> list[Month]:
    """The months that lie wholly in the period, and are over, by their working days."""
    found, end = [], min(scope.until, scope.at)
    for each in divided(Period("", scope.since, scope.until), "month", scope.at):
        whole = Period.parse(each.name)
        if whole.since is None or whole.since < scope.since or whole.until > end:
            continue
        first, last = (at.astimezone(ZONE).toordinal() for at in (whole.since, whole.until))
        works = (n for n in range(first, last) if calendar.works(n))
        found.append(Month(tuple(map(date.fromordinal, works))))
    return found


async def _bursts(db: AsyncConnection, scope: Scope) -> sa.Select[Any]:
    """The crowds are found from each unit's finishes by day; then it is asked who is in them."""
    months = months_of(scope.book.calendar(scope.book.keeps), scope)
    day = scope.day(d.finished_at)
    unit = sa.func.coalesce(LAIN.c.unit, d.unit)
    worked = day.in_([day for month in months for day in month.days])
    of_days = of_results(scope, sa.true(), worked).subquery()
    there = scope.day(of_days.c.at)
    by_day = sa.select(of_days.c.unit, there.label("day"), sa.func.count().label("n"))
    finishes: dict[str, dict[date, int]] = {}
    for row in await db.execute(by_day.group_by(of_days.c.unit, there)):
        finishes.setdefault(row.unit, {})[row.day] = row.n
    found = list(crowds(finishes, months))
    columns = (
        sa.cast([each.unit for each in found], sa.ARRAY(sa.String)),
        *(sa.cast([getattr(each, end) for each in found], sa.ARRAY(sa.Date)) for end in ENDS),
    )
    crowd = sa.func.unnest(*columns).table_valued("unit", *ENDS, name="crowd").render_derived()
    inside = (crowd.c.unit == unit) & day.between(crowd.c.since, crowd.c.until)
    return of_results(
        scope, crowd.c.unit.is_not(None), worked, rows=RESULTS.outerjoin(crowd, inside)
    )


ENDS = ("since", "until")

RULES = (
    Rule(
        "results-undelivered",
        Both("Có kết quả mà lâu không trả", "Results that nobody is given"),
        Both(
            "Có thể ghi kết quả khi chưa có để khỏi quá hạn; cũng có thể công dân không đến nhận",
            "A result may have been entered before there was one; or the citizen never came",
        ),
        Both(
            f"Kết quả đã có từ {WAITS} ngày trở lên",
            f"Results that are {WAITS} days old or older",
        ),
        Both(
            f"không trả trong {WAITS} ngày kể từ khi có kết quả",
            f"not handed over within {WAITS} days of the result",
        ),
        _undelivered,
    ),
    Rule(
        "receipts-cancelled",
        Both("Hủy tiếp nhận rồi nộp lại", "Receipts cancelled and lodged again"),
        Both(
            "Có thể hủy và nhận lại để thời hạn tính từ đầu; cũng có thể công dân nộp nhầm",
            "It may have been cancelled so that the term begins anew; or the citizen was mistaken",
        ),
        Both(
            f"Hồ sơ kết thúc không có kết quả trong {SOON} ngày kể từ khi nộp",
            f"Dossiers that ended without a result within {SOON} days of being handed in",
        ),
        Both(
            f"cùng người nộp, cùng thủ tục, nộp lại trong {AGAIN} ngày; không có số định danh thì"
            " so theo họ tên",
            f"the same applicant and procedure again within {AGAIN} days; by name where no identity"
            " is known",
        ),
        _cancelled,
    ),
    Rule(
        "bursts-at-month-end",
        Both("Dồn kết quả cuối tháng", "Bursts at the end of the month"),
        Both(
            "Có thể dồn kết quả vào kỳ báo cáo; cũng có thể ký tập trung theo lịch của lãnh đạo",
            "Results may be pushed into the period reported on; or the leader signs on fixed days",
        ),
        Both(
            "Kết quả vào ngày làm việc của các tháng trọn vẹn trong kỳ, theo lịch của trung tâm",
            "Results on working days of the months wholly within, by the centre's calendar",
        ),
        Both(
            f"{LAST} ngày làm việc cuối tháng có từ {FEWEST} kết quả và nhiều đến mức ngẫu nhiên"
            f" ít hơn {SELDOM:.1%} (đuôi phân phối nhị thức, mỗi ngày làm việc như nhau)",
            f"on the last {LAST} working days, where a unit has {FEWEST} or more and so many as"
            f" chance makes in less than {SELDOM:.1%} (binomial tail, all working days alike)",
        ),
        _bursts,
    ),
)
