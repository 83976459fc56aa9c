"""Many dossiers at once: ticked in a list, looked over with what would become of each, and moved.

What was ticked is kept as a draft, so that it is there after a lost session too. A hundred are one
transaction, and what was done stays done; the same form sent again answers as it did.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api import bulk
from api.away import away_is_said
from api.desk import paint, sought, typed
from api.desk.leaf import Leaf, local, told_as_pages
from api.desk.lines import body, hands, procedure
from api.desk.paint import page
from api.desk.picking import OPTIONAL, Chosen, checked, event_of, picked, so_far
from api.desk.seat import Desk, Seat, seated
from api.desk.typed import Mistyped, Typed
from api.doors.hearing import Handler
from api.doors.opening import check_who_typed, opened
from states import batches, drafts, people
from states.accounts.signing import keep_open
from states.batches import BY_HAND, HUNDRED, MOST, Picked, Said, asked_of
from states.db import transaction
from states.errors import BadInput, HosoError
from states.finding import listing, masks, work
from states.hands import Hands
from states.ledger.bulk import Told
from states.sentences import Sentence
from states.sight import sight
from states.tables import Dossier
from states.words import Event

HERE = {"include_in_schema": False, "default_response_class": HTMLResponse}
DRAFT = "bulk"


class Hundreds(bulk.Hundreds):
    """As the door of /v1, for who comes by a form: its hidden key is the request's."""

    strict = False

    def get_route_handler(self) -> Handler:
        return told_as_pages(super().get_route_handler())

    async def hear(self, request: Request) -> Request:
        request = await super().hear(request)
        await paint.read_form(request, keyed=True)
        return request


router = APIRouter(route_class=Leaf, **HERE)  # type: ignore[arg-type]
moving = APIRouter(route_class=Hundreds, **HERE)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Foretold:
    """One of those that were ticked. `then`: as it would be; `why`: it cannot be done."""

    code: str
    seq: int
    paper: Dossier | None
    applicant: str
    procedure: Any
    agency: Any
    then: Dossier | None
    unit: Any
    why: Sentence | None
    changed: bool


# Ticked -----------------------------------------------------------------------------------


@router.post("/bulk/choose")
async def choose(request: Request, desk: Desk) -> Response:
    """Keep what was ticked, or the first thousand of what the list holds, to be looked over."""
    said = typed.read(Chosen, typed.of(request))
    picks = await _every(desk, said) if said.every else said.pick
    if not picks:
        raise BadInput("tick at least one dossier in the list, then choose what to do")
    kept = {"pick": picks, "back": [said.back], "reason": [said.reason or ""]}
    await drafts.save(desk.db, desk.person, DRAFT, kept, desk.at)
    return RedirectResponse(f"/bulk?event={said.event}" if said.event else "/bulk", 303)


async def _every(desk: Seat, said: Chosen) -> list[str]:
    """All of a list, in its order, up to `MOST`."""
    db, book, sees, at = desk.db, desk.book, desk.sees, desk.at
    if said.queue:
        of = said.queue
        found = await work.queue(db, book, desk.who, sees, of, at, desk.lang, limit=MOST)
    else:
        filters, form = sought.read(said.query.encode())
        asked = filters.asked(form, desk.book.zone, filters.q)
        key = desk.house.key("citizen")
        found = await listing.find(db, book, sees, asked, at, key=key, limit=MOST)
    return [f"{row['code']}@{row['seq']}" for row in found.rows]


# Looked over ------------------------------------------------------------------------------


@router.get("/bulk")
async def look_over(request: Request, desk: Desk, event: Event | None = None) -> Response:
    """What may be done to those that were ticked; or, of one event, what becomes of each."""
    kept = await drafts.find(desk.db, desk.person, DRAFT)
    form = Typed(kept.typed if kept else {})
    picks = [picked(each) for each in form.all("pick")]
    if not picks or event is None or event not in BY_HAND:
        offered = await _offered(desk, picks)
        return page(request, "desk/bulk.html", picks=picks, offered=offered, back=_back(form))
    return await _shown(request, desk, event, picks, form)


