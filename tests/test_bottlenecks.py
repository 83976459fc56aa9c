"""Where dossiers get stuck: their ways, what is done twice, what waits and what is worked on."""

from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from book import (
    APPRAISED,
    APPROVED,
    BOOK,
    CALENDAR,
    HANOI,
    LICENCE,
    at,
    move,
    process,
    receive,
    to_signature,
)  # fmt: skip
from foreign_files import mapped, put
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from test_intake_files import RECEIPT
from test_logs_doors import SAMPLE, imported, real

from states import bottlenecks, catalogue
from states.bottlenecks import Scope, Spread
from states.bottlenecks.taking import Split, Turn, split, spread, taken_in
from states.errors import BadInput
from states.figures import every
from states.figures.reporting import Asked, period
from states.intake import read
from states.intake.taking import take
from states.words import Event, Role

ALL = Scope(None, at(300))
DAY = 480


# Waiting and working ---------------------------------------------------------------------------

MINUTES = st.integers(0, 40 * 1440).map(lambda n: at(0, "00:00") + timedelta(minutes=n))
TURNS = st.tuples(MINUTES, MINUTES, MINUTES).map(lambda three: Turn(*sorted(three)))


@st.composite
def holding(draw: st.DrawFn) -> list[tuple[datetime, datetime | None]]:
    """Holds one after another; the last may be open."""
    edges = sorted(draw(st.lists(MINUTES, max_size=6)))
    last = [(edges[-1], None)] if len(edges) % 2 else []
    return [*zip(edges[0:-1:2], edges[1::2], strict=False), *last]


def walked(since: datetime, until: datetime, holds: list[Any]) -> tuple[int, int]:
    """Working minutes between two moments, and those of them on hold: one by one."""
    working = held = 0
    while since < until:
        clock = since.astimezone(HANOI)
        minute = clock.hour * 60 + clock.minute
        open_ = 450 <= minute < 690 or 780 <= minute < 1020
        if clock.weekday() < 5 and open_:
            working += 1
            held += any(a <= since and (b is None or since < b) for a, b in holds)
        since += timedelta(minutes=1)
    return working, held


@given(TURNS, holding())
def test_the_parts_of_a_visit_are_its_working_minutes(turn: Turn, holds: list[Any]) -> None:
    its = split(CALENDAR, turn, holds)
    assert sum(its) == CALENDAR.position(turn.done) - CALENDAR.position(turn.ready)
    assert min(its) >= 0


@given(st.integers(0, 10_000), holding())
def test_minute_by_minute(seed: int, holds: list[Any]) -> None:
    chance = Random(seed)
    offsets = sorted(chance.sample(range(12 * 1440), 3))
    turn = Turn(*(at(0, "00:00") + timedelta(minutes=n) for n in offsets))
    before, after = walked(turn.ready, turn.taken, holds), walked(turn.taken, turn.done, holds)
    assert split(CALENDAR, turn, holds) == Split(
        before[0] - before[1], after[0] - after[1], before[1] + after[1]
    )


@given(MINUTES, MINUTES, st.none() | MINUTES)
def test_taken_in_between_ready_and_done(
    one: datetime, two: datetime, before: datetime | None
) -> None:
    ready, done = sorted((one, two))
    assert ready <= taken_in(ready, done, before) <= done


@given(st.lists(st.integers(0, 1000), min_size=1))
def test_spreads_are_of_values_that_there_are(minutes: list[int]) -> None:
    made = spread(minutes)
    assert {made.median, made.ninth} <= set(minutes)
    assert sum(n <= made.median for n in minutes) * 2 >= len(minutes)
    assert sum(n <= made.ninth for n in minutes) * 10 >= len(minutes) * 9
    assert made.total == sum(minutes)


async def stages(db: AsyncConnection, scope: Scope = ALL) -> dict[tuple[str, str], Any]:
    found = await bottlenecks.times(db, BOOK, scope)
    assert found.unreckoned == 0
    return {(each.stage, each.unit): each for each in found.stages}


async def test_a_weekend_is_not_waiting(db: AsyncConnection) -> None:
    """Sent on Friday at 16:00, taken in on Monday at 08:30, done on Tuesday at 08:30."""
    paper = await receive(db, LICENCE, at(4, "15:00"))
    for event, when in (
        (Event.digitise, at(4, "15:30")),
        (Event.route, at(4, "16:00")),
        (Event.accept, at(7, "08:30")),
        (Event.return_result, at(8, "08:30")),
    ):
        facts = {"payload": {"outcome": "approved"}} if event is Event.return_result else {}
        await move(db, paper.code, event, when, **facts)
    its = (await stages(db))["decide", "H42.05.01"]
    assert its.waiting == Spread(60 + 60, 120, 120)
    assert its.working == Spread(DAY, DAY, DAY)
    assert (its.visits, its.held, its.estimated) == (1, 0, 0)


