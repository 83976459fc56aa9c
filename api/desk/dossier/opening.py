"""A dossier's page as it is shown: whole, to whom, and with which form open."""

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from api.desk.dossier import said, words
from api.desk.dossier.offer import Offer
from api.desk.dossier.shapes import Whole, whole
from api.desk.paint import page
from api.desk.seat import Seat
from api.desk.typed import Typed
from states import drafts
from states.errors import HosoError
from states.folder import folder
from states.people import Caller, NotHeld
from states.sentences import Sentence
from states.sight import WIDE
from states.tables import Dossier
from states.words import Event


def draft_of(code: str, event: Event | str) -> str:
    """Under which name what is typed is kept."""
    return f"dossier/{code}/{event}"


def capacity(desk: Seat, paper: Dossier) -> tuple[Caller | None, Sentence | None]:
    """In which capacity somebody acts on it: a postal clerk by its agency's delegation. None: in
    none, and why.
    """
    try:
        return desk.acting(paper.agency), None
    except NotHeld as error:
        return None, error.sentence


async def stood(desk: Seat, paper: Dossier) -> Whole:
    who, refused = capacity(desk, paper)
    kept = await folder(desk.db, desk.book, paper, desk.at)
    return whole(desk.book, kept, who, refused, desk.at, desk.lang)


async def shown(
    request: Request,
    desk: Seat,
    paper: Dossier,
    *,
    chosen: Event | None = None,
    part: str | None = None,
    refusal: HosoError | None = None,
    form: Typed | None = None,
    seen: int = 0,
    **more: Any,
) -> HTMLResponse:
    """The page. `chosen`: the act whose form is open, else that of the main act; `form`: what was
    typed there, else what was kept of it; `seen`: how many lines they know. That it was looked at
    is kept.
    """
    await desk.looked([int(paper.id or 0)])
    w = await stood(desk, paper)
    kept = await drafts.under(desk.db, desk.person, draft_of(paper.code, ""))
    event = chosen or _main(w)
    draft = kept.get(event) if event and form is None else None
    seen = (said.seen(form) if form else None) or seen or paper.seq
    return page(
        request,
        part or "desk/dossier/page.html",
        refusal=refusal,
        form=form or Typed(dict(draft.typed) if draft else {}),
        w=w,
        words=words,
        event=event,
        chosen=chosen,
        offer=w.offers.of(event) if event else None,
        draft=draft,
        drafted=set(kept),
        since=w.changed(seen),
        audits=desk.who.role in WIDE,
        **{"done": 0, "consult": None} | more,
    )


def _main(w: Whole) -> Event | None:
    first: Offer | None = next((each for each in w.offers.open if each.main), None)
    return first.event if first else None
