"""Breaches on the record: entered once, closed off once, explained by whom it concerns.

The licence of these stories is received on Monday 4 March 2024 and due on Wednesday 3 April.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from book import HANOI
from cli import hoso
from office import LICENCE, PAPERS, address
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from test_pilot import CATALOGUE, PLAN, Memory, small

from api import cli
from states import deadlines, ledger, pilot
from states.breaches import explaining, listing, recording
from states.breaches.attribution import Life, attributed
from states.breaches.ending import Missed, ended
from states.breaches.explaining import NotNow
from states.breaches.listing import Named, Only
from states.breaches.lives import Offices, lives_of
from states.breaches.recording import SAME, alert, breach, record, t
from states.breaches.rows import Cause, Standing, Step
from states.catalogue import Catalogue, bundles
from states.catalogue.rules import On, What
from states.errors import BadInput, Unknown
from states.ledger import Act, Lodging, driving
from states.ledger.statements import d
from states.ledger.turn import opening, turn
from states.lifecycle import FINISHED
from states.people import NotHeld
from states.tables import Dossier
from states.words import Channel, Event, Role, Tally

DUE = datetime(2024, 4, 3, 17, tzinfo=HANOI)
LATE = datetime(2024, 4, 4, tzinfo=HANOI)
RECEIVED = datetime(2024, 3, 4, 8, tzinfo=HANOI)
UNIT, SIGNS, AGENCY = "H42.03.02", "H42.03.09", "H42.03"
OFFICER, COLLEAGUE, LEAD = "p-sci-officer-21", "p-sci-officer-22", "p-sci-lead-02"
DIRECTOR, STRANGER, CONTROL = "p-sci-director", "p-labour-officer-11", "p-control-01"
SAID = {"reason": "Cần xác minh thêm", "ground": "NĐ 61/2018/NĐ-CP Điều 19(9)"}
NONE = {"recorded": 0, "ended": 0, "apologised": 0, "unread": 0, "reminded": 0}


def april(day: int, hour: int = 9) -> datetime:
    return datetime(2024, 4, day, hour, tzinfo=HANOI)


@pytest.fixture
async def book(fresh: AsyncEngine) -> Catalogue:
    async with fresh.begin() as db:
        return await bundles.read(db)


@dataclass
class Case:
    """A dossier, and who usually moves it."""

    engine: AsyncEngine
    book: Catalogue
    paper: Dossier

    async def move(
        self, event: Event, when: datetime, actor: str, role: Role, **facts: Any
    ) -> "Case":
        acted = Act(event=event, actor=actor, role=role, at=when, **{**SAID, **facts})
        async with self.engine.begin() as db:
            self.paper = await ledger.move(db, self.book, self.paper.code, acted)
        return self

    async def finish(self, when: datetime) -> "Case":
        """Through both stages that are left, in an hour each."""
        made = {"payload": {"produced": ["Phiếu trình giải quyết"]}}
        await self.move(Event.advance, when - timedelta(hours=2), OFFICER, Role.officer, **made)
        await self.move(Event.advance, when - timedelta(hours=1), LEAD, Role.leader)
        done = {"produced": ["Kết quả giải quyết"], "outcome": "approved"}
        return await self.move(Event.return_result, when, DIRECTOR, Role.leader, payload=done)

    async def extend(self, when: datetime, **facts: Any) -> "Case":
        more = {"payload": {"term": "10cd"}}
        return await self.move(Event.extend, when, LEAD, Role.leader, **more, **facts)

    async def missed(self, rule: str = "term-late", **facts: Any) -> None:
        """As a sweep tells it."""
        told = {
            "dossier_id": self.paper.id, "rule": rule, "visit": 0, "deadline": self.paper.deadline,
            "watched": On.term, "what": What.breach, "due_at": DUE, "at": LATE, "unit": UNIT,
            "person": OFFICER, "concerns": [],
        }  # fmt: skip
        async with self.engine.begin() as db:
            await db.execute(sa.insert(alert).values(told | facts))

    @property
    def named(self) -> Named:
        return Named(self.paper.code, "term-late")


async def licence(engine: AsyncEngine, book: Catalogue, when: datetime = RECEIVED) -> Case:
    """In its first stage since the morning it was received."""
    lodging = Lodging(
        unit="H42.14", procedure=LICENCE, channel=Channel.counter, applicant="Nguyễn Thị Ánh"
    )
    act = Act(
        event=Event.receive, actor="p-post-01", role=Role.postal, at=when, on_behalf_of=AGENCY,
        payload={"components": PAPERS},
    )  # fmt: skip
    async with engine.begin() as db:
        case = Case(engine, book, await ledger.open_(db, book, lodging, act))
    clerk = {"actor": "p-post-01", "role": Role.postal, "on_behalf_of": AGENCY}
    await case.move(Event.digitise, when + timedelta(minutes=20), **clerk)
    await case.move(Event.route, when + timedelta(hours=1), **clerk)
    return await case.move(Event.accept, when + timedelta(hours=2), OFFICER, Role.officer)


async def rows(engine: AsyncEngine) -> list[Any]:
    async with engine.begin() as db:
        asked = sa.select(breach).order_by(*recording.KEY)
        return list((await db.execute(asked)).all())


async def late(engine: AsyncEngine, book: Catalogue) -> Case:
    """A licence that was returned two days late, with its breach."""
    case = await licence(engine, book)
    await case.missed()
    await case.finish(april(5, 11))
    assert (await record(engine, book, april(6)))["ended"] == 1
    return case


async def four_cases(engine: AsyncEngine, book: Catalogue) -> list[Case]:
    """Late and ended; late with an apology; late still, by two rules; stopped while late."""
    case = await late(engine, book)
    sorry = await licence(engine, book)
    await sorry.missed()
    await sorry.extend(april(4))
    running = await licence(engine, book)
    await running.missed()
    await running.missed("stage-late", watched=On.stage, visit=1, deadline=4, unit=SIGNS)
    stopped = await licence(engine, book)
    await stopped.missed()
    await stopped.move(Event.stop, april(5), LEAD, Role.leader)
    await record(engine, book, april(8))
    return [case, sorry, running, stopped]


# Entered once ---------------------------------------------------------------------------------


async def test_what_was_missed_is_entered_with_who_had_it(
    fresh: AsyncEngine, book: Catalogue
) -> None:
    case = await licence(fresh, book)
    await case.missed()
    await case.missed("term-near", what=What.alert)
    await case.missed("term-late-long", what=What.escalation)
    assert await record(fresh, book, LATE - timedelta(minutes=1)) == NONE
    assert await record(fresh, book, LATE) == NONE | {"recorded": 1}
    assert await record(fresh, book, april(9)) == NONE
    [row] = await rows(fresh)
    assert (row.rule, row.due_at, row.agency, row.unit, row.person) == (
        "term-late", DUE, AGENCY, UNIT, OFFICER,
    )  # fmt: skip
    assert (row.standing, row.ended_at, row.minutes, row.attribution) == ("open", None, None, None)


async def test_ten_at_once_record_it_once(fresh: AsyncEngine, book: Catalogue) -> None:
    cases = [await licence(fresh, book) for _ in range(4)]
    for case in cases:
        await case.missed()
    await cases[0].finish(april(5))
    told = await asyncio.gather(*(record(fresh, book, april(6)) for _ in range(10)))
    assert sum(each["recorded"] for each in told) == 4
    await record(fresh, book, april(6))  # what another had locked just then
    assert [row.ended_at for row in await rows(fresh)] == [april(5), None, None, None]


# Ended once -----------------------------------------------------------------------------------


async def test_a_late_result_ends_it_and_says_whose_time_it_was(
    fresh: AsyncEngine, book: Catalogue
) -> None:
    case = await late(fresh, book)
    [row] = await rows(fresh)
    calendar = book.calendar(case.paper.calendar, case.paper.calendar_version)
    assert (row.ended_at, row.minutes) == (april(5, 11), 480 + 210)
    passed = calendar.position(april(5, 11)) - calendar.position(RECEIVED)
    assert sum(each["minutes"] for each in row.attribution) == passed
    assert sum(each["late_minutes"] for each in row.attribution) == row.minutes
    held = [(e["kind"], e["unit"], e["person"], e["minutes"]) for e in row.attribution]
    assert held == [
        ("reception", "H42.14.03", "p-post-01", 60),
        ("unit", UNIT, None, 60),
        ("unit", UNIT, OFFICER, passed - 240),
        ("unit", UNIT, LEAD, 60),
        ("unit", SIGNS, DIRECTOR, 60),
    ]
    assert row.attribution[0]["agency"] == AGENCY  # for which the postal clerk acted
    assert await record(fresh, book, april(30)) == NONE
    assert await rows(fresh) == [row]


async def test_what_happens_after_a_moment_is_not_known_at_it(
    fresh: AsyncEngine, book: Catalogue
) -> None:
    case = await licence(fresh, book)
    await case.missed()
    await case.finish(april(5))
    assert await record(fresh, book, april(4)) == NONE | {"recorded": 1}
    assert await record(fresh, book, april(5)) == NONE | {"ended": 1}


async def test_a_new_date_ends_it_with_its_apology(fresh: AsyncEngine, book: Catalogue) -> None:
    case = await licence(fresh, book)
    await case.missed()
    assert (await record(fresh, book, april(4)))["recorded"] == 1
    await case.extend(april(4))
    assert await record(fresh, book, april(4)) == NONE | {"ended": 1, "apologised": 1}
    [row] = await rows(fresh)
    assert (row.ended_at, row.minutes, row.apology_seq) == (april(4), 90, case.paper.seq)
    assert case.paper.due_original == row.due_at == DUE  # the first date is kept


async def test_an_apology_in_time_counts_for_the_new_date_that_was_missed(
    fresh: AsyncEngine, book: Catalogue
) -> None:
    case = await (await licence(fresh, book)).extend(april(1))
    due = case.paper.due_at
    assert due is not None
    await case.missed(due_at=due, at=due + timedelta(hours=7))
    told = await record(fresh, book, april(16))
    assert told == NONE | {"recorded": 1, "apologised": 1}
    assert [(row.apology_seq, row.ended_at) for row in await rows(fresh)] == [(5, None)]


async def test_stages_and_duties_end_too_and_are_owed_no_apology(
    fresh: AsyncEngine, book: Catalogue
) -> None:
    case = await licence(fresh, book)
    moment = {"due_at": RECEIVED, "at": RECEIVED + timedelta(minutes=61)}
    sent = {"due_at": RECEIVED, "at": RECEIVED + timedelta(minutes=10)}
    await case.missed("stage-late", watched=On.stage, visit=1, deadline=4, **moment)
    await case.missed("transfer-late", watched=On.transfer, deadline=1, **sent)
    await case.extend(april(1))
    assert await record(fresh, book, april(2)) == NONE | {"recorded": 2, "ended": 1}
    await case.finish(april(3, 16))
    assert await record(fresh, book, april(3, 16)) == NONE | {"ended": 1}
    ends = {row.rule: (row.ended_at, row.apology_seq) for row in await rows(fresh)}
    assert ends == {
        "stage-late": (april(3, 14), None),
        "transfer-late": (RECEIVED + timedelta(hours=1), None),
    }


async def test_a_killed_run_is_gone_on_with(
    fresh: AsyncEngine, book: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        case = await licence(fresh, book)
        await case.missed()
        await case.finish(april(5))
    monkeypatch.setattr(recording, "BATCH", 2)
    settle, done = recording.settle, []

    async def killed(*facts: Any) -> Any:
        if len(done) == 1:
            raise ConnectionError("the lights went out")
        done.append(await settle(*facts))
        return done[-1]

    monkeypatch.setattr(recording, "settle", killed)
    with pytest.raises(ConnectionError):
        await record(fresh, book, april(6))
    monkeypatch.setattr(recording, "settle", settle)
    assert await record(fresh, book, april(6)) == NONE | {"ended": 3}
    assert {(row.ended_at, row.minutes) for row in await rows(fresh)} == {(april(5), 480 + 90)}


async def test_a_batch_is_read_and_written_together(fresh: AsyncEngine, book: Catalogue) -> None:
    for _ in range(12):
        case = await licence(fresh, book)
        await case.missed()
        await case.finish(april(5))
    said: list[str] = []

    def hear(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    sa.event.listen(fresh.sync_engine, "before_cursor_execute", hear)
    try:
        assert (await record(fresh, book, april(6)))["ended"] == 12
    finally:
        sa.event.remove(fresh.sync_engine, "before_cursor_execute", hear)
    assert len(said) == 2 + 7 + 1  # entered, reminded; one batch; and then no more


async def test_one_that_cannot_be_read_keeps_nobody_else_waiting(
    fresh: AsyncEngine, owner: AsyncEngine, book: Catalogue
) -> None:
    cases = [await licence(fresh, book) for _ in range(2)]
    for case in cases:
        await case.missed()
        await case.finish(april(5))
    gone = sa.text(
        "UPDATE entry SET payload = replace(payload, '@', '@gone-') FROM dossier"
        " WHERE dossier.id = dossier_id AND code = :code"
    )
    async with owner.begin() as db:
        await db.execute(gone, {"code": cases[0].paper.code})
    assert await record(fresh, book, april(6)) == {
        "recorded": 2, "ended": 1, "apologised": 0, "unread": 1, "reminded": 0,
    }  # fmt: skip
    assert [row.ended_at for row in await rows(fresh)] == [None, april(5)]


# Kept -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("due_at = due_at + interval '1 day'", "permission denied"),
        ("unit = 'H42.05.01'", "permission denied"),
        ("person = NULL", "permission denied"),
        ("minutes = 0", "whose time that was does not change"),
        ("ended_at = NULL, minutes = NULL", "whose time that was does not change"),
        ("attribution = '[]'", "whose time that was does not change"),
        ("apology_seq = 1", "whose time that was does not change"),
    ],
)
async def test_what_was_recorded_does_not_change(
    fresh: AsyncEngine, owner: AsyncEngine, book: Catalogue, change: str, why: str
) -> None:
    await late(fresh, book)
    before = await rows(fresh)
    with pytest.raises(DBAPIError, match=why):
        async with fresh.begin() as db:
            await db.execute(sa.text(f"UPDATE breach SET {change}"))
    with pytest.raises(DBAPIError, match="does not change"):
        async with owner.begin() as db:
            await db.execute(sa.text(f"UPDATE breach SET {change}"))
    assert await rows(fresh) == before


async def test_what_was_done_is_only_added_to(fresh: AsyncEngine, book: Catalogue) -> None:
    case = await late(fresh, book)
    await said(case, "Thiếu người")
    for change in ("UPDATE breach_line SET explanation = ''", "DELETE FROM breach_line"):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with fresh.begin() as db:
                await db.execute(sa.text(change))


# Explained ------------------------------------------------------------------------------------


async def said(
    case: Case, text: str, by: str = OFFICER, cause: Cause = Cause.workload, day: int = 8
) -> None:
    async with case.engine.begin() as db:
        await explaining.explain(db, case.book, case.named, cause, text, by, april(day))


async def given(case: Case, to: str = OFFICER, by: str = LEAD) -> None:
    async with case.engine.begin() as db:
        await explaining.assign(db, case.book, case.named, to, by, april(7))


async def closed(case: Case, by: str = CONTROL) -> None:
    async with case.engine.begin() as db:
        await explaining.close(db, case.book, case.named, "Đã khắc phục", by, april(10))


async def told(case: Case) -> dict[str, Any]:
    async with case.engine.begin() as db:
        [row] = await listing.of_dossier(db, case.paper.code)
    return row


async def test_it_is_assigned_explained_twice_and_closed(
    fresh: AsyncEngine, book: Catalogue
) -> None:
    case = await late(fresh, book)
    await given(case, by=CONTROL)
    await given(case)
    assert (await told(case))["assigned_to"] == OFFICER
    await said(case, "Nhiều hồ sơ")
    await said(case, "Cán bộ nghỉ ốm", LEAD, Cause.absence, day=9)
    await closed(case)
    row = await told(case)
    assert [row[name] for name in ("standing", "cause", "explanation", "explained_by")] == [
        Standing.closed, Cause.absence, "Cán bộ nghỉ ốm", LEAD,
    ]  # fmt: skip
    assert row["explained_at"] == april(9)
    assert [(e["step"], e["actor"], e.get("explanation")) for e in row["lines"]] == [
        (Step.assign, CONTROL, None),
        (Step.assign, LEAD, None),
        (Step.explain, OFFICER, "Nhiều hồ sơ"),
        (Step.explain, LEAD, "Cán bộ nghỉ ốm"),
        (Step.close, CONTROL, None),
    ]


async def test_who_may_not_is_told_why_and_changes_nothing(
    fresh: AsyncEngine, book: Catalogue
) -> None:
    case = await late(fresh, book)
    before = await told(case)
    with pytest.raises(NotHeld, match=r"neither of the control unit nor a leader of H42\.03\.02"):
        await given(case, by=OFFICER)
    with pytest.raises(NotHeld, match="neither of the control unit"):
        await given(case, by="p-labour-lead-01")
    with pytest.raises(NotHeld, match=r"is not of H42\.03\.02, which had it: assign it"):
        await given(case, to=STRANGER)
    with pytest.raises(Unknown, match="there is no person p-nobody"):
        await given(case, to="p-nobody")
    with pytest.raises(NotHeld, match="there is no person p-nobody"):
        await given(case, by="p-nobody")
    for by in (STRANGER, CONTROL, DIRECTOR):
        with pytest.raises(NotHeld, match=r"is not of H42\.03\.02, which had it, nor was"):
            await said(case, "vì thế", by)
    with pytest.raises(BadInput, match="an explanation needs its words"):
        await said(case, "  ")
    with pytest.raises(BadInput, match="2,000 characters at most"):
        await said(case, "a" * 2001)
    for by in (LEAD, DIRECTOR):
        with pytest.raises(NotHeld, match="is not of the control unit"):
            await closed(case, by)
    assert await told(case) == before


async def test_it_is_closed_only_when_it_has_ended_and_was_explained(
    fresh: AsyncEngine, book: Catalogue
) -> None:
    case = await licence(fresh, book)
    await case.missed()
    await record(fresh, book, april(4))
    await said(case, "Chờ ý kiến", COLLEAGUE, Cause.waiting_for_other)
    with pytest.raises(NotNow, match="is late by term-late still"):
        await closed(case)
    await case.finish(april(9))
    await record(fresh, book, april(9))
    await given(case)  # asked for a better one
    with pytest.raises(NotNow, match="is assigned: it is closed when explained"):
        await closed(case)
    await said(case, "Chờ ý kiến của Sở Công Thương")
    await closed(case)
    for again in (said(case, "thôi"), given(case), closed(case)):
        with pytest.raises(NotNow, match="is closed: it changes no more"):
            await again
    with pytest.raises(DBAPIError, match="a closed breach does not change"):
        async with fresh.begin() as db:
            await db.execute(sa.text("UPDATE breach SET standing = 'open'"))


async def test_two_explain_at_once_and_both_are_kept(fresh: AsyncEngine, book: Catalogue) -> None:
    case = await late(fresh, book)
    await asyncio.gather(said(case, "một"), said(case, "hai", COLLEAGUE))
    row = await told(case)
    assert sorted(each["explanation"] for each in row["lines"]) == ["hai", "một"]
    assert row["explanation"] == row["lines"][-1]["explanation"]


async def test_what_lay_with_the_centre_is_for_its_people(
    fresh: AsyncEngine, book: Catalogue
) -> None:
    case = await licence(fresh, book)
    await case.missed(unit="H42.14", person=None)
    await record(fresh, book, april(4))
    with pytest.raises(NotHeld, match=r"is not of H42\.14, "):
        await said(case, "vì thế", OFFICER)
    await given(case, "p-reception-01", "p-centre-lead")
    await said(case, "Máy quét hỏng", "p-post-01", Cause.system)


async def test_what_came_from_elsewhere_is_assigned_by_the_control_unit(
    fresh: AsyncEngine, book: Catalogue
) -> None:
    case = await licence(fresh, book)
    await case.missed(unit="counter", person=None)
    await record(fresh, book, april(4))
    with pytest.raises(NotHeld, match="neither of the control unit"):
        await given(case, STRANGER, LEAD)
    await given(case, STRANGER, CONTROL)
    await said(case, "Chuyển dữ liệu chậm", STRANGER, Cause.system)


# Listed ---------------------------------------------------------------------------------------


async def test_lists_and_counts(fresh: AsyncEngine, book: Catalogue) -> None:
    case = await late(fresh, book)
    sorry = await licence(fresh, book)
    await sorry.missed()
    await sorry.extend(april(4))
    running = await licence(fresh, book)
    await running.missed()
    await running.missed("stage-late", watched=On.stage, visit=1, deadline=4, unit=SIGNS)
    stopped = await licence(fresh, book)
    await stopped.missed()
    await stopped.move(Event.stop, april(5), LEAD, Role.leader)
    await record(fresh, book, april(8))
    await said(case, "Nhiều hồ sơ")

    async def codes(**only: Any) -> list[str]:
        async with fresh.begin() as db:
            return [row["code"] for row in await listing.every(db, book, Only(**only))]

    assert len(await codes()) == 5
    assert await codes(without_apology=True) == [case.paper.code, running.paper.code]
    assert await codes(standing=Standing.explained) == [case.paper.code]
    assert await codes(rule="stage-late", unit=SIGNS) == [running.paper.code]
    assert len(await codes(agency=AGENCY)) == 5
    assert await codes(agency="H42.05") == []
    async with fresh.begin() as db:
        counted = await listing.by_cause(db, book)
        assert len(await listing.every(db, book, most=2)) == 2
    counts = {(row["unit"], row["cause"]): tuple(row.values())[3:] for row in counted}
    assert counts == {
        (UNIT, Cause.workload): (1, 0, 690, 0, 1, 0),
        (UNIT, None): (3, 1, 90 + 570, 3, 1, 0),
        (SIGNS, None): (1, 1, 0, 1, 0, 0),
    }


async def test_which_of_two_is_to_be_said(fresh: AsyncEngine, book: Catalogue) -> None:
    case = await licence(fresh, book)
    await case.missed()
    await case.missed(deadline=2)
    await record(fresh, book, april(4))
    async with fresh.begin() as db:
        with pytest.raises(BadInput, match=r"2 times: .* visit 0, deadline 1; visit 0, deadline 2"):
            await listing.one(db, case.named)
        assert (await listing.one(db, case.named._replace(deadline=2))).deadline == 2
        with pytest.raises(Unknown, match="has no breach of stage-late"):
            await listing.one(db, case.named._replace(rule="stage-late"))
        with pytest.raises(Unknown, match="there is no dossier H0"):
            await listing.of_dossier(db, "H0")


# Commands -------------------------------------------------------------------------------------


@pytest.fixture
def here(
    fresh: AsyncEngine, owner: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    monkeypatch.setenv("HOSO_DATABASE", address(fresh))
    monkeypatch.setenv("HOSO_DATABASE_OWNER", address(owner))
    monkeypatch.setenv("HOSO_DATA", str(tmp_path / "data"))
    monkeypatch.setitem(cli.SUBJECTS, "breaches", {"breaches"})
    monkeypatch.setattr(cli.app, "registered_groups", [])
    return tmp_path


async def test_the_commands_tell_and_do(here: Path, fresh: AsyncEngine, book: Catalogue) -> None:
    case = await late(fresh, book)
    code = case.paper.code
    listed = (await hoso("breaches", "list", "--without-apology", "--json")).json
    assert [(row["code"], row["minutes"]) for row in listed] == [(code, 690)]
    assert code in (await hoso("breaches", "list", "--agency", AGENCY)).out
    which = ("breaches", "assign", code, "term-late")
    answer = await hoso(*which, "--to", OFFICER, "--by", LEAD)
    assert (answer.code, answer.out) == (0, f"term-late of {code} is assigned.\n")
    why = ("--cause", "workload", "--text", "Nhiều hồ sơ", "--by", OFFICER, "--json")
    answer = await hoso("breaches", "explain", code, "term-late", *why)
    assert answer.json == {"code": code, "rule": "term-late", "is": "explained"}
    found = ("--finding", "Đã khắc phục", "--by", CONTROL)
    assert (await hoso("breaches", "close", code, "term-late", *found)).code == 0
    shown = (await hoso("breaches", "show", code)).out
    for what in ("690 working minutes; no apology; closed", "p-post-01", "workload Nhiều hồ sơ"):
        assert what in shown
    [row] = (await hoso("breaches", "show", code, "--json")).json
    assert sum(each["late_minutes"] for each in row["attribution"]) == row["minutes"] == 690
    [count] = (await hoso("breaches", "summary", "--json")).json
    assert (count["cause"], count["breaches"]) == ("workload", 1)
    assert "workload" in (await hoso("breaches", "summary")).out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("list --standing done", "standing must be one of open, assigned, explained, closed"),
        ("show H0", "there is no dossier H0"),
        ("assign H0 term-late --to p-a --by p-b", "dossier H0 has no breach of term-late"),
        ("explain H0 term-late --cause rain --text a --by p-b", "cause must be one of workload,"),
        (
            "close H0 term-late --finding a --by p-b",
            "dossier H0 has no breach of term-late so named",
        ),
    ],
)
async def test_bad_input_gets_a_sentence(here: Path, words: str, why: str) -> None:
    answer = await hoso("breaches", *words.split())
    assert answer.code == 1
    assert why in answer.sentence


# The pilot year -------------------------------------------------------------------------------


@dataclass
class Kept:
    """A dossier of the year in memory, with its lines and visits."""

    dossier: Dossier
    visit: Any = None
    lines: list[dict[str, Any]] = field(default_factory=list)
    visits: list[Any] = field(default_factory=list)

    def move(self, act: Act) -> None:
        payload, opened = turn(CATALOGUE, self.dossier, self.visit, act)
        self.visits += [opened] if opened is not None else []
        self.visit = next((each for each in self.visits if each.closed_at is None), None)
        self.keep(act, payload)

    def keep(self, act: Act, payload: dict[str, Any]) -> None:
        names = ("event", "role", "actor", "on_behalf_of", "at", "reason")
        line = {name: getattr(act, name) for name in names} | {"payload": json.dumps(payload)}
        self.lines.append(line | {"seq": self.dossier.seq, "dest": self.dossier.state})

    @property
    def life(self) -> Life:
        return Life(self.dossier, self.lines, [vars(each) for each in self.visits])


class Year(Memory):
    """The year in memory, every line kept."""

    def take(self, step: pilot.Step) -> None:
        if step.lodging is None:
            super().take(step)
            return
        dossier, payload = opening(CATALOGUE, step.lodging, step.act)
        dossier.id = step.dossier
        kept = Kept(dossier)
        kept.keep(step.act, payload)
        self.papers[step.dossier] = kept  # type: ignore[assignment]


@pytest.fixture(scope="module")
def year() -> Sequence[Any]:
    """A few months, with every dossier that the plan makes late."""
    lates = [each for each in PLAN.procedures if any(days > 0 for days in each.pace)]
    whole = {each.code: each for each in small().procedures} | {
        each.code: each.model_copy(
            update={"pace": (pace := {days: n for days, n in each.pace.items() if days > 0})}
            | {"come": {Channel.online: sum(pace.values())}, "unfinished": 0}
            | dict.fromkeys(("held", "extended", "sent_back", "refused", "asked_to_pay"), 0)
        )
        for each in lates
    }
    plan = small().model_copy(update={"procedures": tuple(whole.values())})
    return list(Year().live(pilot.story(CATALOGUE, plan)).papers.values())


def test_every_late_dossier_of_the_year_has_its_breach(year: Sequence[Any]) -> None:
    lates = [each for each in year if each.dossier.verdict is Tally.late]
    assert len(lates) == 21
    for each in year:
        paper = each.dossier
        if paper.late_at is None or paper.finished_at is None:
            continue
        missed = Missed(On.term, 0, paper.deadline, paper.due_at, paper.late_at)
        is_late = paper.verdict is Tally.late
        assert (ended(missed, each.life) == paper.finished_at) is is_late


def test_the_time_of_every_dossier_of_the_year_is_somebodys(year: Sequence[Any]) -> None:
    kinds, offices = set(), Offices(CATALOGUE)
    for each in (each for each in year if each.dossier.received_at is not None):
        paper = each.dossier
        calendar = CATALOGUE.calendar(paper.calendar, paper.calendar_version)
        end = paper.finished_at or each.lines[-1]["at"]
        due = paper.due_at or end
        shares = attributed(each.life, offices, calendar, paper.received_at, end, due)
        passed = calendar.position(end) - calendar.position(paper.received_at)
        past = calendar.position(end) - calendar.position(due)
        assert sum(share["minutes"] for share in shares) == passed
        assert sum(share["late_minutes"] for share in shares) == max(0, past)
        kinds |= {share["kind"] for share in shares}
    assert kinds >= {"reception", "unit", "citizen"}


async def test_a_small_year_swept_now_and_then_is_as_if_it_was_read_at_its_end(
    fresh: AsyncEngine, book: Catalogue
) -> None:
    names: dict[int, str] = {}
    days = [day for day in pilot.story(CATALOGUE, small()) if day.chains]
    for n, day in enumerate(days):
        for step in (step for chain in day.chains for step in chain):
            async with fresh.begin() as db:
                if step.lodging is not None:
                    paper = await ledger.open_(db, book, step.lodging, step.act)
                    names[step.dossier] = paper.code
                else:
                    await ledger.move(db, book, names[step.dossier], step.act)
        await driving.drive(fresh, book, day.at)
        if n % 5 == 0:  # for days at a time nobody looks
            await deadlines.sweep(fresh, book, day.at)
            await record(fresh, book, day.at)
    end = days[-1].at + timedelta(days=1)
    await deadlines.sweep(fresh, book, end)
    told = await record(fresh, book, end)
    assert told["unread"] == 0
    assert await record(fresh, book, end) == NONE
    async with fresh.begin() as db:
        lates = set((await db.execute(sa.select(d.code).where(late_at(end)))).scalars())
        missed = await listing.every(db, book, Only(rule="term-late"))
        assert {row["code"] for row in missed} == lates
        assert lates
        kept = (await db.execute(sa.select(breach, t.watched, t.at).join(alert, SAME))).all()
        lives = await lives_of(db, {row.dossier_id for row in kept}, end)
    assert {row.watched for row in kept} > {On.term, On.stage}
    for row in kept:
        life = lives[row.dossier_id]
        found = recording._found(row, life, book, Offices(book))
        assert [row.ended_at, row.minutes] == [found.get(n) for n in ("ended_at", "minutes")]
        assert row.attribution == json.loads(json.dumps(found.get("attribution")))
        if row.ended_at is None:
            assert life.lines[-1]["dest"] not in FINISHED
            continue
        calendar = book.calendar(life.paper.calendar, life.paper.calendar_version)
        since = life.paper.received_at or life.paper.registered_at
        passed = calendar.position(row.ended_at) - calendar.position(since)
        assert sum(each["minutes"] for each in row.attribution) == passed
        assert sum(each["late_minutes"] for each in row.attribution) == row.minutes


def late_at(at: datetime) -> Any:
    """Of dossiers: finished late, or late now."""
    return (d.verdict == Tally.late) | (d.finished_at.is_(None) & (d.late_at <= at))
