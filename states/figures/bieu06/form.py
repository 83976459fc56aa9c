"""The numbers of Biểu 06: what each counts, and what it is made of."""

import sqlalchemy as sa

from states.figures.counting import Condition, Counts, Form, Measure, Rate, Span, Sum, named
from states.figures.sheets import Both, Column, Kind
from states.words import Channel, Tally

CAME = Both("Số hồ sơ nhận giải quyết", "Taken in")
ENDED = Both("Số hồ sơ đã giải quyết", "Resolved")
LEFT = Both("Số hồ sơ đang giải quyết", "In process")
UNCLASSED = (Tally.not_counted, Tally.no_term)


def _under(group: Both, column: Column, vi: str, en: str) -> Column:
    """A column beneath one of the headings that the form is divided by."""
    return column._replace(group=group, within=Both(vi, en))


def _reads(span: Span) -> Condition:
    """Received before the end, and not finished before the beginning.

    Those that ended before anybody received them have no column, and are counted beneath.
    """
    unreceived = span.of.received_at.is_(None) & (span.of.finished_at < span.until)
    here = sa.or_(span.of.received_at < span.until, unreceived)
    return sa.and_(here, sa.or_(span.of.finished_at.is_(None), span.of.finished_at >= span.since))


def _finished(span: Span) -> Condition:
    return sa.and_(
        span.of.finished_at < span.until
    )  # null while unfinished, which a FILTER takes for no


def _open(span: Span) -> Condition:
    return sa.or_(span.of.finished_at.is_(None), span.of.finished_at >= span.until)


def _classed(span: Span) -> Condition:
    return sa.or_(_open(span), span.of.verdict.not_in(UNCLASSED))


def _came(span: Span) -> Condition:
    return sa.and_(span.of.received_at >= span.since, _classed(span))


def _overdue(span: Span) -> Condition:
    return sa.func.coalesce(span.of.late_at <= span.until, sa.false())


def _ended(verdict: Tally) -> Counts:
    return lambda span: _finished(span) & (span.of.verdict == verdict)


FORM = Form(
    reads=_reads,
    rolls=True,
    balance=(
        ("online", "direct", "carried"),
        ("early", "on_time", "late", "in_time", "overdue"),
    ),
    figures=(
        Measure(
            _under(CAME, named("online", "Trực tuyến", "Online", "(4)"), "Trực tuyến", "Online"),
            Both("Tiếp nhận trong kỳ, nộp trực tuyến", "Received in the period, lodged online"),
            lambda span: _came(span) & (span.of.channel == Channel.online),
        ),
        Measure(
            _under(
                CAME,
                named("direct", "Trực tiếp, bưu chính", "Direct, by post", "(5)"),
                "Trực tiếp, bưu chính", "Direct, by post",
            ),
            Both(
                "Tiếp nhận trong kỳ, nộp trực tiếp hoặc qua bưu chính công ích",
                "Received in the period, at the counter or by public post",
            ),
            lambda span: _came(span) & (span.of.channel != Channel.online),
        ),
        Measure(
            _under(
                CAME,
                named("carried", "Kỳ trước chuyển sang", "Carried over", "(6)"),
                "Kỳ trước chuyển", "Carried over",
            ),
            Both(
                "Tiếp nhận trước kỳ và chưa giải quyết xong khi kỳ bắt đầu",
                "Received before the period and not finished when it began",
            ),
            lambda span: (span.of.received_at < span.since) & _classed(span),
            stock=True,
        ),
        Sum(
            _under(CAME, named("received", "Tổng tiếp nhận", "Received", "(3)"), "Tổng số", "All"),
            Both("(3) = (4) + (5) + (6)", "(3) = (4) + (5) + (6)"),
            ("online", "direct", "carried"),
        ),
        Measure(
            _under(ENDED, named("early", "Trước hạn", "Early", "(8)"), "Trước hạn", "Early"),
            Both("Giải quyết xong trong kỳ, trước hạn", "Resolved in the period, early"),
            _ended(Tally.early),
        ),
        Measure(
            _under(ENDED, named("on_time", "Đúng hạn", "On time", "(9)"), "Đúng hạn", "On time"),
            Both("Giải quyết xong trong kỳ, đúng hạn", "Resolved in the period, on time"),
            _ended(Tally.on_time),
        ),
        Measure(
            _under(ENDED, named("late", "Quá hạn", "Late", "(10)"), "Quá hạn", "Late"),
            Both("Giải quyết xong trong kỳ, quá hạn", "Resolved in the period, late"),
            _ended(Tally.late),
        ),
        Sum(
            _under(ENDED, named("resolved", "Đã giải quyết", "Resolved", "(7)"), "Tổng số", "All"),
            Both("(7) = (8) + (9) + (10)", "(7) = (8) + (9) + (10)"),
            ("early", "on_time", "late"),
        ),
        Measure(
            _under(
                LEFT,
                named("in_time", "Đang xử lý, trong hạn", "In process, in time", "(12)"),
                "Trong hạn", "In time",
            ),
            Both(
                "Chưa giải quyết xong khi kỳ kết thúc, còn trong hạn hoặc đang tạm dừng tính hạn",
                "Not finished at the end of the period, within the term or held",
            ),
            lambda span: _open(span) & sa.not_(_overdue(span)),
            stock=True,
        ),
        Measure(
            _under(
                LEFT,
                named("overdue", "Đang xử lý, quá hạn", "In process, overdue", "(13)"),
                "Quá hạn", "Overdue",
            ),
            Both(
                "Chưa giải quyết xong khi kỳ kết thúc, đã quá hạn",
                "Not finished at the end of the period, past the term",
            ),
            lambda span: _open(span) & _overdue(span),
            stock=True,
        ),
        Sum(
            _under(LEFT, named("in_process", "Đang xử lý", "In process", "(11)"), "Tổng số", "All"),
            Both("(11) = (12) + (13)", "(11) = (12) + (13)"),
            ("in_time", "overdue"),
        ),
        Measure(
            named("unclassed", "Không xếp loại", "Without a class"),
            Both(
                "Kết thúc trong kỳ mà không xếp loại: công dân rút, dừng xử lý, không tiếp nhận,"
                " hoặc thủ tục không quy định thời hạn; không tính vào cột nào",
                "Ended in the period without a class: withdrawn, stopped, declined, or of a"
                " procedure that sets no term; in none of the columns",
            ),
            lambda span: _finished(span) & span.of.verdict.in_(UNCLASSED),
        ),
        Rate(
            named("of_resolved", "Tỷ lệ trên số giải quyết", "In time, of resolved",
                  kind=Kind.percent),
            Both("((8) + (9)) / (7)", "((8) + (9)) / (7)"),
            ("early", "on_time"), ("early", "on_time", "late"),
        ),
        Rate(
            named("of_received", "Tỷ lệ trên số tiếp nhận", "In time, of received",
                  kind=Kind.percent),
            Both(
                "((8) + (9)) / (3): Nghị định 61/2018, Điều 30(2)(c)",
                "((8) + (9)) / (3): Decree 61/2018 Art. 30(2)(c)",
            ),
            ("early", "on_time"), ("online", "direct", "carried"),
        ),
    ),
)  # fmt: skip
"""The columns of the form; in the order in which they are reckoned."""
