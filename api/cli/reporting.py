"""Reports on the command line: one command for each there is, alike in all they take."""

import asyncio
import io
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box

from api import papers
from api.cli import frozen
from api.cli.data import moment
from api.cli.output import ZONE, as_json, check_writable, console, listed, table
from api.cli.place import Data, Json, placed, transacted
from states.clock import Policy
from states.errors import BadInput
from states.figures import every
from states.figures.reporting import Report
from states.figures.sheets import Both

SHOWN = 200  # lines of a list on a screen
TOLD = Annotated[
    list[str] | None, typer.Option("--where", help="Of --open: the row, as agency=H42.14.")
]
Since = Annotated[str | None, typer.Option("--from", help="First day, or moment.")]
Until = Annotated[str | None, typer.Option("--to", help="First day after the period.")]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to become of a report."""

    form: papers.Form
    output: Path | None
    notes: bool


def add_to(app: typer.Typer) -> None:
    """Register a command for each report, and those on frozen ones."""
    reports = typer.Typer(
        help="Figures: tables, files, and the dossiers behind a number.", no_args_is_help=True
    )
    reports.command("list")(list_)
    for report in every.REPORTS.values():
        reports.command(report.name, help=_help(report))(_command(report))
    frozen.add_to_report(reports)
    app.add_typer(reports, name="report")


def list_(json: Json = False) -> None:
    """The reports there are, and what each may be asked."""
    rows: list[dict[str, Any]] = [
        {
            "name": each.name,
            "title": each.title.vi,
            "english": each.title.en,
            "source": each.source.vi if not json else each.source._asdict(),
            "by": each.by,
            "options": {name: said.en for name, said in each.options.items()},
        }
        for each in every.REPORTS.values()
    ]
    shown = {"name": "report", "title": "báo cáo", "english": "what it is", "source": "source"}
    listed("Báo cáo / Reports", shown, rows, json=json)


def _help(report: Report) -> str:
    options = [f"--option {name}=…: {said.en}." for name, said in report.options.items()]
    return "\n\n".join([f"{_one(report.title)}: {_first(report.meaning.en)}.", *options])


def _one(said: Both) -> str:
    return said.vi if said.vi == said.en else f"{said.vi} / {said.en}"


def _first(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")


def _command(report: Report) -> Callable[..., None]:
    """What `hoso report NAME` does."""

    def command(
        since: Since = None,
        until: Until = None,
        period: Annotated[
            str | None, typer.Option(help="Instead of both: 2023, 2023-H1, 2023-Q1, 2023-01.")
        ] = None,
        each: Annotated[
            str | None, typer.Option(help="Also by month, quarter, half or year.")
        ] = None,
        by: Annotated[
            str | None, typer.Option(help="By what figures are told apart: agency,procedure.")
        ] = None,
        agency: Annotated[list[str] | None, typer.Option(help="Only these agencies.")] = None,
        policy: Annotated[
            Policy | None, typer.Option(help="Class anew by this policy instead of as frozen.")
        ] = None,
        option: Annotated[
            list[str] | None, typer.Option(help="What only this report takes: name=value.")
        ] = None,
        as_known: Annotated[
            str | None, typer.Option("--as-known", help="As the ledger had it by that moment.")
        ] = None,
        explain: Annotated[
            bool, typer.Option("--explain", help="With it: why today's figures differ.")
        ] = False,
        opened: Annotated[
            str | None, typer.Option("--open", help="The dossiers behind this figure.")
        ] = None,
        where: TOLD = None,
        form: Annotated[papers.Form, typer.Option("--format")] = papers.Form.table,
        output: Annotated[Path | None, typer.Option(help="The file to write.")] = None,
        notes: Annotated[bool, typer.Option("--notes", help="Show every definition.")] = False,
        data: Data = None,
        json: Json = False,
    ) -> None:
        from states.figures.asking import Question
        from states.figures.opening import pairs

        _same_zone(since, until)
        question = Question(
            moment(since), moment(until), period, agency,
            None if by is None else tuple(filter(None, by.split(","))), each, policy,
            pairs(option or []) | _known(as_known, explain=explain),
        )  # fmt: skip
        wanted = Wanted(papers.Form.json if json else form, output, notes)
        if opened is None:
            _make(report, question, wanted, data)
        else:
            _open(report, question, opened, pairs(where or []), wanted, data)

    return command


def _known(as_known: str | None, *, explain: bool) -> dict[str, str]:
    """The options of a report that tells what was known."""
    said = {} if as_known is None else {"as_known": as_known}
    return said | ({"explain": "yes"} if explain else {})


def _same_zone(since: str | None, until: str | None) -> None:
    """Says so where the ends of a period are told by the clocks of different places."""
    ends = [at for at in (moment(since), moment(until)) if at is not None]
    if len({at.utcoffset() for at in ends}) > 1:
        here = " – ".join(f"{at.astimezone(ZONE):%d/%m/%Y %H:%M}" for at in ends)
        typer.echo(f"--from and --to are of different zones: in Viet Nam {here}.", err=True)


# A report -----------------------------------------------------------------------------------


def _make(report: Report, question: Any, wanted: Wanted, data: Path | None) -> None:
    """Ask for a report, and print or write it."""
    _check(wanted)
    with placed(data) as place:
        asyncio.run(_made(report, question, wanted, place.database))
    if wanted.output is not None:
        typer.echo(f"Wrote {wanted.output}.", err=True)


def _check(wanted: Wanted) -> None:
    """Raises `BadInput` for what cannot be written, before anything is asked."""
    if wanted.form is papers.Form.table and wanted.output is not None:
        raise BadInput("a table is for the screen: choose csv, xlsx, pdf, svg or json for a file")
    if wanted.form in papers.BINARY and wanted.output is None:
        what = "a workbook" if wanted.form is papers.Form.xlsx else "a PDF"
        raise BadInput("{what} needs a file: name it with --output", what=what)
    check_writable(wanted.output)


async def _made(report: Report, question: Any, wanted: Wanted, address: str) -> None:
    from api.papers.saved import whole_file
    from states.catalogue import bundles
    from states.figures.asking import asked

    async with transacted(address, still=True) as db:
        book = await bundles.read(db)
        known = await asked(db, book, report, question, datetime.now(UTC))
        paper = await report.make(known)
        if wanted.output is not None:
            with whole_file(wanted.output) as file:
                await papers.written(paper, wanted.form, file, known.agencies)
        elif wanted.form is papers.Form.table:
            await _shown(paper, notes=wanted.notes)
        else:
            await _printed(paper, wanted.form, known.agencies)


async def _shown(paper: Any, *, notes: bool) -> None:
    from api.papers import screen

    screen.show(console, await papers.held(paper, SHOWN, cut=True), notes=notes)


async def _printed(paper: Any, form: papers.Form, agencies: Any) -> None:
    """To standard output."""
    if form is papers.Form.csv:
        from api.papers import comma

        await papers.streamed(paper, comma.Writing(paper, sys.stdout))
    else:
        whole = await papers.held(paper, papers.MOST)
        sys.stdout.write(papers.rendered(whole, form, agencies).decode())
    sys.stdout.flush()


# The dossiers behind a number -----------------------------------------------------------------


def _open(
    report: Report, question: Any, figure: str, where: dict[str, str], wanted: Wanted,
    data: Path | None,
) -> None:  # fmt: skip
    if wanted.form not in {papers.Form.table, papers.Form.json, papers.Form.csv}:
        raise BadInput("the dossiers behind a figure are had as table, csv or json")
    check_writable(wanted.output)
    with placed(data) as place:
        rows = asyncio.run(_behind(report, question, figure, where, place.database))
    _list(f"{report.name} {figure}", rows, wanted)


async def _behind(
    report: Report, question: Any, figure: str, where: dict[str, str], address: str
) -> list[dict[str, Any]]:
    """All of them, page by page."""
    from states.catalogue import bundles
    from states.figures.asking import asked
    from states.figures.opening import behind

    async with transacted(address, still=True) as db:
        book = await bundles.read(db)
        known = await asked(db, book, report, question, datetime.now(UTC))
        rows: list[dict[str, Any]] = []
        cursor = None
        while rows == [] or cursor is not None:
            page = await behind(known, report, figure, where, cursor=cursor, limit=PAGE)
            rows += page.rows
            if (cursor := page.next) is None:
                break
        return rows


PAGE = 10_000
TABLE = {
    "code": "mã\ncode", "agency": "cơ quan\nagency", "procedure": "thủ tục\nprocedure",
    "received_at": "tiếp nhận\nreceived", "due_at": "hẹn trả\ndue",
    "finished_at": "kết thúc\nfinished", "verdict": "loại\nclass",
}  # fmt: skip
HIDDEN = {"id", "calendar"}


def _dossiers(title: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        listed(title, TABLE, rows, json=False)
        return
    made = table(title, TABLE.values(), [[row[name] for name in TABLE] for row in rows])
    made.box, made.padding, made.show_edge = box.SIMPLE_HEAD, (0, 0), False
    made.columns[0].no_wrap = True  # a code in two halves is copied by nobody
    console.print(made)


def _list(title: str, rows: list[dict[str, Any]], wanted: Wanted) -> None:
    told = [{key: row[key] for key in row if key not in HIDDEN} for row in rows]
    if wanted.form is papers.Form.table and wanted.output is None:
        _dossiers(f"{title}: {len(rows):,}", told[:SHOWN])
        if len(rows) > SHOWN:
            console.print(f"The first {SHOWN}: --format csv has all of them.", style="dim")
        if rows:
            console.print("`hoso clock --dossier CODE` tells how a deadline came about.")
        return
    text = io.StringIO()
    if wanted.form is papers.Form.json:
        as_json(told, text)
    else:
        from api.papers import comma

        comma.table(text, told, TABLE)
    if wanted.output is None:
        sys.stdout.write(text.getvalue())
        return
    from api.papers.saved import whole_file

    with whole_file(wanted.output) as file:
        marked = wanted.form is papers.Form.csv
        file.write_text(text.getvalue(), encoding="utf-8-sig" if marked else "utf-8")
    typer.echo(f"Wrote {wanted.output}.", err=True)
