"""What a unit asks of another body: asked, answered, withdrawn, overtaken; by whom, and once."""

import asyncio
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from book import HOURS, weekdays
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from town import FRIDAY, HALF, HANOI, ROUTED, act, at, imported, move, processing, received

from states import clock, ledger, people
from states import db as connecting
from states.breaches.recording import record
from states.catalogue import Catalogue, bundles
from states.catalogue.organisation import Organisation
from states.clock import Facts, Policy, Term
from states.consultations import ending, listing, opened
from states.consultations.asking import Question, ask
from states.consultations.due import due
from states.consultations.ending import Answer, overtake
from states.consultations.hearing import check_heard, unasked
from states.consultations.rows import Opinion, Standing
from states.deadlines.sweeping import sweep
from states.errors import BadInput, HosoError, NotOpen, NotYours, Unknown
from states.words import Event, Role

PRICES, TRADE, LABOUR = "H42.07.02", "H42.04.01", "H42.05.01"
LEADS, OTHER = "p-sci-officer-11", "p-sci-officer-12"  # of H42.03.01, which has the dossier
PRICER, PRICER_2, TRADER = "p-fin-officer-21", "p-fin-officer-22", "p-trade-officer-11"
THEN, SOON = at(0), at(0, "14:00")
AGREES = Answer(opinion=Opinion.agrees)
HIGH = Answer(opinion=Opinion.disagrees, text="Đơn giá cao", file="a" * 64)
TO_PRICES = Question(to=PRICES)
TO_LABOUR = Question(to=LABOUR, about="Nhân sự", term="2wd")


@dataclass(frozen=True)
class Desk:
    """A dossier in the stage that consults, and what is done about it."""

    db: AsyncConnection
    book: Catalogue
    code: str

    def who(self, person: str, when: datetime = THEN, role: Role | None = None) -> people.Caller:
        return people.caller(self.book, person, role, None, self.book.day(when))

    async def ask(
        self, asked: Question = TO_PRICES, who: str = LEADS, when: datetime = THEN
    ) -> int:
        return await ask(self.db, self.book, self.code, self.who(who, when), asked, when)

    async def answer(
        self, n: int, said: Answer = AGREES, who: str = PRICER, when: datetime = SOON
    ) -> None:
        caller = self.who(who, when)
        await ending.answer(self.db, self.book, self.code, n, caller, said, when)

    async def withdraw(self, n: int, who: str = LEADS, why: str = "Đã rõ") -> None:
        await ending.withdraw(self.db, self.book, self.code, n, self.who(who), why, SOON)

    async def id(self) -> int:
        return int((await ledger.find(self.db, self.code))[0].id or 0)

    async def told(self, when: datetime = SOON) -> list[dict[str, Any]]:
        return await listing.of_dossier(self.db, await self.id(), when)

    async def one(self, n: int = 1, when: datetime = SOON) -> dict[str, Any]:
        return await listing.one(self.db, await self.id(), n, when)

    async def leave(self, event: Event = Event.send_back, when: datetime = SOON) -> None:
        await move(self.db, self.book, self.code, event, when)

    async def queue(self, *bodies: str, limit: int = 50, cursor: str | None = None) -> Any:
        return await listing.queue(self.db, bodies, SOON, cursor, limit)


async def appraised(db: AsyncConnection, book: Catalogue, when: datetime = THEN) -> str:
    """A dossier in the stage for which its version names two consultations."""
    paper = await processing(db, book, ROUTED, when)
    await move(db, book, paper.code, Event.advance, when, stage=1)
    return paper.code


@pytest.fixture
async def desk(db: AsyncConnection) -> Desk:
    book = await bundles.read(db)
    return Desk(db, book, await appraised(db, book))


def otherwise(staff: Organisation, **said: Any) -> Organisation:
    """A copy does not do: it keeps what was looked up in the original."""
    return Organisation(**{each: getattr(staff, each) for each in Organisation.model_fields} | said)


async def lines(db: AsyncConnection) -> int:
    count = "SELECT (SELECT count(*) FROM consultation) + (SELECT count(*) FROM consultation_end)"
    return int(await db.scalar(sa.text(count)) or 0)


# Asking -------------------------------------------------------------------------------------


