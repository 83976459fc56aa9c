"""Which breaches a page is about: the filters of its address, read and said again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from api.desk.breaches.saying import CAUSES
from api.desk.reports import choosing
from api.desk.reports.choosing import Choice, Choices, Pairs
from api.desk.seat import Seat
from states.breaches import listing
from states.breaches.listing import Only
from states.errors import BadInput
from states.figures import standing
from states.figures.periods import ZONE
from states.figures.sheets import Both

WORDS = ("agency", "unit", "procedure", "field", "rule", "person", "assigned_to")
HOURS = 60
MOST_HOURS = 100_000
APOLOGY = {"": None, "yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class Filter:
    """What was asked: as the ledger is asked (`only`), and as an address says it."""

    only: Only
    choice: Choice
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def pairs(self) -> Pairs:
        period = [pair for pair in self.choice.pairs if pair[0] != "agency"]
        return [*period, *((name, value) for name, value in self.values.items() if value)]

    @property
    def query(self) -> str:
        return urlencode(self.pairs)

    def changed(self, **more: str) -> str:
        """The query with some of it said otherwise; empty: left out."""
        told = {**dict(self.pairs), **more}
        return urlencode([(name, value) for name, value in told.items() if value])


def read(query: QueryParams, among: Choices, at: datetime) -> Filter:
    """Raises `BadInput`."""
    said = {name: choosing.word(query, name) for name in WORDS}
    told = {name: choosing.word(query, name) for name in ("standing", "cause", "apology", "over")}
    ticks = {name: "yes" if choosing.word(query, name) else "" for name in ("owed", "unapologised")}
    aside = "yes" if choosing.word(query, "aside") else ""
    choice = choosing.read(query, replace(among, period=""))
    since, until = _span(choice)
    if told["apology"] not in APOLOGY:
        raise BadInput("an apology was given or not: yes or no, not '{said}'",
                       said=told["apology"][:40])  # fmt: skip
    words: dict[str, Any] = {name: value or None for name, value in said.items()}
    only = Only(
        **words,
        standing=listing.standing(told["standing"]) if told["standing"] else None,
        cause=listing.cause(told["cause"]) if told["cause"] else None,
        since=since,
        until=until,
        apology=APOLOGY[told["apology"]],
        late_from=_hours(told["over"]),
        without_apology=bool(ticks["unapologised"]),
        owed_at=at if ticks["owed"] else None,
        corrected=bool(aside),
    )
    return Filter(only, choice, {**said, **told, **ticks, "aside": aside})


def _span(choice: Choice) -> tuple[datetime | None, datetime | None]:
    """The period, where one was chosen."""
    if not (choice.period or choice.first or choice.last):
        return None, None
    return choice.span.since, choice.span.until


def _hours(said: str) -> int | None:
    """Working hours, as minutes. Raises `BadInput`."""
    if not said:
        return None
    if not said.isascii() or not said.isdigit() or int(said) > MOST_HOURS:
        raise BadInput("'{said}' is no number of working hours: write 8", said=said[:40])
    return int(said) * HOURS


async def choices(desk: Seat) -> Choices:
    """The agencies of which they see anything, and every year in which those received something."""
    book, seen_of = desk.book, agencies(desk)
    ends = await standing.span(desk.db, sorted(seen_of))
    years = {desk.today.year, *(each.astimezone(ZONE).year for each in ends if each is not None)}
    seen = [
        (code, Both(each.name.vi, each.name.en))
        for code, each in book.agencies.items()
        if code in seen_of
    ]
    return Choices(range(max(years), min(years) - 1, -1), seen, "", desk.today)


def agencies(desk: Seat) -> set[str]:
    """Those of whose dossiers somebody sees any, as far as their place says."""
    staff, sees = desk.book.organisation, desk.sees
    if sees.all:
        return set(desk.book.agencies)
    of_units = {staff.agency_of(unit) for unit in sees.units if unit in staff.bodies}
    return {*sees.agencies, *of_units, *(agency for agency, _ in sees.fields)}


def frame(desk: Seat, among: Choices, of: Filter | None) -> dict[str, Any]:
    """What the form of filters offers."""
    staff, seen = desk.book.organisation, agencies(desk)
    units: Sequence[Any] = [each for each in staff.units if each.agency in seen]
    if of is not None and of.values.get("agency"):
        units = [each for each in units if each.agency == of.values["agency"]]
    return {
        "among": among,
        "choice": Choice() if of is None else of.choice,
        "parts": choosing.PARTS,
        "units": units,
        "rules": {each.code: each.name for each in desk.book.rules.rules},
        "causes": CAUSES,
        "of": of,
    }
