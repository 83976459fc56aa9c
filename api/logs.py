"""The event log over HTTP, as other tools open it: XES, OCEL 2.0 or CSV, sent as it is read.

It tells of the dossiers that the caller sees. Who worked is told by a pseudonym; whoever needs to
know who it was says why, and that is kept for each dossier.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from api.away import away_is_said
from api.components.giving import SAFE, disposition
from api.doors import Door, Sees, Shelf, Who, house, identified, needs
from api.listed import PLAIN, Moment
from api.live.stream import Stream
from api.problems import DOCUMENTED, Away
from states import logs, seeing
from states.accounts.scopes import Scope
from states.errors import BadInput
from states.figures.auditing import audits
from states.ledger.acts import SHORT
from states.logs import Export, Form, Names, Only, Source
from states.logs.exporting import ENDINGS, MEDIA
from states.people import Caller
from states.seeing import Through

PSEUDONYMS = "pseudonyms"  # for what the key is that they are made by
GIVES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The log. A connection that ends early has told only a part of it.",
        "content": {
            "application/xml": {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "object"}},
            "text/csv": {"schema": {"type": "string"}},
        },
    }
}
Codes = Annotated[
    list[Annotated[str, Query(max_length=SHORT, pattern=PLAIN)]] | None,
    Query(max_length=200, description="Only these."),
]

router = APIRouter(prefix="/v1/reports", tags=["reports"], route_class=Door, responses=DOCUMENTED)


class Cut(Exception):
    """The database went away while a log was sent: whoever reads it must not take it for whole."""


class Download(Stream):
    """A file that is sent as it is made."""

    def __init__(self, pieces: AsyncGenerator[bytes], form: Form) -> None:
        super().__init__(pieces)
        self.headers["Content-Type"] = MEDIA[form]
        self.headers["Content-Disposition"] = disposition(f"hoso.{ENDINGS[form]}")
        self.headers.update({name: SAFE[name] for name in SAFE if name != "Accept-Ranges"})


@router.get(
    "/log",
    dependencies=[needs(Scope.reports_read)],
    response_class=Response,
    responses=GIVES,
)
async def read_log(
    request: Request,
    book: Shelf,
    who: Who,
    sees: Sees,
    form: Annotated[Form, Query(alias="format")] = Form.xes,
    since: Annotated[
        Moment | None, Query(alias="from", description="Not finished before it.")
    ] = None,
    until: Annotated[
        Moment | None, Query(alias="to", description="Registered before it; now unless said.")
    ] = None,
    agency: Codes = None,
    procedure: Codes = None,
    people: Annotated[
        bool,
        Query(description="With who worked and whose dossier it is; wants a `reason`."),
    ] = False,
    reason: Annotated[str | None, Query(min_length=3, max_length=SHORT, pattern=PLAIN)] = None,
) -> Response:
    """What happened to the dossiers in hand between two moments, each from its beginning on.

    XES 2.0 (IEEE 1849), OCEL 2.0 in JSON, or CSV.
    """
    only = Only(since, until, agency, procedure, sees)
    source = Source(house(request).engine, only)
    if people:
        if reason is None:
            raise BadInput(
                "say why people are to be named ('reason'): it is kept with each dossier"
            )
        identified(request).may(Scope.dossiers_read)
        source = Source(source.engine, only, people=True, seen=_seen(request, who, reason))
    names = logs.as_they_are if people else logs.pseudonyms(house(request).key(PSEUDONYMS))
    return Download(_told(Export(source, form, names, book.zone)), form)


def hidden(request: Request, who: Caller) -> Names | None:
    """The names that people have for who may not know who they are, as in a log; None: their own.

    To know it is for who leads or audits, and may read dossiers.
    """
    if audits(who) and Scope.dossiers_read in identified(request).scopes:
        return None
    return logs.pseudonyms(house(request).key(PSEUDONYMS))


def _seen(request: Request, who: Caller, reason: str) -> logs.Seen:
    through = Through("GET /v1/reports/log", request.state.request_id, reason)

    async def seen(db: AsyncConnection, dossiers: Sequence[int]) -> None:
        await seeing.looked(db, who, through, dossiers)

    return seen


async def _told(export: Export) -> AsyncGenerator[bytes]:
    """The log; a database that is away before anything was sent is told as everywhere."""
    begun = False
    try:
        with away_is_said():
            async with aclosing(logs.pieces(export)) as pieces:
                first = await anext(pieces) + await anext(pieces, b"")
                yield first
                begun = True
                async for piece in pieces:
                    yield piece
    except Away:
        if not begun:
            raise
        raise Cut from None
