"""Lists and queues of a town: what each sees, page by page, whatever is written meanwhile."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from town import CODES, HANOI, NOW, at, move, read, received, town, walked

from states import lifecycle
from states.catalogue import load
from states.clock.words import Lang
from states.db import transaction
from states.errors import BadInput, Unknown
from states.finding import cursors, fairness, listing, work
from states.finding.cursors import Place
from states.finding.listing import Asked, By, Count
from states.finding.masks import name, phone
from states.finding.only import Only, Span
from states.finding.paging import parts
from states.finding.queues import QUEUES, desk
from states.finding.reasons import reason
from states.ledger.statements import WITH_VISIT, d, dossier, v, visit
from states.lifecycle import Now
from states.people import caller
from states.sight import Sight, sight
from states.words import Channel, Event, Role, State, Tally

BOOK = load()
LATER = at(9)
STAFF = [
    ("p-reception-01", None, None),
    ("p-post-01", None, "H42.05"),
    ("p-labour-lead-02", None, None),
    ("p-sci-director", None, None),
    ("p-control-01", None, None),
]


@pytest.fixture(scope="module")
async def lived(server):
    async with town(server) as engine:
        yield engine


@pytest.fixture
async def there(lived):
    """A transaction in the town that never leaves the test."""
    async with lived.connect() as db:
        outer = await db.begin()
        yield db
        await outer.rollback()


def who(person, role=None, acts_for=None):
    return caller(BOOK, person, role, acts_for, NOW.date())


async def rows_of(db):
    """Every dossier with its present visit, as plain rows."""
    asked = sa.select(
        *d, v.person.label("holder"), v.role.label("held_as"), v.due_at.label("stage_due")
    )
    return (await db.execute(asked.select_from(WITH_VISIT))).mappings().all()


async def every(db, book, seen, asked, when=NOW, limit=7, **more):
    """The rows of all pages."""
    found, cursor = [], None
    while True:
        page = await listing.find(
            db, book, seen, asked, when, cursor=cursor, limit=limit, full=True, **more
        )
        found += page.rows
        assert (page.next is None) or len(page.rows) == limit
        if (cursor := page.next) is None:
            return found


# Lists ------------------------------------------------------------------------------------


async def visited(db, seen):
    """The ids of dossiers of which a visit is the caller's or was in their units."""
    rows = (await db.execute(sa.select(visit))).mappings().all()
    return {r["dossier_id"] for r in rows if r["person"] == seen.person or r["unit"] in seen.units}


@pytest.mark.parametrize("staff", STAFF, ids=lambda staff: staff[0])
async def test_a_list_is_what_the_caller_sees_newest_first(lived, there, staff):
    book = await read(lived)
    seen = sight(book, who(*staff))
    by_visit = await visited(there, seen)
    mine = [r for r in await rows_of(there) if seen.plainly(r) or r["id"] in by_visit]
    mine.sort(key=lambda r: r["id"], reverse=True)
    found = await every(there, book, seen, Asked())
    assert [r["code"] for r in found] == [r["code"] for r in mine]


async def test_two_agencies_see_their_own_and_no_more(lived, there):
    book = await read(lived)
    labour, science = [
        {r["agency"] for r in await every(there, book, sight(book, who(person)), Asked())}
        for person in ("p-labour-lead-02", "p-sci-director")
    ]
    assert labour <= {"H42.05"}
    assert science <= {"H42.03"}
    assert labour | science


@pytest.mark.parametrize("of", [d.agency == "x", sa.true(), sa.or_(d.unit == "u", d.agency == "x")])
def test_the_parts_of_the_predicate_are_the_predicate(of):
    assert str(sa.or_(sa.false(), *parts(of))) in {str(of), str(sa.or_(of, sa.false()))}


def test_each_part_of_a_wide_sight_is_asked_for_itself():
    seen = Sight("p", agencies=frozenset({"a"}), units=frozenset({"u"}))
    assert len(parts(seen.where())) >= 3
    assert len(parts(Sight("p", all=True).where())) == 1


def overdue(r):
    return r["finished_at"] is None and r["late_at"] is not None and r["late_at"] <= LATER


