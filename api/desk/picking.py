"""What was ticked in a list, and what is said of all of it: how forms say it."""

from pydantic import BaseModel, Field

from api.desk import typed
from api.desk.typed import Mistyped, Typed
from states.batches import BY_HAND, MOST, Picked, Said, asked_of
from states.errors import BadInput
from states.faults import FAULTS
from states.ledger.acts import LONG
from states.words import Channel, Event, Outcome

PAYLOAD = ("outcome", "amount", "term", "channel")
OPTIONAL = frozenset({"channel"})


class Chosen(BaseModel):
    """What was ticked in a list, or all that the list holds; and what is to be done, if said."""

    pick: list[str] = Field(default=[], max_length=MOST)
    every: bool = False
    queue: str | None = Field(default=None, max_length=40)
    query: str = Field(default="", max_length=8_000)
    event: Event | None = None
    back: str = Field(default="/today", max_length=2_000)
    reason: str | None = Field(default=None, max_length=LONG)


class Doing(BaseModel):
    """What is said of all of them alike."""

    event: Event
    reason: str | None = Field(default=None, max_length=LONG)
    ground: str | None = Field(default=None, max_length=LONG)
    outcome: Outcome | None = None
    amount: int | None = Field(default=None, gt=0, le=10**12)
    term: str | None = Field(default=None, max_length=20)
    channel: Channel | None = None
    made: bool = False


def picked(each: str) -> Picked:
    """What a box of a list says: a code, and the number of moves that were seen."""
    code, _, seq = each.rpartition("@")
    if not code or not (seq.isascii() and seq.isdecimal()) or len(seq) > 9:
        raise BadInput("what was ticked cannot be read: go back to the list and tick again")
    return Picked(code, int(seq))


def so_far(event: Event, form: Typed) -> Said:
    """As far as it was typed and can be read."""
    try:
        return wanted(typed.read(Doing, Typed(form.values), event=event))
    except Mistyped:
        return Said(event)


def wanted(said: Doing) -> Said:
    names = [name for name in asked_of(said.event) if name in PAYLOAD]
    brought = {name: getattr(said, name) for name in names}
    payload = {name: value for name, value in brought.items() if value is not None}
    return Said(said.event, said.reason, said.ground, payload, said.made)


def event_of(form: Typed) -> Event:
    if (said := form.get("event")) not in BY_HAND:
        raise BadInput("choose what is to be done with the dossiers")
    return Event(said)


def checked(form: Typed, picks: list[Picked]) -> Said:
    """Raises `Mistyped` for what the event must be told, and `BadInput`."""
    event = event_of(form)
    if not 1 <= len(picks) <= MOST:
        raise BadInput("tick between 1 and {most:,} dossiers", most=MOST)
    said = typed.read(Doing, form)
    for name in asked_of(event):
        if name not in OPTIONAL and not getattr(said, name):
            form.faults[name] = FAULTS["missing"]
    if form.faults:
        raise Mistyped("some fields are to be mended: see beside each")
    return wanted(said)
