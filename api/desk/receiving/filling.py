"""The form of a receipt: filled in, saved as it is typed, and sent once."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api.desk import typed
from api.desk.leaf import Again, Leaf
from api.desk.paint import page
from api.desk.receiving import draft
from api.desk.receiving.shape import Filled, Said
from api.desk.seat import Desk, Seat
from api.desk.typed import Mistyped, Typed
from states import drafts, lifecycle
from states.catalogue.procedures import Component, Procedure
from states.clock.words import length, say
from states.errors import BadInput, HosoError
from states.finding.searching import citizen
from states.ledger import Lodging
from states.receiving import before
from states.receiving.lodging import Handed, check, lodge
from states.receiving.offering import lacking
from states.receiving.promising import promise
from states.sentences import Sentence
from states.tables import Dossier
from states.words import Channel, Event, Role, State

HERE = {"include_in_schema": False, "default_response_class": HTMLResponse}
router = APIRouter(route_class=Leaf, **HERE)  # type: ignore[arg-type]
known = APIRouter(route_class=Again, **HERE)  # type: ignore[arg-type]
Code = Annotated[str, Query(max_length=40)]
Number = Annotated[str, Query(alias="draft", max_length=20)]


class Lacking(BadInput):
    """Something that is required was not handed in."""


@router.get("/receive/form")
async def fill(request: Request, desk: Desk, procedure: Code, number: Number = "") -> Response:
    """A new one gets a number first, so that it is found again under its address."""
    of = desk.book.procedure(procedure, on=desk.today)
    if not number:
        return RedirectResponse(f"/receive/form?procedure={of.code}&draft={draft.new()}", 303)
    name = draft.name(number)
    done = await before.opened(desk.db, desk.person, draft.key(number))
    if done is not None:
        return RedirectResponse(f"/receive/done/{done}", 303)
    check(desk.book, desk.acting(of.agency), of.code)
    kept = await drafts.find(desk.db, desk.person, name)
    form = Typed(kept.typed) if kept else Typed()
    return _shown(request, desk, of, number, form, kept=kept)


@router.post("/receive/form")
async def receive(request: Request, desk: Desk) -> Response:
    """Do what the button says; what is to be mended first is shown with all that was typed."""
    form = typed.of(request)
    of = desk.book.procedure(form.get("procedure"), on=desk.today)
    number = form.get("draft")
    name = draft.name(number)
    try:
        said = typed.read(Filled, form)
        async with desk.db.begin_nested():
            paper = await _lodged(desk, of, said, form)
            await drafts.drop(desk.db, desk.person, name)
    except HosoError as error:
        return _shown(request, desk, of, number, form, refusal=error)
    return RedirectResponse(f"/receive/done/{paper.code}", 303)


async def _lodged(desk: Seat, of: Procedure, said: Filled, form: Typed) -> Dossier:
    """Raises `Lacking`, `Mistyped` and what the ledger raises."""
    absent, reason = lacking(of, said.handed), said.reason
    if said.said in {Said.ask, Said.decline} and not reason:
        form.faults["reason"] = Sentence("is needed: the citizen is told why")
        raise Mistyped("some fields are to be mended: see beside each")
    if absent and said.said is Said.receive:
        raise Lacking(
            "required papers are not ticked: tick what is there, or choose below what is done"
            " without them"
        )
    if said.said is Said.anyway and absent and not reason:
        reason = without(absent)
    lodging = Lodging(
        unit=desk.book.centre.code,
        procedure=of.code,
        channel=said.channel,
        applicant=said.applicant,
        place=said.place,
        counter=desk.who.unit,
        email=said.email,
        phone=said.phone,
        citizen=_hashed(desk, said.citizen_id, form),
    )
    handed = Handed(lodging=lodging, how=said.said.how, reason=reason)
    key, who = draft.key(form.get("draft")), desk.acting(of.agency)
    return await lodge(desk.db, desk.book, who, handed, desk.at, key)


def without(absent: list[Component]) -> str:
    """The reason that is told to the citizen, in their language, until the clerk says more."""
    return f"Chưa nộp: {'; '.join(each.name.vi for each in absent)}."


def _hashed(desk: Seat, number: str | None, form: Typed) -> str | None:
    """Raises `Mistyped`."""
    if not number:
        return None
    try:
        return citizen(desk.house.key("citizen"), number)
    except BadInput as error:
        form.faults["citizen_id"] = error.sentence
        raise Mistyped("some fields are to be mended: see beside each") from None


def _shown(
    request: Request, desk: Seat, of: Procedure, number: str, form: Typed, **more: Any
) -> Response:
    come = [Channel(each) for each in of.channels.come]
    usual = Channel.post if desk.who.role is Role.postal else Channel.counter
    channel = form.get("channel") or (usual if usual in come else come[0])
    if lacks := isinstance(more.get("refusal"), Lacking):
        more["own_refusal"] = True  # told where it is mended
        form.values.pop("reason", None)  # one is proposed
    return page(
        request,
        "desk/receive_form.html",
        form=form,
        of=of,
        number=number,
        draft=draft.name(number),
        key=draft.key(number),
        come=come,
        channel=channel,
        places=desk.book.organisation.places,
        agency=desk.book.agencies[of.agency],
        absent=lacking(of, form.all("handed")),
        without=without,
        lacks=lacks,
        declines=desk.who.role in lifecycle.moves(Event.decline, State.registered)[0].by,
        kept=more.pop("kept", None),
        **_promised(desk, of, channel, form.get("place") or None),
        **more,
    )


# Parts ------------------------------------------------------------------------------------


@router.get("/receive/promise")
async def promised(
    request: Request,
    desk: Desk,
    procedure: Code,
    channel: Channel,
    place: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """The date that is promised to who comes now, so."""
    of = desk.book.procedure(procedure, on=desk.today)
    told = _promised(desk, of, channel, place or None)
    return page(request, "desk/receive_promise.html", of=of, **told)


def _promised(desk: Seat, of: Procedure, channel: str, place: str | None) -> dict[str, Any]:
    try:
        due = promise(desk.book, of.code, channel, place, desk.at)
    except BadInput as error:  # beyond the calendar: a dossier could not be received either
        return {"promise": None, "unpromised": error.sentence, "trace": [], "length": length}
    return {"promise": due, "trace": say(due.trace, desk.lang), "length": length}


@known.post("/receive/known")
async def who_is_it(request: Request, desk: Desk) -> Response:
    """Who handed in something before with this card, as it was written then. That it was looked
    up is kept.
    """
    form, found = typed.of(request), list[before.Applicant]()
    number = form.get("citizen_id").partition("|")[0].strip()
    if number:
        hashed = citizen(desk.house.key("citizen"), number)
        found = await before.applicants(desk.db, desk.sees, hashed)
        await desk.looked([each.dossier for each in found])
    return page(request, "desk/receive_known.html", found=found, number=number)