DAY = timedelta(days=1)
FILTERS = {
    "state": (
        Only(state=(State.processing, State.routed)),
        lambda r: r["state"] in {"processing", "routed"},
    ),
    "agency": (Only(agency=("H42.05",)), lambda r: r["agency"] == "H42.05"),
    "unit": (
        Only(unit=("H42.05.02", "H42.14.01")),
        lambda r: r["unit"] in {"H42.05.02", "H42.14.01"},
    ),
    "procedure": (Only(procedure=(CODES[0],)), lambda r: r["procedure"] == CODES[0]),
    "channel": (Only(channel=(Channel.online,)), lambda r: r["channel"] == "online"),
    "verdict": (Only(verdict=(Tally.late,)), lambda r: r["verdict"] == "late"),
    "overdue": (Only(overdue=True), overdue),
    "in time": (Only(overdue=False), lambda r: not overdue(r)),
    "received": (
        Only(received=Span(NOW - 9 * DAY, NOW - 5 * DAY)),
        lambda r: r["received_at"] and NOW - 9 * DAY <= r["received_at"] < NOW - 5 * DAY,
    ),
    "finished": (
        Only(finished=Span(until=NOW - 3 * DAY)),
        lambda r: r["finished_at"] and r["finished_at"] < NOW - 3 * DAY,
    ),
    "due": (Only(due=Span(since=NOW)), lambda r: r["due_at"] and r["due_at"] >= NOW),
    "due before": (
        Only(due_before=NOW + 2 * DAY),
        lambda r: not r["finished_at"] and r["due_at"] and r["due_at"] < NOW + 2 * DAY,
    ),
    "person": (Only(person="a officer"), lambda r: r["holder"] == "a officer"),
    "two kinds": (
        Only(state=(State.processing,), overdue=True),
        lambda r: r["state"] == "processing" and overdue(r),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FILTERS)
async def test_filters(lived, there, kind):
    book, (only, holds) = await read(lived), FILTERS[kind]
    everything = await rows_of(there)
    wanted = {r["code"] for r in everything if holds(r)}
    assert 0 < len(wanted) < len(everything)
    seen, asked = Sight("p", all=True), Asked(only)
    found = [r["code"] for r in await every(there, book, seen, asked, LATER, limit=50)]
    assert len(found) == len(set(found))
    assert set(found) == wanted
    counted = await listing.count(there, book, seen, asked, LATER, Count.capped)
    assert (counted.n, counted.exact) == (len(wanted), True)
    guessed = await listing.count(there, book, seen, asked, LATER, Count.estimated)
    assert guessed.n >= 1
    assert not guessed.exact


async def test_in_order_of_due_is_what_runs_and_has_a_date(lived, there):
    book, everything = await read(lived), await rows_of(there)
    running = [r for r in everything if r["due_at"] is not None and r["finished_at"] is None]
    running.sort(key=lambda r: (r["due_at"], r["id"]))
    found = await every(there, book, Sight("p", all=True), Asked(by=By.due))
    assert [r["code"] for r in found] == [r["code"] for r in running]


@pytest.mark.parametrize(
    "only",
    [
        Only(agency=("a\0b",)),
        Only(person="\ud800"),
        Only(unit=("x" * 201,)),
        Only(received=Span(NOW, NOW)),
        Only(due=Span(since=datetime(2024, 1, 1))),
        Only(due_before=datetime(9999, 12, 31, tzinfo=UTC)),
    ],
)
async def test_what_cannot_be_asked_is_refused(there, only):
    with pytest.raises(BadInput):
        await listing.find(there, BOOK, Sight("p", all=True), Asked(only), NOW)


# Pages under writing ----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
async def test_what_is_there_all_the_time_is_told_once(server, seed):
    """Others open, move and finish dossiers between the pages and while they are read."""
    chance = Random(seed)
    async with town(server) as engine:
        book, seen = await read(engine), Sight("p", all=True)
        asked = Asked(Only(agency=("H42.02", "H42.03", "H42.04", "H42.05", "H42.06", "H42.07")))
        async with engine.connect() as db:
            before = {r["code"] for r in await every(db, book, seen, asked)}

        async def written():
            for _ in range(6):
                async with transaction(engine) as db:
                    when = NOW + timedelta(minutes=chance.randrange(99))
                    await walked(db, book, chance, chance.choice(CODES), when)
                    code = await moved(db, book, chance, sorted(before))
            return code

        told, cursor = [], None
        while True:
            async with transaction(engine) as db:
                reading = listing.find(
                    db, book, seen, asked, NOW, cursor=cursor, limit=chance.randint(20, 60)
                )
                page, _ = await asyncio.gather(reading, written())
            told += [r["code"] for r in page.rows]
            if (cursor := page.next) is None:
                break
        assert len(told) == len(set(told))
        assert before <= set(told)


async def moved(db, book, chance, codes):
    """Some dossier, by some event that is open, after all it has been through."""
    for code in chance.sample(codes, 30):
        row = (await db.execute(sa.select(dossier).where(d.code == code))).one()
        when = max(row.moved_at, NOW)
        events = {Event.extend, Event.withdraw, Event.receive, Event.request_payment, Event.deliver}
        open_ = [e for r in Role for e in lifecycle.open_to(row, Now(when, r)) if e in events]
        if open_ and not row.source:
            await move(db, book, code, chance.choice(open_), when)
            return code
    return None


# Cursors ----------------------------------------------------------------------------------

MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(9998, 12, 31), timezones=st.just(UTC))


