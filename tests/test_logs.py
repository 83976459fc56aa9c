"""The event log: what it tells, in forms that other tools read, and what it leaves out."""

import csv
import gzip
import io
import json
import random
import resource
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from book import (
    APPROVED,
    BOOK,
    HANOI,
    NINE,
    act,
    at,
    lines,
    lodging,
    move,
    process,
    receive,
    to_signature,
)
from foreign_files import mapped, put
from hypothesis import given
from hypothesis import strategies as st
from log_schemas import XES, checked_ocel, checked_xes
from sqlalchemy.ext.asyncio import AsyncEngine

from states import ledger, logs
from states.errors import BadInput
from states.intake import read
from states.intake.taking import take
from states.ledger.statements import d
from states.logs.delimited import Delimited
from states.logs.exporting import pieces
from states.logs.ocel import Ocel
from states.logs.telling import Case, Happening, Kind, Things
from states.logs.xes import Xes
from states.sight import Sight
from states.tables import Dossier
from states.words import Channel, Event, Role

KEY = b"k" * 32
FORMS = list(logs.Form)


async def written(engine: AsyncEngine, form: logs.Form, **source: Any) -> bytes:
    people = source.get("people", False)
    names = logs.as_they_are if people else logs.pseudonyms(KEY)
    export = logs.Export(logs.Source(engine, **source), form, names, HANOI)
    return b"".join([piece async for piece in pieces(export)])


def traces(content: bytes) -> dict[str, list[dict[str, str]]]:
    """The events of each trace, as what their attributes say."""
    found = {}
    for trace in checked_xes(content).iter(f"{XES}trace"):
        events = [
            {each.attrib["key"]: each.attrib["value"] for each in event}
            for event in trace.iter(f"{XES}event")
        ]
        found[said(trace)["concept:name"]] = events
    return found


def said(element: Any) -> dict[str, str]:
    return {c.attrib["key"]: c.attrib["value"] for c in element if "key" in c.attrib}


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


async def story(engine: AsyncEngine) -> tuple[Dossier, Dossier]:
    """A permit that was sent back once and granted, and one that waits for a supplement."""
    async with engine.begin() as db:
        paper = await to_signature(db)
        await move(db, paper.code, Event.send_back, at(1, "10:00"), payload={"stage": 1})
        for event in (Event.advance, Event.return_result):
            facts = APPROVED if event is Event.return_result else {}
            role = None if event is Event.advance else "leader"
            await move(db, paper.code, event, at(2), role or "leader", **facts)
        other = await process(db, when=at(1))
        await move(db, other.code, Event.request_supplement, at(2))
    return paper, other


# What it tells -------------------------------------------------------------------------------


async def test_a_trace_is_the_lines_of_its_dossier(fresh: AsyncEngine) -> None:
    papers = await story(fresh)
    found = traces(await written(fresh, logs.Form.xes))
    assert list(found) == [paper.code for paper in papers]
    async with fresh.connect() as db:
        for paper in papers:
            told = [
                (each["concept:name"], datetime.fromisoformat(each["time:timestamp"]))
                for each in found[paper.code]
            ]
            assert told == [(line.event, line.at) for line in await lines(db, paper)]


async def test_an_event_is_of_the_stage_that_it_ends_or_opens(fresh: AsyncEngine) -> None:
    paper, _ = await story(fresh)
    events = traces(await written(fresh, logs.Form.xes))[paper.code]
    known = [(each["concept:name"], each["stage"], each.get("visit")) for each in events]
    assert known == [
        ("receive", "", None),
        ("digitise", "", None),
        ("route", "", None),
        ("accept", "appraise", "1"),
        ("advance", "appraise", "1"),
        ("advance", "review", "2"),
        ("send_back", "sign", "3"),
        ("advance", "review", "4"),
        ("return_result", "sign", "5"),
    ]
    assert {each["org:group"] for each in events} == {"H42.14", "H42.05.01", "H42.05.09"}


