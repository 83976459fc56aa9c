"""From an author to the counter, and every way in which it is refused, with its sentence."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from bundled import (
    AUTHOR,
    CHECKER,
    DECIDER,
    DECISION,
    HANOI,
    MONDAY,
    PERMIT,
    SHORTER,
    checked,
    day,
    drafted,
    edited,
    everything,
    moved,
    opened,
    permit,
    publish,
    published,
    row_of,
    rules,
    sample,
    staff,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states import ledger
from states.catalogue import bundles, publishing
from states.catalogue.bundles import Latest, b, bundle
from states.catalogue.rights import NotAllowed
from states.catalogue.rows import Kind, Status
from states.errors import BadFile, Outdated, Unknown
from states.words import Event, Role

TUESDAY = MONDAY + timedelta(days=1)
FEBRUARY = datetime(2026, 2, 2, tzinfo=HANOI)  # midnight: the first moment of permit(2)


async def refused(db: AsyncConnection, row: Any, says: str, **how: Any) -> None:
    """Publishing is refused with that sentence, and nothing is changed by it."""
    before = await everything(db)
    with pytest.raises((NotAllowed, Unknown), match=says):
        async with db.begin_nested():
            await publish(db, row, **how)
    assert await everything(db) == before


# The way ----------------------------------------------------------------------------------


async def test_from_a_draft_to_its_successor(db: AsyncConnection) -> None:
    edition = (await bundles.read(db)).edition
    row = await drafted(db, permit(2))
    assert (row.status, row.drafted_by, row.drafted_at) == (Status.draft, AUTHOR, MONDAY)
    assert (row.checked_by, row.published_by, row.retired_by, row.document) == (None,) * 4
    assert (row.valid_from, row.valid_until) == (day("2026-02-02"), None)

    row = await checked(db, permit(2), at=TUESDAY)
    assert (row.status, row.checked_by, row.checked_at) == (Status.checked, CHECKER, TUESDAY)
    assert await db.scalar(bundles.EDITION) == edition

    book = await publish(db, row, at=TUESDAY)
    row = await row_of(db, 2)
    assert (row.status, row.published_by, row.published_at) == (
        Status.published,
        DECIDER,
        TUESDAY,
    )
    assert (row.document, row.retired_by) == (DECISION, None)
    assert book.edition == edition + 1  # type: ignore[operator]

    before = await row_of(db, 1)
    assert (before.status, before.valid_until) == (Status.retired, day("2026-02-01"))
    assert (before.retired_by, before.retired_at) == (DECIDER, TUESDAY)

    book = await published(db, permit(3, "2026-03-02"), at=TUESDAY)
    last = await row_of(db, 2)
    assert (last.status, last.valid_until) == (Status.retired, day("2026-03-01"))
    assert [(each.number, each.since, each.until) for each in book.versions[PERMIT]] == [
        (1, day("2023-01-01"), day("2026-02-01")),
        (2, day("2026-02-02"), day("2026-03-01")),
        (3, day("2026-03-02"), None),
    ]


@pytest.mark.parametrize(
    ("on", "version"),
    [("2023-01-01", 1), ("2026-02-01", 1), ("2026-02-02", 2), ("2090-01-01", 2)],
)
async def test_the_version_of_a_day(db: AsyncConnection, on: str, version: int) -> None:
    book = await published(db, permit(2))
    assert book.procedure(PERMIT, on=day(on)).version == version
    assert book.procedure(PERMIT, version).version == version


async def test_a_first_version_of_a_new_procedure(db: AsyncConnection) -> None:
    raw = permit(1, "2026-02-02", ("code: 2.000205", "code: 9.000999"))
    book = await published(db, raw)
    assert book.procedure("9.000999").valid_from == day("2026-02-02")
    with pytest.raises(Unknown, match=r"no procedure 9\.000999 in force on 01/02/2026"):
        book.procedure("9.000999", on=day("2026-02-01"))


async def test_a_version_that_says_its_own_end(db: AsyncConnection) -> None:
    ends = ("valid_from: 2026-02-02", "valid_from: 2026-02-02\nvalid_until: 2026-02-10")
    await published(db, permit(2, "2026-02-02", ends))
    row = await checked(db, permit(3, "2026-02-10"))
    await refused(db, row, "runs until 10/02/2026: this one must begin after that day")
    book = await published(db, permit(3, "2026-02-12"))
    assert (await row_of(db, 2)).valid_until == day("2026-02-10")  # its own end stays
    assert (await row_of(db, 2)).status is Status.retired
    with pytest.raises(Unknown, match=f"no procedure {PERMIT} in force on 11/02/2026"):
        book.procedure(PERMIT, on=day("2026-02-11"))


# Drafts -----------------------------------------------------------------------------------


async def test_a_draft_is_written_again_as_often_as_one_likes(db: AsyncConnection) -> None:
    await drafted(db, permit(2))
    row = await drafted(db, permit(2, "2026-03-03", *SHORTER), by=CHECKER, at=TUESDAY)
    assert [each.version for each in await bundles.versions(db, code=PERMIT)] == [1, 2]
    assert (row.drafted_by, row.drafted_at) == (CHECKER, TUESDAY)
    assert (row.valid_from, str(bundles.says(row).term)) == (day("2026-03-03"), "4wd")


async def test_another_text_is_unchecked_again(db: AsyncConnection) -> None:
    await checked(db, permit(2))
    row = await drafted(db, permit(2) + b"# a comment more")
    assert (row.status, row.checked_by, row.checked_at) == (Status.draft, None, None)
    await refused(db, row, f"^version 2 of {PERMIT} is not checked: ")


async def test_the_same_text_again_is_no_change_in_whatever_status(db: AsyncConnection) -> None:
    row = await drafted(db, permit(2))
    assert await drafted(db, permit(2), by=CHECKER, at=TUESDAY) == row
    row = await checked(db, permit(2))
    assert await drafted(db, permit(2), by=CHECKER, at=TUESDAY) == row
    await publish(db, row)
    before = await everything(db)
    await drafted(db, permit(2), by=CHECKER, at=TUESDAY)
    assert await everything(db) == before
    await published(db, permit(3, "2026-03-02"))
    before = await everything(db)
    await drafted(db, permit(2), by=CHECKER, at=TUESDAY)  # retired by now
    assert await everything(db) == before


@pytest.mark.parametrize("published_first", [1, 2])
async def test_another_text_of_a_published_version_is_refused(
    db: AsyncConnection, published_first: int
) -> None:
    await published(db, permit(2))
    before = await everything(db)
    raw = permit(published_first, "2026-02-02", *SHORTER)
    status = "retired" if published_first == 1 else "published"
    says = f"version {published_first} of {PERMIT} is {status} and cannot change: .* 'version: 3'"
    with pytest.raises(NotAllowed, match=says):
        await drafted(db, raw)
    assert await everything(db) == before


async def test_who_is_not_known_drafts_checks_and_publishes_nothing(db: AsyncConnection) -> None:
    book = await bundles.read(db)
    row = await drafted(db, permit(2))
    before = await everything(db)
    for step in (
        publishing.draft(db, book, Kind.procedure, "it.yaml", permit(3), "p-nobody", MONDAY),
        publishing.check(db, book, row, "p-nobody", MONDAY),
    ):
        with pytest.raises(Unknown, match="there is no person p-nobody in the catalogue"):
            await step
    assert await everything(db) == before
    row = await checked(db, permit(2))
    with pytest.raises(Unknown, match="there is no person p-nobody in the catalogue"):
        async with db.begin_nested():
            await publish(db, row, by="p-nobody")
    assert (await row_of(db, 2)).status is Status.checked


@pytest.mark.parametrize("version", [100_000_000, 2**31, 10**17])
async def test_a_number_nobody_counts_to_is_told_with_its_line(
    db: AsyncConnection, version: int
) -> None:
    before = await everything(db)
    with pytest.raises(
        BadFile, match=r"^it\.yaml, line 4, column 1, version: must be at most 99,999,999"
    ):
        await drafted(db, permit(version))
    assert await everything(db) == before


# Checked ----------------------------------------------------------------------------------


async def test_what_has_errors_stays_a_draft(db: AsyncConnection) -> None:
    book = await bundles.read(db)
    row = await drafted(db, permit(2, "2026-02-02", ("unit: H42.05.01", "unit: H42.05.77")))
    linted = await publishing.check(db, book, row, CHECKER, MONDAY)
    assert linted.errors
    assert (await row_of(db, 2)).status is Status.draft
    await refused(db, await row_of(db, 2), "is not checked")


async def test_a_look_without_a_name_checks_nothing(db: AsyncConnection) -> None:
    book = await bundles.read(db)
    row = await drafted(db, permit(2))
    linted = await publishing.check(db, book, row, None, MONDAY)
    assert not linted.errors
    row = await row_of(db, 2)
    assert row.status is Status.draft
    await refused(db, row, "is not checked: lint it, and say by whom")


async def test_a_published_version_looked_at_again_stays_as_it_is(db: AsyncConnection) -> None:
    book = await published(db, permit(2))
    before = await everything(db)
    for version in (1, 2):
        row = await row_of(db, version)
        linted = await publishing.check(db, book, row, CHECKER, TUESDAY)
        assert not linted.errors
    assert await everything(db) == before


async def test_what_was_written_meanwhile_is_not_checked(db: AsyncConnection) -> None:
    """The checker read one text, and another is there when they say that it is clean."""
    row = await drafted(db, permit(2))
    bad = permit(2, "2026-02-02", ("unit: H42.05.01", "unit: H42.05.77"))
    await drafted(db, bad)
    with pytest.raises(NotAllowed, match=f"version 2 of {PERMIT} was changed meanwhile: check it"):
        await publishing.check(db, await bundles.read(db), row, CHECKER, MONDAY)
    assert (await row_of(db, 2)).status is Status.draft


# Published --------------------------------------------------------------------------------


async def test_who_drafted_does_not_publish(db: AsyncConnection) -> None:
    row = await checked(db, permit(2))
    says = f"{AUTHOR} drafted version 2 of {PERMIT}: a second person publishes it"
    await refused(db, row, says, by=AUTHOR)


@pytest.mark.parametrize("by", ["p-labour-officer-12", "p-reception-01", "p-post-01"])
async def test_who_neither_leads_nor_controls_does_not_publish(
    db: AsyncConnection, by: str
) -> None:
    row = await checked(db, permit(2))
    await refused(db, row, f"{by} is neither a leader nor of the control unit: ask", by=by)


CONTROL = "positions: [{unit: H42.14.02, role: control}]"
UNTIL = "positions: [{unit: H42.14.02, role: control, until: 2026-01-05}]"


async def test_a_role_counts_on_the_centre_s_day(db: AsyncConnection) -> None:
    """Until the last minute of the day in Hà Nội, where it is the next one in Auckland."""
    await published(db, staff((CONTROL, UNTIL)), Kind.organisation)
    row = await checked(db, permit(2))
    midnight = datetime(2026, 1, 6, tzinfo=HANOI)
    await refused(db, row, "p-control-01 is neither", at=midnight)
    await publish(db, row, at=midnight - timedelta(minutes=1))
    assert (await row_of(db, 2)).status is Status.published


@pytest.mark.parametrize("document", ["", "   ", "\n\t"])
async def test_nothing_is_published_without_a_decision(db: AsyncConnection, document: str) -> None:
    row = await checked(db, permit(2))
    await refused(db, row, "by a decision: name the document", document=document)


async def test_a_number_below_the_last_is_refused(db: AsyncConnection) -> None:
    row = await checked(db, permit(2))
    await published(db, permit(3, "2026-03-02"))
    await refused(db, row, "version 3 is published, and 2 is lower")
    gap = await checked(db, permit(7, "2026-04-01"))  # numbers may be left out
    await publish(db, gap)


@pytest.mark.parametrize("since", ["2022-06-01", "2023-01-01"])
async def test_it_begins_after_the_one_in_force(db: AsyncConnection, since: str) -> None:
    row = await drafted(db, permit(2, since))
    await db.execute(sa.update(bundle).where(*publishing.key(row)).values(status=Status.checked))
    row = await row_of(db, 2)
    await refused(db, row, "version 1 is in force from 01/01/2023|runs since 01/01/2023")
    book = await bundles.read(db)
    with pytest.raises(NotAllowed, match=r"runs since 01/01/2023: this one must begin after"):
        await publishing._follow(db, book, row, DECIDER, MONDAY)


async def test_what_was_published_is_not_published_again(db: AsyncConnection) -> None:
    row = await checked(db, permit(2))
    await publish(db, row)
    for stale in (row, await row_of(db, 2)):
        await refused(db, stale, f"version 2 of {PERMIT} is published already")
    await refused(db, await row_of(db, 1), f"version 1 of {PERMIT} is retired already")


async def test_what_was_written_meanwhile_is_not_published(db: AsyncConnection) -> None:
    row = await checked(db, permit(2))
    await drafted(db, permit(2, "2026-02-02", *SHORTER))
    await refused(db, row, f"version 2 of {PERMIT} was changed meanwhile: check it")
    await checked(db, permit(2, "2026-02-02", *SHORTER))
    await refused(db, row, f"version 2 of {PERMIT} was changed meanwhile: check it")


async def test_what_was_thrown_away_meanwhile_is_not_published(db: AsyncConnection) -> None:
    row = await checked(db, permit(2))
    await db.execute(sa.delete(bundle).where(*publishing.key(row)))
    await refused(db, row, f"version 2 of {PERMIT} was changed meanwhile")


async def test_it_must_still_be_clean_when_it_is_published(db: AsyncConnection) -> None:
    """Checked against one organisation, and published under the next, where its unit has ended."""
    row = await checked(db, permit(2))
    unit = "code: H42.05.01, agency: H42.05"
    ended = f"{unit}, until: 2026-01-31, successor: H42.05.02"
    await published(db, staff((unit, ended)), Kind.organisation)
    await refused(db, row, f"version 2 of {PERMIT} holds no longer: stages.0")


async def test_a_catalogue_read_before_another_publication_is_outdated(
    db: AsyncConnection,
) -> None:
    """What was checked against an older catalogue is not published into a newer one."""
    book = await bundles.read(db)
    other = await checked(db, permit(1, "2026-02-02", ("code: 2.000205", "code: 9.000999")))
    row = await checked(db, permit(2))
    await publish(db, other)
    with pytest.raises(Outdated, match="read it again and repeat"):
        async with db.begin_nested():
            await publishing.publish(db, book, row, DECIDER, DECISION, MONDAY)
    with pytest.raises(Outdated):
        async with db.begin_nested():
            await publishing.retire(db, book, await row_of(db, 1), DECIDER, MONDAY)
    await publish(db, row)


# Over what was received -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "late"),
    [
        (FEBRUARY - timedelta(seconds=1), False),
        (FEBRUARY, True),
        (FEBRUARY.replace(hour=6, minute=59), True),  # still Sunday in Greenwich
        (FEBRUARY + timedelta(days=3), True),
    ],
)
async def test_it_does_not_reach_back_over_what_was_received(
    db: AsyncConnection, at: datetime, late: bool
) -> None:
    paper = await opened(db, await bundles.read(db), at)
    row = await checked(db, permit(2))
    later = FEBRUARY + timedelta(days=9)
    if late:
        says = (
            f"^1 dossiers of {PERMIT} were received since 02/02/2026 under another version, and"
            " none is moved by a publication: let it begin later$"
        )
        await refused(db, row, says, at=later)
    else:
        await publish(db, row, at=later)
    assert (await ledger.find(db, paper.code))[0].version == 1


async def test_others_and_what_is_only_registered_do_not_hinder(db: AsyncConnection) -> None:
    book = await bundles.read(db)
    await opened(db, book, FEBRUARY, procedure="2.000033")
    waiting = await opened(db, book, FEBRUARY, Event.register)
    book = await published(db, permit(2), at=FEBRUARY + timedelta(days=1))
    at = FEBRUARY + timedelta(days=1, hours=9)
    paper = await moved(db, book, waiting.code, Event.receive, Role.reception, at)
    assert paper.version == 2


async def test_what_another_system_received_does_not_hinder(db: AsyncConnection) -> None:
    """It runs under no version of ours."""
    taken = ledger.Taken(
        source="log", code="case-1", agency="H42.05", unit="H42.05.01", procedure=PERMIT,
        channel="counter", applicant="", calendar="vn", policy="day",
        received=FEBRUARY + timedelta(hours=9), promised=None,
    )  # fmt: skip
    act = ledger.Act(event=Event.adopt, actor="system", role=Role.system, at=FEBRUARY)
    await ledger.adopt(db, await bundles.read(db), taken, act)
    await published(db, permit(2), at=FEBRUARY + timedelta(days=1))


async def test_a_running_dossier_is_moved_by_no_publication(db: AsyncConnection) -> None:
    book = await bundles.read(db)
    received = await opened(db, book)
    processing = await opened(db, book)
    for event in (Event.digitise, Event.route):
        await moved(db, book, processing.code, event, Role.reception, MONDAY)
    await moved(db, book, processing.code, Event.accept, Role.officer, MONDAY)
    registered = await opened(db, book, MONDAY, Event.register)
    tables = ("dossier", "visit", "entry", "code_sequence")
    before = await everything(db, *tables)
    assert len(before[0]) == 3
    book = await published(db, permit(2, "2026-02-02", *SHORTER))
    book = await published(db, permit(3, "2026-03-02", ("  - code: anh", "  - code: anh-moi")))
    assert await everything(db, *tables) == before
    assert (await ledger.verify(db, book)).faults == []
    for paper in (received, registered):
        known = {**vars(paper), "head": None}
        assert {**vars((await ledger.find(db, paper.code))[0]), "head": None} == known
    # and goes on under its own
    for event in (Event.digitise, Event.route):
        after = await moved(db, book, received.code, event, Role.reception, FEBRUARY)
        assert (after.version, after.term, after.due_at) == (1, "5wd", received.due_at)
    assert (await ledger.verify(db, book)).faults == []


# Retired ----------------------------------------------------------------------------------


async def retire(db: AsyncConnection, version: int = 1, at: datetime = MONDAY, **how: Any) -> Any:
    row = how.pop("row", None) or await row_of(db, version)
    by = how.pop("by", DECIDER)
    await publishing.retire(db, await bundles.read(db), row, by, at)
    return await bundles.read(db)


async def stays(db: AsyncConnection, says: str, version: int = 1, **how: Any) -> None:
    before = await everything(db)
    with pytest.raises(NotAllowed, match=says):
        async with db.begin_nested():
            await retire(db, version, **how)
    assert await everything(db) == before


async def test_after_its_last_day_nothing_is_received_under_it(db: AsyncConnection) -> None:
    registered = await opened(db, await bundles.read(db), MONDAY, Event.register)
    await moved(db, await bundles.read(db), registered.code, Event.withdraw, Role.citizen, MONDAY)
    book = await retire(db)
    row = await row_of(db, 1)
    assert (row.status, row.valid_until) == (Status.retired, day("2026-01-05"))
    assert (row.retired_by, row.retired_at) == (DECIDER, MONDAY)
    assert (await opened(db, book, MONDAY.replace(hour=23, minute=59))).version == 1
    midnight = datetime(2026, 1, 6, tzinfo=HANOI)
    says = f"there is no procedure {PERMIT} in force on 06/01/2026"
    before = await everything(db, "dossier", "entry", "code_sequence")
    with pytest.raises(Unknown, match=says):
        await opened(db, book, midnight)
    assert await everything(db, "dossier", "entry", "code_sequence") == before


async def test_it_is_not_retired_while_dossiers_run(db: AsyncConnection) -> None:
    book = await bundles.read(db)
    papers = [await opened(db, book), await opened(db, book)]
    says = f"^2 dossiers of {PERMIT} run: finish them, or publish a version that follows version 1"
    await stays(db, says)
    for paper in papers:
        await moved(db, book, paper.code, Event.withdraw, Role.citizen, MONDAY)
    await retire(db)


async def test_it_is_not_retired_while_somebody_waits_to_be_received(db: AsyncConnection) -> None:
    """Registered under the version before, and to be received under this one."""
    waiting = await opened(db, await bundles.read(db), MONDAY, Event.register)
    book = await published(db, permit(2, "2026-01-06"), at=TUESDAY)
    await stays(db, "^1 dossiers of .* run: finish them", 2, at=TUESDAY)
    await moved(db, book, waiting.code, Event.decline, Role.reception, TUESDAY)
    await retire(db, 2, TUESDAY)


async def test_what_runs_under_another_version_hinders_too(db: AsyncConnection) -> None:
    """Nothing follows the last one: with it the procedure ends."""
    paper = await opened(db, await bundles.read(db))
    await published(db, permit(2, "2026-01-06"), at=TUESDAY)
    await stays(db, "^1 dossiers of .* run: finish them", 2, at=TUESDAY)
    book = await bundles.read(db)
    assert (await moved(db, book, paper.code, Event.digitise, Role.reception, TUESDAY)).seq == 2
    assert (await ledger.verify(db, book)).faults == []


@pytest.mark.parametrize(
    ("until", "last"),
    [("2026-01-03", "2026-01-03"), ("2026-01-05", "2026-01-05"), ("2026-12-31", "2026-01-05")],
)
async def test_retiring_never_makes_a_version_last_longer(
    db: AsyncConnection, until: str, last: str
) -> None:
    ends = ("valid_from: 2025-06-02", f"valid_from: 2025-06-02\nvalid_until: {until}")
    await published(db, permit(2, "2025-06-02", ends))
    await retire(db, 2)
    assert (await row_of(db, 2)).valid_until == day(last)


async def test_an_organisation_and_regimes_are_never_retired(db: AsyncConnection) -> None:
    for kind in bundles.ONCE:
        row = await bundles.find(db, kind, bundles.ONE)
        says = f"version 1 of the {kind} is followed by the next version, and never retired"
        await stays(db, says, row=row)


async def test_drafts_are_not_retired_and_nothing_is_twice(db: AsyncConnection) -> None:
    await drafted(db, permit(2))
    await stays(db, f"version 2 of {PERMIT} is draft, not published", 2)
    await checked(db, permit(2))
    await stays(db, f"version 2 of {PERMIT} is checked, not published", 2)
    stale = await row_of(db, 1)
    await retire(db)
    for row in (stale, await row_of(db, 1)):
        await stays(db, f"version 1 of {PERMIT} is retired, not published", row=row)


async def test_who_may_not_publish_may_not_retire(db: AsyncConnection) -> None:
    await stays(db, "p-reception-01 is neither a leader nor", by="p-reception-01")


async def test_a_successor_may_come_after_a_retirement(db: AsyncConnection) -> None:
    await retire(db)
    row = await checked(db, permit(2, "2026-01-05"))
    await refused(db, row, "runs until 05/01/2026: this one must begin after that day")
    book = await published(db, permit(2, "2026-01-12"))
    assert (await opened(db, book, MONDAY + timedelta(days=7))).version == 2
    assert (await row_of(db, 1)).valid_until == day("2026-01-05")


# Kept by the database ---------------------------------------------------------------------

CHANGES = [
    "UPDATE bundle SET text = text || ' '",
    "UPDATE bundle SET data = '{}'",
    "UPDATE bundle SET digest = ''",
    "UPDATE bundle SET valid_from = valid_from + 1",
    "UPDATE bundle SET version = version + 100",
    "UPDATE bundle SET code = '9.999999'",
    "UPDATE bundle SET kind = 'calendar'",
    "UPDATE bundle SET document = 'another'",
    "UPDATE bundle SET published_by = 'another'",
    "UPDATE bundle SET published_at = now()",
    "UPDATE bundle SET drafted_by = 'another'",
    "UPDATE bundle SET checked_by = NULL",
    "UPDATE bundle SET status = 'draft', published_at = NULL",
    "UPDATE bundle SET status = 'checked', published_at = NULL",
]


@pytest.fixture(params=["application", "owner"])
async def either(
    request: pytest.FixtureRequest, application: AsyncEngine, owner: AsyncEngine
) -> AsyncIterator[AsyncConnection]:
    """A transaction that never leaves the test, of the application and of the owner."""
    async with {"application": application, "owner": owner}[request.param].connect() as db:
        outer = await db.begin()
        yield db
        await outer.rollback()


async def test_what_is_published_never_changes_whoever_asks(either: AsyncConnection) -> None:
    db = either
    await published(db, permit(2))
    before = await everything(db)
    for change in CHANGES:
        for where in ("status = 'published'", "status = 'retired'"):
            with pytest.raises(DBAPIError, match="a published version does not change"):
                async with db.begin_nested():
                    await db.execute(sa.text(f"{change} WHERE code = '{PERMIT}' AND {where}"))
            with pytest.raises(DBAPIError, match="a published version is kept for ever"):
                async with db.begin_nested():
                    await db.execute(sa.text(f"DELETE FROM bundle WHERE {where}"))
    assert await everything(db) == before


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE bundle SET valid_until = NULL WHERE version = 1",
        "UPDATE bundle SET valid_until = valid_until - 1 WHERE version = 1",
        "UPDATE bundle SET retired_by = 'another' WHERE version = 1",
        "UPDATE bundle SET valid_until = '2090-01-01' WHERE version = 2",
        "UPDATE bundle SET retired_by = 'another' WHERE version = 2",
    ],
)
async def test_an_end_is_written_once(db: AsyncConnection, change: str) -> None:
    await published(db, permit(2))
    with pytest.raises(DBAPIError, match="a published version does not change"):
        async with db.begin_nested():
            await db.execute(sa.text(f"{change} AND code = '{PERMIT}'"))


async def test_the_application_empties_no_catalogue(db: AsyncConnection) -> None:
    for statement in (
        "TRUNCATE bundle",
        "TRUNCATE edition",
        "DELETE FROM edition",
        "INSERT INTO edition VALUES (true, 9)",
        "ALTER TABLE bundle DISABLE TRIGGER bundle_kept",
        "DROP TRIGGER bundle_kept ON bundle",
        "SET session_replication_role = replica",
    ):
        with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
            async with db.begin_nested():
                await db.execute(sa.text(statement))


async def test_two_versions_never_bind_one_day_whatever_the_code_does(
    db: AsyncConnection,
) -> None:
    row = await row_of(db, 1)
    values = dict(row._mapping) | {"version": 2}
    for since, until in (("2023-01-01", None), ("2050-01-01", None), ("2022-01-01", "2023-01-01")):
        dates = {"valid_from": day(since), "valid_until": until and day(until)}
        with pytest.raises(DBAPIError, match="bundle_validity"):
            async with db.begin_nested():
                await db.execute(sa.insert(bundle).values(values | dates))
    before = {"valid_from": day("2022-01-01"), "valid_until": day("2022-12-31")}
    await db.execute(sa.insert(bundle).values(values | before))  # the day before the first
    draft = {"version": 3, "status": Status.draft, "published_at": None}
    await db.execute(sa.insert(bundle).values(values | draft))  # drafts may overlap
    this = (b.kind == Kind.procedure, b.code == PERMIT, b.version == 3)
    now = {"status": Status.published, "published_at": MONDAY}
    with pytest.raises(DBAPIError, match="bundle_validity"):
        async with db.begin_nested():
            await db.execute(sa.update(bundle).where(*this).values(now))


async def test_there_is_one_edition(owner_db: AsyncConnection) -> None:
    for second in ("true", "false"):
        with pytest.raises(DBAPIError, match=r"edition_(pkey|one)"):
            async with owner_db.begin_nested():
                await owner_db.execute(sa.text(f"INSERT INTO edition VALUES ({second}, 1)"))


# The organisation -------------------------------------------------------------------------


async def test_a_new_organisation_is_in_force_at_the_next_request(db: AsyncConnection) -> None:
    from states.people import NotHeld, caller

    latest = Latest()
    on = day("2026-01-05")
    book = await latest(db)
    assert caller(book, "p-post-01", None, "H42.05", on).acts_for == "H42.05"
    revoked = (
        "    since: 2024-07-01\n    until: 2026-06-30",
        "    since: 2024-07-01\n    until: 2026-06-30\n    revoked: 2026-01-05\n    revoked_by: X",
    )
    await published(db, staff(revoked), Kind.organisation)
    assert caller(book, "p-post-01", None, "H42.05", on)  # who holds the older one, holds it
    with pytest.raises(NotHeld, match="no delegation in force on 2026-01-05 lets p-post-01"):
        caller(await latest(db), "p-post-01", None, "H42.05", on)
    assert caller(await latest(db), "p-post-01", None, "H42.05", day("2026-01-04"))
    row = await bundles.find(db, Kind.organisation, bundles.ONE)
    assert (row.version, row.status) == (2, Status.published)
    assert (await bundles.find(db, Kind.organisation, "-", 1)).status is Status.published


async def test_a_unit_that_ended_hands_its_dossiers_on(db: AsyncConnection) -> None:
    from states.people import caller, may

    unit = "code: H42.05.01, agency: H42.05"
    ended = f"{unit}, until: 2026-01-31, successor: H42.05.02"
    before = await bundles.read(db)
    after = await published(db, staff((unit, ended)), Kind.organisation)
    on = day("2026-02-02")
    officer = caller(after, "p-labour-officer-21", None, None, on)
    assert may(before, officer, "H42.05", "H42.05.01") is not None
    assert may(after, officer, "H42.05", "H42.05.01") is None
    assert after.organisation.line("H42.05.02") == {"H42.05.01", "H42.05.02"}


async def test_the_organisation_s_numbers_go_on(db: AsyncConnection) -> None:
    first = staff(("Phạm Văn Giang", "Phạm Văn Giảng"))
    row = await drafted(db, first, Kind.organisation)
    assert (row.version, row.status) == (2, Status.draft)
    again = await drafted(db, staff(("Phạm Văn Giang", "Phạm Văn G")), Kind.organisation)
    assert again.version == 2  # in place of the draft
    await published(db, first, Kind.organisation)
    assert (await drafted(db, first, Kind.organisation)).version == 2  # the same text: no change
    old = await drafted(db, sample("organisation.yaml"), Kind.organisation)
    assert (old.version, old.status) == (3, Status.draft)  # back to what it was, as a version
    await published(db, sample("organisation.yaml"), Kind.organisation)
    assert (await bundles.read(db)).person("p-reception-01").name == "Phạm Văn Giang"


REGIMES, NUMBERING = rules().split(b"numbering:")
FINANCE = """\
  - code: H42.07
    name: {vi: Sở Tài chính, en: "Department of Finance"}
    fields:
      - tai-chinh