@given(MOMENTS, st.integers(0, 10**18 - 1))
def test_a_cursor_is_read_as_it_was_written(key, id_):
    place = Place(key, id_)
    for each, keyed in ((place, True), (place._replace(key=None), False)):
        written = cursors.written("due", each)
        assert cursors.read("due", written, keyed=keyed) == each
        with pytest.raises(BadInput, match="of another order"):
            cursors.read("due", written, keyed=not keyed)


@given(st.text(max_size=60))
def test_a_cursor_made_up_is_refused(text):
    with pytest.raises(BadInput, match="begin again without it"):
        cursors.read("came", text, keyed=True)


@pytest.mark.parametrize(
    "told",
    [
        "came:1:1:1",
        "came:1:-1",
        "came:999999999999999999:1",
        "came:-999999999999999999:1",
        "came:1:9999999999999999999",
        "came:١:1",
        "due:1:1",
        "came:1:1\n",
        "came'; DROP TABLE dossier; --:1:1",
        "",
    ],
)
def test_hostile_cursors(told):
    cursor = base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")
    with pytest.raises(BadInput, match="begin again without it"):
        cursors.read("came", cursor, keyed=True)


@pytest.mark.parametrize("cursor", ["\0", "é", "\ud800", "=" * 400, "a", "Y2FtZTox", "+/+/"])
def test_what_is_no_cursor(cursor):
    with pytest.raises(BadInput):
        cursors.read("came", cursor, keyed=True)


# Queues -----------------------------------------------------------------------------------


def naively(queue, of, r):
    """Whether a row is in a queue, in plain words."""
    state, due, late = r["state"], r["due_at"], r["late_at"]
    assigned = r["facts"].get("assigned") or of.person
    running = r["finished_at"] is None and late is not None
    mine = state == "processing" and r["held_as"] == of.role
    there = mine and r["unit"] in of.units
    rules = {
        "to_receive": state == "registered",
        "to_digitise": state == "received",
        "to_route": state == "digitised",
        "to_hand_over": state == "result_returned",
        "waiting": state in {"awaiting_supplement", "awaiting_payment"},
        "to_sign": there and r["holder"] in {None, of.person},
        "in_hands": mine and r["holder"] == of.person,
        "in_tray": there and r["holder"] is None,
        "to_take_in": state == "routed" and r["unit"] in of.bodies and assigned == of.person,
        "overdue": running and late <= of.at,
        "due_soon": running and late > of.at and due < of.at + timedelta(days=2),
        "no_rule": state == "routed" and r["unit"] == r["agency"],
    }
    return rules[queue]


DESKS = [*STAFF, ("p-labour-officer-21", None, None), ("p-edu-officer-21", None, None)]


