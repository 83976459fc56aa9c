"""The targets of a plan beside what was reached: K1 to K7 of Vĩnh Phúc's plan 125/KH-UBND (2019).

The targets are data of the catalogue (`plans.yaml`), by year and KPI. What is measured is told with
its two numbers; what no data tells is said to be missing unless the file says that it was done.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from states.catalogue import Catalogue, Ground
from states.catalogue.plans import Kpi, Plan, Target
from states.errors import BadInput
from states.figures.counting import named
from states.figures.freezing import f, frozen
from states.figures.periods import ZONE, Period, divided
from states.figures.procedures import Deployed, deployed
from states.figures.reporting import Asked, Report, called
from states.figures.sheets import Both, Called, Column, Kind, Paper, Sheet
from states.words import Role

YEARLY = "bieu06"  # what k7 asks to be made in time
NAMES = {
    Kpi.k1: "Thủ tục có hồ sơ qua bưu chính",
    Kpi.k2: "Hồ sơ tiếp nhận qua bưu chính",
    Kpi.k3: "Kết quả trả qua bưu chính",
    Kpi.k4: "Điểm bưu chính đủ điều kiện",
    Kpi.k5: "Cơ quan có thỏa thuận hiệu lực",
    Kpi.k6: "Xã được tuyên truyền",
    Kpi.k7: "Báo cáo năm đúng hạn",
}


class Measured(NamedTuple):
    """What was reached. Without numbers: it is not in the data."""

    part: int | None = None
    whole: int | None = None

    @property
    def percent(self) -> float | None:
        """None where the whole is nought, or is not known."""
        return 100 * self.part / self.whole if self.part is not None and self.whole else None


def verdict(reached: float | None, target: float | None, *, over: bool) -> Called:
    """`over`: the day by which it was to be reached is past."""
    if reached is None:
        return Called("không có dữ liệu", "not_in_data")
    if target is None:
        return Called("không có chỉ tiêu", "no_target")
    if reached >= target:
        return Called("đạt", "met")
    return Called("không đạt", "not_met") if over else Called("chưa đạt", "not_yet")


@dataclass(frozen=True, slots=True)
class Year:
    """A year, or the part that is asked of, with what was found of it."""

    period: Period
    at: date
    procedures: Sequence[Deployed]
    made: date | None  # when the year's report was frozen first
    used_only: bool

    @property
    def last(self) -> date:
        """Its last day."""
        return (self.period.until - timedelta(microseconds=1)).astimezone(ZONE).date()

    def day(self, target: Target | None) -> date:
        """The day by which a target is to be reached."""
        return (target and target.by) or self.last

    def measured(self, book: Catalogue, kpi: Kpi, bodies: Sequence[str], by: date) -> Measured:
        """A KPI as it stood on that day, or stands today where that is yet to come."""
        if kpi in BY_PROCEDURE:
            return of_procedures(kpi, self.procedures, used_only=self.used_only)
        on = min(by, self.at)
        if kpi is Kpi.k4:
            points = [e for e in book.organisation.points if e.kind == "post" and e.stands(on)]
            return Measured(sum(each.eligible for each in points), len(points))
        if kpi is Kpi.k5:
            there = [each for each in bodies if book.agencies[each].stands(on)]
            return Measured(sum(agreed(book, each, on) for each in there), len(there))
        if kpi is Kpi.k7:
            return Measured(int(self.made is not None and self.made <= by), 1)
        return Measured()


BY_PROCEDURE = (Kpi.k1, Kpi.k2, Kpi.k3)


def of_procedures(kpi: Kpi, found: Iterable[Deployed], *, used_only: bool) -> Measured:
    """K1, and K2 and K3 of the dossiers of those procedures that K1 counts."""
    there = list(found)
    served = [each for each in there if each.by_post]
    if kpi is Kpi.k1:
        return Measured(len(served), sum(each.used or not used_only for each in there))
    part, whole = ("in_post", "received") if kpi is Kpi.k2 else ("out_post", "returned")
    part_of, of = (sum(each.figures[key] for each in served) for key in (part, whole))
    return Measured(part_of, of)


def agreed(book: Catalogue, agency: str, on: date) -> bool:
    """Whether the post may receive for an agency on a day, by a document in force."""
    return any(
        each.role is Role.postal and each.holds(agency, on)
        for each in book.organisation.delegations
    )


async def _made(asked: Asked, year: str) -> date | None:
    first = sa.select(sa.func.min(f.frozen_at)).select_from(frozen)
    at = await asked.db.scalar(
        first.where(f.report == YEARLY, f.period == year, f.frozen_at <= asked.at)
    )
    return at and asked.book.day(at)


async def _years(asked: Asked, *, used_only: bool) -> list[Year]:
    period, on = asked.named, asked.book.day(asked.at)
    if period.since is None:  # nobody named a beginning: the year it ends in
        last = (period.until - timedelta(microseconds=1)).astimezone(ZONE)
        period = replace(period, since=Period.parse(str(last.year)).since)
    return [
        Year(each, on, await deployed(asked, each), await _made(asked, each.name), used_only)
        for each in divided(period, "year", asked.at)
    ]


async def _make(asked: Asked) -> Paper:
    reading = asked.options.get("k1", "deployed")
    if reading not in {"deployed", "with-dossiers"}:
        raise BadInput("k1 is deployed or with-dossiers, not '{said}'", said=reading[:80])
    bodies = [e for e in asked.book.agencies if asked.agencies is None or e in asked.agencies]
    years = await _years(asked, used_only=reading == "with-dossiers")
    first = int(len(years) == 1)  # one year is the period's, and needs no column
    rows = tuple(row[first:] for year in years for row in _rows(asked.book, year, bodies))
    its = tuple(row[first:] for year in years for row in _of_bodies(asked.book, year, bodies))
    notes = (K1[reading], *NOTES, *_plans(asked.book, years))
    paper = asked.paper(
        REPORT,
        Sheet("targets", REPORT.title, COLUMNS[first:], rows, notes=notes, dims=2 - first),
        Sheet("bodies", BY_BODY, BODIES[first:], its, dims=2 - first),
    )
    since = years[0].period.since if years else paper.since
    return replace(paper, since=since, until=asked.named.until)


def _rows(book: Catalogue, year: Year, bodies: Sequence[str]) -> Iterator[list[Any]]:
    """A row for each target of the year; for a KPI without one, what was reached."""
    targets = list(book.plans.of_year(int(year.period.name)))
    for kpi in Kpi:
        own: list[tuple[Plan, Target] | None] = [e for e in targets if e[1].kpi is kpi]
        for each in own or [None]:
            yield _row(book, year, bodies, kpi, each[1] if each else None)


def _row(
    book: Catalogue, year: Year, bodies: Sequence[str], kpi: Kpi, target: Target | None
) -> list[Any]:
    by = year.day(target)
    found = year.measured(book, kpi, bodies, by)
    wanted, reached = None if target is None else target.percent, found.percent
    if target is not None and target.done is not None and target.done.on <= year.at:
        reached = 100.0 if target.done.on <= by else 0.0
    gap = None if reached is None or wanted is None else reached - wanted
    name = Called(f"{kpi.upper()} {NAMES[kpi]}", kpi)
    judged = verdict(reached, wanted, over=by < year.at)
    return [year.period.name, name, *found, reached, wanted, gap, by, judged]


def _of_bodies(book: Catalogue, year: Year, bodies: Sequence[str]) -> Iterator[list[Any]]:
    on = min(year.last, year.at)
    for body in bodies:
        if not book.agencies[body].stands(on):
            continue
        its = [each for each in year.procedures if each.of.agency == body]
        told = [of_procedures(kpi, its, used_only=year.used_only) for kpi in BY_PROCEDURE]
        yield [
            year.period.name, called(book, "agency", body), told[0].part, told[0].whole,
            *(each.percent for each in told), agreed(book, body, on),
        ]  # fmt: skip


def _plans(book: Catalogue, years: Sequence[Year]) -> Iterator[Both]:
    """By which plan the targets are, and which documents say that something was done."""
    for year in years:
        targets = list(book.plans.of_year(int(year.period.name)))
        for plan in dict.fromkeys(plan for plan, _ in targets):
            document = _document(plan.ground)
            yield Both(
                f"Chỉ tiêu {year.period.name}: {plan.name.vi}, {document.vi}",
                f"Targets of {year.period.name}: {plan.name.en}, {document.en}",
            )
        for _, each in targets:
            if each.done is not None:
                told = f"{each.kpi.upper()}: {each.done.document}, {each.done.on:%d/%m/%Y}"
                yield Both(told, told)


def _document(ground: Ground) -> Both:
    if ground.verified:
        return Both(ground.document, ground.document)
    return Both(f"{ground.document} (chưa kiểm chứng)", f"{ground.document} (not verified)")


COLUMNS = (
    Column("year", Both("Năm", "Year"), Kind.code),
    Column("kpi", Both("Chỉ tiêu", "KPI"), Kind.called),
    named("part", "Tử số", "Part"),
    named("whole", "Mẫu số", "Whole"),
    Column("reached", Both("Đạt được", "Reached"), Kind.percent),
    Column("target", Both("Mức", "Target"), Kind.percent),
    Column("gap", Both("Chênh", "Gap"), Kind.percent),
    Column("by", Both("Đến ngày", "By"), Kind.day),
    Column("verdict", Both("Kết quả", "Verdict"), Kind.called),
)
BODIES = (
    COLUMNS[0],
    Column("agency", Both("Cơ quan", "Agency"), Kind.called),
    named("by_post", "Qua bưu chính", "By post"),
    named("of", "Mẫu số K1", "Whole of K1"),
    *(Column(kpi, Both(kpi.upper(), kpi.upper()), Kind.percent) for kpi in BY_PROCEDURE),
    Column("agreement", Both("Thỏa thuận", "Agreement"), Kind.yes),
)
BY_BODY = Both("Từng cơ quan", "Each body")
K1 = {
    "deployed": Both(
        "K1 = thủ tục có hồ sơ qua bưu chính (nhận hoặc trả) / thủ tục triển khai; cách đọc khác:"
        " k1=with-dossiers",
        "K1 = procedures with a dossier by post (in or out) / procedures deployed; the other"
        " reading: k1=with-dossiers",
    ),
    "with-dossiers": Both(
        "K1 = thủ tục có hồ sơ qua bưu chính (nhận hoặc trả) / thủ tục triển khai có hồ sơ; cách"
        " đọc khác: k1=deployed",
        "K1 = procedures with a dossier by post (in or out) / procedures deployed that have"
        " dossiers; the other reading: k1=deployed",
    ),
}
NOTES = (
    Both(
        "K2, K3 = nhận, trả qua bưu chính / tiếp nhận, đã trả, của các thủ tục K1 đếm ở tử số",
        "K2, K3 = in, out by post / received, returned, of the procedures that K1 counts",
    ),
    Both(
        "K4 = điểm đủ điều kiện / điểm bưu chính; K5 = cơ quan có văn bản ủy quyền cho bưu chính"
        " còn hiệu lực / cơ quan; vào ngày phải đạt",
        "K4 = eligible / post points; K5 = agencies with a delegation to the post in force /"
        " agencies; on the day by which it is due",
    ),
    Both(
        "K6 không có trong dữ liệu, trừ khi tệp plans ghi đã làm; K7: Biểu 06 năm đã chốt đến ngày"
        " đó",
        "K6 is not in the data, unless plans say it was done; K7: the year's Form 06 was frozen by"
        " that day",
    ),
    Both("Chênh: điểm phần trăm so với mức", "Gap: percentage points to the target"),
)
REPORT = Report(
    name="targets",
    title=Both("Chỉ tiêu của kế hoạch", "Targets of the plan"),
    source=Both(
        "Kế hoạch 125/KH-UBND (Vĩnh Phúc, 2019); Quyết định 45/2016/QĐ-TTg",
        "Plan 125/KH-UBND (Vĩnh Phúc, 2019); Decision 45/2016/QĐ-TTg",
    ),
    meaning=Both(
        "K1 đến K7 bên cạnh mức phải đạt của từng năm",
        "K1 to K7 beside what is to be reached in each year",
    ),
    make=_make,
    options={
        "k1": Both(
            "mẫu số của K1: deployed (mọi thủ tục triển khai) hoặc with-dossiers (có hồ sơ)",
            "the whole of K1: deployed (all that are) or with-dossiers (those that have any)",
        )
    },
)
