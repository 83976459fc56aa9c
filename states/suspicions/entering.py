"""Suspicions of entering: long after it happened, dated back, at hours when nobody works.

What was entered weeks after it happened is history taken over, from paper or another system: it is
in no base here.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.figures.sheets import Both
from states.ledger.statements import d, dossier, e, entry, v, visit
from states.suspicions.cases import LINES, of_lines, of_visits
from states.suspicions.rule import Rule
from states.suspicions.scope import Scope, Worked, versions
from states.words import Event

HISTORY = 14  # days after it happened
LATE = 3  # days after the receipt: over a weekend is not late
BACK = 1  # days before the line before was even entered
SLACK = 60  # minutes round the sessions


def _days(number: int) -> Any:
    return sa.literal_column(f"interval '{number} days'")


def _news() -> tuple[Any, ...]:
    """Lines that were entered while they were news, of dossiers of our own."""
    return e.recorded_at <= e.at + _days(HISTORY), d.source.is_(None)


async def _receipts(db: AsyncConnection, scope: Scope) -> sa.Select[Any]:
    hit = e.recorded_at > e.at + _days(LATE)
    here = scope.holds(d.received_at)  # an index finds them
    return of_lines(scope, (Event.receive,), hit, here, e.at == d.received_at, *_news())


async def _results(db: AsyncConnection, scope: Scope) -> sa.Select[Any]:
    earlier = entry.alias("earlier")
    one_before = (earlier.c.dossier_id == e.dossier_id) & (earlier.c.seq == e.seq - 1)
    rows = LINES.join(earlier, one_before)
    hit = e.at < earlier.c.recorded_at - _days(BACK)
    here = scope.holds(d.finished_at), e.at == d.finished_at
    return of_lines(scope, (Event.return_result,), hit, *here, *_news(), rows=rows)


async def _outside(db: AsyncConnection, scope: Scope) -> sa.Select[Any]:
    """By the calendar that was known when the act was recorded: what was corrected since makes
    nobody suspect.
    """
    worked = Worked(scope, slack=SLACK, known=await versions(db))
    there = worked.rows("there")
    closing = (e.dossier_id == v.dossier_id) & (e.seq == v.closed_seq)
    rows = visit.join(dossier, d.id == v.dossier_id).join(entry, closing)
    known = worked.known_at(there, e.recorded_at)
    rows = rows.join(there, worked.of(there, v.closed_at) & known)
    return of_visits(scope, sa.not_(there.c.works), rows, v.closed_at)


RULES = (
    Rule(
        "receipts-entered-late",
        Both("Tiếp nhận nhập muộn", "Receipts entered late"),
        Both(
            "Có thể hồ sơ nằm ngoài hệ thống một thời gian; cũng có thể hệ thống bị gián đoạn",
            "The dossier may have lain outside the system for days; or the system was down",
        ),
        Both(
            f"Các lần tiếp nhận được nhập trong {HISTORY} ngày",
            f"Receipts that were entered within {HISTORY} days",
        ),
        Both(
            f"nhập sau hơn {LATE} ngày; nhập sau hơn {HISTORY} ngày là dữ liệu cũ chuyển vào",
            f"entered more than {LATE} days after; after {HISTORY} days it is history taken over",
        ),
        _receipts,
    ),
    Rule(
        "results-dated-back",
        Both("Kết quả ghi lùi ngày", "Results dated back"),
        Both(
            "Thời điểm trả kết quả có thể bị ghi lùi; cũng có thể làm trên giấy rồi nhập sau",
            "The moment of the result may have been put back; or it was done on paper first",
        ),
        Both(
            f"Các kết quả được nhập trong {HISTORY} ngày",
            f"Results that were entered within {HISTORY} days",
        ),
        Both(
            f"ghi trước khi việc liền trước được nhập hơn {BACK} ngày",
            f"dated more than {BACK} day before the line before it was even entered",
        ),
        _results,
    ),
    Rule(
        "outside-hours",
        Both("Xử lý ngoài giờ làm việc", "Acts outside working hours"),
        Both(
            "Có thể dùng tài khoản của người khác hoặc chạy hạn; cũng có thể làm thêm giờ",
            "Somebody else's account, or a race with the deadline; or honest overtime",
        ),
        Both("Các bước do một người kết thúc", "Stages that a person finished"),
        Both(
            f"cách giờ làm việc hơn {SLACK} phút, theo lịch đang biết khi ghi bước đó",
            f"more than {SLACK} minutes from any session, by the calendar known when recorded",
        ),
        _outside,
    ),
)
