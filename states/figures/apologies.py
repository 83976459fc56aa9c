"""Late without an apology, and what became of the new dates that were given.

Of each dossier that is late there must be a Form 04 on file: the apology with its new date.
"""

import sqlalchemy as sa
from sqlmodel import SQLModel

import states.breaches.rows  # noqa: F401  so that the metadata is full
from states.accounts.scopes import Scope
from states.breaches.following import KEPT
from states.figures.auditing import Audit
from states.figures.counting import DIMENSIONS, Condition, Form, Measure, Rate, Span, Sum, named
from states.figures.reporting import Asked, Report, sheet_of
from states.figures.sheets import Both, Kind, Paper
from states.ledger.statements import d, dossier, e, entry
from states.words import Event, Tally

b = SQLModel.metadata.tables["breach"].c


def _finished(span: Span) -> Condition:
    return span.holds(d.finished_at)


def _open(span: Span) -> Condition:
    return sa.or_(d.finished_at.is_(None), d.finished_at >= span.until)


def _late_result(span: Span) -> Condition:
    return _finished(span) & (d.verdict == Tally.late)


def _overdue(span: Span) -> Condition:
    return _open(span) & sa.func.coalesce(d.late_at <= span.until, sa.false())


def _late(span: Span) -> Condition:
    return sa.or_(_late_result(span), _overdue(span))


APOLOGISED: Condition = (
    sa.exists()
    .where(b.dossier_id == d.id, b.apology_seq.is_not(None))
    .select_from(SQLModel.metadata.tables["breach"])
    .correlate(dossier)
)


def _extended(span: Span) -> Condition:
    """By its rare lines, which have an index of their own."""
    lines = sa.select(e.dossier_id).select_from(entry)
    extends = e.event == sa.literal_column(f"'{Event.extend}'")
    return d.id.in_(lines.where(extends, span.holds(e.at)).correlate_except(entry))


def _reads(span: Span) -> Condition:
    return sa.or_(_late(span), _extended(span))


FORM = Form(
    reads=_reads,
    figures=(
        Measure(
            named("with_apology", "Quá hạn, đã xin lỗi", "Late, apologised"),
            Both(
                "Có kết quả quá hạn trong kỳ, hoặc đang quá hạn khi kỳ kết thúc; có Mẫu 04 xin lỗi"
                " và hẹn lại",
                "With a late result in the period, or overdue at its end; with Form 04, the apology"
                " and its new date",
            ),
            lambda span: _late(span) & APOLOGISED,
        ),
        Measure(
            named("without_apology", "Quá hạn, chưa xin lỗi", "Late, without apology"),
            Both(
                "Như trên, không có Mẫu 04 trong hồ sơ: phải có cho mỗi hồ sơ quá hạn",
                "The same without a Form 04 on file: there must be one of each that is late",
            ),
            lambda span: _late(span) & sa.not_(APOLOGISED),
        ),
        Sum(
            named("late", "Quá hạn", "Late"),
            Both("Đã xin lỗi + chưa xin lỗi", "Apologised and not"),
            ("with_apology", "without_apology"),
        ),
        Rate(
            named("of_late", "Tỷ lệ chưa xin lỗi", "Without, of late", kind=Kind.percent),
            Both("Chưa xin lỗi / quá hạn", "Without apology, of those that are late"),
            ("without_apology",), ("late",),
        ),
        Measure(
            named("kept", "Hẹn lại, đúng hẹn", "New date kept"),
            Both(
                "Gia hạn trong kỳ; kết quả không sau ngày hẹn đang có hiệu lực",
                "Extended in the period; the result came no later than the date then in force",
            ),
            lambda span: _extended(span) & d.verdict.in_(KEPT),
        ),
        Measure(
            named("missed", "Hẹn lại, sai hẹn", "New date missed"),
            Both(
                "Gia hạn trong kỳ; kết quả sau ngày hẹn lại, hoặc chưa có và đã qua ngày ấy khi kỳ"
                " kết thúc",
                "Extended in the period; the result came after it, or has not come and it had"
                " passed at the end of the period",
            ),
            lambda span: _extended(span)
            & sa.or_(d.verdict == Tally.late, d.finished_at.is_(None) & _overdue(span)),
            stock=True,
        ),
        Measure(
            named("running", "Hẹn lại, chưa đến hẹn", "New date ahead"),
            Both(
                "Gia hạn trong kỳ; chưa có kết quả, chưa qua ngày hẹn hoặc đang tạm dừng",
                "Extended in the period; no result yet, and the date ahead or the clock held",
            ),
            lambda span: _extended(span) & d.finished_at.is_(None) & sa.not_(_overdue(span)),
            stock=True,
        ),
        Measure(
            named("ended", "Hẹn lại, không có kết quả", "Ended without a result"),
            Both(
                "Gia hạn trong kỳ; sau đó công dân rút, dừng xử lý hoặc không xếp loại",
                "Extended in the period; then withdrawn, stopped or without a class",
            ),
            lambda span: _extended(span) & d.verdict.in_((Tally.not_counted, Tally.no_term)),
        ),
        Rate(
            named("of_dates", "Tỷ lệ đúng hẹn lại", "New dates kept", kind=Kind.percent),
            Both("Đúng hẹn / (đúng hẹn + sai hẹn)", "Kept, of kept and missed"),
            ("kept",), ("kept", "missed"),
        ),
    ),
)  # fmt: skip


async def _make(asked: Asked) -> Paper:
    sheet, _ = await sheet_of(asked, FORM, "apologies", REPORT.title, asked.dims(REPORT))
    return asked.paper(REPORT, sheet)


REPORT = Report(
    name="apologies",
    title=Both("Xin lỗi và hẹn lại", "Apologies and new dates"),
    source=Both("Nghị định 61/2018/NĐ-CP, khoản 9 Điều 19", "Decree 61/2018/NĐ-CP Art. 19(9)"),
    meaning=Both(
        "Hồ sơ quá hạn có và không có văn bản xin lỗi; ngày hẹn lại có được giữ không",
        "Late dossiers with and without an apology; whether the new dates were kept",
    ),
    make=_make,
    dims=tuple(DIMENSIONS),
    each=True,
    audit=Audit(Scope.breaches_read),
    form=FORM,
    by=("agency",),
)
