"""Whose time it is while another's opinion is awaited: theirs who were asked, minute by minute."""

import json
from collections import Counter
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from book import CALENDAR, at
from hypothesis import given, settings
from hypothesis import strategies as st

from states.breaches.attribution import Kind, Life, attributed, spans
from states.words import Channel, Event, Role, State

OWN, LEAD, BESIDE, ELSEWHERE = "H42.05", "H42.05.01", "H42.05.02", "H42.07.02"
BEGIN, END = at(0), at(5, "17:00")
MINUTE = timedelta(minutes=1)


class Town:
    """Who sits where."""

    def seat(self, person: str, role: Role, at: datetime) -> str | None:
        return None

    def agency_of(self, place: str, at: datetime) -> str | None:
        return place[:6]


def lived(*consultations: dict[str, Any], waits: tuple[datetime, datetime] | None = None) -> Life:
    """A dossier in one stage of `LEAD` from Monday to Saturday; `waits` for the citizen in between.

    Its first two hours are reception's.
    """
    turns = [(BEGIN, State.received), (at(0, "10:00"), State.processing)]
    if waits is not None:
        turns += [(waits[0], State.awaiting_supplement), (waits[1], State.processing)]
    lines = [
        {
            "seq": seq,
            "event": Event.receive if seq == 1 else Event.accept,
            "role": Role.system,
            "actor": "p",
            "on_behalf_of": None,
            "dest": state,
            "at": when,
            "payload": json.dumps({"act": {}}),
        }
        for seq, (when, state) in enumerate(turns, 1)
    ]
    visit = {"opened_seq": 2, "closed_seq": None, "unit": LEAD, "person": "p-lead"}
    paper = SimpleNamespace(
        channel=Channel.counter, source=None, agency=OWN, unit=LEAD, counter="H42.14.01"
    )
    return Life(paper, lines, [visit], (), consultations)


def asked(
    n: int, unit: str, since: datetime, until: datetime | None, due: datetime = END
) -> dict[str, Any]:
    return {"n": n, "unit": unit, "asked_at": since, "ended_at": until, "due_at": due}


def by(life: Life, end: datetime = END) -> dict[tuple[Kind, str | None], int]:
    shares = attributed(life, Town(), CALENDAR, BEGIN, end, END)
    return {(each["kind"], each["unit"]): each["minutes"] for each in shares}


RECEIVING = {(Kind.reception, "H42.14.01"): 120}
WHOLE = 2250  # working minutes of the stage


def test_the_time_until_the_answer_is_theirs_who_were_asked() -> None:
    told = by(lived(asked(1, ELSEWHERE, at(1), at(2, "09:00"))))
    waited = 450 + 90  # Tuesday from eight on, and Wednesday until nine
    theirs = {(Kind.other_agency, ELSEWHERE): waited}
    assert told == RECEIVING | {(Kind.unit, LEAD): WHOLE - waited} | theirs


def test_until_they_answer_all_of_it_is() -> None:
    told = by(lived(asked(1, ELSEWHERE, at(0, "10:00"), None)))
    assert told == RECEIVING | {(Kind.other_agency, ELSEWHERE): WHOLE}


def test_another_unit_of_the_agency_has_its_own_time() -> None:
    told = by(lived(asked(1, BESIDE, at(1), at(2))))
    assert told[Kind.unit, BESIDE] == 480
    assert told[Kind.unit, LEAD] == WHOLE - 480


def test_what_the_citizen_is_waited_for_stays_the_citizen_s() -> None:
    told = by(lived(asked(1, ELSEWHERE, at(0, "10:00"), None), waits=(at(1), at(2))))
    assert told[Kind.citizen, None] == 480
    assert told[Kind.other_agency, ELSEWHERE] == WHOLE - 480
    assert (Kind.unit, LEAD) not in told


def test_of_several_it_is_theirs_who_were_asked_first_and_then_theirs_who_are_silent_still() -> (
    None
):
    first = asked(1, ELSEWHERE, at(1), at(3))
    second = asked(2, BESIDE, at(2), at(4))
    told = by(lived(second, first))
    assert told[Kind.other_agency, ELSEWHERE] == 960
    assert told[Kind.unit, BESIDE] == 480


def test_of_several_asked_at_once_it_is_theirs_whose_answer_was_due_first() -> None:
    slow, quick = asked(1, ELSEWHERE, at(1), at(4), at(3)), asked(2, BESIDE, at(1), at(2), at(2))
    told = by(lived(slow, quick))
    assert told[Kind.unit, BESIDE] == 480
    assert told[Kind.other_agency, ELSEWHERE] == 960


def test_an_answer_in_the_minute_of_the_question_takes_no_time() -> None:
    told = by(lived(asked(1, ELSEWHERE, at(1), at(1))))
    assert told == RECEIVING | {(Kind.unit, LEAD): WHOLE}


MOMENTS = st.integers(0, 5 * 24 * 60 + 9 * 60).map(lambda minutes: BEGIN + minutes * MINUTE)


@st.composite
def consulted(draw: Any) -> tuple[dict[str, Any], ...]:
    made = []
    for n in range(1, draw(st.integers(1, 4)) + 1):
        since, until = sorted((draw(MOMENTS), draw(MOMENTS)))
        unit = draw(st.sampled_from([BESIDE, ELSEWHERE, "H42.06.01"]))
        ended = draw(st.sampled_from([until, None]))
        made.append(asked(n, unit, since, ended, draw(MOMENTS)))
    return tuple(made)


def holder(life: Life, minute: datetime) -> str:
    """As one would tell who looks at a single minute only."""
    state = next(line["dest"] for line in reversed(life.lines) if line["at"] <= minute)
    if state != State.processing:
        return "nobody's"
    waited = [
        each
        for each in life.consultations
        if each["asked_at"] <= minute and (each["ended_at"] is None or minute < each["ended_at"])
    ]
    waited.sort(key=lambda each: (each["asked_at"], each["due_at"], each["n"]))
    return waited[0]["unit"] if waited else LEAD


@settings(max_examples=60, deadline=None)
@given(consulted(), st.tuples(MOMENTS, MOMENTS))
def test_every_minute_is_somebody_s_as_a_walk_from_minute_to_minute_finds(
    asked_of: tuple[dict[str, Any], ...], waits: tuple[datetime, datetime]
) -> None:
    pause = (max(min(waits), at(0, "10:00")), max(*waits, at(0, "10:01")))
    life = lived(*asked_of, waits=pause)
    walked: Counter[str] = Counter()
    for n in range(int((END - BEGIN) / MINUTE)):
        minute = BEGIN + n * MINUTE
        worked = CALENDAR.position(minute + MINUTE) - CALENDAR.position(minute)
        walked[holder(life, minute)] += worked
    told = by(life)
    units: Counter[str] = Counter()
    for (kind, unit), minutes in told.items():
        units[unit if kind in {Kind.unit, Kind.other_agency} and unit else "nobody's"] += minutes
    assert units == +walked
    assert sum(told.values()) == CALENDAR.position(END) - CALENDAR.position(BEGIN)
    parts = list(spans(life, Town(), BEGIN, END))
    assert [part.end for part in parts[:-1]] == [part.start for part in parts[1:]]
    assert (parts[0].start, parts[-1].end) == (BEGIN, END)
