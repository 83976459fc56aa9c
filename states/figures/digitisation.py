"""How much of what came in was scanned: dossiers, and the papers in them.

The papers of a dossier are scanned at reception (Decree 61/2018/NĐ-CP Art. 17(1); Circular
01/2023/TT-VPCP says which). A paper counts when a line of the ledger names its file.
"""

from typing import Any

import sqlalchemy as sa

from states.figures.counting import (
    DIMENSIONS,
    Condition,
    Form,
    Measure,
    Rate,
    Span,
    Sum,
    counted,
    named,
)
from states.figures.levels import LEVEL
from states.figures.reporting import Asked, Report, sheet_of
from states.figures.sheets import Both, Column, Kind, Paper, Sheet
from states.ledger.statements import d, dossier, e, entry
from states.words import Event, State

BRINGING = (Event.register, Event.receive, Event.digitise, Event.supplement)
UNSCANNED = (State.registered, State.received)


def _came(span: Span) -> Condition:
    return span.holds(span.of.received_at)


def _scanned(span: Span) -> Condition:
    """Every required paper has its file."""
    scanned = sa.exists().where(e.dossier_id == d.id, e.event == Event.digitise).correlate(dossier)
    return sa.and_(_came(span), sa.or_(scanned, d.state.not_in(UNSCANNED) & (d.missing == 0)))


FORM = Form(
    reads=_came,
    figures=(
        Measure(
            named("digitised", "Đã số hóa đủ", "Digitised"),
            Both(
                "Hồ sơ tiếp nhận trong kỳ, mọi giấy tờ bắt buộc đã có tệp",
                "Received in the period, with a file of every required paper",
            ),
            _scanned,
        ),
        Measure(
            named("undigitised", "Chưa số hóa đủ", "Not digitised"),
            Both("Hồ sơ tiếp nhận trong kỳ còn lại", "The others received in the period"),
            lambda span: _came(span) & sa.not_(_scanned(span)),
        ),
        Sum(
            named("received", "Tổng tiếp nhận", "Received"),
            Both("Hồ sơ tiếp nhận trong kỳ", "Received in the period"),
            ("digitised", "undigitised"),
        ),
        Rate(
            named("share", "Tỷ lệ số hóa", "Digitised, of received", kind=Kind.percent),
            Both("Đã số hóa đủ / tổng tiếp nhận", "Digitised / received"),
            ("digitised",),
            ("digitised", "undigitised"),
        ),
    ),
)
PAPERS = (
    Column("at", Both("Có tệp từ khâu", "File came with"), Kind.text),
    named("papers", "Giấy tờ", "Papers"),
    Column("papers_share", Both("Tỷ lệ", "Share"), Kind.percent),
)
STEPS = {
    Event.register: Both("nộp trực tuyến", "lodging"),
    Event.receive: Both("tiếp nhận", "receipt"),
    Event.digitise: Both("số hóa tại Một cửa", "digitisation at the counter"),
    Event.supplement: Both("bổ sung", "supplement"),
}
NOTES = (
    Both(
        "Mỗi giấy tờ tính một lần, ở khâu đầu tiên có tệp của nó",
        "Each paper counts once, where its file first came",
    ),
    Both(
        "Tái sử dụng giấy tờ và số hóa kết quả không có trong dữ liệu",
        "Papers used again and results digitised are not in the data",
    ),
)


async def papers(asked: Asked) -> dict[Event, int]:
    """The papers of what was received in the period, by the event that first brought their file."""
    span = Span.between(asked.period.since, asked.period.until)
    files = sa.cast(e.payload, sa.JSON)[("act", "components")]
    brought = sa.func.json_object_keys(files)
    first = (
        sa.select(e.dossier_id, e.seq, e.event, brought.label("paper"))
        .join_from(entry, dossier, d.id == e.dossier_id)
        .where(
            e.event.in_(BRINGING),
            sa.func.json_typeof(files) == "object",
            span.holds(d.received_at),
            *([] if asked.agencies is None else [d.agency.in_(asked.agencies)]),
        )
        .subquery("brought")
    )
    b = first.c
    once = (
        sa.select(b.event)
        .distinct(b.dossier_id, b.paper)
        .order_by(b.dossier_id, b.paper, b.seq)
        .subquery("once")
    )
    query = sa.select(once.c.event, sa.func.count()).group_by(once.c.event)
    return dict((await asked.db.execute(query)).tuples().all())


async def rates(asked: Asked) -> dict[str, Any]:
    """The form's numbers of all that is asked for, in one row."""
    rows = await counted(asked.db, FORM, (), [asked.period], asked.only)
    return FORM.totalled(rows)


async def _make(asked: Asked) -> Paper:
    by = asked.dims(REPORT)
    sheet, _ = await sheet_of(asked, FORM, "digitisation", REPORT.title, by)
    found = await papers(asked)
    whole = sum(found.values())
    rows = tuple(
        [STEPS[event].vi, found[event], 100 * found[event] / whole]
        for event in BRINGING
        if event in found
    )
    of_papers = Both("Giấy tờ có tệp", "Papers with a file")
    total = ["Tổng / Total", whole, 100.0 if whole else None]
    return asked.paper(
        REPORT, sheet, Sheet("papers", of_papers, PAPERS, rows, total, NOTES, dims=1)
    )


REPORT = Report(
    name="digitisation",
    title=Both("Số hóa hồ sơ", "Digitisation"),
    source=Both(
        "Nghị định 61/2018/NĐ-CP, khoản 1 Điều 17; Thông tư 01/2023/TT-VPCP",
        "Decree 61/2018/NĐ-CP Art. 17(1); Circular 01/2023/TT-VPCP",
    ),
    meaning=Both(
        "Hồ sơ và giấy tờ đã số hóa, theo khâu", "Dossiers and papers digitised, and where"
    ),
    make=_make,
    dims=(*DIMENSIONS, LEVEL),
    each=True,
    form=FORM,
    by=("agency",),
)
