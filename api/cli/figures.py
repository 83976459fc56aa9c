"""Figures as people and programs want them: tables, CSV, XLSX, JSON."""

import csv
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import timedelta
from enum import StrEnum, auto
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.cli.output import ZONE, as_json, table
from states.catalogue import Catalogue
from states.errors import BadInput
from states.figures import Bieu06, Row

# The form's own columns: heading, number, and the attribute of a row.
COLUMNS = (
    ("Tiếp\nnhận", "(3)", "received"),
    ("Trực\ntuyến", "(4)", "online"),
    ("Trực\ntiếp*", "(5)", "direct"),
    ("Kỳ\ntrước", "(6)", "carried"),
    ("Giải\nquyết", "(7)", "resolved"),
    ("Trước\nhạn", "(8)", "early"),
    ("Đúng\nhạn", "(9)", "on_time"),
    ("Quá\nhạn", "(10)", "late"),
    ("Đang\nxử lý", "(11)", "in_process"),
    ("Trong\nhạn", "(12)", "in_time"),
    ("Quá\nhạn", "(13)", "overdue"),
)
LEGEND = """\
(3) received = (4) online + (5) direct, * at the counter or by post + (6) carried over
(7) resolved = (8) early + (9) on time + (10) late
(11) in process = (12) within the term + (13) overdue"""


Names = Mapping[str, str]
"""Of agencies, by code; one that was imported has none."""


class Form(StrEnum):
    """What a report may be written as."""

    table = auto()
    csv = auto()
    xlsx = auto()
    json = auto()


def write(console: Console, made: Bieu06, names: Names, form: Form, output: Path | None) -> None:
    """Print or write a report. Raises `BadInput` when XLSX has no file to go to."""
    if form is Form.json and output is not None:
        with output.open("w", encoding="utf-8") as file:
            as_json(bieu06_json(made), file)
    elif form is Form.json:
        as_json(bieu06_json(made))
    elif form is Form.xlsx:
        if output is None:
            raise BadInput("a workbook needs a file: name it with --output")
        _xlsx(made, names, output)
    elif form is Form.csv:
        _csv(made, names, output)
    elif output is not None:
        raise BadInput("a table is for the screen: choose csv, xlsx or json for a file")
    else:
        show_bieu06(console, made, names)
    if output is not None and form is not Form.table:
        Console(stderr=True).print(f"Wrote {output}.", markup=False, highlight=False)


def show_bieu06(console: Console, made: Bieu06, names: Names) -> None:
    """The form by agency and in total, the rates with their denominators, and what is beneath."""
    console.print(_table(made, names), highlight=False)
    console.print(LEGEND, style="dim", highlight=False)
    console.print()
    for text in _rates(made.total):
        console.print(text, highlight=False)
    if not made.total.balances:
        console.print("[red]The columns do not balance: 3 ≠ 7 + 11. Run `hoso verify`.[/]")


def _rates(total: Row) -> Iterator[str]:
    """Each rate with its denominator named, and what the form leaves out."""
    for rate, of, whole in (
        (total.of_resolved, "giải quyết / resolved", total.resolved),
        (total.of_received, "tiếp nhận / received", total.received),
    ):
        if rate is not None:
            share = f"{total.early + total.on_time:,} of {whole:,}"
            yield f"Trước và đúng hạn / early or on time: {rate:.2f}% of {of} ({share})"
    if total.unclassed:
        left_out = "withdrawn, stopped, declined, or without a term"
        yield f"Không phân loại / not counted: {total.unclassed:,} ({left_out})"


def _title(made: Bieu06) -> str:
    since = f"{made.since.astimezone(ZONE):%d/%m/%Y}" if made.since else "…"
    last = (made.until - timedelta(microseconds=1)).astimezone(ZONE)  # the end is outside
    by = made.policy or "as frozen"
    return f"Biểu 06/VPCP/KSTT  {since} – {last:%d/%m/%Y}  (policy: {by})"