async def test_all_forms_tell_the_same(fresh: AsyncEngine) -> None:
    await story(fresh)
    by_xes = [
        (code, each["concept:name"], each["time:timestamp"], each["org:resource"])
        for code, events in traces(await written(fresh, logs.Form.xes)).items()
        for each in events
    ]
    table = rows(await written(fresh, logs.Form.csv))
    assert by_xes == [(r["case"], r["activity"], r["timestamp"], r["resource"]) for r in table]
    log = checked_ocel(json.loads(await written(fresh, logs.Form.ocel)))
    by_ocel = []
    for event in log["events"]:
        near = {each["qualifier"]: each["objectId"] for each in event["relationships"]}
        code, person = near["of"].removeprefix("dossier/"), near["done by"]
        by_ocel.append((code, event["type"], event["time"], person.removeprefix("person/")))
    assert by_xes == by_ocel


async def test_ocel_relates_what_an_event_was_about(fresh: AsyncEngine) -> None:
    paper, _ = await story(fresh)
    log = checked_ocel(json.loads(await written(fresh, logs.Form.ocel)))
    near = {
        event["id"]: [(each["qualifier"], each["objectId"]) for each in event["relationships"]]
        for event in log["events"]
    }
    code = paper.code
    assert ("brings", f"component/photo/{code}") in near[f"line/1/{code}"]
    assert ("opens", f"visit/1/{code}") in near[f"line/4/{code}"]
    advanced = near[f"line/5/{code}"]
    assert ("during", f"visit/1/{code}") in advanced
    assert ("opens", f"visit/2/{code}") in advanced
    objects = {each["id"]: each for each in log["objects"]}
    visit = objects[f"visit/2/{code}"]
    assert {each["qualifier"] for each in visit["relationships"]} == {"of", "at", "held by"}
    assert Counter(each["type"] for each in log["objects"]) == {
        "dossier": 2, "visit": 6, "component": 4, "unit": 3, "person": 3,
    }  # fmt: skip
    own = {each["name"]: each["value"] for each in objects[f"dossier/{code}"]["attributes"]}
    assert own["outcome"] == "approved"
    assert own["version"] == "1"


def sorted_out(content: bytes) -> dict[str, Any]:
    """The objects of one batch follow one another by kind."""
    log = checked_ocel(json.loads(content))
    return {name: sorted(part, key=str) for name, part in log.items()}


