"""Every figure as a page: what it means, of what it is a share, and the query that counts it.

Drawn from the reports themselves, so that what is documented is what is counted.
"""

import re
import textwrap
from collections.abc import Iterator

import sqlalchemy as sa

from states.figures import every
from states.figures.counting import Form, Measure, Rate, Span, Sum
from states.figures.reporting import Report
from states.figures.sheets import Both
from states.ledger.statements import PG

HEAD = """\
# The figures

Drawn by `hoso draw` from `states/figures/`; a test fails when this page is stale.

Every report is of a half-open period, `:since` and later, before `:until`. A figure's query is the
condition that counts it, that lists the dossiers behind it (`hoso report NAME --open FIGURE`,
`GET /v1/reports/NAME/dossiers?figure=FIGURE`), and that is told here.
"""
WIDTH = 96


def page() -> str:
    """The whole page, in Markdown."""
    parts = [HEAD, *("\n".join(_report(each)) + "\n" for each in every.REPORTS.values())]
    return "\n".join(parts)


def _report(report: Report) -> Iterator[str]:
    yield f"## {report.name}: {_both(report.title)}"
    yield ""
    yield f"{_both(report.meaning)}." + f" {_both(report.source)}." * any(report.source)
    if report.by:
        yield ""
        yield f"By {', '.join(report.by)}, unless `--by` says otherwise."
    if report.options:
        yield ""
        yield from (f"- `{name}`: {_both(told)}" for name, told in report.options.items())
    if report.form is not None:
        yield from _form(report.form)
    else:
        yield ""
        yield "Its figures are not of single dossiers: its sheets say beneath what each of them is."


def _form(form: Form) -> Iterator[str]:
    yield from ("", "| figure | tiếng Việt | English | | what it is |", "|---|---|---|---|---|")
    for each in form.figures:
        vi, en = each.column.head
        cells = [f"`{each.column.key}`", vi, en, each.column.number, _meaning(form, each)]
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    span = Span(sa.literal_column(":since"), sa.literal_column(":until"))
    yield from ("", "Read are the dossiers of which", "", *_sql(form.reads(span)))
    for measure in form.measures:
        yield from ("", f"and in `{measure.column.key}` are counted those of which", "")
        yield from _sql(measure.counts(span))


def _meaning(form: Form, figure: Measure | Sum | Rate) -> str:
    told = _both(figure.meaning)
    if isinstance(figure, Sum):
        return f"{told}: {_keys(figure.of, ' + ')}"
    if isinstance(figure, Rate):
        return f"{told}: {_keys(figure.part, ' + ')} of {_keys(figure.whole, ' + ')}, in percent"
    return told


def _keys(keys: tuple[str, ...], between: str) -> str:
    return between.join(f"`{key}`" for key in keys)


def _sql(condition: sa.ColumnElement[bool]) -> Iterator[str]:
    """As Postgres is told it, its values written out."""
    compiled = condition.compile(dialect=PG, compile_kwargs={"literal_binds": True})
    text = re.sub(r"\s+", " ", str(compiled)).replace("dossier.", "").replace("%%", "%")
    yield "```sql"
    yield from textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)
    yield "```"


def _both(told: Both) -> str:
    return told.vi if told.vi == told.en else f"{told.vi} / {told.en}"
