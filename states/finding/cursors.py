"""Where a list goes on: the key and id of the last row told. So pages stand whatever is written.

Opaque, not secret: a cursor made by hand shows no more than the list itself. Pure.
"""

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from states.errors import BadInput

SHAPE = re.compile(rb"([a-z_.]{1,40}):(-?[0-9]{1,18})?:([0-9]{1,18})")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
REACH = range((EARLIEST - EPOCH) // MICROSECOND, (LATEST - EPOCH) // MICROSECOND)


class Place(NamedTuple):
    """A row's place in a settled order: by a moment and then by id, or by id alone."""

    key: datetime | None
    id: int


def written(which: str, place: Place) -> str:
    """The cursor behind a place of the list of that name."""
    key = "" if place.key is None else (place.key - EPOCH) // MICROSECOND
    told = f"{which}:{key}:{place.id}"
    return base64.urlsafe_b64encode(told.encode()).rstrip(b"=").decode()


def read(which: str, cursor: str, *, keyed: bool) -> Place:
    """Raises `BadInput` for what no page of this list ended with."""
    try:
        told = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), b"-_", validate=True)
    except (UnicodeEncodeError, ValueError, binascii.Error):
        told = b""
    found = SHAPE.fullmatch(told)
    if not found or (found[2] and int(found[2]) not in REACH):
        raise BadInput(
            "cursor must be the `next` of a page as it was given: begin again without it"
        )
    if found[1].decode() != which:
        raise BadInput(
            "this cursor is of {found}, not of {which}: begin again without it",
            found=found[1].decode(),
            which=which,
        )
    if keyed is not (found[2] is not None):
        raise BadInput(
            "this cursor is of another order of {which}: begin again without it", which=which
        )
    key = EPOCH + int(found[2]) * MICROSECOND if keyed else None
    return Place(key, int(found[3]))
