"""The catalogue in the database: what a new one begins with, how it is read, text by text."""

import asyncio
import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from bundled import (
    FILES,
    MONDAY,
    PAPERS,
    PERMIT,
    SAMPLE,
    SHORTER,
    checked,
    connected,
    database,
    drafted,
    edited,
    everything,
    moved,
    opened,
    permit,
    publish,
    published,
    row_of,
    sample,
    staff,
)
from hypothesis import given
from hypothesis import strategies as st
from office import CLERK, running, told
from sqlalchemy.ext.asyncio import AsyncConnection

from config.settings import settings
from flows import opening
from states import catalogue, ledger, yaml_files
from states import db as database_of
from states.catalogue import bundles
from states.catalogue.bundles import Latest
from states.catalogue.rows import Kind, Status
from states.embedded import Embedded
from states.errors import BadFile, Unknown
from states.words import Event, Role

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def own(server: Embedded, worker_id: str) -> Iterator[str]:
    with database(server, f"bundles_{worker_id}") as name:
        yield name


@pytest.fixture
async def bare(owner_db: AsyncConnection) -> AsyncConnection:
    """A database without a catalogue, until the test is over."""
    await owner_db.execute(sa.text("TRUNCATE bundle"))
    return owner_db


# Read -------------------------------------------------------------------------------------


async def test_the_database_says_what_the_files_say(db: AsyncConnection) -> None:
    book, files = await bundles.read(db), catalogue.load()
    assert book.organisation == files.organisation
    assert book.regimes == files.regimes
    assert book.procedures == files.procedures
    assert set(book.calendars) == set(files.calendars)
    for name in files.calendars:
        ours, theirs = book.calendar(name), files.calendar(name)
        assert (ours.version, ours.first, ours.last) == (theirs.version, theirs.first, theirs.last)
        assert list(ours.worked()) == list(theirs.worked())
        assert book.calendar(name, ours.version) is ours
    assert (book.keeps, book.zone) == (files.keeps, files.zone)
    assert book.edition == await db.scalar(bundles.EDITION)
    for code, (version,) in book.versions.items():
        said = files.procedure(code)
        assert (version.number, version.since, version.until) == (
            said.version,
            said.valid_from,
            said.valid_until,
        )


async def test_what_is_only_drafted_or_checked_is_not_read(db: AsyncConnection) -> None:
    before = await bundles.read(db)
    await drafted(db, permit(2))
    await checked(db, permit(3, "2026-03-02"))
    after = await bundles.read(db)
    assert after.edition == before.edition
    assert [each.number for each in after.versions[PERMIT]] == [1]


async def test_a_database_without_a_catalogue_says_so(bare: AsyncConnection) -> None:
    with pytest.raises(Unknown, match="has no catalogue yet: run `hoso migrate`"):
        await bundles.read(bare)
    with pytest.raises(Unknown, match="has no catalogue yet"):
        await Latest()(bare)


async def test_half_a_catalogue_is_none(owner_db: AsyncConnection) -> None:
    """Without regimes nothing can be received: that is said at once, and not at the counter."""
    await owner_db.execute(sa.text("ALTER TABLE bundle DISABLE TRIGGER bundle_kept"))
    await owner_db.execute(sa.text("DELETE FROM bundle WHERE kind = 'regimes'"))
    with pytest.raises(Unknown, match="has no catalogue yet"):
        await bundles.read(owner_db)


async def test_what_a_later_hoso_added_is_added_to_what_is_there(owner_db: AsyncConnection) -> None:
    """A catalogue of before there were plans: they come with the sample's, all else stays."""
    before = await bundles.read(owner_db)
    await owner_db.execute(sa.text("ALTER TABLE bundle DISABLE TRIGGER bundle_kept"))
    await owner_db.execute(sa.text("DELETE FROM bundle WHERE kind = 'plans'"))
    assert await bundles.seed(owner_db, datetime(2026, 1, 1, tzinfo=UTC))
    after = await bundles.read(owner_db)
    assert after.plans == before.plans == catalogue.load().plans
    assert after.versions.keys() == before.versions.keys()
    assert not await bundles.seed(owner_db, datetime(2026, 1, 1, tzinfo=UTC))


