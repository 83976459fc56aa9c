"""Suspicions: for each rule a ledger that shows it, and one that nearly does.

The licence of these stories is received on Monday 4 March 2024 and due on Wednesday 3 April, 17:00.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from math import comb
from typing import Any

import pytest
import sqlalchemy as sa
from book import HANOI
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine
from test_breaches import CONTROL, DIRECTOR, LEAD, OFFICER, UNIT, Case, april, licence
from test_pilot import CATALOGUE, small

from states import calendars, ledger, pilot
from states.catalogue import Catalogue, bundles
from states.errors import BadInput, Unknown
from states.figures.every import find
from states.figures.periods import Period
from states.figures.reporting import Asked
from states.ledger import driving
from states.suspicions import counting
from states.suspicions.counting import RULES, Found, Of, Share
from states.suspicions.finishing import Month, crowds
from states.suspicions.odds import at_least
from states.suspicions.scope import DAY, Scope, parts
from states.words import Event, Role

VN = calendars.load("vn")
SINCE, UNTIL = (datetime(2024, month, 1, tzinfo=HANOI) for month in (3, 6))
AT = datetime(2024, 7, 1, 8, tzinfo=HANOI)


@pytest.fixture
async def book(fresh: AsyncEngine) -> Catalogue:
    async with fresh.begin() as db:
        return await bundles.read(db)


async def found(case: Case, key: str, **when: Any) -> Found:
    scope = Scope(**({"book": case.book, "since": SINCE, "until": UNTIL, "at": AT} | when))
    async with case.engine.begin() as db:
        [(_, told)] = await counting.counted(db, scope, [RULES[key]])
        page = await counting.opened(db, scope, RULES[key], None, 50)
        by_unit = await counting.shares(db, scope, RULES[key], Of.unit)
    assert len(page.rows) == told.count == sum(each.count for each in by_unit)
    assert told.base == sum(each.base for each in by_unit)
    return told


async def ask(case: Case, when: datetime) -> Case:
    return await case.move(Event.request_supplement, when, OFFICER, Role.officer)


async def entered(owner: AsyncEngine, after: timedelta, event: str = "%") -> None:
    """As if the lines had been written so long after they happened; no test of a chain."""
    moved = sa.text("UPDATE entry SET recorded_at = at + :after WHERE event LIKE :event")
    async with owner.begin() as db:
        await db.execute(moved, {"after": after, "event": event})


# Due dates ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "count", "base"),
    [
        (april(3, 13), 1, 1),  # the last session is before it
        (april(3, 11), 0, 1),  # four hours and a half
        (april(2, 16), 0, 1),
        (april(3, 18), 0, 0),  # after the due moment a hold moves nothing
    ],
)
async def test_a_hold_in_the_last_hours(
    fresh: AsyncEngine, book: Catalogue, when: datetime, count: int, base: int
) -> None:
    case = await ask(await licence(fresh, book), when)
    assert await found(case, "holds-at-expiry") == Found(count, base)


async def test_a_hold_is_near_the_date_then_in_force(fresh: AsyncEngine, book: Catalogue) -> None:
    case = await (await licence(fresh, book)).extend(april(1))
    await ask(case, april(3, 16))  # near the first date, ten days before the new one
    assert await found(case, "holds-at-expiry") == Found(0, 1)


@pytest.mark.parametrize(
    ("when", "count"), [(april(4, 8), 1), (april(3, 18), 0), (april(1), 0)]
)  # fmt: skip
async def test_an_extension_after_the_day_it_was_due(
    fresh: AsyncEngine, book: Catalogue, when: datetime, count: int
) -> None:
    case = await (await licence(fresh, book)).extend(when)
    assert await found(case, "extensions-after-expiry") == Found(count, 1)
    outside = {"since": datetime(2024, 5, 1, tzinfo=HANOI)}
    assert await found(case, "extensions-after-expiry", **outside) == Found(0, 0)


async def test_a_supplement_asked_for_once_is_none(
    fresh: AsyncEngine, owner: AsyncEngine, book: Catalogue
) -> None:
    first = await ask(await licence(fresh, book), april(1))
    assert await found(first, "supplements-again") == Found(0, 1)
    await first.move(Event.supplement, april(2), "p-reception-01", Role.reception)
    async with owner.begin() as db:  # a procedure that allows two
        await db.execute(sa.text("UPDATE dossier SET supplements_left = 1"))
    await ask(first, april(2, 15))
    assert await found(first, "supplements-again") == Found(1, 2)


# Edits ----------------------------------------------------------------------------------------


async def late(fresh: AsyncEngine, book: Catalogue) -> Case:
    return await (await licence(fresh, book)).finish(april(5, 11))


async def test_a_result_taken_back_that_is_late_no_more(
    fresh: AsyncEngine, book: Catalogue
) -> None:
    case = await late(fresh, book)
    await case.move(Event.reopen, april(5, 14), DIRECTOR, Role.leader)
    assert await found(case, "classes-moved") == Found(0, 0)  # and has no class now
    await case.extend(april(5, 15))
    done = {"produced": ["Kết quả giải quyết"], "outcome": "approved"}
    await case.move(Event.return_result, april(8), DIRECTOR, Role.leader, payload=done)
    assert await found(case, "classes-moved") == Found(1, 1)


async def test_a_result_taken_back_that_is_late_again(fresh: AsyncEngine, book: Catalogue) -> None:
    case = await late(fresh, book)
    await case.move(Event.reopen, april(5, 14), DIRECTOR, Role.leader)
    done = {"produced": ["Kết quả giải quyết"], "outcome": "approved"}
    await case.move(Event.return_result, april(8), DIRECTOR, Role.leader, payload=done)
    assert await found(case, "classes-moved") == Found(0, 1)


async def corrected(case: Case, event: Event, when: datetime) -> None:
    pinned = f"{case.paper.calendar}@{case.paper.calendar_version}"
    await case.move(event, when, CONTROL, Role.control, payload={"calendar": pinned})


async def told(owner: AsyncEngine, event: Event, path: str, value: str) -> None:
    """As if a line had told something else of the clock."""
    put = sa.text(
        "UPDATE entry SET payload = jsonb_set(payload::jsonb, cast(:path AS text[]),"
        " cast(:value AS jsonb))::text WHERE event = :event"
    )
    async with owner.begin() as db:
        await db.execute(put, {"path": path.split(), "value": value, "event": event})


@pytest.mark.parametrize(
    ("verdict", "count"), [("on_time", 1), ("early", 1), ("late", 0)]
)  # fmt: skip
async def test_a_class_restated(
    fresh: AsyncEngine, owner: AsyncEngine, book: Catalogue, verdict: str, count: int
) -> None:
    case = await late(fresh, book)
    await corrected(case, Event.restate, april(9))
    await told(owner, Event.restate, "clock verdict", f'"{verdict}"')
    assert await found(case, "classes-moved") == Found(count, 1)


async def test_it_counts_where_the_dossier_finished_whenever_it_was_edited(
    fresh: AsyncEngine, owner: AsyncEngine, book: Catalogue
) -> None:
    case = await late(fresh, book)
    await corrected(case, Event.restate, datetime(2024, 6, 10, 9, tzinfo=HANOI))
    await told(owner, Event.restate, "clock verdict", '"on_time"')
    assert await found(case, "classes-moved") == Found(1, 1)
    june = {"since": UNTIL, "until": AT}
    assert await found(case, "classes-moved", **june) == Found(0, 0)


@pytest.mark.parametrize(("was", "count"), [(2, 1), (3, 0)])
async def test_a_date_moved_past_which_it_would_have_been_late(
    fresh: AsyncEngine, owner: AsyncEngine, book: Catalogue, was: int, count: int
) -> None:
    case = await licence(fresh, book)
    await corrected(case, Event.recompute, april(1))
    due = april(was, 17).isoformat()
    await told(owner, Event.recompute, "clock was", f'{{"due": "{due}"}}')
    await case.finish(april(3, 16))
    assert await found(case, "classes-moved") == Found(count, 1)


# Endings --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "at", "expected"),
    [
        (None, april(3) + timedelta(days=40), Found(1, 1)),
        (None, april(3) + timedelta(days=20), Found(0, 0)),  # it may be fetched still
        (april(25), AT, Found(0, 1)),
        (april(3) + timedelta(days=35), AT, Found(1, 1)),
    ],
)
async def test_a_result_that_nobody_is_given(
    fresh: AsyncEngine,
    book: Catalogue,
    given: datetime | None,
    at: datetime,
    expected: Found,
) -> None:
    case = await (await licence(fresh, book)).finish(april(3, 11))
    if given is not None:
        await case.move(Event.deliver, given, "p-reception-01", Role.reception)
    assert await found(case, "results-undelivered", at=at) == expected


@pytest.mark.parametrize(
    ("ended", "again", "expected"),
    [
        (5, 7, Found(1, 1)),
        (5, 20, Found(0, 1)),  # a fortnight later it is another matter
        (12, 13, Found(0, 0)),  # eight days of work went into it
    ],
)
async def test_a_receipt_cancelled_and_lodged_again(
    fresh: AsyncEngine, book: Catalogue, ended: int, again: int, expected: Found
) -> None:
    case = await licence(fresh, book)
    march = datetime(2024, 3, ended, 9, tzinfo=HANOI)
    await case.move(Event.withdraw, march, "p-reception-01", Role.reception)
    await licence(fresh, book, datetime(2024, 3, again, 9, tzinfo=HANOI))
    assert await found(case, "receipts-cancelled") == expected


@pytest.mark.parametrize(("finished", "count"), [(5, 5), (4, 0)])
async def test_a_burst_on_the_last_two_working_days(
    fresh: AsyncEngine, book: Catalogue, finished: int, count: int
) -> None:
    """Those of April 2024 are the 25th and the 26th: the 29th was swapped, the 30th is a feast."""
    for n in range(finished):
        case = await licence(fresh, book, datetime(2024, 4, 1, 8, n, tzinfo=HANOI))
        await case.finish(april(25 + n % 2, 15))
    assert await found(case, "bursts-at-month-end") == Found(count, finished)
    inside = {"until": datetime(2024, 4, 29, tzinfo=HANOI)}  # a month that is cut says nothing
    assert await found(case, "bursts-at-month-end", **inside) == Found(0, 0)


# Entering -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (timedelta(days=4), Found(1, 1)),
        (timedelta(days=2), Found(0, 1)),
        (timedelta(days=15), Found(0, 0)),  # history
    ],
)
async def test_a_receipt_entered_late(
    fresh: AsyncEngine, owner: AsyncEngine, book: Catalogue, after: timedelta, expected: Found
) -> None:
    case = await licence(fresh, book)
    await entered(owner, after)
    assert await found(case, "receipts-entered-late") == expected


@pytest.mark.parametrize(("after", "count"), [(26, 1), (24, 0)])
async def test_a_result_dated_before_the_line_before_was_entered(
    fresh: AsyncEngine, owner: AsyncEngine, book: Catalogue, after: int, count: int
) -> None:
    case = await (await licence(fresh, book)).finish(april(3, 11))
    await entered(owner, timedelta(hours=after))  # the line before is an hour older
    assert await found(case, "results-dated-back") == Found(count, 1)


@pytest.mark.parametrize(
    ("when", "count"),
    [
        (april(1, 22), 3),
        (april(1, 18), 1),  # of three stages, an hour apart: the last at six
        (april(1, 17) + timedelta(minutes=59), 0),
        (april(1, 12), 0),  # at lunch
        (april(6, 11), 3),  # on a Saturday
    ],
)
async def test_acts_when_nobody_works(
    fresh: AsyncEngine, book: Catalogue, when: datetime, count: int
) -> None:
    case = await (await licence(fresh, book)).finish(when)
    assert await found(case, "outside-hours") == Found(count, 3)
    scope = Scope(book, SINCE, UNTIL, AT)
    async with fresh.begin() as db:
        by_person = await counting.shares(db, scope, RULES["outside-hours"], Of.person)
    assert {each.of for each in by_person} == {OFFICER, LEAD, DIRECTOR}


# Counted, shared out, opened --------------------------------------------------------------------


async def test_pages_go_on_and_are_narrowed(fresh: AsyncEngine, book: Catalogue) -> None:
    for n in range(3):
        case = await licence(fresh, book, datetime(2024, 3, 4, 8, n, tzinfo=HANOI))
        await case.extend(april(4, 8 + n))
    scope, rule = Scope(book, SINCE, UNTIL, AT), RULES["extensions-after-expiry"]
    seen, cursor = [], None
    async with fresh.begin() as db:
        for _ in range(3):
            page = await counting.opened(db, scope, rule, cursor, 1)
            seen += [(row["code"], row["person"], row["unit"]) for row in page.rows]
            cursor = page.next
        assert cursor is None
        other = await counting.opened(db, scope, rule, None, 9, person="p-nobody")
        assert other.rows == []
    assert len(set(seen)) == 3
    assert {each[1:] for each in seen} == {(LEAD, UNIT)}


def test_who_is_unlike_the_others_stands_out() -> None:
    def share(count: int, base: int, rate: float) -> Share:
        return Share(count, base, "u", "a", at_least(count, base, rate))

    assert share(9, 20, 0.05).stands_out
    assert not share(2, 20, 0.05).stands_out
    assert not share(2, 2, 0.0001).stands_out  # too few to say
    assert Found(0, 0).rate is None
    assert Found(1, 4).rate == 25


async def test_what_cannot_be_asked_is_told(fresh: AsyncEngine, book: Catalogue) -> None:
    for since, until, why in (
        (UNTIL, SINCE, "ends before it begins"),
        (SINCE, SINCE.replace(year=2027), "longer than two years"),
    ):
        async with fresh.begin() as db:
            with pytest.raises(BadInput, match=why):
                await counting.counted(db, Scope(book, since, until, AT))
    with pytest.raises(Unknown, match="no rule of suspicion 'guilt': there are holds-at-expiry"):
        counting.find("guilt")
    with pytest.raises(BadInput, match="one of agency, unit, person, not 'shoe'"):
        counting.whose("shoe")


def test_every_rule_says_what_it_is_in_both_languages() -> None:
    for key, rule in RULES.items():
        assert key == rule.key
        for both in (rule.title, rule.suspects, rule.base, rule.limits):
            assert both.vi.strip()
            assert both.en.strip()
            assert both.vi != both.en
        assert "cũng có thể" in rule.suspects.vi or "hoặc" in rule.suspects.vi


# Pure -----------------------------------------------------------------------------------------


@given(st.integers(0, 60), st.integers(1, 60), st.integers(1, 99))
def test_the_tail_is_the_sum_of_its_terms(hits: int, of: int, percent: int) -> None:
    rate = Fraction(percent, 100)
    terms = (comb(of, n) * rate**n * (1 - rate) ** (of - n) for n in range(hits, of + 1))
    assert at_least(hits, of, float(rate)) == pytest.approx(float(sum(terms)), abs=1e-12)


@given(st.integers(0, 200_000), st.integers(1, 200_000), st.floats(0, 1))
def test_the_tail_is_a_probability_and_falls(hits: int, of: int, rate: float) -> None:
    chance = at_least(hits, of, rate)
    assert 0 <= chance <= 1
    assert at_least(hits + 1, of, rate) <= chance + 1e-9


@given(st.datetimes(datetime(2024, 1, 1), datetime(2024, 12, 31, 23, 59)), st.integers(0, 300))
def test_the_parts_of_a_day_hold_every_minute_once(when: datetime, slack: int) -> None:
    at = when.replace(tzinfo=HANOI)
    day, minute = at.date(), at.hour * 60 + at.minute
    there = [each for each in parts(VN, day, day, slack) if each.begin <= minute < each.until]
    assert len(there) == 1
    [plain] = [each for each in parts(VN, day, day) if each.begin <= minute < each.until]
    before = plain.before + (minute - plain.begin if plain.works else 0)
    assert before == VN.position(at)
    assert there[0].works >= plain.works


def test_there_are_no_days_beyond_the_calendar() -> None:
    assert list(parts(VN, date(1800, 1, 1), date(1800, 1, 3))) == []
    days = list(parts(VN, VN.first, VN.first))
    assert (days[0].begin, days[-1].until) == (0, DAY)


MARCH = Month(tuple(date(2024, 3, day) for day in range(1, 22)))


@given(st.lists(st.integers(0, 30), min_size=21, max_size=21))
def test_even_days_are_no_crowd(counts: Sequence[int]) -> None:
    by_day = dict(zip(MARCH.days, counts, strict=True))
    found_ = list(crowds({"u": by_day}, [MARCH]))
    last, whole = sum(counts[-2:]), sum(counts)
    if found_:
        assert last >= 5
        assert last / whole > 2 / 21
        assert (found_[0].since, found_[0].until) == MARCH.last
    assert not list(crowds({"u": dict.fromkeys(MARCH.days, counts[0])}, [MARCH]))


# The pilot year -------------------------------------------------------------------------------


async def test_an_honest_year_shows_little(fresh: AsyncEngine, book: Catalogue) -> None:
    """Two months of it; recorded in one go, so that what is entered late is history."""
    names: dict[int, str] = {}
    days = [day for day in pilot.story(CATALOGUE, small()) if day.chains]
    for day in days:
        for step in (step for chain in day.chains for step in chain):
            async with fresh.begin() as db:
                if step.lodging is None:
                    await ledger.move(db, book, names[step.dossier], step.act)
                else:
                    paper = await ledger.open_(db, book, step.lodging, step.act)
                    names[step.dossier] = paper.code
        await driving.drive(fresh, book, day.at)
    first, last = days[0].at - timedelta(days=30), days[-1].at + timedelta(days=1)
    async with fresh.begin() as db:
        told = await counting.counted(db, Scope(book, first, last, last))
    rates = {rule.key: each.rate or 0.0 for rule, each in told}
    assert sum(each.base for _, each in told) > 100
    assert {key: rate for key, rate in rates.items() if rate > 5} == {}


async def test_the_report_lists_its_cases_when_asked(fresh: AsyncEngine, book: Catalogue) -> None:
    case = await (await licence(fresh, book)).extend(april(4, 8))
    report, period = find("suspicions"), Period("", SINCE, UNTIL)
    async with fresh.begin() as db:
        options = {"rule": "extensions-after-expiry", "cases": "yes"}
        paper = await report.make(Asked(db, book, period, AT, options=options))
        assert paper.sheets[-1].more is not None
        rows = [row async for some in paper.sheets[-1].more for row in some]
        for wrong in ({"cases": "yes"}, {"rule": "extensions-after-expiry", "cases": "all"}):
            with pytest.raises(BadInput):
                await report.make(Asked(db, book, period, AT, options=wrong))
    ((code, when, unit, person, procedure),) = rows
    assert (code, when) == (case.paper.code, april(4, 8))
    assert (unit.code, person.code, procedure) == (UNIT, LEAD, case.paper.procedure)
