"""Biểu 06: every dossier in exactly one of its columns, whatever the period begins or ends with."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from book import (
    BOOK,
    FILE,
    HOURLY,
    LICENCE,
    NINE,
    TERMLESS,
    Procedure,
    Shelf,
    act,
    at,
    lodging,
    move,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from states import ledger
from states.clock import Policy
from states.errors import BadInput
from states.figures import Bieu06, Row, bieu06
from states.words import Channel, Event

MARCH, APRIL = at(-3, "00:00"), at(28, "00:00")  # the first of each month of 2024
INSTANT = timedelta(microseconds=1)
GRANTED = {"payload": {"outcome": "approved"}}


async def received(
    db: AsyncConnection,
    when: datetime,
    procedure: Procedure = LICENCE,
    channel: Channel = Channel.counter,
    book: Shelf = BOOK,
) -> str:
    """The code of a dossier taken in by its officer in the moment of receipt."""
    brings = dict.fromkeys((each.code for each in procedure.components), FILE)
    facts = {"payload": {"components": brings} if brings else {}}
    papers = lodging(procedure, channel=channel)
    code = (await ledger.open_(db, book, papers, act(Event.receive, when, **facts))).code
    for event in (Event.digitise, Event.route, Event.accept):
        await move(db, code, event, when, book=book)
    return code


async def form(
    db: AsyncConnection,
    since: datetime | None = MARCH,
    until: datetime = APRIL,
    policy: Policy | None = None,
) -> Row:
    """The total of the form; the classes read anew by `day` are those that were frozen by it."""
    return (await bieu06(db, BOOK, since, until, policy=policy)).total


def counts(row: Row) -> dict[str, int]:
    """The columns that are not nought."""
    return {name: n for name, n in asdict(row).items() if n and name != "agency"}


# The borders of a period -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        (MARCH - INSTANT, {"carried": 1, "in_time": 1}),
        (MARCH, {"direct": 1, "in_time": 1}),
        (APRIL - INSTANT, {"direct": 1, "in_time": 1}),
        (APRIL, {}),
    ],
)
async def test_a_receipt_belongs_to_the_period_it_begins(
    db: AsyncConnection, came: datetime, expected: dict[str, int]
) -> None:
    # Twenty days to run at either end: where it came in is all that differs.
    slow = BOOK.with_next(LICENCE, term=LICENCE.term.parse("60cd"))
    await received(db, came, book=slow)
    assert counts(await form(db)) == expected
    assert counts(await form(db, policy=Policy.day)) == expected


@pytest.mark.parametrize(
    ("ended", "march", "april"),
    [
        (APRIL - INSTANT, {"direct": 1, "early": 1}, {}),
        (APRIL, {"direct": 1, "in_time": 1}, {"carried": 1, "early": 1}),
    ],
)
async def test_a_finish_at_the_end_is_the_next_periods(
    db: AsyncConnection, ended: datetime, march: dict[str, int], april: dict[str, int]
) -> None:
    code = await received(db, at(25))
    await move(db, code, Event.return_result, ended, **GRANTED)
    for policy in (None, Policy.day):
        assert counts(await form(db, policy=policy)) == march
        assert counts(await form(db, APRIL, at(58, "00:00"), policy)) == april


@pytest.mark.parametrize(
    ("until", "column"),
    [(at(10, "17:00"), "in_time"), (at(11, "00:00") - INSTANT, "in_time"), (at(11), "overdue")],
)
async def test_what_is_due_today_is_in_time_all_day(
    db: AsyncConnection, until: datetime, column: str
) -> None:
    code = await received(db, at(0))
    assert (await ledger.find(db, code))[0].due_at == at(10, "17:00")
    for policy in (None, Policy.day):
        assert counts(await form(db, MARCH, until, policy)) == {"direct": 1, column: 1}


async def test_without_a_beginning_all_there_was_counts_as_received(db: AsyncConnection) -> None:
    code = await received(db, at(-60), channel=Channel.online)
    await move(db, code, Event.return_result, at(-55), **GRANTED)
    await received(db, at(1), channel=Channel.post)
    assert counts(await form(db, None, at(5))) == {
        "online": 1, "direct": 1, "early": 1, "in_time": 1,
    }  # fmt: skip
    assert counts(await form(db)) == {"direct": 1, "overdue": 1}


@pytest.mark.parametrize("until", [MARCH, MARCH - INSTANT])
async def test_a_period_that_ends_before_it_begins_is_refused(
    db: AsyncConnection, until: datetime
) -> None:
    with pytest.raises(BadInput, match="ends before it begins"):
        await bieu06(db, BOOK, MARCH, until)


# Classes -----------------------------------------------------------------------------------


async def test_each_finish_in_its_class_and_each_channel_in_its_column(
    db: AsyncConnection,
) -> None:
    """Received on Monday for ten calendar days: due on Thursday of the next week."""
    for day, channel in ((9, Channel.online), (10, Channel.counter), (11, Channel.post)):
        code = await received(db, at(0), channel=channel)
        await move(db, code, Event.return_result, at(day), **GRANTED)
    row = await form(db)
    assert counts(row) == {"online": 1, "direct": 2, "early": 1, "on_time": 1, "late": 1}
    assert (row.received, row.resolved, row.in_process, row.balances) == (3, 3, 0, True)
    assert row.of_resolved == row.of_received == pytest.approx(200 / 3)


async def test_rates_have_their_own_denominators(db: AsyncConnection) -> None:
    assert ((empty := await form(db)).of_resolved, empty.of_received) == (None, None)
    done, late, _ = [await received(db, at(0)) for _ in range(3)]
    await move(db, done, Event.return_result, at(3), **GRANTED)
    await move(db, late, Event.return_result, at(20), **GRANTED)
    row = await form(db)
    assert (row.of_resolved, row.of_received) == (pytest.approx(50), pytest.approx(100 / 3))


async def test_the_same_finish_by_another_policy(db: AsyncConnection) -> None:
    """Due on Thursday at 17:00; finished that day in the morning, at 17:00, and in the evening."""
    for clock in ("09:00", "17:00", "20:00"):
        code = await received(db, at(0))
        await move(db, code, Event.return_result, at(10, clock), **GRANTED)
    by = {policy: counts(await form(db, policy=policy)) for policy in (None, *Policy)}
    assert by[None] == by[Policy.day] == {"direct": 3, "on_time": 3}
    assert by[Policy.session] == {"direct": 3, "early": 1, "on_time": 1, "late": 1}
    assert by[Policy.instant] == {"direct": 3, "early": 1, "on_time": 1, "late": 1}


async def test_the_policy_of_the_dossier_unless_another_is_named(db: AsyncConnection) -> None:
    """Eight working hours from 09:00 end at 09:00 of the next day; `instant` is its own policy."""
    code = await received(db, NINE, HOURLY)
    await move(db, code, Event.return_result, at(1, "09:01"), **GRANTED)
    await received(db, NINE, HOURLY)
    until = at(1, "12:00")
    assert counts(await form(db, MARCH, until)) == {"direct": 2, "late": 1, "overdue": 1}
    again = counts(await form(db, MARCH, until, Policy.day))
    assert again == {"direct": 2, "on_time": 1, "in_time": 1}


async def test_what_is_held_is_in_time(db: AsyncConnection) -> None:
    code = await received(db, at(0))
    await move(db, code, Event.request_supplement, at(5))
    for policy in (None, Policy.day):
        assert counts(await form(db, MARCH, at(20), policy)) == {"direct": 1, "in_time": 1}


# Beneath the form ---------------------------------------------------------------------------


async def test_what_ends_without_a_class_is_beneath_the_form(db: AsyncConnection) -> None:
    gone, stopped, termless = [
        await received(db, at(0), procedure) for procedure in (LICENCE, LICENCE, TERMLESS)
    ]
    before = await form(db, MARCH, at(2))
    assert counts(before) == {"direct": 3, "in_time": 3}
    await move(db, gone, Event.withdraw, at(2))
    await move(db, stopped, Event.stop, at(2))
    await move(db, termless, Event.return_result, at(2), **GRANTED)
    online = lodging(LICENCE, channel=Channel.online)
    declined = await ledger.open_(db, BOOK, online, act(Event.register, at(1)))
    await move(db, declined.code, Event.decline, at(2))
    for policy in (None, *Policy):
        assert await form(db, MARCH, at(2), policy) == before  # it ended with their last moment
        row = await form(db, policy=policy)
        assert counts(row) == {"unclassed": 4}
        assert row.balances
        assert counts(await form(db, APRIL, at(58), policy)) == {}


async def test_what_is_only_registered_is_not_received(db: AsyncConnection) -> None:
    online = lodging(LICENCE, channel=Channel.online)
    paper = await ledger.open_(db, BOOK, online, act(Event.register, at(1)))
    assert counts(await form(db)) == {}
    await move(db, paper.code, Event.receive, at(3))
    assert counts(await form(db, MARCH, at(3))) == {}
    assert counts(await form(db, MARCH, at(4))) == {"online": 1, "in_time": 1}


async def test_a_result_taken_back_is_in_process_again(db: AsyncConnection) -> None:
    code = await received(db, at(0))
    await move(db, code, Event.return_result, at(3), **GRANTED)
    await move(db, code, Event.reopen, at(4))
    assert counts(await form(db)) == {"direct": 1, "overdue": 1}


# Agencies -----------------------------------------------------------------------------------


async def test_a_row_for_each_agency_and_only_those_asked_for(db: AsyncConnection) -> None:
    other = BOOK.with_next(LICENCE, agency="H42.02")
    await received(db, at(0))
    for _ in range(2):
        await received(db, at(0), book=other)
    made = await bieu06(db, BOOK, MARCH, APRIL)
    assert [(row.agency, row.received) for row in made.rows] == [("H42.02", 2), ("H42.05", 1)]
    assert made.total.received == 3
    for policy in (None, Policy.day):
        one = await bieu06(db, BOOK, MARCH, APRIL, ["H42.02", "H42.99"], policy)
        assert [row.agency for row in one.rows] == ["H42.02"]
    assert (await bieu06(db, BOOK, MARCH, APRIL, [])).rows == ()


# Whatever happened --------------------------------------------------------------------------


@dataclass(frozen=True)
class Life:
    """A dossier told in days: when it came, how, and what became of it how many days later."""

    came: int
    channel: Channel
    end: Event | None
    after: int
    agency: str

    @property
    def ended(self) -> int | None:
        return None if self.end is None else self.came + self.after

    @property
    def due(self) -> int:
        """Ten calendar days, rolled on to Monday."""
        day = self.came + 10
        return day + max(0, 7 - day % 7) if day % 7 > 4 else day

    def in_hand(self, first: int, last: int) -> bool:
        """Received before the period was over, and not finished before it began."""
        return self.came < last and (self.ended is None or self.ended >= first)

    def beneath(self, last: int) -> bool:
        gone = self.end in {Event.withdraw, Event.stop}
        return gone and self.ended is not None and self.ended < last


LIVES = st.lists(
    st.builds(
        Life,
        st.integers(0, 40),
        st.sampled_from(Channel),
        st.sampled_from([None, Event.return_result, Event.withdraw, Event.stop])
        | st.just(Event.return_result),
        st.integers(0, 20),
        st.sampled_from(["H42.05", "H42.02"]),
    ),
    max_size=7,
)
DAYS = st.lists(st.integers(-1, 62), min_size=4, max_size=4, unique=True).map(sorted)


async def live(db: AsyncConnection, lives: Iterable[Life]) -> None:
    for life in lives:
        book = BOOK.with_next(LICENCE, agency=life.agency)
        code = await received(db, at(life.came, "00:00"), channel=life.channel, book=book)
        if life.end is not None:
            facts = GRANTED if life.end is Event.return_result else {}
            await move(db, code, life.end, at(life.ended or 0, "00:00"), book=book, **facts)


def told(lives: Iterable[Life], first: int, last: int, agency: str) -> Row:
    """The row as the form's own words have it, dossier by dossier."""
    row = dict.fromkeys(asdict(Row(""))) | {"agency": agency}
    here = [each for each in lives if each.agency == agency and each.in_hand(first, last)]
    known = [each for each in here if not each.beneath(last)]
    new = [each for each in known if each.came >= first]
    done = [each for each in known if each.ended is not None and each.ended < last]
    left = [each for each in known if each.ended is None or each.ended >= last]
    row["online"] = sum(each.channel is Channel.online for each in new)
    row["direct"] = len(new) - row["online"]
    row["carried"] = len(known) - len(new)
    row["early"] = sum(each.ended < each.due for each in done)
    row["on_time"] = sum(each.ended == each.due for each in done)
    row["late"] = sum(each.ended > each.due for each in done)
    row["overdue"] = sum(each.due < last for each in left)
    row["in_time"] = len(left) - row["overdue"]
    row["unclassed"] = len(here) - len(known)
    return Row(**row)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(lives=LIVES, days=DAYS)
async def test_whatever_happened_the_form_balances(
    db: AsyncConnection, lives: list[Life], days: list[int]
) -> None:
    async with db.begin_nested() as undone:
        await live(db, lives)
        forms: list[Bieu06] = []
        for first, last in pairwise(days):
            period = at(first, "00:00"), at(last, "00:00")
            made = await bieu06(db, BOOK, *period)
            forms.append(made)
            for row in made.rows:
                assert row == told(lives, first, last, row.agency)
                assert row.received == row.online + row.direct + row.carried
                assert row.resolved == row.early + row.on_time + row.late
                assert row.in_process == row.in_time + row.overdue
                assert row.received == row.resolved + row.in_process
            assert made.total.received + made.total.unclassed == sum(
                each.in_hand(first, last) for each in lives
            )
            assert (await bieu06(db, BOOK, *period, policy=Policy.day)).rows == made.rows
        # What one period leaves in hand the next one carries over, or finds to have gone.
        for (before, after), (first, last) in zip(pairwise(forms), pairwise(days[1:]), strict=True):
            gone = sum(
                each.came < first and each.in_hand(first, last) and each.beneath(last)
                for each in lives
            )
            assert before.total.in_process == after.total.carried + gone
        await undone.rollback()