async def test_the_latest_is_read_again_only_when_it_has_changed(db: AsyncConnection) -> None:
    latest = Latest()
    first = await latest(db)
    await drafted(db, permit(2))
    assert await latest(db) is first
    await publish(db, await checked(db, permit(2)))
    second = await latest(db)
    assert second is not first
    assert second.edition == first.edition + 1  # type: ignore[operator]
    assert await latest(db) is second
    assert [each.number for each in first.versions[PERMIT]] == [1]  # what somebody holds stays
    assert [each.number for each in second.versions[PERMIT]] == [1, 2]


async def test_a_catalogue_of_its_own_is_never_read_again(db: AsyncConnection) -> None:
    book = catalogue.load()
    latest = Latest(book)
    await published(db, permit(2))
    assert await latest(db) is book


async def test_the_number_read_is_never_newer_than_the_rows(own: str, server: Embedded) -> None:
    """Published between the two statements of a reading: it is read again, and never missed."""
    async with connected(server, own) as engine:
        async with engine.begin() as db:
            row = await checked(db, permit(2))
        latest = Latest()
        execute = AsyncConnection.execute

        async def between(self: AsyncConnection, asked: Any, *more: Any, **most: Any) -> Any:
            if "bundle.data" in str(asked) and "FOR UPDATE" not in str(asked):
                AsyncConnection.execute = execute  # type: ignore[method-assign]
                async with engine.begin() as other:
                    await publish(other, row)
            return await execute(self, asked, *more, **most)

        AsyncConnection.execute = between  # type: ignore[method-assign, assignment]
        try:
            async with engine.connect() as db:
                torn = await latest(db)
                assert [each.number for each in torn.versions[PERMIT]] == [1, 2]
                assert torn.edition != await db.scalar(bundles.EDITION)
                whole = await latest(db)
                assert whole.edition == await db.scalar(bundles.EDITION)
        finally:
            AsyncConnection.execute = execute  # type: ignore[method-assign]


# One row ----------------------------------------------------------------------------------


async def test_a_version_is_found_in_whatever_status(db: AsyncConnection) -> None:
    await drafted(db, permit(2))
    assert (await bundles.find(db, Kind.procedure, PERMIT)).version == 2
    assert (await bundles.find(db, Kind.procedure, PERMIT, 1)).status is Status.published
    assert (await bundles.find(db, Kind.organisation, bundles.ONE)).version == 1
    assert [r.version for r in await bundles.versions(db, code=PERMIT)] == [1, 2]
    assert len(await bundles.versions(db)) == len(FILES) + 1


@pytest.mark.parametrize(
    ("kind", "code", "version", "says"),
    [
        (Kind.procedure, "9.999999", None, "there is no procedure 9.999999: list"),
        (Kind.procedure, PERMIT, 7, f"there is no procedure {PERMIT} version 7: list"),
        (Kind.procedure, PERMIT, 0, f"there is no procedure {PERMIT} version 0: list"),
        (Kind.procedure, "x" * 900, None, f"there is no procedure {'x' * 40}: list"),
        (Kind.organisation, "-", 9, "there is no organisation version 9: list"),
        (Kind.calendar, PERMIT, None, f"there is no calendar {PERMIT}: list"),
    ],
)
async def test_what_is_not_there_is_said(
    db: AsyncConnection, kind: Kind, code: str, version: int | None, says: str
) -> None:
    with pytest.raises(Unknown, match=f"^{says}"):
        await bundles.find(db, kind, code, version)


async def test_versions_of_no_such_code(db: AsyncConnection) -> None:
    with pytest.raises(Unknown, match=r"^there is no procedure 9\.999999: list"):
        await bundles.versions(db, code="9.999999")


@pytest.mark.parametrize(
    ("status", "since", "until", "on", "stands"),
    [
        (Status.draft, 1, None, 5, "draft"),
        (Status.checked, 9, 9, 5, "checked"),
        (Status.published, 6, None, 5, "coming"),
        (Status.published, 5, None, 5, "in force"),
        (Status.retired, 1, 5, 5, "in force"),
        (Status.retired, 1, 4, 5, "past"),
        (Status.published, 1, 4, 5, "past"),
        (Status.retired, 6, 6, 5, "coming"),
    ],
)
def test_what_a_version_is_to_who_stands_at_the_counter(
    status: Status, since: int, until: int | None, on: int, stands: str
) -> None:
    until_day = until and date(2026, 1, until)
    row = SimpleNamespace(status=status, valid_from=date(2026, 1, since), valid_until=until_day)
    assert bundles.standing(row, date(2026, 1, on)) == stands


