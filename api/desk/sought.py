"""What a list of dossiers is asked for, as its address says it: read, told back, written again."""

from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from api.desk import typed
from api.desk.typed import Mistyped, Typed
from api.listed import FIRST, LAST, PLAIN
from states.errors import BadInput
from states.finding.listing import Asked, By
from states.finding.only import Only, Span
from states.finding.searching import Terms
from states.sentences import Sentence
from states.words import Channel, State, Tally

LONGEST = 4_000  # characters of an address that is kept
SPANS = ("received", "due", "finished")
MANY = ("state", "agency", "unit", "procedure", "field", "channel", "verdict")
FILTERS = (*MANY, "overdue", "person", *(f"{n}_{e}" for n in SPANS for e in ("since", "until")))
UNKEPT = {"cursor", "lang", "full", "done", "by", "key", "name"}
"""What is of one look at the list, and no part of what it is asked for."""
WRITTEN = Sentence("must be a day as 2024-03-04, or a moment with its offset")


class Sought(BaseModel):
    """A day as an end is meant whole. Moments, units and people come from links of other pages."""

    q: str | None = Field(default=None, max_length=200)
    state: list[State] = []
    agency: list[str] = Field(default=[], max_length=50)
    unit: list[str] = Field(default=[], max_length=50)
    procedure: list[str] = Field(default=[], max_length=50)
    field: list[str] = Field(default=[], max_length=50)
    channel: list[Channel] = []
    verdict: list[Tally] = []
    overdue: bool | None = None
    person: str | None = Field(default=None, max_length=200, pattern=PLAIN)
    order: By = By.came
    full: bool = False
    cursor: str | None = Field(default=None, max_length=200)

    def asked(self, form: Typed, zone: ZoneInfo, text: str | None) -> Asked:
        """As the list takes it; `text`: what is looked for. Raises `Mistyped`."""
        spans = {name: _span(form, name, zone) for name in SPANS}
        if form.faults:
            raise Mistyped("some of the filters cannot be read: see beside each")
        plain: dict[str, Any] = {name: tuple(getattr(self, name)) for name in MANY}
        plain |= spans | {"overdue": self.overdue, "person": self.person}
        only = Only(**plain)
        return Asked(only, Terms(text=text), by=self.order)


def read(query: bytes) -> tuple[Sought, Typed]:
    """The filters of an address, and as they were typed. Raises `Mistyped`."""
    form = typed.parse(query)
    return typed.read(Sought, form), form


def canonical(query: str) -> str:
    """The address of a list without what is of one look at it: empty fields, cursors."""
    pairs = parse_qsl(query, keep_blank_values=False)
    return urlencode([(name, value) for name, value in pairs if name not in UNKEPT])


def without(query: str, gone: str, value: str | None = None) -> str:
    """The same list with one filter less."""
    pairs = parse_qsl(query)
    kept = [(n, v) for n, v in pairs if n != gone or (value is not None and v != value)]
    return urlencode(kept)


def replaced(query: str, **said: str | None) -> str:
    """The same list otherwise: None leaves a field out."""
    pairs = [(n, v) for n, v in parse_qsl(query) if n not in said]
    return urlencode([*pairs, *((n, v) for n, v in said.items() if v is not None)])


def check_kept(query: str) -> str:
    """A query that may be kept: nobody's name stands in a filter. Raises `BadInput`."""
    plain = without(canonical(query), "q")
    if not plain:
        raise BadInput("choose at least one filter before you save it")
    if len(plain) > LONGEST:
        raise BadInput("this filter is too long to be saved: choose less")
    return plain


def _span(form: Typed, name: str, zone: ZoneInfo) -> Span:
    ends = [_moment(form, f"{name}_{end}", zone, last=end == "until") for end in ("since", "until")]
    return Span(*ends)


def _moment(form: Typed, name: str, zone: ZoneInfo, *, last: bool) -> datetime | None:
    """A day is meant with its last minute where it ends a span."""
    if not (text := form.get(name)):
        return None
    try:
        if len(text) == len("2024-03-04"):
            on = date.fromisoformat(text) + timedelta(days=last)
            at = datetime.combine(on, time(), zone)
        else:
            at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        form.faults[name] = WRITTEN
        return None
    if at.tzinfo is None or not FIRST <= at.year <= LAST:
        form.faults[name] = WRITTEN
        return None
    return at


def active(form: Typed) -> list[tuple[str, str]]:
    """The filters that are on, by name and value, but for what is looked for and the order."""
    return [(name, value) for name in FILTERS for value in form.all(name) if value]