"""
MERGED = (
    edited(
        staff(), (FINANCE, ""), ("      - ngoai-vu  #", "      - ngoai-vu\n      - tai-chinh  #")
    )
    .replace(b"agency: H42.07", b"agency: H42.05")
    .replace(b", H42.07]", b"]")
)
LEADERLESS = staff().replace(b"role: leader", b"role: officer").replace(b"control}", b"officer}")
BRICKS = {
    "a calendar that is not there": (
        Kind.organisation,
        staff(("calendar: vn", "calendar: xx")),
        "there is no calendar 'xx'",
    ),
    "an agency's calendar that is not there": (
        Kind.organisation,
        staff(("- code: H42.05\n", "- code: H42.05\n    calendar: xx\n")),
        "there is no calendar 'xx'",
    ),
    "a unit's calendar that is not there": (
        Kind.organisation,
        staff(("code: H42.05.01, agency", "code: H42.05.01, calendar: xx, agency")),
        "there is no calendar 'xx'",
    ),
    "nobody who decides": (
        Kind.organisation,
        LEADERLESS,
        "nobody in version 2 of the organisation is a leader or of the control unit on 05/01/2026",
    ),
    "an agency gone": (
        Kind.organisation,
        MERGED,
        "H42.07 is gone from version 2 of the organisation: end it with 'until' instead",
    ),
    "no regime today": (
        Kind.regimes,
        b"regimes: [{code: R2030, since: 2030-01-01, lifecycle: X, verified: false, forms: []}]\n"
        b"numbering:" + NUMBERING,
        "there is no regime for 05/01/2026",
    ),
    "no codes today": (
        Kind.regimes,
        REGIMES + b"numbering:" + NUMBERING.replace(b"2018-06-21", b"2030-01-01"),
        "there is no numbering for 05/01/2026",
    ),
}


@pytest.mark.parametrize(("kind", "raw", "says"), BRICKS.values(), ids=BRICKS.keys())
async def test_nothing_is_published_after_which_nothing_works(
    db: AsyncConnection, kind: Kind, raw: bytes, says: str
) -> None:
    row = await checked(db, raw, kind)
    await refused(db, row, says)


NEXT = "  - {code: R2027, since: 2027-01-01, lifecycle: X, verified: false, forms: []}\n"
CODES = """
  - since: 2027-01-01
    pattern: "{unit}-{yymmdd}-{n:06}"
    document: Thông tư 12
    verified: false
"""


async def test_a_new_regime_binds_from_its_day(db: AsyncConnection) -> None:
    ends = "until: 2026-12-31\n    "
    raw = edited(
        rules(),
        ("since: 2026-07-01\n    ", f"since: 2026-07-01\n    {ends}"),
        ("\nnumbering:", f"\n{NEXT}\nnumbering:"),
        ("since: 2018-06-21\n    pattern", f"since: 2018-06-21\n    {ends}pattern"),
    )
    book = await published(db, raw + CODES.encode(), Kind.regimes)
    for at, regime, code in (
        (datetime(2026, 12, 31, 23, 59, tzinfo=HANOI), "R2026", "H42.14-261231-0001"),
        (datetime(2027, 1, 1, tzinfo=HANOI), "R2027", "H42.14-270101-000001"),
    ):
        paper = await opened(db, book, at)
        assert (paper.regime, paper.code) == (regime, code)