async def test_the_version_says_the_term_and_what_it_is_about(desk: Desk) -> None:
    assert await desk.ask() == 1
    row = await desk.one()
    calendar = desk.book.calendar_of(PRICES)
    reading = clock.read(Term.parse("3wd"), calendar, Facts(THEN), Policy.day, THEN)
    assert row["about"] == "Đơn giá thiết bị"
    assert (row["term"], row["due_at"], row["late_at"]) == ("3wd", reading.due, reading.late_at)
    assert (row["unit"], row["agency"], row["by_unit"]) == (PRICES, "H42.07", "H42.03.01")
    assert (row["standing"], row["late"], row["ended_at"]) == (Standing.open, False, None)
    assert row["calendar"] == "vn"


async def test_a_body_that_the_version_does_not_name_may_be_asked_too(desk: Desk) -> None:
    assert [await desk.ask(), await desk.ask(TO_LABOUR)] == [1, 2]
    assert [row["term"] for row in await desk.told()] == ["3wd", "2wd"]


async def test_its_term_runs_by_the_calendar_of_the_body_that_is_asked(desk: Desk) -> None:
    staff = desk.book.organisation
    units = tuple(
        each.model_copy(update={"calendar": "short"}) if each.code == LABOUR else each
        for each in staff.units
    )
    first, last = date(2023, 11, 1), date(2023, 12, 31)
    days = {day: HOURS for day in weekdays(first, last) if day != FRIDAY}
    short = clock.Calendar("short", "9", HANOI.key, days, first, last, standard_day=480)
    book = replace(
        desk.book,
        organisation=otherwise(staff, units=units),
        calendars={**desk.book.calendars, "short": (("9", lambda: short),)},
    )
    there = replace(desk, book=book)
    await there.ask(TO_LABOUR)
    row = await there.one()
    assert row["due_at"] == at(5, "17:00")  # a Friday off, then a weekend
    assert (row["calendar"], row["calendar_version"]) == ("short", "9")
    plain = replace(TO_LABOUR, to=TRADE, term=None)
    await there.ask(plain)
    assert (await there.one(2))["due_at"] == at(5, "17:00")  # 3wd of its own


REFUSED: list[tuple[Question, str, type[HosoError], str]] = [
    (TO_PRICES, "p-reception-01", NotYours, "a reception asks for no opinion"),
    (TO_PRICES, "p-sci-officer-21", NotYours, "lies in H42.03.01, where p-sci-officer-21 is no"),
    (TO_PRICES, PRICER, NotYours, "where p-fin-officer-21 is no officer"),
    (replace(TO_LABOUR, to="H42.77"), LEADS, BadInput, "no agency or unit H42.77"),
    (replace(TO_LABOUR, to="H42.03.01"), LEADS, BadInput, "has the dossier itself"),
    (replace(TO_LABOUR, to="H42.03"), LEADS, BadInput, "has the dossier itself"),
    (replace(TO_LABOUR, to="H42.14.03"), LEADS, BadInput, "neither officer nor leader"),
    (replace(TO_LABOUR, term=None), LEADS, BadInput, "how long H42.05.01 has"),
    (replace(TO_LABOUR, term="soon"), LEADS, BadInput, "is not a term"),
    (replace(TO_LABOUR, term="none"), LEADS, BadInput, "'none' is no length"),
    (replace(TO_LABOUR, about=None), LEADS, BadInput, "what H42.05.01 is asked about"),
    (replace(TO_LABOUR, about="  "), LEADS, BadInput, "what H42.05.01 is asked about"),
    (replace(TO_LABOUR, about="\0"), LEADS, BadInput, "without NUL"),
    (replace(TO_LABOUR, about="x" * 2001), LEADS, BadInput, "2,000 characters"),
    (replace(TO_PRICES, term="1wd"), LEADS, BadInput, "gives H42.07.02 3wd to answer"),
    (Question(to=TRADE), LEADS, BadInput, "what H42.04.01 is asked about"),  # it says no subject
]


@pytest.mark.parametrize(("asked", "who", "kind", "sentence"), REFUSED)
async def test_what_cannot_be_asked_is_refused_and_nothing_is_written(
    desk: Desk, asked: Question, who: str, kind: type[HosoError], sentence: str
) -> None:
    with pytest.raises(HosoError, match=sentence) as refused:
        await desk.ask(asked, who)
    assert type(refused.value) is kind
    assert await lines(desk.db) == 0


