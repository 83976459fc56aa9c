"""How dossiers come in and results go out: the share of the public post in each leg.

The two legs are chosen apart (Decision 45/2016/QĐ-TTg Art. 5): a dossier that came online may have
its result carried home. Biểu 06 puts counter and post into one column; this does not.
"""

from collections.abc import Mapping
from typing import Any

from states.errors import BadInput
from states.figures.counting import (
    DIMENSIONS,
    Condition,
    Counts,
    Form,
    Measure,
    Rate,
    Span,
    Sum,
    named,
)
from states.figures.levels import LEVEL
from states.figures.reporting import Asked, Report, sheet_of
from states.figures.sheets import Both, Chart, Kind, Paper, Shape
from states.words import Channel

WAYS = {
    Channel.counter: Both("trực tiếp", "at the counter"),
    Channel.online: Both("trực tuyến", "online"),
    Channel.post: Both("qua bưu chính công ích", "by public post"),
}


def _reads(span: Span) -> Condition:
    return span.holds(span.of.received_at) | span.holds(span.of.delivered_at)


def _came(way: Channel) -> Counts:
    return lambda span: span.holds(span.of.received_at) & (span.of.channel == way)


def _went(way: Channel | None) -> Counts:
    return lambda span: (
        span.holds(span.of.delivered_at)
        & (span.of.delivered_by.is_(None) if way is None else span.of.delivered_by == way)
    )


def _in(way: Channel) -> Measure:
    told = WAYS[way]
    return Measure(
        named(f"in_{way}", f"Nhận {told.vi}", f"In {told.en}"),
        Both(f"Hồ sơ tiếp nhận trong kỳ, nộp {told.vi}", f"Received in the period, {told.en}"),
        _came(way),
    )


def _out(way: Channel) -> Measure:
    told = WAYS[way]
    return Measure(
        named(f"out_{way}", f"Trả {told.vi}", f"Out {told.en}"),
        Both(f"Kết quả trả trong kỳ, {told.vi}", f"Results handed over in the period, {told.en}"),
        _went(way),
    )


IN, OUT = [tuple(f"{leg}_{way}" for way in Channel) for leg in ("in", "out")]
FORM = Form(
    reads=_reads,
    figures=(
        *(_in(way) for way in Channel),
        Sum(named("in_all", "Tổng tiếp nhận", "In, all"),
            Both("Tổng hồ sơ tiếp nhận trong kỳ", "All received in the period"), IN),
        Rate(named("in_post_share", "Tỷ lệ bưu chính, nhận", "Post, of in", kind=Kind.percent),
             Both("Nhận qua bưu chính / tổng tiếp nhận", "In by post / in, all"),
             (f"in_{Channel.post}",), IN),
        Rate(named("in_online_share", "Tỷ lệ trực tuyến", "Online, of in", kind=Kind.percent),
             Both("Nhận trực tuyến / tổng tiếp nhận", "In online / in, all"),
             (f"in_{Channel.online}",), IN),
        *(_out(way) for way in Channel),
        Measure(named("out_unsaid", "Trả, không ghi cách", "Out, way not said"),
                Both("Kết quả trả trong kỳ, không ghi trả bằng cách nào",
                     "Results handed over in the period, the way not entered"), _went(None)),
        Sum(named("out_all", "Tổng đã trả", "Out, all"),
            Both("Tổng kết quả đã trả trong kỳ", "All results handed over in the period"),
            (*OUT, "out_unsaid")),
        Rate(named("out_post_share", "Tỷ lệ bưu chính, trả", "Post, of out", kind=Kind.percent),
             Both("Trả qua bưu chính / tổng đã trả", "Out by post / out, all"),
             (f"out_{Channel.post}",), (*OUT, "out_unsaid")),
    ),
)  # fmt: skip


async def _make(asked: Asked) -> Paper:
    by = asked.dims(REPORT)
    chart = Chart(Shape.stacked, "period" if asked.each else (*by, "whole")[0], IN)
    sheet, rows = await sheet_of(asked, FORM, "channels", REPORT.title, by, chart)
    stated = asked.options.get("stated-online")
    faults = () if stated is None else stated_otherwise(stated, FORM.totalled(rows))
    return asked.paper(REPORT, sheet, faults=faults)


def stated_otherwise(stated: str, total: Mapping[str, Any]) -> tuple[Both, ...]:
    """What is said of a share that somebody stated and the count does not bear out.

    The pilot of seed 002 stated that all was lodged online: 1,669 of 1,700 were. Neither the figure
    nor the data is mended to fit the other. Raises `BadInput`.
    """
    try:
        said = float(stated.rstrip(" %").replace(",", "."))
    except ValueError:
        raise BadInput("'{stated}' is no share in percent: write 98.2", stated=stated) from None
    share, part, whole = total["in_online_share"], total[f"in_{Channel.online}"], total["in_all"]
    if share is None or round(share, 2) == round(said, 2):
        return ()
    return (
        Both(
            f"Tỷ lệ trực tuyến được nêu là {said:g} %; đếm được {part} / {whole} = {share:.2f} %",
            f"Stated as {said:g} % online; counted {part} of {whole} = {share:.2f} %",
        ),
    )


REPORT = Report(
    name="channels",
    title=Both("Kênh tiếp nhận và trả kết quả", "Receiving and returning channels"),
    source=Both("Quyết định 45/2016/QĐ-TTg, Điều 5", "Decision 45/2016/QĐ-TTg Art. 5"),
    meaning=Both(
        "Hồ sơ đến bằng cách nào, kết quả về bằng cách nào, phần của bưu chính công ích mỗi chặng",
        "How dossiers came in and results went out, and the share of the public post in each leg",
    ),
    make=_make,
    dims=(*DIMENSIONS, LEVEL),
    each=True,
    form=FORM,
    by=("agency",),
    options={
        "stated-online": Both(
            "Tỷ lệ trực tuyến đã công bố, để đối chiếu",
            "The share online that was published, to be held against the count",
        )
    },
)
