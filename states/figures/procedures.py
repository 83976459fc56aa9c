"""Procedures with and without dossiers, and which of them the public post served.

What Vĩnh Phúc's plan 125/KH-UBND (2019) asks of each body, and what every review asks again: the
two lists, eligible for the post and not (Decision 45/2016/QĐ-TTg Art. 13, 18), beside what came.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from states.catalogue import Catalogue, Procedure
from states.figures import levels
from states.figures.counting import Form, Measure, Sum, counted, named
from states.figures.periods import ZONE, Period
from states.figures.reporting import Asked, Report, called
from states.figures.sheets import Both, Column, Kind, Paper, Sheet
from states.words import Channel

FORM = Form(
    reads=lambda span: span.holds(span.of.received_at) | span.holds(span.of.delivered_at),
    figures=(
        Measure(
            named("received", "Tiếp nhận", "Received"),
            Both("Hồ sơ tiếp nhận trong kỳ", "Received in the period"),
            lambda span: span.holds(span.of.received_at),
        ),
        Measure(
            named("in_post", "Nhận qua bưu chính", "In by post"),
            Both("Tiếp nhận trong kỳ, nộp qua bưu chính", "Received in the period, by post"),
            lambda span: span.holds(span.of.received_at) & (span.of.channel == Channel.post),
        ),
        Measure(
            named("returned", "Đã trả kết quả", "Returned"),
            Both("Kết quả trả trong kỳ", "Results handed over in the period"),
            lambda span: span.holds(span.of.delivered_at),
        ),
        Measure(
            named("out_post", "Trả qua bưu chính", "Out by post"),
            Both("Kết quả trả trong kỳ qua bưu chính", "Handed over in the period, by post"),
            lambda span: span.holds(span.of.delivered_at) & (span.of.delivered_by == Channel.post),
        ),
        Sum(
            named("post", "Lượt bưu chính", "Turns by post"),
            Both(
                "Lượt nhận và lượt trả qua bưu chính: một hồ sơ có thể là hai lượt",
                "In and out by post together: one dossier may be two turns",
            ),
            ("in_post", "out_post"),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Deployed:
    """A procedure that was offered at some time in a period, with what came of it."""

    of: Procedure
    figures: dict[str, Any]

    @property
    def used(self) -> bool:
        """Whether a dossier came in or a result went out."""
        return bool(self.figures["received"] or self.figures["returned"])

    @property
    def by_post(self) -> bool:
        """Whether the post carried either leg of one."""
        return bool(self.figures["post"])


def offered(book: Catalogue, period: Period) -> Iterator[Procedure]:
    """The procedures of which some version was in force on a day of the period: the last such."""
    first = date.min if period.since is None else period.since.astimezone(ZONE).date()
    last = (period.until - timedelta(microseconds=1)).astimezone(ZONE).date()
    for versions in book.versions.values():
        there = [v for v in versions if v.since <= last and (v.until is None or v.until >= first)]
        if there:
            yield there[-1].says()


async def deployed(asked: Asked, period: Period) -> list[Deployed]:
    """What the agencies asked for offered, by agency and code, with and without dossiers."""
    rows = await counted(asked.db, FORM, ("procedure",), [period], asked.only)
    came = {row["procedure"]: row for row in rows}
    nothing = FORM.reckoned(dict.fromkeys((each.column.key for each in FORM.measures), 0))
    return [
        Deployed(each, came.get(each.code, nothing))
        for each in sorted(offered(asked.book, period), key=lambda each: (each.agency, each.code))
        if asked.agencies is None or each.agency in asked.agencies
    ]


LIST = (
    Column("agency", Both("Cơ quan", "Agency"), Kind.called),
    Column("procedure", Both("Thủ tục", "Procedure"), Kind.called),
    Column("level", Both("Cấp", "Level"), Kind.text),
    Column("eligible", Both("Qua bưu chính được", "Eligible for post"), Kind.yes),
    Column("reason", Both("Lý do không", "Why not"), Kind.text),
    *FORM.columns,
)
SUMS = (
    Column("agency", Both("Cơ quan", "Agency"), Kind.called),
    named("deployed", "Thủ tục triển khai", "Deployed"),
    named("used", "Có hồ sơ", "With dossiers"),
    named("unused", "Không có hồ sơ", "Without"),
    named("eligible", "Đủ điều kiện bưu chính", "Eligible for post"),
    named("by_post", "Có hồ sơ qua bưu chính", "Served by post"),
)


def _summed(found: list[Deployed]) -> list[int]:
    used = sum(each.used for each in found)
    eligible = sum(each.of.post.eligible for each in found)
    return [len(found), used, len(found) - used, eligible, sum(each.by_post for each in found)]


async def _make(asked: Asked) -> Paper:
    found = await deployed(asked, asked.period)
    bodies = sorted({each.of.agency for each in found})
    sums = tuple(
        [called(asked.book, "agency", body), *_summed([e for e in found if e.of.agency == body])]
        for body in bodies
    )
    rows = tuple(
        [
            called(asked.book, "agency", each.of.agency),
            called(asked.book, "procedure", each.of.code),
            levels.NAMES[each.of.level],
            each.of.post.eligible,
            each.of.post.reason.vi if each.of.post.reason else None,
            *(each.figures[column.key] for column in FORM.columns),
        ]
        for each in found
    )
    total = ["Tổng / Total", *_summed(found)]
    notes = tuple(each.told for each in FORM.figures)
    return asked.paper(
        REPORT,
        Sheet("summary", Both("Theo cơ quan", "By agency"), SUMS, sums, total, dims=1),
        Sheet("list", Both("Từng thủ tục", "Each procedure"), LIST, rows, notes=notes, dims=2),
    )


REPORT = Report(
    name="procedures",
    title=Both("Thủ tục có và không phát sinh hồ sơ", "Procedures with and without dossiers"),
    source=Both("Quyết định 45/2016/QĐ-TTg, Điều 13, 18", "Decision 45/2016/QĐ-TTg Art. 13, 18"),
    meaning=Both(
        "Thủ tục đã triển khai, có hồ sơ hay không, qua bưu chính hay không",
        "Procedures deployed, with dossiers or without, by the public post or not",
    ),
    make=_make,
    form=FORM,
    by=("procedure",),
)
