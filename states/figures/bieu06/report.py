"""Biểu 06 as a report: by any dimension, month by month, and told where it does not balance."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from states.clock import Policy
from states.errors import BadInput
from states.figures.bieu06.anew import anew
from states.figures.bieu06.form import FORM
from states.figures.bieu06.known import OPTIONS, known_paper
from states.figures.reporting import Asked, Report, laid_out, sheet_of
from states.figures.sheets import Both, Chart, Paper, Shape, Sheet

DRAWN = ("early", "on_time", "late", "in_time", "overdue")
FINER = ("agency", "field", "procedure")  # what must balance by itself, whatever is asked


async def _make(asked: Asked) -> Paper:
    if asked.options:
        return await known_paper(asked, REPORT)
    by = asked.by or REPORT.by
    if asked.policy is not None:
        return asked.paper(REPORT, await _anew(asked, asked.policy, by))
    chart = Chart(Shape.stacked, "period" if asked.each else by[0], DRAWN)
    sheet, fine = await sheet_of(asked, FORM, "bieu06", REPORT.title, by, chart, finer=FINER)
    return asked.paper(REPORT, sheet, faults=tuple(unbalanced(fine)))


async def _anew(asked: Asked, policy: Policy, by: Sequence[str]) -> Sheet:
    """Every class read anew. Raises `BadInput` for what is read only as it was frozen."""
    if tuple(by) != ("agency",) or asked.each is not None:
        raise BadInput(
            "classed anew by a policy the form is by agency, of one period: leave out --by, --each"
        )
    since, until = asked.period.since, asked.period.until
    found = await anew(asked.db, asked.book, since, until, asked.agencies, policy)
    nought = {"period": "", **dict.fromkeys((each.column.key for each in FORM.measures), 0)}
    rows = [FORM.reckoned({"agency": one} | nought | found[one]) for one in sorted(found)]
    chart = Chart(Shape.stacked, "agency", DRAWN)
    return laid_out(asked, FORM, "bieu06", REPORT.title, by, rows, chart)


def unbalanced(rows: Iterable[Mapping[str, Any]]) -> Iterator[Both]:
    """Where (3) is not (7) + (11): said of each agency, field, procedure and period."""
    for row in rows:
        came, left = row["received"], row["resolved"] + row["in_process"]
        if came != left:
            where = " ".join(str(row[key]) for key in ("period", *FINER) if row[key])
            yield Both(
                f"{where}: không cân, (3) = {came}, (7) + (11) = {left}: chạy `hoso verify`",
                f"{where}: no balance, (3) = {came}, (7) + (11) = {left}: run `hoso verify`",
            )


REPORT = Report(
    name="bieu06",
    title=Both("Biểu 06/VPCP/KSTT", "Form 06/VPCP/KSTT"),
    source="Circular 01/2020/TT-VPCP",
    meaning=Both(
        "Tình hình, kết quả giải quyết thủ tục hành chính",
        "What came in, what was resolved, and what is in hand",
    ),
    make=_make,
    form=FORM,
    by=("agency",),
    options=OPTIONS,
    anew=True,
)