# Byte for byte ----------------------------------------------------------------------------


async def test_every_sample_is_kept_byte_for_byte(db: AsyncConnection) -> None:
    kept = {row.code: row for row in await bundles.versions(db)}
    assert set(kept) == {file.stem for file in FILES}
    for file in FILES:
        raw = file.read_bytes()
        assert kept[file.stem].text.encode() == raw
        assert kept[file.stem].digest == hashlib.sha256(raw).hexdigest()
    for kind in bundles.ONCE:
        row = await bundles.find(db, kind, bundles.ONE)
        assert row.text.encode() == sample(f"{kind}.yaml")
    for row in await bundles.versions(db, Kind.calendar):
        assert row.text.encode() == sample(f"calendars/{row.code}.yaml")


@pytest.mark.parametrize("file", FILES, ids=lambda each: each.stem)
async def test_what_goes_out_comes_in_again_as_no_change(db: AsyncConnection, file: Path) -> None:
    before = await everything(db)
    row = await drafted(db, sample(f"procedures/{file.name}"))
    assert (row.code, row.version, row.status) == (file.stem, 1, Status.published)
    assert await everything(db) == before


LAYOUTS = {
    "comments": lambda raw: b"# first\n\n" + raw.replace(b"fee:", b"# why\nfee:") + b"\n# last",
    "CRLF": lambda raw: raw.replace(b"\n", b"\r\n"),
    "BOM": lambda raw: b"\xef\xbb\xbf" + raw,
    "BOM and CRLF": lambda raw: b"\xef\xbb\xbf" + raw.replace(b"\n", b"\r\n"),
    "no final newline": lambda raw: raw.rstrip(b"\n"),
    "many final newlines": lambda raw: raw + b"\n" * 50,
    "spaces at the ends": lambda raw: raw.replace(b"\n", b"   \n"),
    "old line breaks": lambda raw: raw.replace(b"\n", b"\r"),
    "a document marker": lambda raw: b"---\n" + raw + b"...\n",
    "quotes": lambda raw: raw.replace(b"code: 2.000205", b"code: '2.000205'"),
    "a folded text": lambda raw: raw.replace(b"policy: day", b"policy: >-\n  day"),
    "marks apart": lambda raw: raw + "# e\u0302\u0301 \u1ebf\u00a0\u2028# x\n".encode(),
    "beyond the BMP": lambda raw: raw + "# 🏛️\U0010ffff\n".encode(),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
async def test_a_text_is_kept_as_it_was_typed(db: AsyncConnection, layout: Any) -> None:
    raw = layout(permit(2))
    row = await checked(db, raw)
    await publish(db, row)
    row = await row_of(db, 2)
    assert row.text.encode() == raw
    assert row.digest == hashlib.sha256(raw).hexdigest()
    again = await drafted(db, row.text.encode())
    assert again.status is Status.published
    plain = yaml_files.parse("it.yaml", permit(2)).data
    assert yaml_files.parse("it.yaml", row.text.encode()).data == plain
    assert bundles.says(row).term == bundles.says(await row_of(db, 1)).term


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40))
def test_what_the_reader_takes_the_database_can_keep(words: str) -> None:
    """A comment of any characters is refused, or given back to the byte."""
    raw = permit(2) + f"\n# {words}".encode()
    try:
        yaml_files.parse("it.yaml", raw)
    except BadFile:
        return
    row = bundles.row_of(Kind.procedure, PERMIT, 2, raw.decode(), "{}")
    assert row["text"].encode() == raw
    assert "\0" not in row["text"]


# Doors ------------------------------------------------------------------------------------


async def test_each_request_is_under_what_is_published_then(
    own: str, server: Embedded, tmp_path: Path
) -> None:
    async with (
        connected(server, own) as engine,
        running(server.address(own, "hoso_app"), tmp_path) as office,
    ):
        office.at = MONDAY
        body = {"procedure": PERMIT, "components": PAPERS}
        before = (await office.opened(**body)).json()
        postal = {**CLERK, "Hoso-For": "H42.05"}
        assert (await office.opened(postal, channel="post", **body)).status_code == 201
        async with engine.begin() as db:
            row = await checked(db, permit(2, "2026-01-06", *SHORTER))
            await publish(db, row)
        office.later(days=1)
        after = (await office.opened(**body)).json()
        assert (before["version"], after["version"]) == (1, 2)
        revoked = "    until: 2026-06-30\n    revoked: 2026-01-06\n    revoked_by: X\n"
        async with engine.begin() as db:
            raw = staff(("    until: 2026-06-30\n", revoked))
            await published(db, raw, Kind.organisation)
        answer = await office.opened(postal, channel="post", **body)
        assert told(answer, 403, "not-held")["detail"].startswith("no delegation in force")


