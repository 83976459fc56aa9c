"""What is attached is history; what a move brings of it; what nothing refers to goes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from handing_in import put, sha
from office import MORNING, address, running
from samples import pdf

from states import ledger
from states.catalogue.bundles import Latest
from states.db import transaction
from states.files import attaching, store, sweeping
from states.files.rows import attachment, file
from states.files.sweeping import DELAY, Swept, sweep_files
from states.ledger import Act
from states.words import Event, Role

PAPERS = ("don", "dang-ky-kinh-doanh", "phuong-an")
AT = datetime(2024, 3, 4, 1, tzinfo=UTC)


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


@pytest.fixture
def kept(tmp_path):
    return store.opened(None, tmp_path)


async def handed_in(office, *components, text="") -> str:
    code = await office.code(components={})
    for component in components:
        answer = await put(office, code, pdf(component + text), component)
        assert answer.status_code == 201, answer.text
    return code


async def read(db, code):
    book = await Latest()(db)
    return book, (await ledger.find(db, code))[0]


def asked(event: Event, **payload) -> Act:
    return Act(
        event=event, actor="p-reception-01", role=Role.reception, at=MORNING, payload=payload
    )


# History ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM attachment",
        "TRUNCATE attachment CASCADE",
        "UPDATE attachment SET name = 'x'",
        "UPDATE attachment SET sha256 = sha256",
        "UPDATE attachment SET at = now()",
        "UPDATE file SET size = 1",
        "UPDATE file SET type = 'image/png'",
    ],
)
async def test_the_application_cannot_change_what_was_attached(office, fresh, change):
    await handed_in(office, "don")
    async with fresh.connect() as db:
        with pytest.raises(sa.exc.DBAPIError, match="permission denied"):
            await db.execute(sa.text(change))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("DELETE FROM attachment", "what was attached is kept"),
        ("UPDATE attachment SET name = 'x'", "does not change"),
        ("UPDATE attachment SET provenance = 'agency'", "does not change"),
        ("UPDATE attachment SET \"by\" = 'x'", "does not change"),
        ("UPDATE attachment SET replaced_at = NULL", "stays so"),
        ("DELETE FROM file", "foreign key"),
    ],
)
async def test_nor_does_its_owner_by_mistake(office, owner, change, why):
    code = await handed_in(office, "don")
    if "replaced_at" in change:
        await put(office, code, pdf("2"))
    async with owner.connect() as db:
        with pytest.raises(sa.exc.DBAPIError, match=why):
            await db.execute(sa.text(change))


async def test_a_component_has_one_present_file(office, owner):
    await handed_in(office, "don")
    again = (
        'INSERT INTO attachment SELECT dossier_id, component, 2, sha256, name, provenance, "by", at'
        " FROM attachment"
    )
    async with owner.connect() as db:
        with pytest.raises(sa.exc.IntegrityError, match="attachment_present_idx"):
            await db.execute(sa.text(again))


# What a move brings -----------------------------------------------------------------------


async def test_a_move_that_names_no_files_brings_those_attached(office, fresh):
    code = await handed_in(office, *PAPERS)
    async with transaction(fresh) as db:
        book, paper = await read(db, code)
        act = await attaching.brought(db, book, paper, asked(Event.digitise))
        assert act.payload == {"components": {each: sha(pdf(each)) for each in PAPERS}}
        moved = await ledger.move(db, book, code, act)
    assert moved.state == "digitised"
    assert moved.facts["components"] == act.payload["components"]


async def test_a_move_that_names_files_brings_these(office, fresh):
    code = await handed_in(office, *PAPERS)
    act = asked(Event.digitise, components=dict.fromkeys(PAPERS, "0" * 64))
    async with transaction(fresh) as db:
        book, paper = await read(db, code)
        assert await attaching.brought(db, book, paper, act) is act


async def test_a_move_that_brings_no_files_is_left_alone(office, fresh):
    code = await handed_in(office, *PAPERS)
    act = asked(Event.route)
    async with transaction(fresh) as db:
        book, paper = await read(db, code)
        assert await attaching.brought(db, book, paper, act) is act


async def test_a_later_move_brings_only_what_is_new(office, fresh):
    code = await handed_in(office, *PAPERS)
    async with transaction(fresh) as db:
        book, paper = await read(db, code)
        bound = await attaching.brought(db, book, paper, asked(Event.digitise))
        await ledger.move(db, book, code, bound)
    async with transaction(fresh) as db:
        book, paper = await read(db, code)
        nothing = asked(Event.supplement)
        assert await attaching.brought(db, book, paper, nothing) is nothing
    await put(office, code, pdf("mới"), "phuong-an")
    async with transaction(fresh) as db:
        act = await attaching.brought(db, book, paper, asked(Event.supplement))
    assert act.payload == {"components": {"phuong-an": sha(pdf("mới"))}}


async def test_what_a_version_lists_no_more_is_not_brought_and_still_told(office, fresh):
    code = await handed_in(office, *PAPERS)
    async with transaction(fresh) as db:
        book, paper = await read(db, code)
        procedure = book.procedure(paper.procedure, paper.version)
        fewer = procedure.model_copy(update={"components": procedure.components[1:]})

        class Later:
            def procedure(self, *_):
                return fewer

        files = await attaching.attached(db, paper.id)
        assert set(attaching.unbound(Later(), paper, files)) == set(PAPERS[1:])
        held = {each.code: each for each in await attaching.held(db, Later(), paper)}
    assert held["don"].wanted is None
    assert held["don"].present is not None
    assert not held["don"].lacking


async def test_what_is_attached_opens_what_it_would_complete(office, fresh):
    code = await handed_in(office, *PAPERS[:2])
    async with transaction(fresh) as db:
        book, paper = await read(db, code)
        files = await attaching.attached(db, paper.id)
        assert (paper.missing, attaching.foreseen(book, paper, files).missing) == (3, 1)
    await put(office, code, pdf(), "phuong-an")
    async with transaction(fresh) as db:
        files = await attaching.attached(db, paper.id)
        assert attaching.foreseen(book, paper, files).missing == 0
        assert (paper.missing, paper.facts.get("components")) == (3, None)


# What nothing refers to -------------------------------------------------------------------


async def orphan(fresh, kept, text: bytes, at: datetime) -> bytes:
    """A file that came in and was never attached."""

    async def once():
        yield text

    async with kept.receiving(once(), at, 10**6) as received:
        async with transaction(fresh) as db:
            await attaching.reserve(db, received, "p-reception-01", at)
        await kept.keep(received)
    return received.sha256


def places(kept) -> set[str]:
    return {each.name for each in Path(kept.root).rglob("*") if each.is_file()}


async def files_of(fresh) -> set[str]:
    async with fresh.connect() as db:
        return {each.hex() for each in await db.scalars(sa.select(file.c.sha256))}


async def test_what_nothing_refers_to_goes_after_a_delay(fresh, kept):
    old = await orphan(fresh, kept, pdf("old"), AT)
    young = await orphan(fresh, kept, pdf("young"), AT + timedelta(seconds=1))
    assert await sweep_files(fresh, kept, AT + DELAY) == Swept(0, 0)
    assert places(kept) == {old.hex(), young.hex()}
    assert await sweep_files(fresh, kept, AT + DELAY + timedelta(seconds=1)) == Swept(1, 0)
    assert places(kept) == await files_of(fresh) == {young.hex()}
    assert await sweep_files(fresh, kept, AT + DELAY + timedelta(seconds=1)) == Swept(0, 0)


async def test_many_go_in_batches(fresh, kept, monkeypatch):
    monkeypatch.setattr(sweeping, "BATCH", 2)
    for n in range(5):
        await orphan(fresh, kept, pdf(str(n)), AT)
    assert (await sweep_files(fresh, kept, AT + 2 * DELAY)).files == 5
    assert places(kept) == await files_of(fresh) == set()


async def test_what_was_attached_stays_replaced_or_not(office, fresh, kept):
    code = await handed_in(office, "don")
    await put(office, code, pdf("2"))
    stays = {sha(pdf("don")), sha(pdf("2"))}
    assert await sweep_files(fresh, kept, MORNING + 365 * DELAY) == Swept(0, 0)
    assert places(kept) == await files_of(fresh) == stays


async def test_what_comes_in_again_is_as_young_as_then(fresh, kept):
    for at in (AT, AT + DELAY):
        again = await orphan(fresh, kept, pdf(), at)
    assert await sweep_files(fresh, kept, AT + DELAY + timedelta(seconds=1)) == Swept(0, 0)
    assert places(kept) == {again.hex()}


async def test_what_is_being_attached_is_left_alone(office, fresh, kept):
    """The sweep comes between the attaching and its commit."""
    code = await office.code(components={})
    sha256 = await orphan(fresh, kept, pdf(), AT)
    row = {"component": "don", "n": 1, "sha256": sha256, "name": "x", "provenance": "scanned"}
    async with transaction(fresh) as db:
        _, paper = await read(db, code)
        await db.execute(
            sa.insert(attachment).values(row | {"dossier_id": paper.id, "by": "p", "at": AT})
        )
        assert await sweep_files(fresh, kept, AT + 2 * DELAY) == Swept(0, 0)
    assert places(kept) == await files_of(fresh) == {sha256.hex()}


async def test_a_store_that_is_away_keeps_its_rows_for_the_next_sweep(fresh, kept, monkeypatch):
    sha256 = await orphan(fresh, kept, pdf(), AT)

    def away(*_):
        raise OSError("no route to host")

    with monkeypatch.context() as patched:
        patched.setattr(type(kept.fs), "rm_file", away)
        with pytest.raises(store.StoreAway):
            await sweep_files(fresh, kept, AT + 2 * DELAY)
    assert await files_of(fresh) == places(kept) == {sha256.hex()}
    assert (await sweep_files(fresh, kept, AT + 2 * DELAY)).files == 1


async def test_what_never_came_in_whole_goes_too(fresh, kept):
    kept.waiting.mkdir(parents=True)
    (kept.waiting / f"{AT:{store.STAMP}}-0").write_bytes(b"x")
    assert await sweep_files(fresh, kept, AT + DELAY + timedelta(seconds=1)) == Swept(0, 1)