async def test_what_the_citizen_was_asked_for_is_nobodys_work(db: AsyncConnection) -> None:
    paper = await process(db, LICENCE, at(0, "08:00"))
    await move(db, paper.code, Event.request_supplement, at(0, "09:00"))
    await move(db, paper.code, Event.supplement, at(2, "09:00"))
    await move(db, paper.code, Event.return_result, at(2, "10:00"), payload={"outcome": "approved"})
    its = (await stages(db))["decide", "H42.05.01"]
    assert (its.waiting.total, its.working.total, its.held) == (0, 120, 2 * DAY)


async def test_a_later_stage_waits_until_its_person_had_nothing_else_to_do(
    db: AsyncConnection,
) -> None:
    """The leader gets two at 08:00; signs the first at 10:00 and the second at 11:00."""
    papers = []
    for _ in range(2):
        paper = await process(db, when=at(0))
        await move(db, paper.code, Event.advance, at(1, "08:00"), **APPRAISED)
        papers.append(paper)
    for paper, when in zip(papers, ("10:00", "11:00"), strict=True):
        await move(db, paper.code, Event.advance, at(1, when), Role.leader)
    its = (await stages(db))["review", "H42.05.01"]
    assert (its.visits, its.estimated) == (2, 2)
    assert its.waiting == Spread(0, 120, 120)  # the second one, till the first was signed
    assert its.working == Spread(60, 120, 180)


async def test_a_visit_counts_where_it_ended(db: AsyncConnection) -> None:
    await to_signature(db)  # appraised and reviewed on day 1, 08:00
    assert await stages(db, Scope(at(1), at(2))) != {}
    assert await stages(db, Scope(at(1, "08:01"), at(2))) == {}
    assert await stages(db, Scope(None, at(1))) == {}
    assert await stages(db, Scope(None, at(2), agencies=["H42.02"])) == {}
    assert await stages(db, Scope(None, at(2), procedures=["1.000001"])) != {}
    with pytest.raises(BadInput, match="ends before it begins"):
        Scope(at(1), at(1))


async def test_what_was_withdrawn_was_not_done(db: AsyncConnection) -> None:
    paper = await process(db)
    await move(db, paper.code, Event.withdraw, at(1))
    assert await stages(db) == {}


# Ways ------------------------------------------------------------------------------------------

PERMIT_WAY = (
    *("receive", "digitise", "route", "accept appraise", "advance appraise", "advance review"),
    "return_result sign",
)


async def granted(db: AsyncConnection, *, back: bool = False) -> str:
    paper = await to_signature(db)
    if back:
        await move(db, paper.code, Event.send_back, at(1), payload={"stage": 1})
        await move(db, paper.code, Event.advance, at(1), Role.leader)
    await move(db, paper.code, Event.return_result, at(1), Role.leader, **APPROVED)
    return paper.code


async def test_ways_by_how_many_went_them(db: AsyncConnection) -> None:
    codes = [await granted(db) for _ in range(3)]
    other = await granted(db, back=True)
    unfinished = await receive(db)
    found = await bottlenecks.variants(db, ALL)
    first, second = found.variants
    assert (found.dossiers, first.dossiers, second.dossiers) == (4, 3, 1)
    assert first.activities == PERMIT_WAY
    assert (first.share, first.example) == (75.0, codes[0])
    assert first.median == DAY - 90 + 30  # from 09:00 of day 0 to 08:00 of day 1
    assert second.example == other
    assert second.activities[6:] == ("send_back sign", "advance review", "return_result sign")
    whole = await bottlenecks.variants(db, Scope(None, at(300), unfinished=True))
    assert whole.dossiers == 5
    (only,) = [each for each in whole.variants if each.activities == ("receive",)]
    assert (only.example, only.median) == (unfinished.code, None)
    assert (await bottlenecks.variants(db, Scope(at(2), at(3)))).variants == ()


async def test_what_is_done_again(db: AsyncConnection) -> None:
    for back in (False, False, True):
        await granted(db, back=back)
    found = await bottlenecks.rework(db, ALL)
    assert (found.dossiers, found.again) == (3, 1)
    (activity,) = found.activities
    assert (activity.activity, activity.dossiers, activity.again, activity.repeats) == (
        "advance review", 3, 1, 1,
    )  # fmt: skip
    assert [(each.stage, each.dossiers, each.again, each.visits) for each in found.stages] == [
        ("review", 3, 1, 1),
        ("sign", 3, 1, 1),
    ]
    assert [(each.event, each.dossiers, each.times) for each in found.returns] == [
        (Event.send_back, 1, 1)
    ]
    empty = await bottlenecks.rework(db, Scope(at(2), at(3)))
    assert (empty.dossiers, empty.activities, empty.stages, empty.returns) == (0, (), (), ())


# As reports --------------------------------------------------------------------------------------


async def paper(db: AsyncConnection, name: str, **options: str) -> Any:
    asked = Asked(db, BOOK, period(None, at(300)), at(300), options=options)
    return await every.find(name).make(asked)


