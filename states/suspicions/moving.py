"""Suspicions of due dates: held or extended at the last moment, moved by edits afterwards."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.figures.sheets import Both
from states.ledger.statements import d, e, entry
from states.suspicions.cases import (
    LINES,
    RESULTS,
    among,
    before,
    moment,
    of_lines,
    of_results,
    said,
)
from states.suspicions.rule import Rule
from states.suspicions.scope import Scope, Worked
from states.tables import EDITS, HOLDS
from states.words import Event, Tally

HOURS = 4  # working hours before the due moment
FAR = 21  # days: no hold so long before the due moment is within those hours, whatever the holidays
DUE = ("clock", "due")
RANKED = (Tally.early, Tally.on_time, Tally.late)
IN_TIME = (Tally.early, Tally.on_time)


async def _holds(db: AsyncConnection, scope: Scope) -> sa.Select[Any]:
    worked, due = Worked(scope, margin=FAR), before(DUE, "in_force")
    begins, ends = worked.rows("begins"), worked.rows("ends")
    then = moment(due.c.value)
    near = then <= e.at + sa.literal_column(f"interval '{FAR} days'")
    rows = LINES.join(due, sa.true()).outerjoin(begins, worked.of(begins, e.at))
    rows = rows.outerjoin(ends, near & worked.of(ends, then))
    left = worked.position(ends, then) - worked.position(begins, e.at)
    hit = sa.func.coalesce(left <= HOURS * 60, sa.false())
    return of_lines(scope, HOLDS, hit, e.at <= then, rows=rows)


async def _extensions(db: AsyncConnection, scope: Scope) -> sa.Select[Any]:
    due = before(DUE, "in_force")
    hit = scope.day(e.at) > scope.day(moment(due.c.value))
    return of_lines(scope, (Event.extend,), hit, rows=LINES.join(due, sa.true()))


async def _supplements(db: AsyncConnection, scope: Scope) -> sa.Select[Any]:
    earlier = entry.alias("earlier")
    again = sa.exists().where(
        earlier.c.dossier_id == e.dossier_id,
        earlier.c.seq < e.seq,
        among((Event.request_supplement,), earlier.c),
    )
    hit = again.select_from(earlier).correlate(entry)
    return of_lines(scope, (Event.request_supplement,), hit)


async def _edits(db: AsyncConnection, scope: Scope) -> sa.Select[Any]:
    verdict = before(("clock", "verdict"), "was")
    due = moment(said(e, "clock", "was", "due"))
    restated = _rank(said(e, "clock", "was", "verdict")) > _rank(said(e, "clock", "verdict"))
    saved = d.verdict.in_(IN_TIME) & (scope.day(d.finished_at) > scope.day(due))
    taken_back = (verdict.c.value == Tally.late) & d.verdict.in_(IN_TIME)
    hit = sa.case(
        (among((Event.restate,)), restated),
        (among((Event.reopen,)), taken_back),
        else_=saved,
    )
    lines = LINES.outerjoin(verdict, sa.true())
    edited = sa.select(e.dossier_id).select_from(lines).distinct()
    edited = edited.where(among(EDITS), hit, scope.holds(d.finished_at))
    of = edited.subquery("edited")
    rows = RESULTS.outerjoin(of, of.c.dossier_id == d.id)
    return of_results(scope, of.c.dossier_id.is_not(None), rows=rows)


def _rank(verdict: Any) -> Any:
    return sa.case({each: n for n, each in enumerate(RANKED)}, value=verdict)


RULES = (
    Rule(
        "holds-at-expiry",
        Both("Tạm dừng ngay trước hạn", "Held just before expiry"),
        Both(
            "Có thể tạm dừng tính hạn để tránh quá hạn; hoặc thiếu sót chỉ lộ ra ở bước cuối",
            "The clock may have been held so as not to be late; or what was missing showed last",
        ),
        Both(
            "Các lần yêu cầu bổ sung hoặc nộp nghĩa vụ tài chính khi chưa quá hạn",
            "Requests for a supplement or a payment, made before the due moment",
        ),
        Both(
            f"trong {HOURS} giờ làm việc cuối trước thời điểm hẹn đang có hiệu lực",
            f"within the last {HOURS} working hours before the due moment then in force",
        ),
        _holds,
        "Nghị định 61/2018/NĐ-CP Điều 19 khoản 4",
    ),
    Rule(
        "extensions-after-expiry",
        Both("Gia hạn sau khi đã quá hạn", "Extended after expiry"),
        Both(
            "Có thể hẹn lại để che việc đã quá hạn; cũng có thể xin lỗi muộn còn hơn không",
            "A new date may hide that the first was missed; or the apology only came too late",
        ),
        Both("Các lần gia hạn", "Extensions"),
        Both(
            "gia hạn vào ngày sau ngày hẹn đang có hiệu lực",
            "extended on a later day than that of the due moment then in force",
        ),
        _extensions,
        "Nghị định 61/2018/NĐ-CP Điều 19 khoản 9",
    ),
    Rule(
        "supplements-again",
        Both("Yêu cầu bổ sung nhiều lần", "Supplements asked for again"),
        Both(
            "Có thể hướng dẫn không đầy đủ từ đầu hoặc kéo dài thời hạn",
            "The first request may have been incomplete, or the second buys time",
        ),
        Both("Các lần yêu cầu bổ sung", "Requests for a supplement"),
        Both("từ lần thứ hai của một hồ sơ", "from the second of a dossier on"),
        _supplements,
        "Nghị định 61/2018/NĐ-CP Điều 11 khoản 2 điểm c",
    ),
    Rule(
        "classes-moved",
        Both("Xếp loại được sửa tốt lên", "Classes moved by edits"),
        Both(
            "Có thể sửa dữ liệu để hồ sơ hết quá hạn; cũng có thể sửa đúng một sai sót thật",
            "Data may have been edited so that it is late no longer; or a true mistake was mended",
        ),
        Both(
            "Hồ sơ có kết quả trong kỳ, bất kể việc sửa được ghi khi nào",
            "Dossiers with a result in the period, whenever the edit was recorded",
        ),
        Both(
            "sửa lịch, chuyển phiên bản, điều chỉnh hoặc mở lại làm xếp loại tốt hơn trước; hoặc"
            " có kết quả sau ngày hẹn cũ mà không quá hạn",
            "a correction, migration, restatement or reopening made the class better; or the result"
            " is after the old date, yet not late",
        ),
        _edits,
    ),
)
