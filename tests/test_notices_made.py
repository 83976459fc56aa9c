"""Messages out of facts: what is told, to whom, once each, none lost."""

import asyncio
import json
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from horizon import settled
from noticing import (
    HANOI,
    MAIL,
    MORNING,
    PHONE,
    M,
    alert,
    made,
    messages,
    move,
    office,
    processing,
    receive,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from states import notices
from states.catalogue import Catalogue
from states.clock import Calendar
from states.notices import drafts, making, reading
from states.notices.rows import Audience, Sending, Way
from states.words import Event, Role

DAY = timedelta(days=1)
EMAIL = frozenset({Way.email})


async def told(engine: AsyncEngine, *where: Any) -> list[str]:
    """The templates of messages, in order."""
    return [each.template for each in await messages(engine, *where)]


async def all_made(engine: AsyncEngine, **how: Any) -> dict[str, int]:
    """Of all that was committed before, in the order in which it happened."""
    await settled(engine)
    return await made(engine, **how)


async def test_a_receipt_is_told_with_all_that_the_decree_prescribes(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        paper = await receive(db)
    assert await all_made(fresh) == {"email": 1, "sms": 1, "chat": 1}
    mail, sms, chat = await messages(fresh)
    assert (mail.recipient, sms.recipient, chat.recipient) == (MAIL, PHONE, PHONE)
    assert {mail.sending, sms.sending, chat.sending} == {Sending.queued}
    assert mail.fact == f"entry/{paper.id}/1"
    assert mail.law
    assert mail.next_at == mail.made_at == MORNING
    assert paper.due_at is not None
    due = f"{paper.due_at.astimezone(MORNING.tzinfo):%H:%M %d/%m/%Y}"
    for each in (
        *(paper.code, "Sở Khoa học và Công nghệ", "Phạm Văn Giang", "Nguyễn Thị Ánh"),
        *("Được tiếp nhận", "08:00 04/03/2024", due),
    ):
        assert each in mail.body
    assert mail.subject == f"Hồ sơ {paper.code}: đã tiếp nhận, hẹn trả {due}"
    assert sms.body == (
        f"Hồ sơ {paper.code}: đã tiếp nhận 08:00 04/03/2024, hẹn trả kết quả {due}."
        " Sở Khoa học và Công nghệ"
    )


async def test_every_change_of_state_and_of_date_is_told(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        paper = await processing(db)
        paper = await move(
            db, paper, Event.request_supplement, Role.officer, MORNING + DAY, "thiếu bản đồ"
        )
        paper = await move(db, paper, Event.supplement, Role.citizen, MORNING + 4 * DAY)
        paper = await move(
            db, paper, Event.extend, Role.leader, MORNING + 5 * DAY, "xác minh thực địa", term="5cd"
        )
        paper = await move(db, paper, Event.withdraw, Role.citizen, MORNING + 6 * DAY)
    await all_made(fresh, ways=EMAIL)
    assert await told(fresh) == [
        *("received", "state-changed", "state-changed", "state-changed"),
        *("supplement-asked", "promise-moved", "extended", "withdrawn"),
    ]
    *_, accepted, asked, supplemented, extended, withdrawn = await messages(fresh)
    assert "Phòng Quản lý thông tin và bưu chính" in accepted.body
    assert "Đỗ Đức Uyên" in accepted.body
    assert "thiếu bản đồ" in asked.body
    assert "Hẹn trả kết quả: –." in asked.body  # held: no date is in force
    assert "bổ sung trước" in asked.subject
    assert "–" not in asked.subject
    assert "trước đây: " in supplemented.body
    assert "xác minh thực địa" in extended.body
    assert "xin lỗi" in extended.body
    assert "Công dân rút hồ sơ" in withdrawn.body
    assert "Hẹn trả kết quả: –." in withdrawn.body


async def test_what_is_told_late_is_told_as_it_was(fresh: AsyncEngine) -> None:
    """One that is read at once and one that is read at the end say the same."""
    async with fresh.begin() as db:
        paper = await processing(db)
    await all_made(fresh, ways=EMAIL)
    at_once = [each.body for each in await messages(fresh)]
    async with fresh.begin() as db:
        await move(db, paper, Event.request_supplement, Role.officer, MORNING + DAY)
        await db.execute(sa.text("UPDATE reader SET xact = 0, last = 0"))
    await all_made(fresh, ways=frozenset({Way.chat}))
    late = [each.body for each in await messages(fresh, M.way == Way.chat)]
    assert late[: len(at_once)] == at_once


def with_a_day_off(book: Catalogue, off: date) -> Catalogue:
    """The weeks go on as usual but for that day."""
    year = [date(2024, 1, 1) + timedelta(days=n) for n in range(366)]
    hours = (time(7, 30), time(11, 30)), (time(13), time(17))
    days = {day: hours for day in year if day.weekday() < 5 and day != off}
    corrected = Calendar("vn", "storm", HANOI.key, days, year[0], year[-1])
    versions = (*book.calendars["vn"], ("storm", lambda: corrected))
    return replace(book, calendars={**book.calendars, "vn": versions})


async def test_a_corrected_calendar_is_told_with_both_dates(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        paper = await processing(db)
        before = paper.due_at
        assert before is not None
        book = with_a_day_off(office(), before.astimezone(HANOI).date())
        how = {"book": book, "reason": "nghỉ do bão"}
        by_storm = (Event.recompute, Role.control, MORNING + DAY)
        paper = await move(db, paper, *by_storm, **how, calendar="vn@storm")
        after = paper.due_at
        assert after is not None
        assert after > before
        made_there = {"produced": ["Phiếu trình giải quyết"]}
        await move(db, paper, Event.advance, Role.officer, MORNING + DAY, **how, **made_there)
    await all_made(fresh)
    *_, told = await messages(fresh, M.way == Way.email)
    assert told.template == "calendar-corrected"  # and the stage that came then moved no date
    dates = [f"{each.astimezone(HANOI):%H:%M %d/%m/%Y}" for each in (before, after)]
    assert f"thay đổi từ {dates[0]} thành {dates[1]}." in told.body
    assert "nghỉ do bão" in told.body
    assert told.subject.endswith(dates[1])


async def test_nobody_without_an_address_is_told(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        await receive(db, email=None, phone=None)
        await receive(db, phone=None)
    assert await all_made(fresh) == {"email": 1}


async def test_made_again_it_is_made_once(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        await processing(db)
    first = await all_made(fresh)
    assert first == {"email": 4, "sms": 1, "chat": 4}
    assert await all_made(fresh) == {}
    async with fresh.begin() as db:  # somebody sets the reader back
        await db.execute(sa.text("UPDATE reader SET xact = 0, last = 0"))
    assert await all_made(fresh) == {}
    assert len(await messages(fresh)) == 9


async def test_ten_at_once_make_each_once(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        for _ in range(30):
            await receive(db)
    done = await asyncio.gather(*(made(fresh, batch=7) for _ in range(10)))
    await all_made(fresh)
    rows = await messages(fresh)
    assert len(rows) == 90
    assert len({(each.fact, each.way) for each in rows}) == 90
    assert sum(sum(each.values()) for each in done) <= 90


async def test_killed_in_the_middle_it_goes_on(fresh: AsyncEngine, monkeypatch: Any) -> None:
    async with fresh.begin() as db:
        for _ in range(6):
            await receive(db)
    await settled(fresh)
    inserting, calls = making._insert, 0

    async def killed(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        told = await inserting(*args)
        if calls == 2:
            raise asyncio.CancelledError
        return told

    monkeypatch.setattr(making, "_insert", killed)
    with pytest.raises(asyncio.CancelledError):
        await made(fresh, ways=EMAIL, batch=2)
    assert len(await messages(fresh)) == 2  # the second batch is wholly undone
    monkeypatch.undo()
    await all_made(fresh, ways=EMAIL, batch=2)
    assert len(await messages(fresh)) == 6


async def test_who_is_set_up_later_hears_of_what_comes_then(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        await receive(db)
    await all_made(fresh, ways=())
    assert await messages(fresh) == []
    async with fresh.begin() as db:
        await receive(db)
    assert await all_made(fresh, ways=EMAIL) == {"email": 1}


async def test_a_new_reader_does_not_tell_what_is_old(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        old = await receive(db)
        recorded = await db.scalar(sa.text("SELECT max(recorded_at) FROM entry"))
    assert await all_made(fresh, at=recorded + 15 * DAY) == {}
    async with fresh.begin() as db:
        await move(db, old, Event.digitise, Role.reception, MORNING)
    assert await all_made(fresh, at=recorded + 15 * DAY, ways=EMAIL) == {"email": 1}


# Alerts -----------------------------------------------------------------------------------


async def test_an_alert_goes_to_whom_it_concerns(fresh: AsyncEngine) -> None:
    leader = {"person": "p-sci-lead-02", "unit": "H42.03.02", "role": "leader", "why": "lãnh đạo"}
    nobody = {"person": None, "unit": "H42.14.02", "role": "control", "why": "kiểm soát"}
    twice = {**leader, "why": "thay người vắng"}
    async with fresh.begin() as db:
        paper = await receive(db, email=None, phone=None)
        concerns = [leader, nobody, twice]
        await alert(db, paper, "term-late", what="breach", concerns=concerns)
    assert await all_made(fresh) == {"email": 2, "sms": 2, "chat": 2}
    mails = await messages(fresh, M.way == Way.email)
    assert {each.recipient for each in mails} == {
        "p-sci-lead-02@example.vn",
        "p-control-01@example.vn",
    }
    first = next(each for each in mails if "lead" in each.recipient)
    assert first.fact == f"alert/{paper.id}/term-late/0/1"
    assert first.subject == f"Quá hạn: {paper.code}"
    for each in (
        "Quá hạn trả kết quả.",
        "lãnh đạo – Phòng Quản lý thông tin và bưu chính",
        "Đỗ Đức Uyên",
        "08:00 13/03/2024",
    ):
        assert each in first.body
    assert not first.law
    assert first.audience is Audience.staff
    assert await all_made(fresh) == {}


async def test_a_sweep_that_commits_late_is_not_lost(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        one, two, three = [await receive(db, email=None, phone=None) for _ in range(3)]
    async with fresh.connect() as slow:
        await alert(slow, one)
        async with fresh.begin() as quick:
            await alert(quick, two)
        assert await made(fresh, ways=EMAIL) == {"email": 1}
        async with fresh.connect() as db:
            since = await reading.told_since(db)
            begun = await db.scalar(sa.text("SELECT min(recorded_at) FROM alert"))
        assert since is not None
        assert since < begun  # the reader stays behind who still runs
        await slow.commit()
    async with fresh.begin() as db:
        await alert(db, three)
    assert await made(fresh, ways=EMAIL) == {"email": 2}


async def test_alerts_in_batches(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        papers = [await receive(db, email=None, phone=None) for _ in range(9)]
        for paper in papers:
            for rule in ("term-near", "stage-near"):
                await alert(db, paper, rule)
    assert await made(fresh, ways=EMAIL, batch=4) == {"email": 18}
    assert await made(fresh, ways=EMAIL, batch=4) == {}


async def test_what_nobody_can_be_told_of_stops_nothing(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        paper = await receive(db, email=None, phone=None)
        strange = {"person": "p-gone", "unit": "X", "role": "officer", "why": ""}
        await alert(db, paper, "unknown-rule", concerns=[strange], person="p-gone", unit="X")
        await alert(db, paper, "term-near", concerns=[])
        await alert(db, paper, "stage-near")
    assert await made(fresh, ways=EMAIL) == {"email": 1}


async def test_one_that_cannot_be_worded_keeps_no_other_back(
    fresh: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fresh.begin() as db:
        papers = [await receive(db) for _ in range(3)]
    wording = drafts.Drafting.of

    def of(drafting: Any, fact: Any) -> Any:
        for each in wording(drafting, fact):
            yield each
            if fact.code == papers[1].code:
                raise KeyError(fact.code)

    monkeypatch.setattr(drafts.Drafting, "of", of)
    await all_made(fresh)
    told = [each.dossier_id for each in await messages(fresh, M.way == Way.email)]
    assert told == [papers[0].id, papers[2].id]


async def test_staff_is_left_alone_at_night(fresh: AsyncEngine) -> None:
    night = MORNING.replace(hour=22)
    async with fresh.begin() as db:
        paper = await receive(db, night)
        await alert(db, paper)
    await all_made(fresh, at=night, ways=EMAIL)
    citizen, staff = sorted(await messages(fresh), key=lambda each: each.audience)
    assert citizen.next_at == night  # prescribed: at once
    assert staff.next_at == (night + DAY).replace(hour=6, minute=30)


async def test_an_idle_night_has_nothing_waiting(fresh: AsyncEngine) -> None:
    async def waits(at: datetime = MORNING) -> bool:
        async with fresh.connect() as db:
            return await notices.waiting(db, at)

    assert await waits()  # nobody has looked yet
    await all_made(fresh)
    assert not await waits()
    async with fresh.begin() as db:
        paper = await receive(db, email=None, phone=None)
    await all_made(fresh)
    assert not await waits()
    async with fresh.begin() as db:
        await alert(db, paper)
    assert await waits()
    await all_made(fresh, at=MORNING + DAY)
    assert not await waits()
    assert await waits(MORNING + DAY)  # to be sent


# Webhooks ---------------------------------------------------------------------------------


async def test_other_systems_get_everything_and_no_citizen(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        paper = await processing(db)
        await alert(db, paper)
    endpoints = ["portal", "archive"]
    assert await all_made(fresh, ways=(), endpoints=endpoints) == {"webhook": 10}
    rows = await messages(fresh, M.recipient == "portal")
    assert [each.subject for each in rows] == [
        *("dossier.receive", "dossier.digitise", "dossier.route", "dossier.accept"),
        "deadline.alert",
    ]
    bodies = [json.loads(each.body) for each in rows]
    assert all("\n" not in each.body for each in rows)
    assert [each.get("seq") for each in bodies] == [1, 2, 3, 4, None]
    assert bodies[3]["code"] == paper.code
    assert bodies[3]["state"] == "processing"
    assert bodies[3]["due"] == bodies[0]["due"]
    assert bodies[4]["rule"] == "term-near"
    whole = json.dumps(bodies)
    for private in ("Ánh", MAIL, PHONE):
        assert private not in whole


# Many -------------------------------------------------------------------------------------


async def test_ten_thousand_facts_at_once(fresh: AsyncEngine, owner: AsyncEngine) -> None:
    """Flat: so many queries for a batch, and none for a fact."""
    async with fresh.begin() as db:
        paper = await receive(db, email=None, phone=None)
        await db.execute(
            sa.text(
                "INSERT INTO alert (dossier_id, rule, visit, deadline, watched, what, due_at, at,"
                " unit, person, concerns) SELECT :id, 'term-near', n, 1, 'term', 'alert', now(),"
                " now(), 'H42.03.02', 'p-sci-officer-21', CAST(:concerns AS json)"
                " FROM generate_series(1, 10000) AS n"
            ),
            {"id": paper.id, "concerns": json.dumps([{"person": "p-sci-officer-21"}])},
        )
    asked = 0

    def count(*_: Any) -> None:
        nonlocal asked
        asked += 1

    sa.event.listen(fresh.sync_engine, "before_cursor_execute", count)
    try:
        done = await made(fresh, ways=EMAIL)
    finally:
        sa.event.remove(fresh.sync_engine, "before_cursor_execute", count)
    assert done == {"email": 10_000}
    assert asked < 100
    assert await made(fresh, ways=EMAIL) == {}
