"""Quiet hours, and when what did not go through is tried again. Pure."""

from datetime import datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from states.catalogue.templates import Quiet

FIRST = timedelta(seconds=30)
LONGEST = timedelta(hours=6)


def is_quiet(quiet: Quiet | None, at: datetime, zone: ZoneInfo) -> bool:
    """Whether the staff is left alone at that moment. Hours may go past midnight."""
    if quiet is None:
        return False
    clock = at.astimezone(zone).time()
    if quiet.since < quiet.until:
        return quiet.since <= clock < quiet.until
    return clock >= quiet.since or clock < quiet.until


def after(quiet: Quiet | None, at: datetime, zone: ZoneInfo) -> datetime:
    """The first moment from that one on that is not quiet."""
    if quiet is None or not is_quiet(quiet, at, zone):
        return at
    here = at.astimezone(zone)
    ends = here.replace(hour=quiet.until.hour, minute=quiet.until.minute, second=0, microsecond=0)
    return ends if ends > here else ends + timedelta(days=1)


def pause(id: int, tries: int) -> timedelta:  # noqa: A002  the message's
    """How long to wait after so many tries: twice as long each time, and not all at once.

    Between three quarters and five quarters of it, as the message's number will have it: who looks
    again finds the same.
    """
    whole = min(FIRST * (1 << min(tries - 1, 20)), LONGEST)
    lot = int.from_bytes(sha256(f"{id}/{tries}".encode()).digest()[:4], "big") / 2**32
    return whole * (0.75 + lot / 2)