async def test_the_version_s_own_term_may_be_said(desk: Desk) -> None:
    await desk.ask(replace(TO_PRICES, term="3wd", about="Giá"))
    assert (await desk.one())["about"] == "Giá"


async def test_no_dossier_no_question(desk: Desk) -> None:
    for code in ("H42.14-230101-9999", "\0"):
        with pytest.raises(Unknown, match="there is no dossier"):
            await replace(desk, code=code).ask()
    with pytest.raises(Unknown, match="no consultation 7"):
        await desk.answer(7)
    with pytest.raises(Unknown, match="no consultation"):
        await desk.answer(1 << 40)


async def test_only_a_dossier_in_a_stage_has_anything_to_ask(desk: Desk) -> None:
    paper = await received(desk.db, desk.book, ROUTED, THEN)
    with pytest.raises(NotOpen, match="is received, in no stage"):
        await replace(desk, code=paper.code).ask()
    await desk.leave(Event.stop)
    with pytest.raises(NotOpen, match="is stopped, in no stage"):
        await desk.ask()


async def test_a_dossier_that_waits_for_the_citizen_is_in_its_stage_still(desk: Desk) -> None:
    await desk.leave(Event.request_supplement, THEN)
    n = await desk.ask()
    await desk.answer(n)
    assert (await desk.one())["standing"] is Standing.answered


async def test_an_imported_dossier_has_consultations_too(desk: Desk) -> None:
    there = replace(desk, code=await imported(desk.db, desk.book, unit="H42.05.01"))
    await there.ask(replace(TO_PRICES, term="1wd", about="Giá"), "p-labour-officer-11")
    assert (await there.one())["visit"] == 0
    end = act(Event.return_result, SOON, Role.officer, payload={"outcome": "unstated"})
    await ledger.move(there.db, there.book, there.code, end)
    row = await there.one()
    assert (row["standing"], row["ended_at"]) == (Standing.overtaken, SOON)


async def test_a_body_is_asked_once_at_a_time(desk: Desk) -> None:
    await desk.ask()
    with pytest.raises(NotOpen, match="asked already, by consultation 1"):
        await desk.ask(who=OTHER)
    await desk.answer(1)
    assert await desk.ask() == 2
    await desk.withdraw(2)
    assert await desk.ask() == 3


async def test_it_is_not_asked_before_the_last_move(desk: Desk) -> None:
    await desk.ask(when=THEN - timedelta(minutes=4))  # two machines' clocks
    assert (await desk.one())["asked_at"] == THEN
    with pytest.raises(BadInput, match="before the last move"):
        await desk.ask(TO_LABOUR, when=THEN - timedelta(minutes=6))


# Answering ----------------------------------------------------------------------------------


async def test_an_answer_is_kept_as_it_was_given(desk: Desk) -> None:
    await desk.answer(await desk.ask(), HIGH)
    row = await desk.one()
    assert (row["standing"], row["ended_by"], row["ended_at"]) == (Standing.answered, PRICER, SOON)
    assert (row["opinion"], row["text"], row["file"]) == (HIGH.opinion, HIGH.text, HIGH.file)
    assert row["late"] is False


@pytest.mark.parametrize("opinion", [Opinion.disagrees, Opinion.comments])
async def test_who_does_not_simply_agree_says_why(desk: Desk, opinion: Opinion) -> None:
    n = await desk.ask()
    with pytest.raises(BadInput, match=f"{opinion} needs its words"):
        await desk.answer(n, Answer(opinion=opinion, text=" "))
    await desk.answer(n, AGREES)


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ("p-fin-officer-11", "where p-fin-officer-11 is no officer"),  # another of its units
        ("p-fin-director", "where p-fin-director is no officer"),
        (TRADER, "where p-trade-officer-11 is no officer"),
        (LEADS, "where p-sci-officer-11 is no officer"),
        ("p-reception-01", "where p-reception-01 is no officer"),
    ],
)
async def test_nobody_answers_for_another_body(desk: Desk, who: str, sentence: str) -> None:
    n = await desk.ask()
    with pytest.raises(NotYours, match=sentence):
        await desk.answer(n, who=who)
    assert (await desk.one())["standing"] is Standing.open


