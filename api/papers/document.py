"""A paper as one JSON document, and where each of its numbers is opened to its dossiers."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from api.papers import form06
from states.figures import every
from states.figures.counting import DIMENSIONS
from states.figures.periods import ZONE, Period
from states.figures.sheets import Both, Called, Kind, Paper, Sheet

FORM06 = "bieu06"
FIGURE = "{figure}"
Pairs = list[tuple[str, str]]


def told(paper: Paper, agencies: Sequence[str] | None = None) -> dict[str, Any]:
    """All of it, moments with the offset of the place. `from`, `to`: the period [from, to).

    `agencies`: those that were asked for, which the addresses must ask for again.
    """
    whose = [("agency", each) for each in agencies or ()]
    return {
        "report": paper.report,
        "title": _both(paper.title),
        "source": _both(paper.source),
        "from": _value(paper.since),
        "to": _value(paper.until),
        "made_at": _value(paper.made_at),
        "policy": paper.policy,
        "known_at": _value(paper.known_at),
        "provisional": paper.provisional,
        "faults": [_both(each) for each in paper.faults],
        "sheets": [_sheet(paper, each, whose) for each in paper.sheets],
    }


def complete(paper: Paper, agencies: Sequence[str] | None = None) -> dict[str, Any]:
    """With what programs have had of a report before all reports were told alike."""
    made = told(paper, agencies)
    return made | (form06.lines(made) if paper.report == FORM06 else {})


def _sheet(paper: Paper, sheet: Sheet, whose: Pairs) -> dict[str, Any]:
    rows = [_row(sheet, row) | _open(paper, sheet, row, whose) for row in sheet.rows]
    total = sheet.total and _row(sheet, sheet.total) | _open(paper, sheet, None, whose)
    return {
        "key": sheet.key,
        "title": _both(sheet.title),
        "columns": [
            {"key": each.key, "title": _both(each.head), "kind": each.kind, "number": each.number}
            for each in sheet.columns
        ],
        "rows": rows,
        "parts": [_row(sheet, row) for row in sheet.parts.values()],
        "total": total,
        "notes": [_both(each) for each in sheet.notes],
    }


def _row(sheet: Sheet, row: Sequence[Any]) -> dict[str, Any]:
    """By the keys of its columns; what has a name has its code there, and the name beside it."""
    made: dict[str, Any] = {}
    for column, value in zip(sheet.columns, row, strict=True):
        if column.kind is not Kind.called:
            made[column.key] = _value(value)
            continue
        made[column.key] = value.code if isinstance(value, Called) else None
        name = "name" if column.key == "agency" else f"{column.key}_name"
        made[name] = None if value is None else str(value)
    return made


def _open(
    paper: Paper, sheet: Sheet, row: Sequence[Any] | None, whose: Pairs
) -> dict[str, str]:  # fmt: skip
    """The address of the dossiers behind a row's figures: put a figure's key for `{figure}`."""
    report = every.REPORTS.get(paper.report)
    if report is None or report.form is None or paper.policy is not None or paper.known_at:
        return {}
    if not {each.column.key for each in report.form.figures} <= {c.key for c in sheet.columns}:
        return {}
    since, until = paper.since, paper.until
    where = []
    for column, value in zip(sheet.columns[: sheet.dims], row or (), strict=False):
        if column.key == "period":
            one = Period.parse(value)
            since = max(filter(None, (one.since, since)), default=None)
            until = min(one.until, until)
        elif column.key in DIMENSIONS:
            where.append(("where", f"{column.key}={_code(value)}"))
    asked = [("from", _value(since)), ("to", _value(until)), *whose, *where]
    query = urlencode([(key, value) for key, value in asked if value is not None], safe=":=")
    return {"open": f"/v1/reports/{paper.report}/dossiers?figure={FIGURE}&{query}"}


def _code(value: Any) -> str:
    return (value.code or "") if isinstance(value, Called) else str(value or "")


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        local = value.astimezone(ZONE)
        # The place's own mean time, until 1911, is off by seconds, which few can read.
        odd = (local.utcoffset() or timedelta()) % timedelta(minutes=1)
        return (local.astimezone(UTC) if odd else local).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def _both(said: Both) -> dict[str, str]:
    return {"vi": said.vi, "en": said.en}
