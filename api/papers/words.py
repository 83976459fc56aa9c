"""How the cells of a paper and what stands around them are said, alike on a screen and on paper."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from states.clock import Policy
from states.figures import every
from states.figures.counting import Form, Rate, Sum
from states.figures.periods import ZONE
from states.figures.sheets import Both, Column, Kind, Paper, Sheet

RIGHT = {Kind.integer, Kind.decimal, Kind.percent, Kind.minutes, Kind.money}
PROVISIONAL = Both(
    "Số liệu tạm tính: kỳ chưa kết thúc, hoặc còn hồ sơ giấy đang được nhập",
    "Provisional: the period has not ended, or papers of it are still being entered",
)
MARKS = str.maketrans(",.", ".,")
FROZEN = Both("xếp loại như đã chốt", "classes as frozen")
POLICIES = {
    Policy.day: Both("xếp loại lại theo ngày", "classed anew by the day"),
    Policy.session: Both("xếp loại lại theo buổi", "classed anew by the half-day"),
    Policy.instant: Both("xếp loại lại theo phút", "classed anew by the minute"),
}
REPORTING = Both("Đơn vị báo cáo", "Reporting")
RECEIVING = Both("Đơn vị nhận báo cáo", "Reported to")
SERIAL = Both("STT", "No.")
DOTS = "." * 60
SIGNED = (
    Both("Người lập biểu", "Drawn up by"),
    Both("Thủ trưởng cơ quan", "Head of the agency"),
)


def shown(kind: Kind, value: Any) -> str:
    """A cell as people read it, numbers as Vietnamese writes them."""
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
        return f"{value:.2f}\N{NO-BREAK SPACE}%".translate(MARKS)
    if kind is Kind.minutes:
        sign, minutes = "-" if value < 0 else "", round(abs(value))
        return f"{sign}{minutes // 60:,}h{minutes % 60:02}".translate(MARKS)
    return (f"{value:,.1f}" if isinstance(value, float) else f"{value:,}").translate(MARKS)


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


def classed(paper: Paper) -> Both | None:
    """By what policy and knowledge the figures are, where they are of any."""
    report = every.REPORTS.get(paper.report)
    if report is None or not report.anew:
        return None
    vi, en = FROZEN if paper.policy is None else POLICIES[Policy(paper.policy)]
    if paper.known_at is None:
        return Both(vi, en)
    known = f"{paper.known_at.astimezone(ZONE):%d/%m/%Y %H:%M}"
    return Both(f"{vi}, theo sổ đến {known}", f"{en}, as known {known}")


def made(paper: Paper) -> Both:
    """The act that asks for it, where one does, and when it was made."""
    at = f"{paper.made_at.astimezone(ZONE):%d/%m/%Y %H:%M}"
    said = Both(f"lập lúc {at}", f"made {at}")
    if not paper.source.vi:
        return Both(*(each[:1].upper() + each[1:] for each in said))
    return Both(f"{paper.source.vi}; {said.vi}", f"{paper.source.en}; {said.en}")


def last(sheet: Sheet) -> Sequence[Any] | None:
    """The total, unless the one row there is says the same."""
    return None if sheet.columns[0].key == "whole" else sheet.total


def headings(columns: Sequence[Column]) -> list[tuple[Both | None, int]]:
    """The headings that columns share, each with how many it is above; None: a column by itself."""
    found: list[tuple[Both | None, int]] = []
    for column in columns:
        if column.group is not None and found and found[-1][0] == column.group:
            found[-1] = column.group, found[-1][1] + 1
        else:
            found.append((column.group, 1))
    return found


def serial(sheet: Sheet) -> bool:
    """Whether its rows are numbered: an official form of one dimension, which is its column (2)."""
    return official(sheet) and sheet.dims == 1


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


def beneath(paper: Paper) -> Iterator[Both]:
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
                number = shown(column.kind, total[column.key])
                yield Both(*(f"{head}: {number}" for head in column.head))


def _rate(form: Form, rate: Rate, total: dict[str, Any]) -> Both:
    part, whole = (sum(total[key] for key in keys) for keys in (rate.part, rate.whole))
    percent, (vi, en) = total[rate.column.key], _of(form, rate)
    number = vi if vi.startswith("tổng") else f"số {vi}"
    counts = f"({shown(Kind.integer, part)} trong {shown(Kind.integer, whole)})"
    return Both(
        f"{rate.column.head.vi}: {shown(Kind.percent, percent)} trên {number} {counts}",
        f"{rate.column.head.en}: {percent:.2f}% of {en} ({part:,} of {whole:,})",
    )


def _of(form: Form, rate: Rate) -> Both:
    """What a rate is of, as the form calls it."""
    for each in form.figures:
        if isinstance(each, Sum) and each.of == rate.whole:
            return Both(*(head.lower() for head in each.column.head))
    heads = [form.find(key).column.head for key in rate.whole]
    return Both(*(" + ".join(words).lower() for words in zip(*heads, strict=True)))