@pytest.mark.parametrize("staff", DESKS, ids=lambda staff: staff[0])
async def test_queues_and_their_counts(lived, there, staff):
    book, me = await read(lived), who(*staff)
    seen, here = sight(book, me), desk(book, me, NOW)
    by_visit = await visited(there, seen)
    mine = [r for r in await rows_of(there) if seen.plainly(r) or r["id"] in by_visit]
    counted = await work.waiting(there, book, me, seen, NOW)
    assert counted
    for each in counted:
        name_ = each.queue.name
        wanted = {r["code"] for r in mine if naively(name_, here, r)}
        rows, cursor = [], None
        while True:
            page = await work.queue(
                there, book, me, seen, name_, NOW, Lang.en, cursor=cursor, limit=5
            )
            rows += page.rows
            if (cursor := page.next) is None:
                break
        assert {r["code"] for r in rows} == wanted, name_
        assert len(rows) == len(wanted) == each.count
        assert not each.more
        assert all(r["reason"] for r in rows)


async def test_no_queue_of_the_town_is_always_empty(lived, there):
    rows = await rows_of(there)
    for queue in set(QUEUES) - {"in_hands", "to_sign", "in_tray", "no_rule"}:
        every_body = SimpleNamespace(
            person="p", role=Role.officer, units=(), bodies={r["unit"] for r in rows}, at=NOW
        )
        assert any(naively(queue, every_body, r) for r in rows), queue


async def test_what_no_rule_caught_is_the_control_units(lived, there):
    book, me = await read(lived), who("p-control-01")
    await there.execute(sa.update(dossier).where(d.state == State.routed).values(unit=d.agency))
    lost = sorted(r["code"] for r in await rows_of(there) if r["state"] == "routed")
    page = await work.queue(there, book, me, sight(book, me), "no_rule", NOW, Lang.vi, limit=200)
    assert sorted(r["code"] for r in page.rows) == lost != []


async def test_the_order_of_a_queue_is_the_key_of_its_rows(lived, there):
    book, me = await read(lived), who("p-reception-01")
    page = await work.queue(
        there, book, me, sight(book, me), "to_digitise", NOW, Lang.vi, limit=200
    )
    keys = [fairness.key(r["moved_at"], r["due_at"]) for r in page.rows]
    assert len(keys) > 3
    assert all(one <= two for one, two in pairwise(keys))


async def test_a_queue_of_another_role_is_unknown(lived, there):
    me = who("p-reception-01")
    with pytest.raises(
        Unknown, match="who is reception has no queue overdue: there are to_receive"
    ):
        await work.queue(there, BOOK, me, sight(BOOK, me), "overdue", NOW, Lang.vi)


async def test_a_cursor_of_another_queue_is_refused(lived, there):
    me = who("p-reception-01")
    with pytest.raises(BadInput, match=r"is of work\.waiting, not of work\.to_receive"):
        await work.queue(
            there,
            BOOK,
            me,
            sight(BOOK, me),
            "to_receive",
            NOW,
            Lang.vi,
            cursor=cursors.written("work.waiting", Place(NOW, 1)),
        )


def test_every_role_of_the_staff_has_work_and_both_languages():
    assert {role for each in QUEUES.values() for role in each.roles} == (
        set(Role) - {Role.citizen, Role.system}
    )
    assert all(each.vi and each.en and each.vi != each.en for each in QUEUES.values())


# Fairness ---------------------------------------------------------------------------------


@given(st.data())
def test_nobody_starves(data):
    """One is done each day while others come, each due sooner than the patient one."""
    patient = (fairness.key(NOW), 0)
    waiting, done, day = [patient], [], NOW
    while patient in waiting:
        day += timedelta(days=1)
        for n in range(data.draw(st.integers(0, 3))):
            due = day + timedelta(hours=data.draw(st.integers(0, 48)))
            waiting.append((fairness.key(day, due), len(done) * 10 + n + 1))
        waiting.sort()
        done.append(waiting.pop(0))
        if day > NOW + fairness.PATIENCE:  # from here on, whatever comes is behind it
            assert all(key > patient[0] for key, n in waiting if n and key > day)
        assert len(done) <= 3 * (fairness.PATIENCE.days + 1)


async def test_the_key_in_sql_is_the_key(lived, there):
    column = fairness.column(d.moved_at, d.due_at, v.due_at)
    asked = sa.select(d.moved_at, d.due_at, v.due_at.label("stage"), column.label("key"))
    rows = (await there.execute(asked.select_from(WITH_VISIT))).all()
    assert any(row.due_at is None for row in rows)
    assert all(fairness.key(row.moved_at, row.due_at, row.stage) == row.key for row in rows)


