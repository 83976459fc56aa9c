"""Breaches in lists: found, grouped, two periods compared; apologies followed to their new date."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from api.desk.breaches import asking, saying
from api.desk.breaches.asking import Filter
from api.desk.leaf import Leaf
from api.desk.paint import page
from api.desk.reports import choosing, naming
from api.desk.seat import Desk, Seat
from api.desk.voice import Voice
from states.breaches import following, grouping, listing
from states.breaches.grouping import GroupedBy, Span
from states.breaches.rows import Cause
from states.errors import HosoError
from states.figures.periods import Period
from states.figures.sheets import Both, Kind

router = APIRouter(
    include_in_schema=False, default_response_class=HTMLResponse, route_class=Leaf
)  # fmt: skip
LIMIT = 50
BY = {GroupedBy.agency, GroupedBy.unit, GroupedBy.person, GroupedBy.procedure, GroupedBy.field,
      GroupedBy.rule, GroupedBy.cause}  # fmt: skip
UNSAID = Both("chưa giải trình", "unexplained")


@router.get("/breaches")
async def breaches(request: Request, desk: Desk) -> Response:
    """Those asked for, what was due first before the rest."""
    among, form = await asking.choices(desk), choosing.typed(request.query_params)
    try:
        of = asking.read(request.query_params, among, desk.at)
        cursor = request.query_params.get("cursor") or None
        found = await listing.part(desk.db, desk.book, desk.sees.where(), of.only, cursor, LIMIT)
    except HosoError as error:
        return page(request, "desk/breaches.html", refusal=error, form=form, rows=[], next=None,
                    **asking.frame(desk, among, None), **words(desk))  # fmt: skip
    return page(
        request, "desk/breaches.html", form=form, rows=found.rows, next=found.next,
        more=f"/breaches?{of.query}", **asking.frame(desk, among, of), **words(desk),
    )  # fmt: skip


@router.get("/breaches/tally")
async def tally(request: Request, desk: Desk) -> Response:
    """How many of those stand how: a part of the list."""
    of = await _asked(request, desk)
    among_all = replace(of.only, standing=None, without_apology=False, owed_at=None, corrected=None)
    numbers = await listing.tallied(desk.db, desk.book, among_all, desk.sees.where(), desk.at)
    return page(request, "desk/breaches_tally.html", of=of, numbers=numbers, **words(desk))


@router.get("/breaches/groups")
async def groups(request: Request, desk: Desk, by: str = GroupedBy.holder) -> Response:
    """By unit, holder, cause …: how many, how late, what is to be done; each opens to its list."""
    kind, of = grouping.by_word(by), await _asked(request, desk)
    rows = await grouping.grouped(desk.db, desk.book, of.only, kind, desk.sees.where())
    told = [(group_name(desk, kind, row["group"]), _listed(of, kind, row["group"]), row)
            for row in rows]  # fmt: skip
    among = await asking.choices(desk)
    return page(
        request, "desk/breaches_groups.html", by=kind, rows=told, groups=saying.GROUPS,
        form=choosing.typed(request.query_params), **asking.frame(desk, among, of),
        **words(desk),
    )  # fmt: skip


def _listed(of: Filter, by: GroupedBy, group: str | None) -> str | None:
    """The list behind a group's number, where one can be asked for."""
    if group is None:
        return None
    if by is GroupedBy.month:
        return f"/breaches?{of.changed(period=group, **{'from': '', 'to': ''})}"
    return f"/breaches?{of.changed(**{by: group})}" if by in BY else None