async def test_for_an_agency_asked_as_a_whole_each_of_its_units_may_answer(desk: Desk) -> None:
    n = await desk.ask(replace(TO_LABOUR, to="H42.07"))
    await desk.answer(n, who="p-fin-officer-11")
    assert (await desk.one())["ended_by"] == "p-fin-officer-11"


async def test_nobody_answers_what_they_asked_themselves(desk: Desk) -> None:
    staff = desk.book.organisation
    both = staff.person(LEADS)
    both = both.model_copy(
        update={
            "positions": (
                *both.positions,
                both.positions[0].model_copy(update={"unit": PRICES}),
            )
        }
    )
    crew = tuple(both if each.id == LEADS else each for each in staff.people)
    book = replace(desk.book, organisation=otherwise(staff, people=crew))
    there = replace(desk, book=book)
    n = await there.ask()
    with pytest.raises(NotYours, match=f"{LEADS} asked it: another person"):
        await there.answer(n, who=LEADS)
    await there.answer(n)


async def test_the_same_answer_again_writes_nothing_and_another_is_told_whose_was_first(
    desk: Desk,
) -> None:
    n = await desk.ask()
    await desk.answer(n, HIGH)
    before = await lines(desk.db), await desk.told()
    await desk.answer(n, HIGH, when=at(1))
    for said, who in ((AGREES, PRICER), (HIGH, PRICER_2)):
        with pytest.raises(NotOpen, match=f"was answered by {PRICER} at 2023-11-23T"):
            await desk.answer(n, said, who)
    with pytest.raises(NotOpen, match="was answered by"):
        await desk.withdraw(n)
    assert (await lines(desk.db), await desk.told()) == before


async def test_whoever_could_ask_may_withdraw_and_says_why(desk: Desk) -> None:
    n = await desk.ask()
    with pytest.raises(BadInput, match="with its reason"):
        await desk.withdraw(n, why=" ")
    with pytest.raises(NotYours, match="no opinion is yours to ask for"):
        await desk.withdraw(n, PRICER)
    await desk.withdraw(n, OTHER)
    await desk.withdraw(n, OTHER)
    row = await desk.one()
    assert (row["standing"], row["ended_by"], row["text"]) == (Standing.withdrawn, OTHER, "Đã rõ")
    with pytest.raises(NotOpen, match="was withdrawn by"):
        await desk.answer(n)


async def test_late_is_late_from_the_minute_after_its_last_day(desk: Desk) -> None:
    n = await desk.ask()
    late = (await desk.one())["late_at"]
    assert late == at(6, "00:00")  # 3wd from Thursday: through Tuesday
    before = late - timedelta(minutes=1)
    assert [(await desk.one(1, when))["late"] for when in (before, late)] == [False, True]
    await desk.answer(n, when=late)
    assert [(await desk.one(1, when))["late"] for when in (SOON, at(60))] == [True, True]
    again = await desk.ask(when=late)
    await desk.answer(again, when=late)
    assert (await desk.one(again, at(60)))["late"] is False


# Overtaken ----------------------------------------------------------------------------------


@pytest.mark.parametrize("event", [Event.send_back, Event.withdraw, Event.stop])
async def test_a_stage_that_was_left_waits_for_no_answer(desk: Desk, event: Event) -> None:
    n, answered = await desk.ask(), await desk.ask(TO_LABOUR)
    await desk.answer(answered, who="p-labour-officer-11")
    await desk.leave(event, at(1))
    before = await desk.told(at(9))
    assert [row["standing"] for row in before] == [Standing.overtaken, Standing.answered]
    assert (before[0]["ended_at"], before[0]["ended_by"], before[0]["late"]) == (at(1), None, False)
    with pytest.raises(NotOpen, match=r"was overtaken at .*: the stage that asked was left"):
        await desk.answer(n, when=at(1))
    assert await overtake(desk.db) == 1
    assert await overtake(desk.db) == 0
    assert await desk.told(at(9)) == before


async def test_a_stage_left_after_the_term_ran_out_left_a_late_one(desk: Desk) -> None:
    await desk.ask()
    await desk.leave(when=at(6))
    assert (await desk.one(1, at(6)))["late"] is True