def cells(sheet: Any, *keys: str) -> list[tuple[Any, ...]]:
    columns = [sheet.column(key) for key in keys]
    return [tuple(row[n] for n in columns) for row in sheet.rows]


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own catalogue has no names."""
    for name in (
        "rework.called",
        "rework.stage_called",
        "rework.activity_called",
        "variants.activity_called",
        "waiting.called",
        "waiting.activity_called",
    ):
        monkeypatch.setattr(f"states.figures.{name}", lambda book, of, code: code)


async def test_reports_of_bottlenecks(db: AsyncConnection, named: None) -> None:
    for back in (False, False, True):
        await granted(db, back=back)
    (sheet,) = (await paper(db, "variants")).sheets
    assert cells(sheet, "dossiers", "steps") == [(2, 7), (1, 9)]
    assert sheet.total[:2] == ["Tổng / Total: 2", 3]
    (sheet,) = (await paper(db, "variants", shown="1")).sheets
    assert cells(sheet, "dossiers", "steps") == [(2, 7), (1, None)]
    assert "1 cách hiếm hơn" in sheet.rows[1][0]
    done, entered, returned = (await paper(db, "rework")).sheets
    assert cells(done, "activity", "again", "repeats") == [("advance review", 1, 1)]
    assert cells(entered, "stage", "visits") == [("review", 1), ("sign", 1)]
    assert cells(returned, "times") == [(1,)]
    made = await paper(db, "waiting")
    (sheet,) = made.sheets
    assert made.faults == ()
    assert sorted(cells(sheet, "stage", "visits")) == [("appraise", 3), ("review", 4), ("sign", 4)]
    for each in (done, entered, returned, sheet):
        assert {len(row) for row in each.rows} == {len(each.columns)}
        assert each.total is None or len(each.total) == len(each.columns)
    assert (await paper(db, "waiting", procedure="1.000009")).sheets[0].rows == ()


@pytest.mark.parametrize(
    ("options", "said"),
    [({"shown": "0"}, "whole number"), ({"shown": "many"}, "whole"), ({"unfinished": "x"}, "yes")],
)
async def test_what_a_report_cannot_be_asked(
    db: AsyncConnection, options: dict[str, str], said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        await paper(db, "variants", **options)


# Of other systems --------------------------------------------------------------------------------


async def test_a_history_that_was_told(fresh: AsyncEngine, tmp_path: Path) -> None:
    """One clerk does `Ký` of two dossiers, an hour each; both were ready at eight."""
    content = "Mã,Nhận,Xong,Việc,Lúc,Ai\n" + "".join(
        f"{code},2024-03-04T08:00,2024-03-05T08:00,{what},2024-03-04T{when},{who}\n"
        for code, what, when, who in (
            ("A-1", "Nhận", "08:00", "a"),
            ("A-2", "Nhận", "08:00", "a"),
            ("A-1", "Ký", "09:00", "b"),
            ("A-2", "Ký", "10:00", "b"),
            ("A-2", "Ký", "10:30", ""),
        )
    )
    event = {"name": "Việc", "at": "Lúc", "person": "Ai"}
    names = mapped(kind="log", finished="Xong", agency={"default": "H42.05"}, event=event)
    items = read(put(tmp_path, "a.csv", content), names)
    assert (await take(fresh, BOOK, items, "a.csv", "week")).taken == 2
    async with fresh.connect() as db:
        its = (await stages(db))["Ký", "H42.05"]
        assert (its.visits, its.estimated) == (3, 3)
        assert its.waiting == Spread(0, 60, 60)
        assert its.working == Spread(60, 60, 150)
        found = await bottlenecks.variants(db, ALL)
        assert [each.activities for each in found.variants] == [
            ("Nhận", "Ký"),
            ("Nhận", "Ký", "Ký"),
        ]
        again = await bottlenecks.rework(db, ALL)
        assert (again.dossiers, again.again) == (2, 1)


@real
async def test_the_real_log(fresh: AsyncEngine) -> None:
    await imported(fresh, RECEIPT, SAMPLE / "receipt-map.yaml")
    book = catalogue.load()
    whole = Scope(None, datetime(2100, 1, 1, tzinfo=HANOI), unfinished=True)
    async with fresh.connect() as db:
        found = await bottlenecks.variants(db, whole)
        assert (found.dossiers, len(found.variants)) == (1_434, 116)
        assert sum(each.dossiers for each in found.variants) == 1_434
        first = found.variants[0]
        assert first.activities[0] == "Confirmation of receipt"
        again = await bottlenecks.rework(db, whole)
        assert again.dossiers == 1_434
        many = "SELECT count(*) FROM (SELECT FROM activity GROUP BY dossier_id, name"
        told = await db.scalar(sa.text(f"{many} HAVING count(*) > 1) AS t"))
        assert sum(each.again for each in again.activities) == told
        times = await bottlenecks.times(db, book, whole)
        assert sum(each.visits for each in times.stages) + times.unreckoned == 8_577
        assert times.unreckoned == 0