async def _offered(desk: Seat, picks: list[Picked]) -> list[tuple[Event, int]]:
    """The events that are open, each with of how many."""
    mine = hands(desk)
    there = await batches.papers(desk.db, picks, desk.sees)
    count = Counter(event for each in there.values() for event in mine.open_on(each))
    return [(event, count[event]) for event in Event if event in BY_HAND and count[event]]


async def _shown(
    request: Request,
    desk: Seat,
    event: Event,
    picks: list[Picked],
    form: Typed,
    refusal: HosoError | None = None,
) -> Response:
    """The page that asks once more, with what cannot be done and why."""
    told = await batches.foretell(desk.db, hands(desk), desk.sees, picks, so_far(event, form))
    rows = [
        _foretold(desk, each, paper, then) for each, (paper, then) in zip(picks, told, strict=True)
    ]
    return page(
        request,
        "desk/bulk_over.html",
        refusal=refusal,
        form=form,
        event=event,
        can=[each for each in rows if each.why is None],
        cannot=[each for each in rows if each.why is not None],
        asks=asked_of(event),
        optional=OPTIONAL,
        back=_back(form),
    )


def _foretold(desk: Seat, each: Picked, paper: Dossier | None, told: Told) -> Foretold:
    then = None if told.refused else told.paper
    return Foretold(
        code=each.code,
        seq=paper.seq if paper else each.seq or 1,
        paper=paper,
        applicant=masks.name(paper.applicant) if paper else "",
        procedure=paper and procedure(desk.book, paper),
        agency=paper and body(desk.book, paper.agency),
        then=then,
        unit=then and body(desk.book, then.unit),
        why=told.refused.sentence if told.refused else None,
        changed=paper is not None and paper.seq != each.seq,
    )


def _back(form: Typed) -> str:
    return local(form.get("back") or "/today")


# Done -------------------------------------------------------------------------------------


@moving.post("/bulk")
async def move(request: Request) -> Response:
    """Move those that are ticked still; each has its result, and may be tried again."""
    form = typed.of(request)
    async with opened(request) as (connection, arrival):
        check_who_typed(request, arrival)
        desk = await seated(request)
        if arrival.who and arrival.who.session and arrival.who.until:
            await keep_open(connection, arrival.who.session, arrival.who.until, desk.at)
        picks = [picked(each) for each in form.all("pick")]
        try:
            said = checked(form, picks)
        except (BadInput, Mistyped) as error:
            event, every = event_of(form), [picked(each) for each in form.all("all")] or picks
            return await _shown(request, desk, event, every, form, refusal=error)
    told, whole = await _by_hundreds(desk, picks, said, getattr(request.state, "key", None))
    request.state.whole = whole
    async with transaction(desk.house.engine) as connection:
        await drafts.drop(connection, desk.person, DRAFT)
    done = [each for each in told if each.refused is None]
    refused = [(at, each) for at, each in zip(picks, told, strict=True) if each.refused is not None]
    return page(
        request,
        "desk/bulk_done.html",
        event=said.event,
        done=done,
        refused=refused,
        reason=said.reason or "",
        back=_back(form),
    )


async def _by_hundreds(
    desk: Seat, picks: list[Picked], said: Said, key: str | None
) -> tuple[list[Told], bool]:
    """What became of each; whether all were judged. What was done stays done."""
    told: list[Told] = []
    for first in range(0, len(picks), HUNDRED):
        some = picks[first : first + HUNDRED]
        try:
            told += await _hundred(desk, some, said, key, first)
        except HosoError as error:
            if not first:
                raise
            return told + [Told(code, refused=error) for code, _ in picks[first:]], False
    return told, True


async def _hundred(
    desk: Seat, picks: list[Picked], said: Said, key: str | None, first: int
) -> list[Told]:
    """In a transaction in which is asked anew who they are and what they may."""
    with away_is_said():
        async with transaction(desk.house.engine) as connection:
            book = await desk.house.latest(connection)
            who = people.seated(book, desk.person, desk.who.role, book.day(desk.at))
            mine = Hands(book, who, desk.at)
            sees = sight(book, who)
            return await batches.move_hundred(connection, mine, sees, picks, said, key, first)
