"""Biểu 06 as a report: by any dimension, month by month, and told where it does not balance."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from states.clock import Policy
from states.errors import BadInput
from states.figures.bieu06.anew import anew
from states.figures.bieu06.form import FORM
from states.figures.bieu06.known import OPTIONS, known_paper
from states.figures.counting import DIMENSIONS, MISFITS, counted
from states.figures.levels import LEVEL
from states.figures.reporting import Asked, Report, laid_out, sheet_of
from states.figures.sheets import Both, Chart, Paper, Shape, Sheet

DRAWN = ("early", "on_time", "late", "in_time", "overdue")
FINER = ("agency", "field", "procedure")  # by what an imbalance is told


async def _make(asked: Asked) -> Paper:
    if asked.options:
        return await known_paper(asked, REPORT)
    by = asked.dims(REPORT)
    if asked.policy is not None:
        return asked.paper(REPORT, await _anew(asked, asked.policy, by))
    chart = Chart(Shape.stacked, "period" if asked.each else (*by, "whole")[0], DRAWN)
    sheet, rows = await sheet_of(asked, FORM, "bieu06", REPORT.title, by, chart)
    if any(row[MISFITS] for row in rows):
        rows = await counted(asked.db, FORM, FINER, asked.periods, asked.only)
    return asked.paper(REPORT, sheet, faults=tuple(unbalanced(rows)))


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
    """Where (3) is not (7) + (11): said of each agency, field, procedure and period.

    Dossier by dossier: one too many here does not make up for one too few there.
    """
    for row in rows:
        if wrong := row[MISFITS]:
            where = " ".join(str(row[key]) for key in ("period", *FINER) if row[key])
            yield Both(
                f"{where}: không cân, {wrong} hồ sơ tính khác nhau ở (3) và (7) + (11):"
                " chạy `hoso verify`",
                f"{where}: no balance, {wrong} dossiers count otherwise in (3) than in (7) + (11):"
                " run `hoso verify`",
            )


REPORT = Report(
    name="bieu06",
    title=Both("Biểu 06/VPCP/KSTT", "Form 06/VPCP/KSTT"),
    source=Both("Thông tư 01/2020/TT-VPCP", "Circular 01/2020/TT-VPCP"),
    meaning=Both(
        "Tình hình, kết quả giải quyết thủ tục hành chính",
        "What came in, what was resolved, and what is in hand",
    ),
    make=_make,
    dims=(*DIMENSIONS, LEVEL),
    each=True,
    form=FORM,
    by=("agency",),
    options=OPTIONS,
    anew=True,
)