async def test_who_asks_while_somebody_publishes_is_told_to_ask_again(
    own: str, server: Embedded, tmp_path: Path
) -> None:
    async with (
        connected(server, own) as engine,
        running(server.address(own, "hoso_app"), tmp_path) as office,
    ):
        office.at = MONDAY
        body = {"procedure": PERMIT, "components": PAPERS}
        async with engine.connect() as db:
            await publish(db, await checked(db, permit(2, "2026-01-05", *SHORTER)))
            asked = asyncio.create_task(office.opened(**body))
            await asyncio.sleep(0.3)
            assert not asked.done()
            await db.commit()
        answer = await asked
        assert "read it again" in told(answer, 503, "outdated")["detail"]
        assert answer.headers["Retry-After"] == "2"
        again = (await office.opened(**body)).json()
        assert (again["version"], again["code"]) == (2, "H42.14-260105-0001")


async def test_a_flow_begins_with_what_is_published_then(
    own: str, server: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSO_DATABASE", server.address(own, "hoso_app"))
    settings.cache_clear()
    try:
        engine, book = await opening.opened()
        assert opening.connections() is engine
        assert (await opening.opened())[1] is book
        async with engine.begin() as db:
            await published(db, permit(2))
        same, after = await opening.opened()
        assert same is engine
        assert [each.number for each in after.versions[PERMIT]] == [1, 2]
    finally:
        await opening.close()
        monkeypatch.undo()
        settings.cache_clear()


async def test_a_flow_without_a_database_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOSO_DATABASE", raising=False)
    settings.cache_clear()
    try:
        with pytest.raises(opening.NoDatabase, match="start `hoso up`, or set HOSO_DATABASE"):
            await opening.opened()
    finally:
        monkeypatch.undo()
        settings.cache_clear()


# From nothing -----------------------------------------------------------------------------


async def test_a_new_database_begins_with_the_sample_once(bare: AsyncConnection) -> None:
    edition = await bare.scalar(bundles.EDITION)
    assert await bundles.seed(bare, WHEN)
    there = await everything(bare)
    assert await bare.scalar(bundles.EDITION) == edition + 1
    assert not await bundles.seed(bare, WHEN)
    assert await everything(bare) == there
    rows = (await bare.execute(sa.select(bundles.bundle))).all()
    assert len(rows) == len(FILES) + 2 + len(bundles.ONCE)
    assert {row.status for row in rows} == {Status.published}
    steps = {(row.drafted_by, row.checked_by, row.published_by, row.document) for row in rows}
    assert steps == {("seed",) * 4}


async def test_a_database_that_has_a_catalogue_is_never_seeded(db: AsyncConnection) -> None:
    await published(db, permit(2))
    before = await everything(db)
    assert not await bundles.seed(db, WHEN)
    assert await everything(db) == before


async def test_an_agency_s_folder_is_seeded_byte_for_byte(
    bare: AsyncConnection, tmp_path: Path
) -> None:
    folder = tmp_path / "ours"
    shutil.copytree(SAMPLE, folder)
    texts = {
        "organisation.yaml": b"\xef\xbb\xbf" + sample("organisation.yaml"),
        "regimes.yaml": sample("regimes.yaml").rstrip(b"\n"),
        "calendars/vn.yaml": sample("calendars/vn.yaml") + b"# ours",
        f"procedures/{PERMIT}.yaml": edited(
            permit(3, "2024-01-01").replace(b"\n", b"\r\n"),
            ("valid_from: 2024-01-01", "valid_from: 2024-01-01\r\nvalid_until: 2024-12-31"),
        ),
    }
    for name, raw in texts.items():
        (folder / name).write_bytes(raw)
    assert await bundles.seed(bare, WHEN, folder)
    kept = (await bare.execute(sa.select(bundles.bundle))).all()
    assert {row.text.encode() for row in kept} >= {*texts.values()}
    row = await bundles.find(bare, Kind.procedure, PERMIT)
    dates = date(2024, 1, 1), date(2024, 12, 31)
    assert (row.version, row.valid_from, row.valid_until) == (3, *dates)
    book = await bundles.read(bare)
    assert book.procedure(PERMIT, on=date(2024, 12, 31)).version == 3
    with pytest.raises(Unknown, match=f"no procedure {PERMIT} in force on 01/01/2025"):
        book.procedure(PERMIT, on=date(2025, 1, 1))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (f"procedures/{PERMIT}.yaml", "fee: 600000", "fees: 600000"),
        (f"procedures/{PERMIT}.yaml", "unit: H42.05.01", "unit: H42.05.77"),
        ("organisation.yaml", "calendar: vn", "calendar: de"),
        ("regimes.yaml", "since: 2021-12-06", "since: 2021-12-07"),
        ("calendars/vn.yaml", "zone: Asia/Ho_Chi_Minh", "zone: Asia/Nowhere"),
    ],
)
async def test_a_folder_that_is_wrong_seeds_nothing(
    bare: AsyncConnection, tmp_path: Path, file: str, old: str, new: str
) -> None:
    folder = tmp_path / "ours"
    shutil.copytree(SAMPLE, folder)
    (folder / file).write_bytes(edited(sample(file), (old, new)))
    with pytest.raises(BadFile, match=rf"{file.rpartition('/')[2]}, line \d+"):
        await bundles.seed(bare, WHEN, folder)
    assert (await everything(bare, "bundle")) == [[]]


