"""Drafts, as the pages save them while somebody types."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.desk import typed
from api.desk.leaf import Again
from api.desk.seat import Desk
from states import drafts
from states.errors import BadInput

router = APIRouter(include_in_schema=False, route_class=Again)
LARGEST = 200_000  # characters of a draft
Form = Annotated[str, Query(min_length=1, max_length=200)]


@router.post("/drafts")
async def save(request: Request, desk: Desk, form: Form) -> Response:
    """Keep what is typed by now. What cannot be kept as it is typed is said when it is sent."""
    said = typed.of(request).said()
    if sum(len(each) for name, values in said.items() for each in (name, *values)) > LARGEST:
        raise BadInput("a draft holds at most {largest:,} characters", largest=LARGEST)
    whole = {name: [each.replace("\0", "") for each in values] for name, values in said.items()}
    await drafts.save(desk.db, desk.person, form, whole, desk.at)
    return Response(status_code=204)


@router.post("/drafts/drop")
async def drop(request: Request, desk: Desk, form: Form) -> Response:
    """Begin anew."""
    await drafts.drop(desk.db, desk.person, form)
    return Response(status_code=204)
