"""Notices over HTTP: what was told and what could not be; dead letters sent again."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from api.doors import At, Db, Door, Page, Sees, Shelf, Who, needs
from api.listed import Listed, Word, local
from api.problems import DOCUMENTED
from states.accounts.scopes import Scope
from states.errors import NotYours
from states.notices import listing
from states.notices.rows import Audience, Sending, Way
from states.sight import WIDE

router = APIRouter(prefix="/v1/notices", tags=["notices"], route_class=Door, responses=DOCUMENTED)
READS = [needs(Scope.notices_read)]
WRITES = [needs(Scope.notices_write)]
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]


class Notice(BaseModel):
    """One message, without its text."""

    id: int
    code: str
    sending: Sending = Field(description="`dead`: given up after so many tries.")
    way: Way
    audience: Audience
    recipient: str = Field(description="Masked, but for the names of webhooks.")
    template: str
    fact: str = Field(description="What it tells, as in `entry/12/3`.")
    law: bool = Field(description="Prescribed by law.")
    tries: int
    made_at: datetime
    next_at: datetime
    sent_at: datetime | None
    error: str | None = Field(description="Why the last try failed.")


class NoticePage(Listed[Notice]):
    """A page of notices."""


class Stand(BaseModel):
    """How many messages of a way stand where."""

    way: Way
    sending: Sending
    messages: int


class Stands(BaseModel):
    """How the post stands."""

    counts: list[Stand]


class QueuedNotice(BaseModel):
    """A dead letter on its way again."""

    id: int
    code: str
    sending: Sending


@router.get("", dependencies=READS)
async def list_notices(
    book: Shelf,
    sees: Sees,
    db: Db,
    part: Page,
    sending: Sending | None = None,
    way: Way | None = None,
    audience: Audience | None = None,
    code: Word = None,
) -> NoticePage:
    """Messages about dossiers that the caller may see, the last made first."""
    found = await listing.part(
        db, sees.where(), part.cursor, part.limit,
        sending=sending, way=way, audience=audience, code=code,
    )  # fmt: skip
    return NoticePage(
        items=[Notice.model_validate(local(row, book.zone)) for row in found.rows], next=found.next
    )


@router.get("/counts", dependencies=READS)
async def count_notices(sees: Sees, db: Db) -> Stands:
    """How many stand where, by way."""
    rows = await listing.counts(db, sees.where())
    return Stands(counts=[Stand.model_validate(row, from_attributes=True) for row in rows])


@router.post("/{id}/again", dependencies=WRITES)
async def resend_notice(
    id: Number,  # noqa: A002  it is what the list calls it
    who: Who,
    sees: Sees,
    at: At,
    db: Db,
) -> QueuedNotice:
    """Queue a dead letter as if it had never been tried: a leader or the control unit."""
    if who.role not in WIDE:
        raise NotYours(
            "a {role} sends no notices again: ask a leader or the control unit", role=who.role
        )
    code = await listing.again(db, sees.where(), id, at)
    return QueuedNotice(id=id, code=code, sending=Sending.queued)