async def test_as_many_batches_as_there_are(
    fresh: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fresh.begin() as db:
        for _ in range(7):
            await receive(db)
    whole = [await written(fresh, form) for form in FORMS]
    for size in (1, 3, 7):
        monkeypatch.setattr("states.logs.reading.BATCH", size)
        for form, was in zip(FORMS, whole, strict=True):
            again = await written(fresh, form)
            assert again == was or sorted_out(again) == sorted_out(was)


async def test_a_log_without_dossiers_is_a_log(fresh: AsyncEngine) -> None:
    assert traces(await written(fresh, logs.Form.xes)) == {}
    assert rows(await written(fresh, logs.Form.csv)) == []
    log = checked_ocel(json.loads(await written(fresh, logs.Form.ocel)))
    assert (log["events"], log["objects"]) == ([], [])


# Which dossiers ------------------------------------------------------------------------------


async def test_whole_dossiers_that_were_in_hand(fresh: AsyncEngine) -> None:
    done, other = await story(fresh)  # of day 0 to 2, and of day 1 on

    async def told(**only: Any) -> list[str]:
        content = await written(fresh, logs.Form.xes, only=logs.Only(**only))
        return list(traces(content))

    assert await told(since=at(2, "08:00")) == [done.code, other.code]
    assert await told(since=at(2, "08:01")) == [other.code]
    assert await told(until=at(1)) == [done.code]
    assert await told(until=NINE) == []
    assert await told(agencies=["H42.02"]) == []
    assert await told(agencies=["H42.05"], procedures=["1.000001"]) == [done.code, other.code]
    assert await told(sight=Sight("nobody")) == []
    assert await told(sight=Sight("x", units=frozenset({"H42.05.09"}))) == [done.code]
    with pytest.raises(BadInput, match="ends before it begins"):
        logs.Only(since=at(1), until=at(1))


async def test_what_was_taken_over_has_the_history_that_was_told(
    fresh: AsyncEngine, tmp_path: Path
) -> None:
    content = (
        "Mã,Nhận,Xong,Việc,Lúc,Ai\n"
        "A-1,2024-03-04T08:00,2024-03-05T08:00,Tiếp nhận,2024-03-04T08:00,a\n"
        "A-1,2024-03-04T08:00,2024-03-05T08:00,=Ký,2024-03-05T08:00,b\n"
        "A-2,2024-03-04T09:00,,Tiếp nhận,2024-03-04T09:00,a\n"
    )
    event = {"name": "Việc", "at": "Lúc", "person": "Ai"}
    names = mapped(kind="log", finished="Xong", agency={"default": "H42.05"}, event=event)
    items = read(put(tmp_path, "a.csv", content), names)
    assert (await take(fresh, BOOK, items, "a.csv", "week")).taken == 2
    items = read(put(tmp_path, "b.csv", "Mã,Nhận,Xong\nB-1,2024-03-04,2024-03-05\n"),
                 mapped(finished="Xong", agency={"default": "H42.05"}))  # fmt: skip
    assert (await take(fresh, BOOK, items, "b.csv", "week")).taken == 1
    async with fresh.begin() as db:
        await move(db, "A-2", Event.return_result, at(3), payload={"outcome": "approved"})
    found = traces(await written(fresh, logs.Form.xes))
    assert {code: [each["concept:name"] for each in events] for code, events in found.items()} == {
        "A-1": ["Tiếp nhận", "=Ký"],
        "A-2": ["Tiếp nhận", "return_result"],  # what was done here since
        "B-1": ["adopt", "return_result"],  # all that is known of it
    }
    by = [each["org:resource"] for each in found["A-1"]]
    assert len(set(by)) == 2
    assert found["A-2"][0]["org:resource"] == by[0]
    assert [row["activity"] for row in rows(await written(fresh, logs.Form.csv))][1] == "'=Ký"
    checked_ocel(json.loads(await written(fresh, logs.Form.ocel)))


# People --------------------------------------------------------------------------------------


async def test_people_are_left_out_unless_asked_for(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        await process(db)
    seen: list[int] = []

    async def look(db: Any, ids: Any) -> None:
        seen.extend(ids)

    for form in FORMS:
        plain = (await written(fresh, form)).decode()
        assert "Nguyễn Thị Ánh" not in plain
        assert "a reception" not in plain
        whole = (await written(fresh, form, people=True, seen=look)).decode()
        assert "Nguyễn Thị Ánh" in whole
        assert "a reception" in whole
    async with fresh.connect() as db:
        ids = list((await db.execute(sa.select(d.id))).scalars())
    assert seen == ids * len(FORMS)


def test_a_pseudonym_is_the_same_everywhere_and_tells_nothing() -> None:
    first, second, other = (logs.pseudonyms(key) for key in (KEY, KEY, b"o" * 32))
    assert first("p-an", "officer") == second("p-an", None) != other("p-an", "officer")
    assert first("p-an", "officer") != first("p-binh", "officer")
    assert "an" not in first("p-an", "officer").removeprefix("p-").strip("0123456789abcdef")
    assert first("drive", "system") == "drive"


# Whatever names there are --------------------------------------------------------------------

ANY = st.text(max_size=12)
MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(HANOI))
CASES = st.builds(
    Case, st.just(1), ANY, ANY, ANY, st.integers(0, 9), ANY, st.just("counter"), ANY,
    st.none() | ANY, MOMENTS, st.none() | MOMENTS, st.none() | MOMENTS, st.none() | MOMENTS,
    st.none() | st.just("late"), st.none() | st.just("approved"), st.none() | ANY,
)  # fmt: skip
EXTRA = st.dictionaries(ANY, ANY, max_size=3).map(json.dumps)
EVENTS = st.lists(
    st.builds(
        Happening, st.just(1), st.just(Kind.told), st.just(1), ANY, st.just("complete"), MOMENTS,
        st.none() | ANY, st.none(), st.none() | ANY, st.none(), st.none(), st.none(), st.none(),
        st.none() | EXTRA,
    ),
    max_size=4,
).map(lambda found: [each._replace(n=n) for n, each in enumerate(found)])  # fmt: skip


@given(CASES, EVENTS)
def test_whatever_is_said_in_it_an_xes_log_is_one(case: Case, events: list[Happening]) -> None:
    writer = Xes(HANOI, logs.as_they_are)
    log = [writer.head(), *writer.chapter((case, events)), *writer.tail()]
    found = traces("".join(log).encode())
    (code, told), *_ = found.items()
    assert sayable(case.code) == code
    assert [each["concept:name"] for each in told] == [sayable(each.activity) for each in events]
    for each, event in zip(told, events, strict=True):
        assert datetime.fromisoformat(each["time:timestamp"]) == event.at


def sayable(text: str) -> str:
    """What XML 1.0 has no way to say is told to be missing."""
    known = {"\t", "\n", "\r"}
    return "".join(
        c if (c >= " " and c not in "\ufffe\uffff") or c in known else "\ufffd" for c in text
    )


@given(CASES, EVENTS)
def test_whatever_is_said_in_it_an_ocel_log_is_one(case: Case, events: list[Happening]) -> None:
    writer = Ocel(HANOI, logs.as_they_are)
    log = [writer.head(), *writer.chapter((case, events)), writer.turn()]
    log += [*writer.objects([case], Things()), *writer.tail()]
    found = checked_ocel(json.loads("".join(log)))
    assert [each["type"] for each in found["events"]] == [each.activity for each in events]
    ids = {each["id"] for each in found["objects"]}
    people = {f"person/{each.actor}" for each in events if each.actor is not None}
    assert {f"dossier/{case.code}", *people} <= ids


@given(CASES, EVENTS)
def test_whatever_is_said_in_it_no_cell_is_a_formula(case: Case, events: list[Happening]) -> None:
    writer = Delimited(HANOI, logs.as_they_are, people=True)
    text = writer.head() + "".join(writer.chapter((case, events)))
    table = list(csv.reader(io.StringIO(text, newline="")))
    assert len(table) == 1 + len(events)
    assert {len(line) for line in table} == {len(table[0])}
    assert not [c for line in table for c in line if c[:1] in set("=+-@\t\r\n")]
    bare = [line[1].removeprefix("'") for line in table[1:]]
    assert bare == [each.activity.removeprefix("'") for each in events]


# In a file, whole or not at all ----------------------------------------------------------------


async def told(*texts: bytes) -> AsyncIterator[bytes]:
    for each in texts:
        yield each


def inside(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


@contextmanager
def no_room_beyond(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("name", ["log.xes", "log.xes.gz"])
async def test_a_log_larger_than_its_disk_leaves_the_file_of_before(
    tmp_path: Path, name: str
) -> None:
    file = tmp_path / name
    await logs.keep(file, told(b"what was there"))
    before = file.read_bytes()
    noise = random.Random(1).randbytes(200_000)
    with no_room_beyond(50_000), pytest.raises(logs.NoRoom, match="make room") as refused:
        await logs.keep(file, told(noise, noise))
    assert str(file) in str(refused.value)
    assert "File too large" in str(refused.value)
    assert (inside(tmp_path), file.read_bytes()) == ([name], before)


async def test_a_log_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await logs.keep(tmp_path / "log.csv", broken())
    assert inside(tmp_path) == []
    with pytest.raises(logs.NoRoom, match="No such file or directory"):
        await logs.keep(tmp_path / "nowhere" / "log.csv", told(b"a"))


async def test_a_packed_log_is_the_same(tmp_path: Path) -> None:
    await logs.keep(tmp_path / "log.gz", told(b"one", b"two"))
    assert gzip.decompress((tmp_path / "log.gz").read_bytes()) == b"onetwo"
    assert await logs.keep(tmp_path / "log", told(b"one", b"two")) == 6
    assert (tmp_path / "log").read_bytes() == b"onetwo"


async def test_of_a_citizen_not_even_a_pseudonym_is_told(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        online = lodging(channel=Channel.online)
        asked = replace(act(Event.register, at(1), Role.citizen), actor="c-anh")
        await ledger.open_(db, BOOK, online, asked)
    for people in (False, True):
        [event] = rows(await written(fresh, logs.Form.csv, people=people))
        assert (event["role"], event["resource"]) == ("citizen", "c-anh" if people else "")
        [told] = traces(await written(fresh, logs.Form.xes, people=people)).values()
        assert told[0].get("org:resource") == ("c-anh" if people else None)
        ocel = (await written(fresh, logs.Form.ocel, people=people)).decode()
        assert ("c-anh" in ocel) == people
        assert logs.pseudonyms(KEY)("c-anh", "citizen") not in ocel