@router.get("/breaches/compare")
async def compare(
    request: Request, desk: Desk, by: str = GroupedBy.cause, before: str = "", after: str = ""
) -> Response:
    """What was due in two periods side by side; what changed most comes first."""
    of, kind, today = await _asked(request, desk), grouping.by_word(by), desk.today
    before, after = before or str(today.year - 1), after or str(today.year)
    shown: dict[str, Any] = {"rows": []}
    refusal = None
    try:
        spans = _span(before), _span(after)
        async with desk.db.begin_nested():
            rows = await grouping.compared(
                desk.db, desk.book, of.only, kind, spans, desk.sees.where()
            )
        shown["rows"] = [(group_name(desk, kind, row["group"]), row) for row in rows]
    except HosoError as error:
        refusal = error
    among = await asking.choices(desk)
    return page(
        request, "desk/breaches_compare.html", refusal=refusal, by=kind, before=before,
        after=after, groups={key: told for key, told in saying.GROUPS.items() if key != "month"},
        form=choosing.typed(request.query_params), **asking.frame(desk, among, of),
        **shown, **words(desk),
    )  # fmt: skip


def _span(name: str) -> Span:
    """Raises `BadInput`."""
    of = Period.parse(name.strip())
    assert of.since is not None
    return Span(of.since, of.until)


@router.get("/breaches/apologies")
async def apologies(request: Request, desk: Desk, came: str = "") -> Response:
    """Apologies followed to the new date they gave."""
    of, among = await _asked(request, desk), await asking.choices(desk)
    outcome = following.came_word(came) if came else None
    cursor = request.query_params.get("cursor") or None
    found = await following.part(
        desk.db, desk.book, desk.sees.where(), desk.at, cursor, LIMIT,
        agency=of.only.agency, came=outcome, since=of.only.since, until=of.only.until,
    )  # fmt: skip
    here = urlencode([*of.pairs, *([("came", came)] if came else [])])
    return page(
        request, "desk/breaches_apologies.html", rows=found.rows, next=found.next, came=came,
        outcomes=saying.CAME, more=f"/breaches/apologies?{here}",
        form=choosing.typed(request.query_params), **asking.frame(desk, among, of),
        **words(desk),
    )  # fmt: skip


async def _asked(request: Request, desk: Seat) -> Filter:
    """Raises `BadInput`."""
    return asking.read(request.query_params, await asking.choices(desk), desk.at)


def words(desk: Seat) -> dict[str, Any]:
    """What the pages of breaches call things."""
    voice = Voice(desk.lang, desk.book.zone)
    people = desk.book.organisation.by_id
    return {
        "standings": saying.STANDINGS,
        "watched": saying.WATCHED,
        "named": naming.procedures(desk.book, voice),
        "bodies": naming.bodies(desk.book, voice),
        "person": lambda code: people[code].name if code in people else (code or "–"),
        "hours": lambda minutes: naming.number(voice, Kind.minutes, minutes),
    }


def group_name(desk: Seat, by: GroupedBy, code: str | None) -> str:
    """What the value of a grouping is called."""
    voice, book = Voice(desk.lang, desk.book.zone), desk.book
    if not code:
        return voice.called(UNSAID) if by is GroupedBy.cause else "–"
    bodies, procedures = naming.bodies(book, voice), naming.procedures(book, voice)
    rules = {each.code: each.name for each in book.rules.rules}
    people = {each.id: each.name for each in book.organisation.people}
    fields = {each.code: each.name for each in book.organisation.fields}
    kind, _, unit = code.partition(" ")
    told: dict[GroupedBy, Callable[[], str]] = {
        GroupedBy.cause: lambda: voice.called(saying.CAUSES[Cause(code)]),
        GroupedBy.rule: lambda: voice.called(rules.get(code, Both(code, code))),
        GroupedBy.person: lambda: people.get(code, code),
        GroupedBy.holder: lambda: _holder(voice, kind, bodies(unit) if unit else ""),
        GroupedBy.agency: lambda: bodies(code),
        GroupedBy.unit: lambda: bodies(code),
        GroupedBy.procedure: lambda: procedures(code),
        GroupedBy.field: lambda: voice.called(fields.get(code, Both(code, code))),
        GroupedBy.month: lambda: code,
    }
    return told[by]()


def _holder(voice: Voice, kind: str, unit: str) -> str:
    name = voice.called(naming.HOLDERS.get(kind, Both(kind, kind)))
    return f"{name}: {unit}" if unit else name