async def test_the_next_visit_of_the_stage_asks_anew(desk: Desk) -> None:
    await desk.ask()
    await desk.leave()
    await move(desk.db, desk.book, desk.code, Event.advance, SOON, stage=1)
    assert (await desk.one())["standing"] is Standing.overtaken
    assert await desk.ask(when=SOON) == 2
    assert (await desk.one(2))["standing"] is Standing.open
    assert await overtake(desk.db) == 1
    assert (await desk.one(2))["standing"] is Standing.open


# Listed -------------------------------------------------------------------------------------


async def test_the_queue_of_a_body_holds_what_it_is_to_answer(desk: Desk) -> None:
    await desk.ask(TO_LABOUR)
    await desk.ask()
    other = replace(desk, code=await appraised(desk.db, desk.book))
    await other.ask()
    both = (await desk.queue(PRICES, LABOUR)).rows
    assert [row["unit"] for row in both] == [LABOUR, PRICES, PRICES]  # what is due first
    assert {row["code"] for row in (await desk.queue(PRICES)).rows} == {desk.code, other.code}
    await desk.answer(2)
    await other.leave()
    assert (await desk.queue(PRICES)).rows == []
    assert (await desk.queue()).rows == []


async def test_the_queue_comes_in_pages(desk: Desk) -> None:
    every = []
    for to in (PRICES, LABOUR, "H42.05.02", "H42.06.01", "H42.02.01"):
        await desk.ask(replace(TO_LABOUR, to=to, term=None if to == PRICES else "2wd"))
        every.append(to)
    found, cursor = [], None
    while True:
        rows, cursor = await desk.queue(*every, limit=2, cursor=cursor)
        found += [row["unit"] for row in rows]
        if cursor is None:
            break
    assert sorted(found) == sorted(every)


async def test_who_took_over_from_a_body_answers_and_is_asked_in_its_place(desk: Desk) -> None:
    await desk.ask()
    staff = desk.book.organisation
    gone = {"until": date(2023, 11, 23), "successor": "H42.07.01"}
    units = tuple(
        each.model_copy(update=gone) if each.code == PRICES else each for each in staff.units
    )
    book = replace(desk.book, organisation=otherwise(staff, units=units))
    there = replace(desk, book=book)
    heir = there.who("p-fin-officer-11", at(1))
    assert opened.answering(book, heir) == {"H42.07.01", PRICES, "H42.07"}
    await there.answer(1, who="p-fin-officer-11", when=at(1))
    with pytest.raises(BadInput, match=r"does not stand on 24/11/2023: ask H42\.07\.01"):
        await there.ask(when=at(1))
    await there.ask(Question(to="H42.07.01"), when=at(1))
    assert (await there.one(2))["term"] == "3wd"  # the version names its predecessor


async def test_due_lists_what_nobody_answered_in_time(desk: Desk) -> None:
    await desk.ask()
    await desk.ask(TO_LABOUR)
    soon, later = at(5, "00:00"), at(6, "00:00")  # 2wd and 3wd from Thursday

    async def found(*asked: Any, **only: Any) -> list[str]:
        return [row["unit"] for row in await due(desk.db, *asked, **only)]

    assert await found(soon - timedelta(minutes=1)) == []
    assert await found(soon) == [LABOUR]
    assert await found(later) == [LABOUR, PRICES]
    assert await found(later, soon) == [PRICES]
    assert await found(later, most=1) == [LABOUR]
    assert await found(later, where=opened.asked([PRICES])) == [LABOUR, PRICES]
    assert await found(later, where=opened.asked([TRADE])) == []
    await desk.answer(1, when=later)
    assert await found(later) == [LABOUR]
    await desk.leave(when=later)
    assert await found(later) == []


async def test_a_body_sees_a_dossier_while_it_is_asked(desk: Desk) -> None:
    async def seen(*bodies: str) -> bool:
        asked = sa.select(sa.func.count()).select_from(opened.dossier).where(opened.asked(bodies))
        return bool(await desk.db.scalar(asked.where(opened.d.code == desk.code)))

    assert not await seen(PRICES)
    n = await desk.ask()
    assert await seen(PRICES)
    assert await seen(TRADE, PRICES)
    assert not await seen(TRADE)
    assert not await seen()
    await desk.answer(n)
    assert not await seen(PRICES)
    await desk.ask()
    assert await seen(PRICES)
    await desk.leave()
    assert not await seen(PRICES)