async def test_a_database_of_before_is_brought_up_with_its_dossiers(
    own: str, server: Embedded
) -> None:
    """Back to when the catalogue was files, and up again: every dossier is as it was."""
    owner = server.address(own, "postgres")
    async with connected(server, own) as engine, engine.begin() as db:
        book = await bundles.read(db)
        papers = [
            await opened(db, book, datetime(year, 6, 30, 16, 59, tzinfo=UTC), event, each)
            for event in (Event.register, Event.receive)
            for year in (2023, 2025, 2026)
            for each in (PERMIT, "2.000033")
        ]
        for paper in papers:
            if paper.received_at is not None:
                for event in (Event.digitise, Event.route, Event.accept):
                    role = Role.officer if event is Event.accept else Role.reception
                    await moved(db, book, paper.code, event, role, paper.received_at)
        before = await everything(db, "dossier", "visit", "entry")
        assert {row["regime"] for row in before[0]} == {"R2021", "R2025"}
    async with connected(server, own, "postgres") as engine, engine.begin() as db:
        await db.execute(sa.text("TRUNCATE bundle"))
    await asyncio.to_thread(command.downgrade, database_of._config(owner), "0002")
    await asyncio.to_thread(database_of.migrate, owner)
    async with connected(server, own) as engine, engine.begin() as db:
        assert await everything(db, "dossier", "visit", "entry") == before
        with pytest.raises(Unknown, match="has no catalogue yet"):
            await bundles.read(db)
        assert await bundles.seed(db, WHEN)
        assert (await ledger.verify(db, await bundles.read(db))).faults == []


async def test_of_two_that_begin_at_once_one_seeds(own: str, server: Embedded) -> None:
    async with connected(server, own, "postgres") as owner, owner.begin() as db:
        await db.execute(sa.text("TRUNCATE bundle"))
    async with connected(server, own) as engine:

        async def begin() -> bool:
            async with engine.begin() as db:
                return await bundles.seed(db, WHEN)

        done = await asyncio.gather(*(begin() for _ in range(4)))
        assert sorted(done) == [False, False, False, True]
        async with engine.connect() as db:
            assert len((await everything(db, "bundle"))[0]) == len(FILES) + 2 + len(bundles.ONCE)


async def test_a_catalogue_that_somebody_holds_does_not_change(db: AsyncConnection) -> None:
    book = await bundles.read(db)
    said = book.procedure(PERMIT)
    await published(db, permit(2, "2026-02-02", *SHORTER))
    assert book.procedure(PERMIT) is said
    with pytest.raises(AttributeError):
        book.edition = 0  # type: ignore[misc]
    assert replace(book, edition=7).edition == 7
    assert (await bundles.read(db)).procedure(PERMIT).version == 2