# Reasons and masks ------------------------------------------------------------------------

NOON = datetime(2024, 3, 6, 12, tzinfo=HANOI)
ROW = {
    "finished_at": None,
    "lapse_at": None,
    "due_at": None,
    "late_at": None,
    "stage_due": None,
    "moved_at": NOON,
}


def on(day, hour=17):
    return datetime(2024, 3, day, hour, tzinfo=HANOI)


@pytest.mark.parametrize(
    ("facts", "vi", "en"),
    [
        ({"due_at": on(7), "late_at": on(8, 0)}, "hạn 17:00 ngày mai", "due tomorrow 17:00"),
        ({"due_at": on(6), "late_at": on(7, 0)}, "hạn 17:00 hôm nay", "due today 17:00"),
        (
            {"due_at": on(12), "late_at": on(13, 0)},
            "hạn 17:00 ngày 12/03/2024",
            "due 12/03/2024 17:00",
        ),
        (
            {"due_at": on(5), "late_at": on(6, 0)},
            "quá hạn từ 17:00 hôm qua",
            "overdue since yesterday 17:00",
        ),
        ({"moved_at": on(3, 9)}, "đã chờ 3 ngày", "waiting for 3 days"),
        ({"moved_at": on(5, 23)}, "đã chờ 1 ngày", "waiting for 1 day"),
        ({"moved_at": on(6, 9)}, "đang chờ từ 09:00 hôm nay", "waiting since today 09:00"),
        (
            {"moved_at": on(1), "due_at": on(28), "late_at": on(29, 0)},
            "đã chờ 5 ngày",
            "waiting for 5 days",
        ),
        (
            {"due_at": on(28), "late_at": on(29, 0)},
            "hạn 17:00 ngày 28/03/2024",
            "due 28/03/2024 17:00",
        ),
        (
            {"stage_due": on(7, 11), "due_at": on(12), "late_at": on(13, 0)},
            "hạn bước 11:00 ngày mai",
            "the stage is due tomorrow 11:00",
        ),
        (
            {"stage_due": on(5, 11), "due_at": on(12), "late_at": on(13, 0)},
            "quá hạn bước từ 11:00 hôm qua",
            "the stage is overdue since yesterday 11:00",
        ),
        (
            {"lapse_at": on(20)},
            "công dân trả lời trước 17:00 ngày 20/03/2024",
            "the citizen may answer until 20/03/2024 17:00",
        ),
        (
            {"finished_at": on(4), "moved_at": on(4), "due_at": on(5), "late_at": on(5)},
            "đã chờ 2 ngày",
            "waiting for 2 days",
        ),
    ],
)
def test_reasons(facts, vi, en):
    assert reason(ROW | facts, NOON, HANOI, Lang.vi) == vi
    assert reason(ROW | facts, NOON, HANOI, Lang.en) == en


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Nguyễn Thị Ánh", "Nguyễn T. Á."),
        ("Nguye\u0302\u0303n A\u0301nh", "Nguyễn Á."),
        ("Madonna", "M."),
        ("  ", ""),
        ("", ""),
    ],
)
def test_names_are_masked(text, told):
    assert name(text) == told


def test_phones_are_masked():
    assert phone("+84912345678") == "…678"
    assert phone(None) is None


async def test_rows_are_masked_unless_whole(lived, there):
    book, seen = await read(lived), Sight("p", all=True)
    asked = Asked(Only(agency=("H42.05",)))
    masked = (await listing.find(there, book, seen, asked, NOW, limit=200)).rows
    whole = (await listing.find(there, book, seen, asked, NOW, limit=200, full=True)).rows
    assert {r["applicant"] for r in masked} <= {"Nguyễn T. Á.", ""}
    assert "Nguyễn Thị Ánh" in {r["applicant"] for r in whole}


async def test_what_was_received_here_can_be_found_here(lived, there):
    book = await read(lived)
    paper = await received(there, book, CODES[0], NOW)
    found = await listing.find(there, book, Sight("p", all=True), Asked(), NOW, limit=1)
    assert [r["code"] for r in found.rows] == [paper.code]