@pytest.mark.parametrize(
    ("who", "role", "bodies"),
    [
        (PRICER, None, {PRICES, "H42.07"}),
        ("p-fin-director", None, {"H42.07.09", "H42.07"}),
        ("p-centre-lead", Role.leader, {"H42.14.01", "H42.14"}),
        ("p-centre-lead", Role.reception, set()),
        ("p-control-01", None, set()),
    ],
)
async def test_officers_and_leaders_answer_for_their_units_and_agencies(
    desk: Desk, who: str, role: Role | None, bodies: set[str]
) -> None:
    assert opened.answering(desk.book, desk.who(who, role=role)) == bodies


# Whether the stage heard everybody ------------------------------------------------------------


async def heard(desk: Desk, when: datetime, event: Event = Event.advance) -> str | None:
    paper, _ = await ledger.find(desk.db, desk.code)
    try:
        await check_heard(desk.db, desk.book, paper, event, when)
    except NotOpen as refusal:
        return str(refusal)
    return None


async def test_a_stage_that_consults_goes_on_when_all_have_answered_or_are_silent(
    desk: Desk,
) -> None:
    assert f"{PRICES} was not asked" in str(await heard(desk, THEN))
    n = await desk.ask()
    told = str(await heard(desk, SOON))
    assert f"{PRICES} has until 2023-11-28T" in told
    assert f"{TRADE} was not asked" in told
    await desk.ask(Question(to=TRADE, about="Thị trường"))
    await desk.answer(n)
    assert PRICES not in str(await heard(desk, SOON))
    assert TRADE in str(await heard(desk, at(6, "00:00") - timedelta(minutes=1)))
    assert await heard(desk, at(6, "00:00")) is None  # silent
    await desk.withdraw(2)
    assert f"{TRADE} was not asked" in str(await heard(desk, at(6)))


async def test_only_what_leaves_a_stage_forwards_waits(desk: Desk) -> None:
    for event in set(Event) - {Event.advance, Event.return_result}:
        assert await heard(desk, THEN, event) is None
    assert await heard(desk, THEN, Event.return_result) is not None
    plain = await processing(desk.db, desk.book, HALF, THEN)
    assert await heard(replace(desk, code=plain.code), THEN) is None
    assert await heard(replace(desk, code=await imported(desk.db, desk.book)), THEN) is None


async def test_what_the_version_names_and_nobody_asked_is_told(desk: Desk) -> None:
    async def left() -> list[str]:
        paper, _ = await ledger.find(desk.db, desk.code)
        return [each.unit for each in unasked(desk.book, paper, await desk.told(), SOON)]

    assert await left() == [PRICES, TRADE]
    await desk.ask()
    assert await left() == [TRADE]
    await desk.leave()
    assert await left() == []
    await move(desk.db, desk.book, desk.code, Event.advance, SOON, stage=1)
    assert await left() == [PRICES, TRADE]


# History that nobody changes ------------------------------------------------------------------

CHANGES = [
    "UPDATE consultation SET about = ''",
    "UPDATE consultation SET due_at = late_at",
    "DELETE FROM consultation",
    "TRUNCATE consultation CASCADE",
    "UPDATE consultation_end SET opinion = 'agrees'",
    "DELETE FROM consultation_end",
    "TRUNCATE consultation_end",
]


@pytest.mark.parametrize("change", CHANGES)
async def test_the_application_may_change_nothing_of_it(desk: Desk, change: str) -> None:
    await desk.answer(await desk.ask(), HIGH)
    with pytest.raises(DBAPIError, match="permission denied"):
        async with desk.db.begin_nested():
            await desk.db.execute(sa.text(change))


OWNERS = [
    ("UPDATE consultation SET about = ''", "does not change"),
    ("UPDATE consultation SET standing = 'open'", "ends once"),
    ("UPDATE consultation SET standing = 'withdrawn'", "ends once"),
    ("DELETE FROM consultation", "kept for ever"),
]


@pytest.mark.parametrize(("change", "why"), OWNERS)
async def test_a_slip_of_the_owner_s_is_caught_too(
    owner_db: AsyncConnection, change: str, why: str
) -> None:
    book = await bundles.read(owner_db)
    there = Desk(owner_db, book, await appraised(owner_db, book))
    await there.answer(await there.ask())
    with pytest.raises(DBAPIError, match=why):
        async with owner_db.begin_nested():
            await owner_db.execute(sa.text(change))


