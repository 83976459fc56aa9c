"""Running dossiers to another version: mapped, refused where a date would be lost, taken back.

Version 2 begins on the day after the people of the town came.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from corrections import (
    apply,
    approve,
    due_by_clock,
    everything,
    foreseen,
    holds,
    lines_of,
    papers,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from town import (
    BOOM,
    CALENDAR_DAYS,
    CLERK,
    CONTROL,
    FIVE,
    FRESH,
    HOURS,
    NEVER,
    NO_TERM,
    NOW,
    ROUTED,
    SECOND,
    TRIGGER,
    UNTRIGGER,
    as_owner,
    at,
    move,
    processing,
    published,
    read,
    received,
    town,
    walked,
)

from states import ledger
from states.catalogue import Catalogue, bundles
from states.catalogue.rights import NotAllowed
from states.changes import applying, deciding
from states.changes.preview import Effect
from states.changes.proposing import propose_migration
from states.changes.rows import Status
from states.embedded import Embedded
from states.errors import BadInput, Unknown
from states.ledger import driving, many
from states.ledger.statements import d, v, visit
from states.lifecycle import HELD
from states.words import Event, Role, State

SAID = {"reason": "Rút ngắn thời hạn", "ground": "QĐ 12/QĐ-UBND"}
NEXT_DAY = at(1)  # version 2 is in force
SINCE = "2023-11-24"


@pytest.fixture
async def ours(server: Embedded) -> AsyncIterator[AsyncEngine]:
    async with town(server) as engine:
        yield engine


# Versions, shortly ----------------------------------------------------------------------------


def following(book: Catalogue, code: str, since: str = SINCE, **changed: Any) -> str:
    """The text of a next version. `stages`: its terms, or whole stages, by code."""
    last = book.procedure(code)
    said = last.model_dump(mode="json", exclude_none=True)
    said |= {"version": last.version + 1, "valid_from": since, **changed}
    said.pop("valid_until", None)
    return json.dumps(said, ensure_ascii=False, indent=1)


def staged(book: Catalogue, code: str, **changed: Any) -> list[Any]:
    """Its stages with some of them changed; None takes one out."""
    said = book.procedure(code).model_dump(mode="json", exclude_none=True)["stages"]
    names = {name.replace("_", "-"): facts for name, facts in changed.items()}
    kept = (each for each in said if names.get(each["code"], {}) is not None)
    return [each | names.get(each["code"], {}) for each in kept]


SHORT: dict[str, Any] = {"tham_dinh": {"term": "1wd"}, "xem_xet": {"term": "0.5wd"}}


async def shorter(db: AsyncConnection, code: str = FIVE, **more: Any) -> Catalogue:
    """Five days become three."""
    book = await bundles.read(db)
    stages = staged(book, code, **SHORT | more.pop("stages", {}))
    return await published(db, following(book, code, term="3wd", stages=stages, **more))


async def longer(db: AsyncConnection, code: str = FIVE, **more: Any) -> Catalogue:
    book = await bundles.read(db)
    return await published(db, following(book, code, term="8wd", **more))


async def propose(
    db: AsyncConnection,
    code: str = FIVE,
    to: int = 2,
    *,
    stages: dict[str, str] | None = None,
    overrides: bool = False,
    by: str = CONTROL,
    when: datetime = NEXT_DAY,
    **said: str,
) -> int:
    book = await bundles.read(db)
    said = {**SAID, **said}
    return await propose_migration(
        db, book, code, to, stages=stages or {}, overrides=overrides, by=by, at=when, **said
    )


async def settled(engine: AsyncEngine, code: str = FIVE, to: int = 2, **said: Any) -> int:
    async with engine.begin() as db:
        number = await propose(db, code, to, **said)
        await approve(db, number, when=said.get("when", NEXT_DAY))
    return number


async def migrated(engine: AsyncEngine, code: str = FIVE, to: int = 2, **said: Any) -> Any:
    number = await settled(engine, code, to, **said)
    return await apply(engine, number, said.get("when", NEXT_DAY), batch=7)


async def undo(db: AsyncConnection, number: int, by: str = CONTROL) -> None:
    await deciding.undo(db, await bundles.read(db), number, by, NEXT_DAY)


async def taken_back(engine: AsyncEngine, number: int, when: datetime = NEXT_DAY) -> Any:
    async with engine.begin() as db:
        await undo(db, number)
    return await apply(engine, number, when, batch=7)


# Proposed -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "kind", "why"),
    [
        ({"by": CLERK}, NotAllowed, "is not a leader or of the control unit: ask one who is"),
        ({"by": "nobody"}, Unknown, "there is no person nobody"),
        ({"reason": ""}, BadInput, "needs its reason and the document"),
        ({"ground": "\n"}, BadInput, "needs its reason and the document"),
        ({"reason": "x" * 2_001}, BadInput, "reason may have 2,000 characters"),
        ({"to": 3}, Unknown, f"there is no procedure {FIVE} version 3 in the catalogue"),
        ({"code": "1.999999"}, Unknown, "there is no procedure 1.999999"),
        ({"code": FRESH, "to": 1}, BadInput, "no version of .* is older than 1: nothing would"),
        ({"stages": {"tham-dinh": "x"}}, BadInput, "version 2 of .* has no stage x: it has th"),
        ({"stages": {"x": "ky-duyet"}}, BadInput, "before 2 has a stage x: there were th"),
    ],
)
async def test_who_may_not_and_what_leads_nowhere(
    db: AsyncConnection, said: dict[str, Any], kind: type[Exception], why: str
) -> None:
    await shorter(db)
    with pytest.raises(kind, match=why):
        await propose(db, **said)
    assert await deciding.every(db) == []


async def test_nobody_goes_to_what_is_not_published(db: AsyncConnection) -> None:
    from states.catalogue import publishing
    from states.catalogue.rows import Kind

    book = await bundles.read(db)
    raw = following(book, FIVE).encode()
    await publishing.draft(db, book, Kind.procedure, "x.yaml", raw, CONTROL, NOW)
    with pytest.raises(Unknown, match="version 2 in the catalogue"):
        await propose(db)


async def test_one_at_a_time_and_approved_by_a_second_person(db: AsyncConnection) -> None:
    await shorter(db)
    number = await propose(db, by=SECOND)  # a leader
    with pytest.raises(NotAllowed, match=f"change {number} of {FIVE} is still open: approve"):
        await propose(db)
    with pytest.raises(NotAllowed, match="a second person approves it"):
        await approve(db, number, SECOND)
    said = {"status": "undone", "decided_by": SECOND, "decided_at": NOW}
    with pytest.raises(IntegrityError, match="change_second"):
        async with db.begin_nested():
            await db.execute(sa.update(applying.change).values(said))
    with pytest.raises(NotAllowed, match=f"change {number} is proposed: only an applied one"):
        await undo(db, number)
    row = await approve(db, number, CONTROL)
    assert (row.status, row.decided_by) == (Status.approved, CONTROL)
    with pytest.raises(NotAllowed, match=f"change {number} is approved already"):
        await approve(db, number, CONTROL)
    with pytest.raises(NotAllowed, match=f"change {number} is approved: only an applied one"):
        await undo(db, number)


# Foreseen and done ----------------------------------------------------------------------------

Seen = dict[str, Any]


def as_foreseen(seen: Seen, before: Seen, after: Seen, to: int) -> None:
    """Each dossier is where the preview had it, and what it did not speak of is untouched."""
    assert before.keys() == after.keys()
    for code, was in before.items():
        now, item = after[code], seen.get(code)
        if item is None or item.effect is Effect.refused:
            assert tuple(now) == tuple(was), code
            if item is not None:
                assert (item.due_after, item.stage_after) == (was.due_at, item.stage)
            continue
        assert item.effect is effect_of(was, now), code
        assert (item.due, item.due_after) == (was.due_at, now.due_at), code
        assert (item.version, now.version, now.seq) == (was.version, to, was.seq + 1)
        assert (now.state, now.calendar_version) == (was.state, was.calendar_version)
        assert now.due_original == (was.due_original or now.due_original)


def effect_of(was: Any, now: Any) -> Effect:
    if was.due_at is None:
        return Effect.nearer if now.due_at else Effect.held
    if now.due_at is None or now.due_at > was.due_at:
        return Effect.breaks
    return Effect.nearer if now.due_at < was.due_at else Effect.same


async def stages_of(db: AsyncConnection) -> dict[str, Any]:
    """The code of the stage that each dossier is in."""
    asked = sa.select(d.code, visit.c.code).join(visit, (v.dossier_id == d.id))
    return dict((await db.execute(asked.where(v.closed_at.is_(None)))).all())


async def as_recomputed(db: AsyncConnection, to: int) -> None:
    """Every date is that which the clock reads under the new version; what waits has none."""
    book = await bundles.read(db)
    for code, row in (await papers(db)).items():
        if row.version == to and row.procedure == FIVE:
            assert row.due_at == (None if row.state in HELD else due_by_clock(book, row)), code


async def test_a_whole_town_gets_earlier_dates(ours: AsyncEngine) -> None:
    async with ours.begin() as db:
        book = await shorter(db)
        after_all = (await received(db, book, FIVE, NEXT_DAY)).code
        code = (await received(db, await bundles.read(db), FIVE, NOW)).code
        await move(db, book, code, Event.digitise, NOW)
        number = await propose(db)
        seen, before = await foreseen(db, number, NEXT_DAY), await papers(db)
        stages = await stages_of(db)
        await approve(db, number, when=NEXT_DAY)
        assert await foreseen(db, number, NEXT_DAY) == seen
    row = await apply(ours, number, NEXT_DAY, batch=7)
    assert (row.status, row.moved, row.stayed, row.refused) == (Status.applied, len(seen), 0, 0)
    effects = Counter(item.effect for item in seen.values())
    assert set(effects) == {Effect.nearer, Effect.held}
    states = {before[code].state for code in seen}
    assert states >= {
        State.received, State.digitised, State.routed, State.processing, *HELD,
    }  # fmt: skip
    async with ours.connect() as db:
        after = await papers(db)
        as_foreseen(seen, before, after, 2)
        await as_recomputed(db, 2)
        assert await stages_of(db) == stages
        assert await foreseen(db, number, NEXT_DAY) == {}
        assert after[after_all].version == 2
        for code in seen:
            line = (await lines_of(db, code))[-1]
            assert (line["event"], line["actor"], line["role"]) == (
                Event.migrate, CONTROL, Role.control,
            )  # fmt: skip
            assert (line["reason"], line["ground"]) == (SAID["reason"], SAID["ground"])
            assert line["payload"]["act"] == {"version": 2, "change": number}
            assert line["payload"]["pin"]["term"] == "3wd"
            told = line["payload"]["clock"]
            if after[code].due_at is not None:
                assert datetime.fromisoformat(told["due"]) == after[code].due_at
                assert datetime.fromisoformat(told["was"]["due"]) == before[code].due_at
    open_ = [r for r in after.values() if r.procedure == FIVE and r.finished_at is None]
    assert {r.version for r in open_ if r.received_at} == {2}
    assert {r.version for r in after.values() if r.procedure != FIVE and not r.source} == {1}
    await holds(ours)


async def test_a_citizen_loses_no_date_unless_a_second_person_agrees(ours: AsyncEngine) -> None:
    async with ours.begin() as db:
        await longer(db)
        number = await propose(db, by=SECOND)
        seen, before = await foreseen(db, number, NEXT_DAY), await papers(db)
        await approve(db, number, CONTROL, NEXT_DAY)
    refused = {code for code, item in seen.items() if item.effect is Effect.refused}
    assert refused >= {code for code in seen if before[code].due_at is not None}
    assert len(refused) > 15
    for code in refused:
        assert "would move to" in seen[code].why
        assert "needs a legal ground and the consent of a second person" in seen[code].why
    row = await apply(ours, number, NEXT_DAY, batch=7)
    assert (row.moved, row.refused) == (len(seen) - len(refused), len(refused))
    async with ours.connect() as db:
        as_foreseen(seen, before, await papers(db), 2)

    async with ours.begin() as db:
        number = await propose(db, by=SECOND, overrides=True)
        seen, before = await foreseen(db, number, NEXT_DAY), await papers(db)
        assert seen.keys() == refused
        assert {item.effect for item in seen.values()} <= {Effect.breaks, Effect.held}
        await approve(db, number, CONTROL, NEXT_DAY)
    row = await apply(ours, number, NEXT_DAY, batch=7)
    assert (row.moved, row.refused) == (len(refused), 0)
    async with ours.connect() as db:
        as_foreseen(seen, before, await papers(db), 2)
        await as_recomputed(db, 2)
        for code in refused:
            line = (await lines_of(db, code))[-1]
            assert (line["actor"], line["role"]) == (SECOND, Role.leader)
            assert line["payload"]["act"]["second"] == CONTROL
            if before[code].due_at is not None:
                was = datetime.fromisoformat(line["payload"]["clock"]["was"]["due"])
                assert was == before[code].due_at
    await holds(ours)


# Stages ---------------------------------------------------------------------------------------


async def in_stages(db: AsyncConnection, book: Catalogue, code: str = FIVE) -> dict[str, str]:
    """A dossier in each stage, and one that is only received."""
    found = {"": (await received(db, book, code, NOW)).code}
    for n, stage in enumerate(book.procedure(code, 1).stages):
        paper = await processing(db, book, code, NOW)
        for at_ in range(n):
            onward = book.procedure(code, 1).onward(at_)[0]
            paper = await move(db, book, paper.code, Event.advance, NOW, stage=onward[0])
        found[stage.code] = paper.code
    return found


async def test_a_stage_of_another_name_is_mapped_and_one_without_like_refused(
    ours: AsyncEngine,
) -> None:
    async with ours.begin() as db:
        book = await bundles.read(db)
        there = await in_stages(db, book)
        stages = staged(book, FIVE, tham_dinh={"code": "thu-ly", "term": "1wd"}, xem_xet=None)
        book = await published(db, following(book, FIVE, term="3wd", stages=stages))
        number = await propose(db)
        seen = await foreseen(db, number, NEXT_DAY)
        assert {name: seen[code].effect for name, code in there.items()} == {
            "": Effect.nearer,
            "tham-dinh": Effect.refused,
            "xem-xet": Effect.refused,
            "ky-duyet": Effect.nearer,
        }
        for name in ("tham-dinh", "xem-xet"):
            assert seen[there[name]].why == (
                f"stage {name} has no like in version 2: say which of its 2 stages the dossier is"
                " in ('stage')"
            )
        await deciding.reject(db, book, number, CONTROL, NEXT_DAY)
        number = await propose(db, stages={"tham-dinh": "thu-ly"})
        seen = await foreseen(db, number, NEXT_DAY)
        assert seen[there["tham-dinh"]].stage_after == "thu-ly"
        assert seen[there["ky-duyet"]].stage_after == seen[there["ky-duyet"]].stage == "ky-duyet"
        assert seen[there["xem-xet"]].effect is Effect.refused
        await approve(db, number, when=NEXT_DAY)
    row = await apply(ours, number, NEXT_DAY, batch=7)
    assert row.refused == sum(item.effect is Effect.refused for item in seen.values()) >= 1
    async with ours.begin() as db:
        after, stages_ = await papers(db), await stages_of(db)
        assert [stages_[there[name]] for name in ("tham-dinh", "xem-xet", "ky-duyet")] == [
            "thu-ly", "xem-xet", "ky-duyet",
        ]  # fmt: skip
        row = (await visits(db))[after[there["tham-dinh"]].id, 1]
        assert (row.stage, row.code, row.term, row.opened_at) == (0, "thu-ly", "1wd", NOW)
        assert row.due_at == at(1, "17:00")  # a day instead of three from when it was opened
        moved = after[there["tham-dinh"]]
        assert (moved.stage, moved.stages, moved.leads, moved.ends) == (0, 2, True, False)
        last = after[there["ky-duyet"]]
        assert (last.stage, last.leads, last.ends) == (1, False, True)
        # The rest of the way leads through the stages of the new version.
        paper = await move(db, book, moved.code, Event.advance, NEXT_DAY)
        assert (await stages_of(db))[moved.code] == "ky-duyet"
        paper = await move(db, book, moved.code, Event.return_result, NEXT_DAY)
        assert paper.state is State.result_returned
        book = await bundles.read(db)
        number = await propose(db, stages={"xem-xet": "ky-duyet"})
        assert (await foreseen(db, number, NEXT_DAY))[there["xem-xet"]].stage_after == "ky-duyet"
        await approve(db, number, when=NEXT_DAY)
    await apply(ours, number, NEXT_DAY, batch=7)
    async with ours.connect() as db:
        assert (await stages_of(db))[there["xem-xet"]] == "ky-duyet"
        assert (await papers(db))[there["xem-xet"]].ends
    await holds(ours)


async def test_down_a_branch(ours: AsyncEngine) -> None:
    """The stage that led two ways leads one, and the one beside it is gone."""
    async with ours.begin() as db:
        book = await bundles.read(db)
        there = await in_stages(db, book, ROUTED)
        way = {"kiem_tra": {"next": ["xem-xet"]}, "xem_xet": {"next": ["ky-duyet"]}}
        back = {"xem_xet": way["xem_xet"] | {"returns": ["kiem-tra"]}}
        stages = staged(book, ROUTED, **(way | back), tham_dinh=None)
        book = await published(db, following(book, ROUTED, term="10wd", stages=stages, terms=[]))
        before = await papers(db)
        number = await propose(db, ROUTED, stages={"tham-dinh": "xem-xet"})
        seen = await foreseen(db, number, NEXT_DAY)
        assert Effect.refused not in {item.effect for item in seen.values()}
        await approve(db, number, when=NEXT_DAY)
    await apply(ours, number, NEXT_DAY, batch=7)
    async with ours.begin() as db:
        after, stages_ = await papers(db), await stages_of(db)
        assert stages_[there["tham-dinh"]] == stages_[there["xem-xet"]] == "xem-xet"
        assert {name: after[code].leads for name, code in there.items() if name} == {
            "kiem-tra": True, "tham-dinh": True, "xem-xet": True, "ky-duyet": False,
        }  # fmt: skip
        assert before[there["xem-xet"]].ends
        assert not after[there["xem-xet"]].ends
        assert after[there["tham-dinh"]].stage_role is Role.leader
        with pytest.raises(BadInput, match="stage 2 is not open from here"):
            await move(db, book, there["xem-xet"], Event.send_back, NEXT_DAY, stage=2)
        await move(db, book, there["kiem-tra"], Event.advance, NEXT_DAY)
        for name in ("kiem-tra", "tham-dinh"):
            await move(db, book, there[name], Event.advance, NEXT_DAY)
            await move(db, book, there[name], Event.return_result, NEXT_DAY)
    await holds(ours)


BY_ITSELF = {"tham_dinh": {"term": "1wd", "accept": "auto"}}


@pytest.mark.parametrize(
    ("stages", "driven"),
    [
        ({}, False),
        (BY_ITSELF, False),
        ({}, True),
        (BY_ITSELF, True),
    ],
)
async def test_whatever_stage_they_were_in_they_come_to_their_end(
    ours: AsyncEngine, stages: dict[str, Any], *, driven: bool
) -> None:
    """By flows and by hand; also where the first stage was taken in by a hand and is no more."""
    async with ours.begin() as db:
        await shorter(db, stages=stages)
    row = await migrated(ours)
    if driven:
        assert sum((await driving.drive(ours, await read(ours), NEXT_DAY)).values()) > 3
        await holds(ours)
    async with ours.begin() as db:
        book = await bundles.read(db)
        ours_ = [r for r in (await papers(db)).values() if (r.procedure, r.version) == (FIVE, 2)]
        complete = [each.code for each in ours_ if not each.missing]
        assert row.moved > len(complete) > 20
        for code in complete:
            await to_the_end(db, book, code)
    await holds(ours)


async def to_the_end(db: AsyncConnection, book: Catalogue, code: str) -> None:
    paper, _ = await ledger.find(db, code)
    while paper.state is not State.delivered:
        event = {
            State.received: Event.digitise,
            State.digitised: Event.route,
            State.routed: Event.accept,
            State.awaiting_supplement: Event.supplement,
            State.awaiting_payment: Event.pay,
            State.result_returned: Event.deliver,
        }.get(paper.state, Event.return_result if paper.ends else Event.advance)
        paper = await move(db, book, code, event, NEXT_DAY)


# Several at once ------------------------------------------------------------------------------


async def test_from_several_old_versions_and_each_back_to_its_own(ours: AsyncEngine) -> None:
    async with ours.begin() as db:
        book = await shorter(db, FRESH, since="2023-11-10")
        papers_ = [await received(db, book, FRESH, at(day)) for day in (-14, -13, -3, -2)]
        book = await published(
            db, following(book, FRESH, "2023-11-23", stages=staged(book, FRESH, **SHORT))
        )
        last = (await received(db, book, FRESH, NOW)).code
        codes = [paper.code for paper in papers_]
        before = await papers(db)
        assert [before[code].version for code in (*codes, last)] == [1, 2, 2, 2, 3]
    row = await migrated(ours, FRESH, 3)
    assert (row.moved, row.refused) == (4, 0)
    async with ours.begin() as db:
        there = await papers(db)
        assert {there[code].version for code in codes} == {3}
        assert there[last] == before[last]
        await move(db, await bundles.read(db), codes[-1], Event.digitise, NEXT_DAY)
    row = await taken_back(ours, row.id)
    assert (row.status, row.moved) == (Status.undone, 3)
    async with ours.connect() as db:
        there = await papers(db)
    assert [there[code].version for code in codes] == [1, 2, 2, 3]
    for code in codes[:3]:
        assert differs(before[code], there[code]) <= CHANGED
    await holds(ours)


# Taken back -----------------------------------------------------------------------------------

CHANGED = {"seq", "head", "moved_at", "deadline"}


def differs(was: Any, now: Any) -> set[str]:
    return {name for name in was._fields if getattr(was, name) != getattr(now, name)}


async def visits(db: AsyncConnection) -> dict[Any, Any]:
    rows = await db.execute(sa.select(visit))
    return {(row.dossier_id, row.visit): row for row in rows}


async def test_taken_back_where_nobody_moved_it_since_to_the_letter(ours: AsyncEngine) -> None:
    async with ours.begin() as db:
        # Of all that a version says of a running dossier, nothing is left as it was.
        book = await bundles.read(db)
        stages = staged(book, FIVE, tham_dinh={"code": "thu-ly", "term": "1wd", "role": "leader"},
                        xem_xet=None)  # fmt: skip
        said = {
            "supplement": {"times": 0, "mode": "hold", "lapse": "10cd"},
            "extension": {"times": 0},
            "policy": "instant",
            "components": [],
        }
        await published(db, following(book, FIVE, term="4wd", stages=stages, **said))
        before, stood = await papers(db), await visits(db)
    row = await migrated(ours, stages={"tham-dinh": "thu-ly", "xem-xet": "ky-duyet"})
    assert row.refused == 0
    number, book = row.id, await read(ours)
    async with ours.begin() as db:
        with pytest.raises(NotAllowed, match="is neither a leader nor of the control unit"):
            await undo(db, number, CLERK)
        there = await papers(db)
        moved = sorted(code for code in there if there[code].version == 2)
        assert {"policy", "term", "version", "facts"} <= differs(before[moved[0]], there[moved[0]])
        gone_on = set(moved[::3])
        for code in gone_on:
            await by_lot(db, book, Random(code), code)
        then = await papers(db)
        assert {then[code].seq - there[code].seq for code in gone_on} == {1}
        assert any(then[code].finished_at is None for code in gone_on)
    back = await taken_back(ours, number)
    assert (back.status, back.undone_by) == (Status.undone, CONTROL)
    assert (back.moved, back.refused) == (len(moved) - len(gone_on), 0)
    async with ours.begin() as db:
        there, now = await papers(db), await visits(db)
        for code, row in there.items():
            if code in gone_on or code not in moved:
                assert row == then[code]
                continue
            assert differs(before[code], row) <= CHANGED, code
            assert row.seq == before[code].seq + 2
            line = (await lines_of(db, code))[-1]
            assert line["payload"]["act"] == {
                "version": 1, "undoes": row.seq - 1, "change": number,
            }  # fmt: skip
        stayed = {row.id for code, row in there.items() if code in gone_on}
        assert {key: row for key, row in now.items() if key[0] not in stayed} == {
            key: row for key, row in stood.items() if key[0] not in stayed
        }
        with pytest.raises(NotAllowed, match=f"change {number} is undone: only an applied one"):
            await undo(db, number)
        assert await foreseen(db, number, NEXT_DAY) == {}
        again = await propose(db, stages={"tham-dinh": "thu-ly", "xem-xet": "ky-duyet"})
        await approve(db, again, when=NEXT_DAY)
    await holds(ours)
    assert (await apply(ours, again, NEXT_DAY)).moved == len(moved) - len(gone_on)
    await holds(ours)


async def test_each_change_set_takes_back_its_own(ours: AsyncEngine) -> None:
    """Two led to the same version: the second mapped the stage that the first had no like for."""
    async with ours.begin() as db:
        book = await bundles.read(db)
        reviewed = (await in_stages(db, book))["xem-xet"]
        stages = staged(book, FIVE, tham_dinh={"term": "1wd"}, xem_xet=None)
        await published(db, following(book, FIVE, term="3wd", stages=stages))
    first = await migrated(ours)
    second = await migrated(ours, stages={"xem-xet": "ky-duyet"})
    assert first.moved > first.refused == second.moved > 0
    async with ours.connect() as db:
        before = await papers(db)
    back = await taken_back(ours, first.id)
    assert (back.status, back.moved) == (Status.undone, first.moved)
    async with ours.connect() as db:
        after = await papers(db)
    gone = {code for code, row in after.items() if row != before[code]}
    assert len(gone) == first.moved
    assert {after[code].version for code in gone} == {1}
    assert after[reviewed].version == 2
    assert (await taken_back(ours, second.id)).moved == second.moved
    await holds(ours)


async def test_what_is_taken_back_is_foreseen(ours: AsyncEngine) -> None:
    async with ours.begin() as db:
        await longer(db)
    row = await migrated(ours, overrides=True)
    async with ours.begin() as db:
        await undo(db, row.id)
        seen, before = await foreseen(db, row.id, NEXT_DAY), await papers(db)
    assert {item.effect for item in seen.values()} == {Effect.nearer, Effect.held}
    back = await apply(ours, row.id, NEXT_DAY)
    assert back.moved == row.moved == len(seen)
    async with ours.connect() as db:
        as_foreseen(seen, before, await papers(db), 1)
    await holds(ours)


async def test_a_promise_made_by_a_longer_wait_is_kept_when_it_is_taken_back(
    ours: AsyncEngine,
) -> None:
    """A date to answer by that a citizen was told never comes nearer, back or forth."""
    async with ours.begin() as db:
        book = await bundles.read(db)
        rule = book.procedure(FIVE).supplement.model_dump(mode="json", exclude_none=True)
        await shorter(db, supplement=rule | {"lapse": "60cd"})
        before = await papers(db)
    row = await migrated(ours)
    await taken_back(ours, row.id)
    async with ours.connect() as db:
        after = await papers(db)
    held = [code for code, r in before.items() if r.state in HELD and r.procedure == FIVE]
    held = [code for code in held if before[code].received_at]
    assert held
    for code in held:
        assert after[code].lapse_at > before[code].lapse_at
        assert differs(before[code], after[code]) <= CHANGED | {"lapse_at"}
    await holds(ours)


# Killed ---------------------------------------------------------------------------------------


async def test_broken_off_forth_and_back_it_ends_as_its_twin(
    server: Embedded, ours: AsyncEngine
) -> None:
    async with town(server) as twin:
        rows = []
        for engine in (ours, twin):
            async with engine.begin() as db:
                await shorter(db)
            number = await settled(engine)
        async with ours.connect() as db:
            there = await papers(db)
            ids = sorted(there[code].id for code in await foreseen(db, number, NEXT_DAY))
        await as_owner(server, ours, BOOM.format(id=ids[len(ids) // 2]))
        for undoing in (False, True):
            if undoing:
                for engine in (ours, twin):
                    async with engine.begin() as db:
                        await undo(db, number)
            await as_owner(server, ours, TRIGGER)
            with pytest.raises(DBAPIError, match="boom"):
                await apply(ours, number, NEXT_DAY, batch=2)
            async with ours.connect() as db:
                begun = await deciding.find(db, number)
            assert begun.status is (Status.undoing if undoing else Status.approved)
            await as_owner(server, ours, UNTRIGGER)
            rows = [await apply(engine, number, NEXT_DAY, batch=2) for engine in (ours, twin)]
            assert deciding.told(rows[0]) == deciding.told(rows[1])
            assert rows[0].moved == len(ids) > begun.moved > 0
            assert await everything(ours) == await everything(twin)
            await holds(ours)


# Whatever happened ----------------------------------------------------------------------------

TERMS = ("2wd", "3wd", "5wd", "9wd", "6cd", "20wh")


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    seed=st.integers(0, 2**32),
    code=st.sampled_from([FIVE, HOURS, CALENDAR_DAYS, NO_TERM]),
    term=st.sampled_from(TERMS),
    mode=st.sampled_from(["hold", "restart"]),
    overrides=st.booleans(),
    undoes=st.booleans(),
)
async def test_whatever_happened_a_migration_does_what_was_foreseen(
    db: AsyncConnection,
    seed: int,
    code: str,
    term: str,
    mode: str,
    *,
    overrides: bool,
    undoes: bool,
) -> None:
    async with db.begin_nested() as undone:
        chance, book = Random(seed), await bundles.read(db)
        codes = [await walked(db, book, chance, code) for _ in range(15)]
        stages = [each | {"term": "1wh"} for each in staged(book, code)]
        rule = {"times": chance.randrange(3), "mode": mode, "lapse": "20cd"}
        text = following(book, code, term=term, stages=stages, supplement=rule)
        book = await published(db, text)
        number = await propose(db, code, overrides=overrides)
        seen, before = await foreseen(db, number, NEXT_DAY), await papers(db)
        stood = await visits(db)
        await approve(db, number, when=NEXT_DAY)
        plan = applying.planned(await deciding.find(db, number), book, NEXT_DAY)
        told = await many.move_many(db, book, plan.where, plan.act_for)
        assert len(told) == len(seen)
        after = await papers(db)
        as_foreseen(seen, before, after, 2)
        lost = [each for each in seen.values() if each.effect is Effect.breaks]
        assert overrides or not lost
        chosen = [each for each in codes if chance.random() < 0.3]
        for each in chosen:
            await by_lot(db, book, chance, each)
        if undoes:
            done = sa.update(applying.change).where(applying.c.id == number)
            await db.execute(done.values(status=Status.applied))
            await undo(db, number)
            then = await papers(db)
            plan = applying.planned(await deciding.find(db, number), book, NEXT_DAY)
            await many.move_many(db, book, plan.where, plan.act_for)
            last, now = await papers(db), await visits(db)
            for each, row in last.items():
                if after[each].version == 1 or then[each].seq > after[each].seq:
                    assert row == then[each]
                else:
                    assert differs(before[each], row) <= CHANGED | {"due_original", "lapse_at"}
                    key = row.id, row.visit
                    assert now.get(key) == stood.get(key)
        for each in codes:
            await by_lot(db, book, chance, each)
        report = await ledger.verify(db, book)
        assert (report.faults, report.unread) == ([], 0)
        await undone.rollback()


async def by_lot(db: AsyncConnection, book: Catalogue, chance: Random, code: str) -> None:
    """One move that is open, by whoever may."""
    from states import lifecycle
    from states.lifecycle import Now

    paper, _ = await ledger.find(db, code)
    open_now = [
        event
        for event in Event
        for role in Role
        if event in lifecycle.open_to(paper, Now(NEXT_DAY, role)) and event not in NEVER
    ]
    if open_now:
        await move(db, book, code, chance.choice(open_now), NEXT_DAY)
