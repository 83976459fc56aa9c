"""The reports there are, one of them as it is asked, and the dossiers behind its numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from api import papers
from api.desk.leaf import Leaf
from api.desk.paint import page
from api.desk.reports import choosing, drawn, naming
from api.desk.reports.choosing import Choice, Choices, Pairs
from api.desk.reports.showing import Showing, lead
from api.desk.seat import Desk, Seat
from api.desk.typed import Typed
from api.desk.voice import Voice
from states.clock import Policy
from states.errors import BadInput, HosoError
from states.figures import auditing, every, opening
from states.figures.asking import Question
from states.figures.counting import DIMENSIONS
from states.figures.levels import HEAD, LEVEL
from states.figures.periods import EACH
from states.figures.reporting import Asked, Report, called
from states.figures.sheets import Both, Called, Paper
from states.people import NotHeld

MOST = 400  # lines of a list that a page holds: files have all
LIMIT = 50
WHOLE = "-"  # told apart by nothing


class Quiet(Leaf):
    """A page that only reads: all of its statements see one moment."""

    still = True


router = APIRouter(
    include_in_schema=False, default_response_class=HTMLResponse, route_class=Quiet
)  # fmt: skip
DIMS: dict[str, Both] = {**DIMENSIONS, LEVEL: HEAD}
EACHES: dict[str, Both] = {
    "month": Both("từng tháng", "each month"),
    "quarter": Both("từng quý", "each quarter"),
    "half": Both("từng 6 tháng", "each half"),
    "year": Both("từng năm", "each year"),
}
POLICIES: dict[Policy, Both] = {
    Policy.day: Both("xếp loại lại theo ngày", "classed anew by the day"),
    Policy.session: Both("xếp loại lại theo buổi", "classed anew by the half-day"),
    Policy.instant: Both("xếp loại lại theo phút", "classed anew by the minute"),
}
FORMS = ("xlsx", "csv", "pdf", "svg", "json")
OPTION = "o-"


# The question --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asking:
    """A report as an address asks for it. `other`: the period it is held against."""

    choice: Choice
    by: tuple[str, ...] | None
    each: str | None
    policy: Policy | None
    options: dict[str, str]
    other: str

    def question(self, period: str | None = None) -> Question:
        """`period`: of that one instead."""
        of = self.choice if period is None else Choice(period, agency=self.choice.agency)
        told = {"by": self.by, "each": self.each, "policy": self.policy, "options": self.options}
        return of.question(**told)

    @property
    def pairs(self) -> Pairs:
        """As an address says it, but for what it is held against."""
        return [*self.choice.pairs, *self._more()]

    def _more(self) -> Iterator[tuple[str, str]]:
        yield from (("by", each) for each in self._dims())
        if self.each is not None:
            yield "each", self.each
        if self.policy is not None:
            yield "policy", self.policy
        yield from ((f"{OPTION}{name}", value) for name, value in self.options.items())

    def _dims(self) -> tuple[str, ...]:
        return () if self.by is None else self.by or (WHOLE,)

    def at_v1(self, report: str, form: str) -> str:
        """The same, as a file."""
        asked = [*self.choice.asked_of(), ("format", form)]
        if self.by is not None:
            asked.append(("by", ",".join(self.by)))
        asked += [(name, value) for name, value in (("each", self.each), ("policy", self.policy))
                  if value is not None]  # fmt: skip
        asked += [("option", f"{name}={value}") for name, value in self.options.items()]
        return f"/v1/reports/{report}?{urlencode(asked)}"


def read(request: Request, report: Report, among: Choices) -> Asking:
    """Raises `BadInput`."""
    query = request.query_params
    dims = [each.strip() for each in query.getlist("by") if each.strip()]
    by = None if not dims else tuple(dict.fromkeys(each for each in dims if each != WHOLE))
    policy = choosing.word(query, "policy")
    if policy and policy not in set(Policy):
        raise BadInput("classes are read anew by one of {policies}, not '{said}'",
                       policies=[*Policy], said=policy[:40])  # fmt: skip
    options = {
        name: said for name in report.options if (said := choosing.word(query, OPTION + name))
    }
    return Asking(
        choosing.read(query, among), by, choosing.word(query, "each") or None,
        Policy(policy) if policy else None, options, choosing.word(query, "with"),
    )  # fmt: skip


# Pages ---------------------------------------------------------------------------------------


@router.get("/reports")
async def reports(request: Request, desk: Desk) -> Response:
    """Every report there is: what it tells, which act asks for it, and who is told it."""
    try:
        choosing.seen(desk)
        whole = True
    except NotHeld:
        whole = False
    audits = auditing.audits(desk.who)
    return page(
        request, "desk/reports.html", reports=every.REPORTS.values(), whole=whole, audits=audits
    )


@router.get("/reports/{name}")
async def report(request: Request, desk: Desk, name: str) -> Response:
    """One of them, as it is asked."""
    of = every.find(name)
    among = await choosing.choices(desk)
    form = choosing.typed(request.query_params)
    try:
        asking_ = read(request, of, among)
        async with desk.db.begin_nested():
            shown = await _shown(request, desk, of, asking_)
    except HosoError as error:
        return _page(request, of, among, form, refusal=error)
    return _page(request, of, among, form, asking=asking_, **shown)


def _page(request: Request, of: Report, among: Choices, form: Typed, **more: Any) -> HTMLResponse:
    refusal = more.pop("refusal", None)
    choice = more["asking"].choice if "asking" in more else Choice(among.period)
    told = {"asking": None, "paper": None, "tables": [], "about": None, "other": None} | more
    return page(
        request, "desk/reports_one.html", refusal=refusal, form=form, of=of, among=among,
        choice=choice, parts=choosing.PARTS, dims=DIMS, eaches=EACHES, policies=POLICIES,
        files=FORMS, option=OPTION, whole=WHOLE, many=EACH, **told,
    )  # fmt: skip


async def _shown(request: Request, desk: Seat, of: Report, asking_: Asking) -> dict[str, Any]:
    """The paper with what it is held against, laid out."""
    asked = await choosing.asked(request, desk, of, asking_.question())
    paper = await papers.held(await of.make(asked), MOST, cut=True)
    other = await _other(request, desk, of, asking_)
    voice = Voice(desk.lang, desk.book.zone)
    showing = Showing(desk.book, voice, asking_.pairs, other)
    return {
        "paper": paper,
        "tables": showing.tables(paper),
        "about": lead(paper, voice),
        "other": other and lead(other, voice),
        "query": urlencode(asking_.pairs),
    }


async def _other(request: Request, desk: Seat, of: Report, asking_: Asking) -> Paper | None:
    if not asking_.other:
        return None
    asked = await choosing.asked(request, desk, of, asking_.question(asking_.other))
    return await papers.held(await of.make(asked), MOST, cut=True)


@router.get("/reports/{name}/chart.svg")
async def chart(request: Request, desk: Desk, name: str) -> Response:
    """Its charts."""
    of, among = every.find(name), await choosing.choices(desk)
    asked = await choosing.asked(request, desk, of, read(request, of, among).question())
    return drawn.image(await papers.held(await of.make(asked), MOST, cut=True))


@router.get("/reports/{name}/dossiers")
async def dossiers(request: Request, desk: Desk, name: str) -> Response:
    """The dossiers behind a number, by the condition that counted them."""
    of, among = every.find(name), await choosing.choices(desk)
    asking_ = read(request, of, among)
    asked = await choosing.asked(request, desk, of, asking_.question())
    query = request.query_params
    figure, where = choosing.word(query, "figure"), opening.pairs(query.getlist("where"))
    found = await opening.behind(
        asked, of, figure, where, desk.sees, cursor=query.get("cursor") or None, limit=LIMIT
    )
    told = [*asking_.pairs, ("figure", figure)]
    told += [("where", f"{key}={value}") for key, value in where.items()]
    return page(
        request, "desk/reports_dossiers.html", of=of, figure=_form(of).find(figure),
        rows=found.rows, next=found.next, back=urlencode(asking_.pairs), here=urlencode(told),
        asked=asked, heads=_where_told(desk, asked, where), first=not query.get("cursor"),
        named=naming.procedures(desk.book, Voice(desk.lang, desk.book.zone)), at=desk.at,
        last=asked.period.until - timedelta(microseconds=1),
    )  # fmt: skip


def _form(of: Report) -> Any:
    """Raises `BadInput` for a report whose numbers are not of dossiers."""
    if of.form is None:
        raise BadInput("the figures of {name} are not of dossiers, and open to none", name=of.name)
    return of.form


def _where_told(desk: Seat, asked: Asked, where: dict[str, str]) -> list[tuple[Both, str]]:
    """The row a number stood in, in words."""
    voice, period = Voice(desk.lang, desk.book.zone), Both("Kỳ", "Period")
    found = []
    for key, code in where.items():
        name = called(asked.book, key, code) if key in DIMS else Called(code, code)
        found.append((DIMS.get(key, period), naming.called(desk.book, voice, key, name) or "–"))
    return found
