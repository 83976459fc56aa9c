"""The dashboard: how it stands now and how a period went, each number a way to its dossiers.

The page itself counts what runs and one row of the period; what takes longer is parts of it, which
come by themselves and are pages of their own where there is no script.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from api.desk.leaf import Leaf
from api.desk.paint import page
from api.desk.reports import choosing, drawn, naming
from api.desk.reports.choosing import Choice, Choices
from api.desk.reports.showing import Showing, Table, lead
from api.desk.seat import Desk, Seat
from api.desk.voice import Voice
from states.errors import BadInput, HosoError, NotYours, Unknown
from states.figures import heat, load, pace, standing, targets
from states.figures.asking import Question
from states.figures.bieu06.report import REPORT as BIEU06
from states.figures.periods import ZONE
from states.figures.reporting import Asked, Report
from states.figures.sheets import Both, Paper
from states.figures.standing import Now, Stand
from states.sight import WIDE

router = APIRouter(
    include_in_schema=False, default_response_class=HTMLResponse, route_class=Leaf
)  # fmt: skip
LIMIT, MOST, MONTHS = 50, 15, 12
STANDS: dict[Stand, tuple[str, Both, Both]] = {
    Stand.overdue: (
        "overdue", Both("Đang quá hạn", "Overdue"),
        Both("chưa xong, đã qua hạn", "not finished, past their term"),
    ),
    Stand.breached_today: (
        "late", Both("Quá hạn hôm nay", "Breached today"),
        Both("bắt đầu quá hạn từ 0 giờ hôm nay", "became late since midnight"),
    ),
    Stand.soon: (
        "soon", Both("Sắp đến hạn", "Due soon"),
        Both("còn trong hạn, đến hạn trong hai ngày", "in time, due within two days"),
    ),
    Stand.in_time: (
        "on_time", Both("Trong hạn", "In time"),
        Both("chưa xong, còn hạn hoặc đang tạm dừng", "not finished, within their term or on hold"),
    ),
}  # fmt: skip
PERIOD = ("received", "early", "on_time", "late", "in_time", "overdue")
KINDS = {"early": "early", "on_time": "on_time", "late": "late", "overdue": "overdue"}
BY = {
    "agency": Both("Cơ quan", "Agency"),
    "procedure": Both("Thủ tục", "Procedure"),
    "unit": Both("Đơn vị", "Unit"),
}
TOLD = (*BY, "received", "early", "on_time", "late", "in_time", "overdue", "of_resolved",
        "of_received")  # fmt: skip
OF_PEOPLE = ("person", "role", "dossiers", "received", "digitised", "procedures", "agencies",
             "days", "a_day", "of_norm")  # fmt: skip
MET = {"met": "early", "not_met": "late", "not_yet": "soon"}


@dataclass(frozen=True, slots=True)
class View:
    """Who looks at what: the choice that was made, among which."""

    request: Request
    desk: Seat
    among: Choices
    choice: Choice

    @property
    def voice(self) -> Voice:
        return Voice(self.desk.lang, self.desk.book.zone)

    async def asked(self, report: Report, question: Question | None = None) -> Asked:
        return await choosing.asked(
            self.request, self.desk, report, question or self.choice.question()
        )

    def showing(self, *more: tuple[str, str]) -> Showing:
        return Showing(self.desk.book, self.voice, [*self.choice.pairs, *more])


async def view(request: Request, desk: Seat) -> View:
    """Raises `NotYours` for who neither leads nor audits, and `BadInput`."""
    if desk.who.role not in WIDE:
        raise NotYours(
            "the dashboard is shown to leaders and the control unit: your own work is under Today"
        )
    among = await choosing.choices(desk)
    return View(request, desk, among, choosing.read(request.query_params, among))


def _now(desk: Seat, agency: str) -> Now:
    """Of the agencies that are seen, or of one of them. Raises `BadInput`."""
    seen = choosing.seen(desk)
    if agency and agency not in (desk.book.agencies if seen is None else seen):
        raise BadInput("there is no agency {agency} among those you see", agency=agency[:40])
    return Now.of(desk.book, desk.at, [agency] if agency else seen)


# The page --------------------------------------------------------------------------------------


@router.get("/dashboard")
async def dashboard(request: Request, desk: Desk) -> Response:
    """How it stands now, and the period in one row."""
    if desk.who.role not in WIDE:
        await view(request, desk)
    form = choosing.typed(request.query_params)
    try:
        of = await view(request, desk)
        async with desk.db.begin_nested():
            now = await standing.counts(desk.db, _now(desk, of.choice.agency))
            asked = replace(await of.asked(BIEU06), by=())
            paper = await BIEU06.make(asked)
    except NotYours:
        raise
    except HosoError as error:
        among = await choosing.choices(desk)
        return page(request, "desk/dashboard.html", refusal=error, form=form, of=None, among=among,
                    choice=Choice(among.period), parts=choosing.PARTS)  # fmt: skip
    return page(
        request, "desk/dashboard.html", form=form, of=of, among=of.among, choice=of.choice,
        parts=choosing.PARTS, now=now, stands=STANDS, row=_one(paper), paper=paper, kinds=KINDS,
        about=lead(paper, of.voice), heads=BIEU06.form, figures=PERIOD, query=of.choice.query,
        agency=urlencode({"agency": of.choice.agency}) if of.choice.agency else "", by=BY,
    )  # fmt: skip


def _one(paper: Paper) -> dict[str, Any]:
    """The figures of the period, all in one row."""
    sheet = paper.sheets[0]
    return dict(zip((each.key for each in sheet.columns), sheet.total or (), strict=True))


@router.get("/dashboard/dossiers")
async def dossiers(request: Request, desk: Desk, which: str = "overdue") -> Response:
    """The dossiers of a big number, by the condition that counted them."""
    of = await view(request, desk)
    if which not in set(Stand):
        raise Unknown("there is no such number: choose one of {all}", all=[*Stand])
    stand, agency = Stand(which), of.choice.agency
    now, cursor = _now(desk, agency), request.query_params.get("cursor") or None
    found = await standing.behind(desk.db, now, stand, cursor, LIMIT)
    here = urlencode([("which", which), *([("agency", agency)] if agency else [])])
    return page(
        request, "desk/dashboard_dossiers.html", stand=STANDS[stand], rows=found.rows, at=desk.at,
        next=found.next, first=cursor is None, more=f"/dashboard/dossiers?{here}", agency=agency,
        named=naming.procedures(desk.book, of.voice), bodies=naming.bodies(desk.book, of.voice),
        total=(await standing.counts(desk.db, now))[stand],
    )  # fmt: skip


# Its parts -------------------------------------------------------------------------------------


@router.get("/dashboard/trend.svg")
async def trend_drawn(request: Request, desk: Desk) -> Response:
    """Twelve months, drawn: what came and went, or (`late`) the late share."""
    paper = await _trend(await view(request, desk))
    which = "late" if "late" in request.query_params else "pace"
    sheets = tuple(each for each in paper.sheets if each.key == which)
    return drawn.image(replace(paper, sheets=sheets))


@router.get("/dashboard/{part}")
async def part(request: Request, desk: Desk, part: str) -> Response:
    """A part of the page; a page of its own where it is asked for by itself."""
    of = await view(request, desk)
    if part not in PARTS:
        raise Unknown("the dashboard has no part {part}", part=part[:40])
    title, make = PARTS[part]
    told = await make(of)
    inner = f"desk/dashboard_{part}.html"
    alone = "hx-request" not in request.headers
    return page(
        request, "desk/dashboard_alone.html" if alone else inner, of=of, inner=inner, title=title,
        choice=of.choice, query=of.choice.query, **told,
    )  # fmt: skip


def _year(choice: Choice) -> Choice:
    """The twelve months that end with a period."""
    until = choice.span.until.astimezone(ZONE)
    last = until.toordinal() - 1
    months = until.year * 12 + until.month - 1 - MONTHS + (until.day > 1)
    first = until.date().replace(year=months // 12, month=months % 12 + 1, day=1)
    return replace(choice, period="", first=first, last=first.fromordinal(last))


async def _trend(of: View) -> Paper:
    question = replace(_year(of.choice).question(), each="month")
    return await pace.REPORT.make(await of.asked(pace.REPORT, question))


async def _trend_told(of: View) -> dict[str, Any]:
    paper, year = await _trend(of), _year(of.choice)
    showing = Showing(of.desk.book, of.voice, [*year.pairs, ("each", "month")])
    return {"table": showing.tables(paper)[0], "about": lead(paper, of.voice)}


async def _table_told(of: View) -> dict[str, Any]:
    """Biểu 06 by agency, procedure or unit; those with the most late first, but for agencies."""
    by = of.request.query_params.get("by") or "agency"
    if by not in BY:
        raise BadInput("the table is by {by}", by=", ".join(BY))
    paper = await BIEU06.make(replace(await of.asked(BIEU06), by=(by,)))
    sheet = paper.sheets[0]
    late, overdue = sheet.column("late"), sheet.column("overdue")
    rows = sheet.rows
    if by != "agency":
        rows = tuple(sorted(rows, key=lambda row: -(row[late] + row[overdue]))[:MOST])
    table = of.showing(("by", by)).only(paper, replace(sheet, rows=rows, notes=()), TOLD)
    return {
        "table": table, "dims": BY, "chosen": by, "hidden": len(sheet.rows) - len(rows),
        "about": lead(paper, of.voice),
    }  # fmt: skip


async def _heat_told(of: View) -> dict[str, Any]:
    rows = await heat.stages(await of.asked(BIEU06))
    voice, book = of.voice, of.desk.book
    told = [
        (
            naming.called(book, voice, "stage", row.stage),
            naming.called(book, voice, "unit", row.unit),
            row,
            [(row.values[each.key], each.grade(row.values[each.key])) for each in heat.MEASURES],
        )
        for row in rows
    ]
    return {"rows": told, "measures": heat.MEASURES}


async def _load_told(of: View) -> dict[str, Any]:
    """People with the most dossiers, and who has too much."""
    paper = await load.REPORT.make(await of.asked(load.REPORT))
    sheet = paper.sheets[0]
    table: Table = of.showing().only(paper, replace(sheet, rows=sheet.rows[:MOST]), OF_PEOPLE)
    warned = {fault.vi.partition(":")[0] for fault in paper.faults}
    table = replace(table, lines=[
        line._replace(kind="warned") if line.cells[0].text in warned else line
        for line in table.lines
    ])  # fmt: skip
    return {"table": table, "about": lead(paper, of.voice),
            "hidden": max(0, len(sheet.rows) - MOST)}  # fmt: skip


async def _targets_told(of: View) -> dict[str, Any]:
    paper = await targets.REPORT.make(await of.asked(targets.REPORT))
    table = of.showing().tables(paper)[0]
    sheet = paper.sheets[0]
    at = sheet.column("verdict")
    return {"table": table, "verdict": at, "about": lead(paper, of.voice),
            "kinds": [MET.get(row[at].code, "none") for row in sheet.rows]}  # fmt: skip


PARTS: dict[str, tuple[Both, Callable[[View], Awaitable[dict[str, Any]]]]] = {
    "trend": (Both("Mười hai tháng", "Twelve months"), _trend_told),
    "table": (Both("Theo cơ quan, thủ tục, đơn vị", "By agency, procedure, unit"), _table_told),
    "heat": (Both("Các bước chậm", "Where stages are slow"), _heat_told),
    "load": (Both("Khối lượng của từng người", "Load of people"), _load_told),
    "targets": (Both("Chỉ tiêu của kế hoạch", "Targets of the plan"), _targets_told),
}
