"""Whether the calendar can give the terms, and whether each of them is ever used."""

from collections.abc import Iterator
from typing import get_args

from states.catalogue.checking.draft import Draft
from states.catalogue.checking.finding import Flaw, Severity
from states.catalogue.checking.lengths import finer, lengths
from states.catalogue.organisation import Place
from states.catalogue.procedures import Procedure, Region
from states.clock import Kind
from states.sentences import Sentence
from states.yaml_files import Key

LENGTHS = {("supplement", "lapse"), ("extension", "max"), ("extension", "before")}


def flaws(draft: Draft) -> Iterator[Flaw]:
    """What is wrong with the terms, each by itself."""
    yield from _used(draft.procedure, draft.book.organisation.places)
    for key, term in lengths(draft.procedure):
        if term.kind is Kind.sameday and key in LENGTHS:
            why = Sentence("{term} is a time of the day and no length", term=term)
            yield Flaw(key, why, "write days or hours such as 5wd, 10cd or 8wh")
    if draft.calendar is not None and draft.days:
        yield from _given(draft)
        yield from _cut_offs(draft)


def _given(draft: Draft) -> Iterator[Flaw]:
    """What the calendar cannot count: fractions of its minutes, and what lies past its end."""
    assert draft.calendar is not None
    uneven = {each.key: each for each in finer(draft.procedure, draft.calendar.standard_day)}
    yield from uneven.values()
    day, hours = draft.days[0]
    first, calendar = draft.moment(day, hours[0][0]), draft.calendar
    for key, term in lengths(draft.procedure):
        if key not in uneven and draft.due(term, first) is None:
            why = Sentence(
                "counted from {first:%d/%m/%Y}, {term} lies past {last:%d/%m/%Y}, where"
                " calendar {name} ends",
                first=first,
                term=term,
                last=calendar.last,
                name=calendar.name,
            )
            yield Flaw(key, why, "shorten it, or publish a calendar that reaches further")


# Times of the day ---------------------------------------------------------------------------


def _cut_offs(draft: Draft) -> Iterator[Flaw]:
    hours = {each for _, each in draft.days}
    for key, term in lengths(draft.procedure):
        if "@" in str(term):
            yield from _in_hours(key, term.cut_off, hours)
    if (by := draft.procedure.transfer_by) is not None:
        hour, _, minute = by.partition(":")
        yield from _in_hours(("transfer_by",), int(hour) * 60 + int(minute), hours)


def _in_hours(key: Key, minute: int, days: set[tuple[tuple[int, int], ...]]) -> Iterator[Flaw]:
    """A time of the day by which something is done must lie in the working day."""
    opens = min(each[0][0] for each in days)
    closes = max(each[-1][1] for each in days)
    why, mend = (
        Sentence(""),
        Sentence(
            "write a time between {opens} and {closes}", opens=_clock(opens), closes=_clock(closes)
        ),
    )
    if minute <= opens:
        why = Sentence(
            "{clock} leaves no time after the office opens at {opens}",
            clock=_clock(minute),
            opens=_clock(opens),
        )
    elif minute > closes:
        why = Sentence(
            "{clock} is after the office closes at {closes}",
            clock=_clock(minute),
            closes=_clock(closes),
        )
    if why:
        yield Flaw(key, why, mend)
    elif not any(a <= minute <= b for sessions in days for a, b in sessions):
        why, mend = (
            Sentence("{clock} is in the break", clock=_clock(minute)),
            Sentence("write the time at which the break begins"),
        )
        yield Flaw(key, why, mend, Severity.warning)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


# Other terms --------------------------------------------------------------------------------


def _used(procedure: Procedure, places: tuple[Place, ...]) -> Iterator[Flaw]:
    """Every term is that of some dossier: by any channel and from any region there may be."""
    come = procedure.channels.come
    known = {each.region for each in places} if places else {*get_args(Region), None}
    cases = [(channel, region) for channel in come for region in {*known, None}]
    firsts = {
        next((n for n, each in enumerate(procedure.terms) if each.fits(*case)), None)
        for case in cases
    }
    for n, each in enumerate(procedure.terms):
        key: Key = ("terms", n)
        if each.channel is not None and each.channel not in come:
            why = Sentence(
                "nothing comes in by {channel}, so this term is never used", channel=each.channel
            )
            yield Flaw(
                (*key, "channel"),
                why,
                Sentence("name one of {come}, or leave it out", come=[*come]),
            )
        elif each.region is not None and each.region not in known:
            why = Sentence(
                "no place of the organisation lies in region {region}", region=each.region
            )
            mend = "name another region, or give the places theirs"
            yield Flaw((*key, "region"), why, mend)
        elif n not in firsts and cases:
            why = Sentence("is never used, as one above always fits first")
            yield Flaw(key, why, "move it up, or leave it out")
    if None not in firsts and cases:
        why = Sentence("is never used, as one of 'terms' always fits")
        mend = "put that one here, or give it a channel or a region"
        yield Flaw(("term",), why, mend, Severity.warning)
