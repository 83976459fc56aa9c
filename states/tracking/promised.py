"""Which of the dates promised to the citizen was not kept. Pure."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from states.ledger.promises import Promise


def broken(given: Sequence[Promise], until: datetime, zone: tzinfo) -> datetime | None:
    """The last promise whose day was over when another took its place, or all had ended.

    A day is what people are told to come on, so by the day it is judged, whatever the policy.
    """
    last: datetime | None = None
    after = [*(each.at for each in given[1:]), until]
    for promise, then in zip(given, after, strict=False):
        stood = min(then, until).astimezone(zone).date()
        if promise.due is not None and promise.due.astimezone(zone).date() < stood:
            last = promise.due
    return last
