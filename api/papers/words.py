"""How the cells of a paper and what stands around them are said, alike on a screen and on paper."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from states.figures import every
from states.figures.counting import Form, Rate, Sum
from states.figures.periods import ZONE
from states.figures.sheets import Both, Column, Kind, Paper, Sheet

RIGHT = {Kind.integer, Kind.decimal, Kind.percent, Kind.minutes, Kind.money}
PROVISIONAL = Both(
    "Số liệu tạm tính: kỳ chưa kết thúc, hoặc còn hồ sơ giấy đang được nhập",
    "Provisional: the period has not ended, or papers of it are still being entered",
)
SIGNED = (
    Both("Người lập biểu", "Drawn up by"),
    Both("Thủ trưởng cơ quan", "Head of the agency"),
)


def shown(kind: Kind, value: Any) -> str:
    """A cell as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "có" if value else "không"
    if isinstance(value, int | float):
        return _number(kind, value)
    if isinstance(value, datetime):
        return f"{value.astimezone(ZONE):%d/%m/%Y %H:%M}"
    return f"{value:%d/%m/%Y}" if isinstance(value, date) else str(value)


def _number(kind: Kind, value: float) -> str:
    if kind is Kind.percent:
        return f"{value:.2f}%"
    if kind is Kind.minutes:
        sign, minutes = "-" if value < 0 else "", round(abs(value))
        return f"{sign}{minutes // 60:,}h{minutes % 60:02}"
    return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"


def both(said: Both, between: str = " / ") -> str:
    """In one line; what is the same in both languages is said once."""
    return said.vi if said.vi == said.en else f"{said.vi}{between}{said.en}"


def span(paper: Paper) -> str:
    """The period by its first and its last day; with the hours where it is of no whole days."""
    since = f"{paper.since.astimezone(ZONE):{_form(paper.since)}}" if paper.since else "…"
    if _midnight(paper.until):
        last = (paper.until - timedelta(microseconds=1)).astimezone(ZONE)  # the end is outside
        return f"{since} – {last:%d/%m/%Y}"
    return f"{since} – {paper.until.astimezone(ZONE):%d/%m/%Y %H:%M}"


def _form(at: datetime) -> str:
    return "%d/%m/%Y" if _midnight(at) else "%d/%m/%Y %H:%M"


def _midnight(at: datetime) -> bool:
    local = at.astimezone(ZONE)
    return (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0)


def about(paper: Paper) -> str:
    """The period, and by what policy and knowledge the figures are."""
    known = f", as known {paper.known_at.astimezone(ZONE):%d/%m/%Y %H:%M}" if paper.known_at else ""
    return f"{span(paper)}  (policy: {paper.policy or 'as frozen'}{known})"


def official(sheet: Sheet) -> bool:
    """Whether it has the columns of an official form, which are counted."""
    return any(column.number for column in sheet.columns)


def counting(dims: int, n: int, column: Column) -> str:
    """A column's number; the forms have two columns before their figures, which begin with (3)."""
    return column.number or (f"({3 - dims + n})" if n < dims <= 2 else "")


def in_table(sheet: Sheet) -> list[tuple[int, Column]]:
    """The columns of the table itself; an official form has its rates and the rest beneath."""
    every_one = list(enumerate(sheet.columns))
    if not official(sheet):
        return every_one
    return [(at, each) for at, each in every_one if at < sheet.dims or each.number]


def beneath(paper: Paper) -> Iterator[str]:
    """Each rate of a total with its denominator named, and what an official form leaves out."""
    form = every.REPORTS[paper.report].form if paper.report in every.REPORTS else None
    for sheet in paper.sheets:
        if form is None or sheet.total is None:
            continue
        total = dict(zip((each.key for each in sheet.columns), sheet.total, strict=True))
        for figure in form.figures:
            column = figure.column
            if isinstance(figure, Rate) and total.get(column.key) is not None:
                yield _rate(form, figure, total)
            elif official(sheet) and not column.number and total.get(column.key):
                yield f"{both(column.head)}: {shown(column.kind, total[column.key])}"


def _rate(form: Form, rate: Rate, total: dict[str, Any]) -> str:
    part, whole = (sum(total[key] for key in keys) for keys in (rate.part, rate.whole))
    share = shown(Kind.percent, total[rate.column.key])
    return f"{both(rate.column.head)}: {share} of {_of(form, rate)} ({part:,} of {whole:,})"


def _of(form: Form, rate: Rate) -> str:
    """What a rate is of, as the form calls it."""
    for each in form.figures:
        if isinstance(each, Sum) and each.of == rate.whole:
            return both(each.column.head).lower()
    heads = [form.find(key).column.head for key in rate.whole]
    return both(Both(*(" + ".join(words) for words in zip(*heads, strict=True)))).lower()
