"""What binds a dossier at its receipt, and who publishes while others receive."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from bundled import (
    AUTHOR,
    DECIDER,
    DECISION,
    HANOI,
    MONDAY,
    PERMIT,
    SHORTER,
    checked,
    connected,
    database,
    drafted,
    everything,
    moved,
    opened,
    permit,
    publish,
    published,
    row_of,
    staff,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states import ledger
from states.catalogue import bundles, publishing
from states.catalogue.bundles import Latest
from states.catalogue.rights import NotAllowed
from states.catalogue.rows import Kind, Status
from states.embedded import Embedded
from states.errors import HosoError, Outdated, Unknown
from states.words import Event, Role, State

TUESDAY = MONDAY + timedelta(days=1)
FEBRUARY = datetime(2026, 2, 2, tzinfo=HANOI)  # midnight: the first moment of permit(2)


@pytest.fixture
def own(server: Embedded, worker_id: str) -> Iterator[str]:
    with database(server, f"publishing_{worker_id}") as name:
        yield name


@pytest.fixture
async def engine(server: Embedded, own: str) -> AsyncIterator[AsyncEngine]:
    async with connected(server, own) as engine:
        yield engine


async def refused(db: AsyncConnection, row: Any, says: str, **how: Any) -> None:
    """Publishing is refused with that sentence, and nothing is changed by it."""
    before = await everything(db)
    with pytest.raises((NotAllowed, Unknown), match=says):
        async with db.begin_nested():
            await publish(db, row, **how)
    assert await everything(db) == before


# Bound at receipt -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "version", "term"),
    [
        (FEBRUARY - timedelta(microseconds=1), 1, "5wd"),
        (FEBRUARY, 2, "4wd"),
        (FEBRUARY + timedelta(hours=1), 2, "4wd"),  # Sunday 18:00 in Greenwich
    ],
)
async def test_a_coming_version_binds_from_its_first_moment(
    db: AsyncConnection, at: datetime, version: int, term: str
) -> None:
    book = await published(db, permit(2, "2026-02-02", *SHORTER))
    paper = await opened(db, book, at)
    assert (paper.version, paper.term) == (version, term)
    for zone in ("UTC", "Pacific/Auckland", "America/Los_Angeles"):
        elsewhere = at.astimezone(__import__("zoneinfo").ZoneInfo(zone))
        assert (await opened(db, book, elsewhere)).version == version


async def test_what_is_registered_before_is_received_under_the_next(db: AsyncConnection) -> None:
    registered = await opened(db, await bundles.read(db), MONDAY, Event.register)
    book = await published(db, permit(2, "2026-02-02", *SHORTER))
    early = await moved(db, book, registered.code, Event.receive, Role.reception, TUESDAY)
    assert (early.version, early.term) == (1, "5wd")
    registered = await opened(db, book, MONDAY, Event.register)
    late = await moved(db, book, registered.code, Event.receive, Role.reception, FEBRUARY)
    assert (late.version, late.term, late.stages) == (2, "4wd", 3)
    assert late.due_at == datetime(2026, 2, 6, 17, tzinfo=HANOI)
    assert (await ledger.verify(db, book)).faults == []


async def test_who_remembers_an_older_catalogue_is_told(db: AsyncConnection) -> None:
    old = await bundles.read(db)
    latest = Latest()
    assert (await latest(db)).edition == old.edition
    registered = await opened(db, old, MONDAY, Event.register)
    received = await opened(db, old)
    await published(db, permit(2, "2026-01-06", *SHORTER))
    before = await everything(db, "dossier", "entry", "visit", "code_sequence")
    for event in (Event.receive, Event.register):
        with pytest.raises(Outdated, match="The catalogue has changed since it was read: read it"):
            async with db.begin_nested():
                await opened(db, old, TUESDAY, event)
    with pytest.raises(Outdated, match="read it again and repeat"):
        async with db.begin_nested():
            await moved(db, old, registered.code, Event.receive, Role.reception, TUESDAY)
    assert await everything(db, "dossier", "entry", "visit", "code_sequence") == before
    # what was received goes on: it is bound, whatever was published since
    await moved(db, old, received.code, Event.digitise, Role.reception, TUESDAY)
    book = await latest(db)
    assert (await opened(db, book, TUESDAY)).version == 2
    after = await moved(db, book, registered.code, Event.receive, Role.reception, TUESDAY)
    assert (after.version, after.term) == (2, "4wd")


async def test_a_catalogue_of_no_database_is_never_outdated(db: AsyncConnection) -> None:
    from states import catalogue

    await published(db, permit(2, "2026-01-06"))
    assert (await opened(db, catalogue.load(), TUESDAY)).version == 1


async def test_a_dossier_of_a_newer_version_met_by_an_older_memory(db: AsyncConnection) -> None:
    """A flow that read the catalogue before it was published: nothing is moved by guess."""
    old = await bundles.read(db)
    new = await published(db, permit(2, "2026-01-05"))
    paper = await opened(db, new)
    assert paper.state is State.received
    with pytest.raises(Unknown, match=f"no procedure {PERMIT} version 2 in the catalogue"):
        await moved(db, old, paper.code, Event.digitise, Role.reception, MONDAY)


# Two at once ------------------------------------------------------------------------------


async def attempt(engine: AsyncEngine, work: Any) -> str:
    """What came of it: done, or the sentence."""
    try:
        async with engine.begin() as db:
            await work(db)
    except HosoError as error:
        return str(error)
    return "done"


async def test_of_two_that_publish_one_version_one_wins(engine: AsyncEngine) -> None:
    async with engine.begin() as db:
        row, book = await checked(db, permit(2)), await bundles.read(db)

    async def work(db: AsyncConnection) -> None:
        await publishing.publish(db, book, row, DECIDER, DECISION, MONDAY)

    told = await asyncio.gather(*(attempt(engine, work) for _ in range(6)))
    assert told.count("done") == 1
    assert all("read it again and repeat" in each for each in told if each != "done")
    async with engine.begin() as db:
        after = await bundles.read(db)
        assert after.edition == book.edition + 1  # type: ignore[operator]
        assert [each.number for each in after.versions[PERMIT]] == [1, 2]
        await refused(db, row, f"version 2 of {PERMIT} is published already")


async def test_of_two_next_versions_one_wins(engine: AsyncEngine) -> None:
    async with engine.begin() as db:
        rows = [await checked(db, permit(n, "2026-02-02")) for n in (2, 3)]

    told = await asyncio.gather(
        *(attempt(engine, lambda db, row=row: publish(db, row)) for row in rows * 2)
    )
    assert told.count("done") == 1
    async with engine.begin() as db:
        bound = [each.number for each in (await bundles.read(db)).versions[PERMIT]]
        assert len(bound) == 2


async def test_of_two_organisations_one_wins(engine: AsyncEngine) -> None:
    async with engine.begin() as db:
        raw = staff(("Phạm Văn Giang", "Phạm Văn Giảng"))
        row, book = await checked(db, raw, Kind.organisation), await bundles.read(db)

    async def work(db: AsyncConnection) -> None:
        await publishing.publish(db, book, row, DECIDER, DECISION, MONDAY)

    told = await asyncio.gather(*(attempt(engine, work) for _ in range(4)))
    assert told.count("done") == 1
    assert all("read it again" in each for each in told if each != "done")


async def test_many_draft_the_same_at_once(engine: AsyncEngine) -> None:
    """In whatever order: the last is there, and nobody gets an error of the database."""
    other = ("code: 2.000205", "code: 9.000999")
    async with engine.connect() as db:
        book = await bundles.read(db)

    def author(n: int) -> Any:
        raws = [permit(2) + f"# {n}".encode(), permit(1, "2026-02-02", other) + f"# {n}".encode()]

        async def work(db: AsyncConnection) -> None:
            for raw in raws if n % 2 else reversed(raws):
                await publishing.draft(
                    db, book, Kind.procedure, "it.yaml", raw, AUTHOR, MONDAY + timedelta(hours=n)
                )
                await asyncio.sleep(0.01)

        return work

    told = await asyncio.gather(*(attempt(engine, author(n)) for n in range(8)))
    assert told == ["done"] * 8
    async with engine.connect() as db:
        two = await row_of(db, 2)
        assert two.text.rsplit("# ", 1)[1] == str(two.drafted_at.astimezone(HANOI).hour - 9)
        assert (await row_of(db, 1, "9.000999")).text.rsplit("# ", 1)[1] == two.text[-1]


async def test_a_draft_written_while_it_is_published_is_refused(engine: AsyncEngine) -> None:
    async with engine.begin() as db:
        row = await checked(db, permit(2))
    async with engine.connect() as first, engine.connect() as second:
        await publish(first, row)
        waiting = asyncio.create_task(drafted(second, permit(2, "2026-02-02", *SHORTER)))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await first.commit()
        with pytest.raises(NotAllowed, match="is published and cannot change"):
            await waiting
    async with engine.connect() as db:
        assert (await row_of(db, 2)).text == row.text


async def test_a_draft_being_written_is_waited_for(engine: AsyncEngine) -> None:
    """Who publishes meanwhile publishes what was checked, or nothing."""
    async with engine.begin() as db:
        row = await checked(db, permit(2))
    async with engine.connect() as first, engine.connect() as second:
        await drafted(first, permit(2, "2026-02-02", *SHORTER))
        waiting = asyncio.create_task(publish(second, row))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await first.commit()
        with pytest.raises(NotAllowed, match="was changed meanwhile: check it"):
            await waiting
    async with engine.connect() as db:
        assert (await row_of(db, 2)).status is Status.draft


async def test_who_publishes_waits_for_an_opening_and_sees_it(engine: AsyncEngine) -> None:
    async with engine.begin() as db:
        row, book = await checked(db, permit(2, "2026-01-05")), await bundles.read(db)
    async with engine.connect() as counter, engine.connect() as office:
        paper = await opened(counter, book)
        waiting = asyncio.create_task(publish(office, row))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await counter.commit()
        with pytest.raises(NotAllowed, match=r"1 dossiers of .* were received since 05/01/2026"):
            await waiting
    async with engine.connect() as db:
        assert (await ledger.find(db, paper.code))[0].version == 1
        assert (await row_of(db, 2)).status is Status.checked


@pytest.mark.parametrize("ends", ["commit", "rollback"])
async def test_who_opens_waits_for_a_publication(engine: AsyncEngine, ends: str) -> None:
    async with engine.begin() as db:
        row, book = await checked(db, permit(2, "2026-01-05")), await bundles.read(db)
        registered = await opened(db, book, MONDAY - timedelta(days=3), Event.register)
    async with (
        engine.connect() as office,
        engine.connect() as counter,
        engine.connect() as desk,
    ):
        await publish(office, row)
        receiving = (counter, book, MONDAY)
        waiting = [
            asyncio.create_task(opened(*receiving)),
            asyncio.create_task(
                moved(desk, book, registered.code, Event.receive, Role.reception, MONDAY)
            ),
        ]
        await asyncio.sleep(0.2)
        assert not any(each.done() for each in waiting)
        await getattr(office, ends)()
        for each in waiting:
            if ends == "commit":
                with pytest.raises(Outdated):
                    await each
            else:
                assert (await each).version == 1
    async with engine.connect() as db:
        assert len((await everything(db, "dossier"))[0]) == 1  # nothing was committed


@pytest.mark.parametrize("since", ["2026-01-05", "2026-01-06"])
async def test_a_race_of_openings_and_a_publication(engine: AsyncEngine, since: str) -> None:
    """Each dossier is under one version or the other, none is lost, nobody is stuck."""
    async with engine.begin() as db:
        row = await checked(db, permit(2, since, *SHORTER))
    latest, codes, outdated = Latest(), [], 0
    at = {"now": MONDAY}

    async def counter(unit: str) -> None:
        nonlocal outdated
        for _ in range(12):
            while True:
                try:
                    async with engine.begin() as db:
                        paper = await opened(db, await latest(db), at["now"], unit=unit)
                except Outdated:
                    outdated += 1
                    continue
                codes.append((paper.code, paper.version, at["now"].day))
                break

    async def office() -> str:
        await asyncio.sleep(0.15)
        return await attempt(engine, lambda db: publish(db, row))

    async with asyncio.timeout(60):
        *_, told = await asyncio.gather(
            *(counter(f"H42.14.0{1 + n % 3}") for n in range(8)), office()
        )
        assert told == "done" or "were received since" in told
        at["now"] = TUESDAY
        await counter("H42.14")
    async with engine.connect() as db:
        book = await bundles.read(db)
        rows = (await everything(db, "dossier"))[0]
        assert {row["code"] for row in rows} == {code for code, *_ in codes}
        assert len(rows) == len(codes) == 9 * 12
        if since == "2026-01-06":
            assert told == "done"
        for row_, (_, version, on) in zip(
            sorted(rows, key=lambda each: each["code"]), sorted(codes), strict=True
        ):
            assert row_["version"] == version
            assert version == book.procedure(PERMIT, on=date(2026, 1, on)).version
        assert (await ledger.verify(db, book)).faults == []


async def test_who_publishes_is_not_starved_by_a_busy_counter(engine: AsyncEngine) -> None:
    async with engine.begin() as db:
        row = await checked(db, permit(2))
    latest, stop, done = Latest(), asyncio.Event(), 0

    async def counter(unit: str) -> None:
        nonlocal done
        while not stop.is_set():
            try:
                async with engine.begin() as db:
                    await opened(db, await latest(db), unit=unit)
                    await asyncio.sleep(0.005)  # so that there is always one open
                done += 1
            except Outdated:
                continue

    async with asyncio.TaskGroup() as group:
        for n in range(12):
            group.create_task(counter(f"H42.14.{n}"))
        await asyncio.sleep(0.5)
        since = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(20):
                assert await attempt(engine, lambda db: publish(db, row)) == "done"
        finally:
            stop.set()
        took = asyncio.get_running_loop().time() - since
    assert took < 5
    assert done > 12