# Two at once ----------------------------------------------------------------------------------


@pytest.fixture
async def filed(fresh: AsyncEngine) -> tuple[AsyncEngine, Catalogue, str]:
    async with connecting.transaction(fresh) as db:
        book = await bundles.read(db)
        code = await appraised(db, book)
    return fresh, book, code


Filed = tuple[AsyncEngine, Catalogue, str]


async def test_of_two_answers_at_once_one_is_kept(filed: Filed) -> None:
    engine, book, code = filed
    async with connecting.transaction(engine) as db:
        await Desk(db, book, code).ask()

    async def give(who: str, said: Answer) -> str:
        async with connecting.transaction(engine) as db:
            await Desk(db, book, code).answer(1, said, who)
        return who

    some = [PRICER, PRICER_2, "p-fin-lead-02"] * 3
    each = [give(who, Answer(opinion=Opinion.comments, text=f"{n}")) for n, who in enumerate(some)]
    told = await asyncio.gather(*each, return_exceptions=True)
    won = [who for who in told if isinstance(who, str)]
    assert len(won) == 1
    assert all(f"answered by {won[0]}" in str(e) for e in told if isinstance(e, NotOpen))
    assert sum(isinstance(each, NotOpen) for each in told) == len(some) - 1
    async with connecting.transaction(engine) as db:
        assert await lines(db) == 2


async def test_of_two_questions_to_one_body_at_once_one_is_asked(filed: Filed) -> None:
    engine, book, code = filed

    async def put(who: str) -> int:
        async with connecting.transaction(engine) as db:
            return await Desk(db, book, code).ask(who=who)

    told = await asyncio.gather(*(put(who) for who in [LEADS, OTHER] * 4), return_exceptions=True)
    assert [each for each in told if isinstance(each, int)] == [1]
    assert sum(isinstance(each, NotOpen) for each in told) == 7


async def test_questions_to_many_bodies_at_once_each_get_a_number(filed: Filed) -> None:
    engine, book, code = filed
    bodies = [LABOUR, "H42.05.02", "H42.06.01", "H42.06.02", "H42.02.01", "H42.02.02"]

    async def put(to: str) -> int:
        async with connecting.transaction(engine) as db:
            return await Desk(db, book, code).ask(replace(TO_LABOUR, to=to))

    assert sorted(await asyncio.gather(*map(put, bodies))) == [1, 2, 3, 4, 5, 6]


async def test_nothing_is_asked_in_a_stage_that_is_being_left(filed: Filed) -> None:
    engine, book, code = filed
    async with connecting.transaction(engine) as leaving:
        await Desk(leaving, book, code).leave(Event.stop, THEN)
        async with connecting.transaction(engine) as db:
            asking = asyncio.ensure_future(Desk(db, book, code).ask())
            await waiting(engine)
            assert not asking.done()
            await leaving.commit()
            with pytest.raises(NotOpen, match="is stopped, in no stage"):
                await asking


async def waiting(engine: AsyncEngine) -> None:
    """Until somebody waits for a lock."""
    asked = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    async with engine.connect() as db:
        for _ in range(1000):
            if await db.scalar(asked):
                return
            await db.rollback()
    raise AssertionError("nobody waits")


# Whose time it was ------------------------------------------------------------------------------


async def test_a_breach_tells_how_long_another_agency_was_waited_for(filed: Filed) -> None:
    engine, book, code = filed
    async with connecting.transaction(engine) as db:
        desk = Desk(db, book, code)
        await desk.ask(when=at(1))
        await desk.answer(1, when=at(8))
    await sweep(engine, book, at(39))
    async with connecting.transaction(engine) as db:
        await Desk(db, book, code).leave(Event.stop, at(40))
    await record(engine, book, at(40))
    async with engine.connect() as db:
        told = sa.text("SELECT attribution FROM breach WHERE rule = 'term-late'")
        shares = await db.scalar(told)
    theirs = [each for each in shares if each["kind"] == "other_agency"]
    assert [(each["unit"], each["agency"]) for each in theirs] == [(PRICES, "H42.07")]
    assert [each["minutes"] for each in theirs] == [5 * 480]  # Friday to Friday at ten
    calendar = book.calendar("vn")
    assert sum(each["minutes"] for each in shares) == calendar.position(at(40)) - (
        calendar.position(THEN)
    )
