"""Suspicions: what is worth a look, how often it is seen, in which dossiers. Nobody is judged."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse

from api.desk.breaches.lists import words
from api.desk.leaf import Leaf
from api.desk.paint import page
from api.desk.reports import choosing, naming
from api.desk.reports.choosing import Choice, Choices
from api.desk.seat import Desk, Seat
from api.desk.voice import Voice
from states.errors import BadInput, NotYours
from states.ledger.acts import SHORT
from states.sight import WIDE
from states.suspicions import counting
from states.suspicions.counting import Found, Of, Share
from states.suspicions.scope import Scope

router = APIRouter(
    include_in_schema=False, default_response_class=HTMLResponse, route_class=Leaf
)  # fmt: skip
LIMIT = 50
RuleKey = Annotated[str, Path(max_length=SHORT, pattern=r"^[a-z-]+$")]


async def _scope(request: Request, desk: Seat) -> tuple[Scope, Choices, Choice]:
    """What is looked at. Raises `NotYours` for who neither leads nor audits, and `BadInput`."""
    if desk.who.role not in WIDE:
        raise NotYours(
            "a {role} is shown no suspicions: ask a leader or the control unit", role=desk.who.role
        )
    among = await choosing.choices(desk)
    choice = choosing.read(request.query_params, among)
    since, until = choice.span.since, min(choice.span.until, desk.at)
    if since is None:
        raise BadInput("suspicions are counted over a period: say on which day it begins")
    return Scope(desk.book, since, until, desk.at, desk.sees.where()).check(), among, choice


@router.get("/breaches/suspicions")
async def suspicions(request: Request, desk: Desk) -> Response:
    """Every pattern; how often each was seen comes as a part of the page."""
    _, among, choice = await _scope(request, desk)
    return page(
        request, "desk/breaches_suspicions.html", among=among, choice=choice,
        parts=choosing.PARTS, query=choice.query, form=choosing.typed(request.query_params),
        rules=counting.RULES.values(),
    )  # fmt: skip


@router.get("/breaches/suspicions/counts")
async def counts(request: Request, desk: Desk) -> Response:
    """How often each pattern was seen, among what could have shown it."""
    looking, _, choice = await _scope(request, desk)
    found = await counting.counted(desk.db, looking)
    return page(request, "desk/breaches_suspicions_counts.html", found=found, query=choice.query)


@router.get("/breaches/suspicions/{rule}")
async def suspicion(request: Request, desk: Desk, rule: RuleKey, by: str = Of.unit) -> Response:
    """One pattern: shared out against the rate of all, and its dossiers."""
    looking, among, choice = await _scope(request, desk)
    which, of = counting.find(rule), counting.whose(by)
    rows = await counting.shares(desk.db, looking, which, of)
    whole = Found(sum(each.count for each in rows), sum(each.base for each in rows))
    only = {
        name: value for name in Of if (value := choosing.word(request.query_params, f"of-{name}"))
    }
    cursor = request.query_params.get("cursor") or None
    found = await counting.opened(
        desk.db, looking, which, cursor, LIMIT, **{str(name): told for name, told in only.items()}
    )
    chosen = [("by", by), *((f"of-{name}", value) for name, value in only.items())]
    return page(
        request, "desk/breaches_suspicion.html", rule=which, by=of, shares=rows, whole=whole,
        cases=found.rows, next=found.next, among=among, choice=choice, only=only,
        query=choice.query, kinds=list(Of), form=choosing.typed(request.query_params),
        more=f"/breaches/suspicions/{rule}?{urlencode([*choice.pairs, *chosen])}",
        whose=lambda share: _whose(desk, of, share), parts=choosing.PARTS, **words(desk),
    )  # fmt: skip


def _whose(desk: Seat, of: Of, share: Share) -> Any:
    """What an agency, a unit or a person is called."""
    if of is Of.person:
        people = desk.book.organisation.by_id
        return people[share.of].name if share.of in people else (share.of or "–")
    return naming.bodies(desk.book, Voice(desk.lang, desk.book.zone))(share.of)