def _table(made: Bieu06, names: Names) -> Table:
    form = Table(
        title=_title(made),
        title_justify="left",
        title_style="bold",
        show_footer=True,
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    form.add_column("Cơ quan\nAgency", footer="Tổng / Total")
    for heading, number, name in COLUMNS:
        footer = f"{getattr(made.total, name):,}"
        form.add_column(f"{heading}\n{number}", justify="right", footer=footer)
    for row in made.rows:
        name = names.get(row.agency, row.agency)
        form.add_row(escape(name), *(f"{getattr(row, n):,}" for _, _, n in COLUMNS))
    return form


def names(book: Catalogue) -> dict[str, str]:
    """The Vietnamese names of the agencies."""
    return {code: each.name.vi for code, each in book.agencies.items()}


def bieu06_json(made: Bieu06) -> dict[str, Any]:
    """The form with its identities spelled out."""
    return {
        "report": "bieu06",
        "from": made.since,
        "to": made.until,
        "policy": made.policy,
        "rows": [_row_json(row) for row in made.rows],
        "total": _row_json(made.total),
    }


def _row_json(row: Row) -> dict[str, Any]:
    share = row.early + row.on_time
    return {
        **asdict(row),
        "received": row.received,
        "resolved": row.resolved,
        "in_process": row.in_process,
        "balances": row.balances,
        "on_time_rates": [
            {"percent": row.of_resolved, "of": "resolved", "part": share, "whole": row.resolved},
            {"percent": row.of_received, "of": "received", "part": share, "whole": row.received},
        ],
    }


HEADING = [
    "Mã / code",
    "Cơ quan / agency",
    *(f"{vi.replace(chr(10), ' ')} / {n.replace('_', ' ')} {column}" for vi, column, n in COLUMNS),
]
"""For people; programs get the plain names."""


def _lines(made: Bieu06, names: Names) -> list[list[Any]]:
    """Heading, rows and total, plain."""
    columns = [name for *_, name in COLUMNS]
    lines: list[list[Any]] = [["agency", "name", *columns]]
    for row in made.rows:
        name = names.get(row.agency, row.agency)
        lines.append([_text(row.agency), _text(name), *(getattr(row, n) for n in columns)])
    lines.append(["", "Tổng / Total", *(getattr(made.total, n) for n in columns)])
    return lines


def _text(cell: str) -> str:
    """A cell that a spreadsheet would take for a formula stays text."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t"} else cell


def _csv(made: Bieu06, names: Names, output: Path | None) -> None:
    if output is None:
        csv.writer(sys.stdout).writerows(_lines(made, names))
        return
    with output.open("w", newline="", encoding="utf-8-sig") as file:  # Excel wants the mark
        csv.writer(file).writerows(_lines(made, names))


def _xlsx(made: Bieu06, names: Names, output: Path) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(str(output), {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("Biểu 06")
        bold = book.add_format({"bold": True})
        heading = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        sheet.write(0, 0, _title(made), bold)
        sheet.write_row(2, 0, HEADING, heading)
        lines = _lines(made, names)
        for number, line in enumerate(lines[1:], 3):
            sheet.write_row(number, 0, line)
        for number, text in enumerate(_rates(made.total), len(lines) + 3):
            sheet.write(number, 0, text)
        sheet.freeze_panes(3, 2)
        sheet.set_column(0, 0, 12)
        sheet.set_column(1, 1, 44)
        sheet.set_column(2, 1 + len(COLUMNS), 13)


# An import's account ----------------------------------------------------------------------


def show_tally(console: Console, file: Path, tally: Any) -> None:
    """How many came in, what was mended and what was refused."""
    console.print(
        f"{file.name}: {tally.taken:,} dossiers imported with {tally.activities:,} events;"
        f" {tally.known:,} known already; {len(tally.refused):,} refused.",
        highlight=False,
        markup=False,
    )
    if tally.notes:
        kinds = Counter(note.what for note in tally.notes)
        example = {note.what: f"{note.code}: {note.detail}" for note in reversed(tally.notes)}
        rows = [(kind, count, example[kind]) for kind, count in kinds.most_common()]
        console.print(table("Kept as they are, and noted", ("what", "dossiers", "first"), rows))
    if tally.refused:
        faults = [(each.row, each.code or "", each.why) for each in tally.refused[:20]]
        console.print(table("Refused", ("row", "code", "why"), faults))


def tally_json(file: Path, tally: Any) -> dict[str, Any]:
    """The whole account, every row of it."""
    return {
        "file": str(file),
        "imported": tally.taken,
        "known": tally.known,
        "events": tally.activities,
        "noted": [asdict(note) for note in tally.notes],
        "refused": [asdict(each) for each in tally.refused],
    }


def write_rows(report: Path, tally: Any) -> None:
    """What was mended or refused, row by row."""
    with report.open("w", newline="", encoding="utf-8-sig") as file:
        to = csv.writer(file)
        to.writerow(["row", "code", "what", "detail"])
        for note in tally.notes:
            to.writerow([note.row, _text(note.code), note.what, _text(note.detail)])
        for each in tally.refused:
            to.writerow([each.row, _text(each.code or ""), "refused", _text(each.why)])
