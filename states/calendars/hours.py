"""Hours of a day as people type them."""

from datetime import time

from states.calendars.files import SESSION, Sessions
from states.errors import BadInput


def typed(text: str) -> Sessions:
    """`07:30-11:30, 13:00-17:00`. Raises `BadInput`."""
    sessions: list[tuple[time, time]] = []
    for each in text.replace(";", ",").split(","):
        found = SESSION.fullmatch("".join(each.replace("–", "-").split()))
        if found is None:
            raise BadInput("must be hours such as 07:30-11:30, 13:00-17:00")
        hour, minute, until, past = map(int, found.groups())
        begins, ends = time(hour, minute), time(until, past)
        if begins >= ends or (sessions and begins < sessions[-1][1]):
            raise BadInput("each part must begin before it ends and after the part before it")
        sessions.append((begins, ends))
    return tuple(sessions)
