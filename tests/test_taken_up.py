"""A dossier taken over is reopened: it goes on through the stages of ours, its dates stay facts."""

from typing import Any

import pytest
import sqlalchemy as sa
from book import BOOK, TAKEN, at
from office import DIRECTOR, LEADER, OFFICER, address, running, told
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states import catalogue, ledger
from states.clock import Policy
from states.errors import NotOpen
from states.ledger import Act, Taken
from states.ledger.turn import turn
from states.proof import prove
from states.tables import Entry
from states.words import Channel, Event, Role, State

SAMPLE = catalogue.load()
LICENCE = "1.003659"  # three stages: an officer and a leader of H42.03.02, a leader of H42.03.09
WHY = {"reason": "Kết quả có sai sót", "ground": "NĐ 61/2018/NĐ-CP Điều 19"}
MADE = {"produced": ["Phiếu trình giải quyết"]}


def taken(procedure: str = LICENCE, **more: Any) -> Taken:
    said: dict[str, Any] = {
        "source": "log.csv",
        "code": "case-1",
        "agency": "H42.03",
        "unit": "H42.03.02",
        "procedure": procedure,
        "channel": Channel.counter,
        "applicant": "Nguyễn Thị Ánh",
        "calendar": "vn",
        "policy": Policy.day,
        "received": at(0, "08:00"),
        "promised": at(3, "17:00"),
    }
    return Taken(**said | more)


async def returned(db: AsyncConnection, book: Any = SAMPLE, **more: Any) -> str:
    """A dossier taken over with its result."""
    given = taken(**more)
    act = Act(event=Event.adopt, actor="import", role=Role.system, at=given.received)
    await ledger.adopt(db, book, given, act)
    said = {"outcome": "unstated"}
    act = Act(
        event=Event.return_result, actor="x", role=Role.officer, at=at(1, "10:00"), payload=said
    )
    await ledger.move(db, book, given.code, act)
    return given.code


def reopening(when: str = "09:00") -> Act:
    return Act(event=Event.reopen, actor="p-sci-lead-02", role=Role.leader, at=at(2, when), **WHY)


async def test_it_enters_the_first_stage_of_its_procedure(db: AsyncConnection) -> None:
    code = await returned(db)
    paper = await ledger.move(db, SAMPLE, code, reopening())
    procedure = SAMPLE.procedure(LICENCE)
    assert (paper.state, paper.stage, paper.stages) == (State.processing, 0, 3)
    assert (paper.version, paper.stage_role, paper.leads) == (
        procedure.version, Role.officer, True,
    )  # fmt: skip
    assert (paper.due_at, paper.term, paper.agency, paper.field) == (
        at(3, "17:00"), "none", "H42.03", "",
    )  # fmt: skip
    _, visit = await ledger.find(db, code)
    assert visit is not None
    assert (visit.visit, visit.unit, visit.code) == (
        1, "H42.03.02", procedure.stages[0].code,
    )  # fmt: skip
    for event, role, payload in (
        (Event.advance, Role.officer, MADE),
        (Event.advance, Role.leader, {}),
        (Event.return_result, Role.leader, {"outcome": "approved", **RESULT}),
    ):
        act = Act(event=event, actor="y", role=role, at=at(2, "15:00"), payload=payload)
        paper = await ledger.move(db, SAMPLE, code, act)
    assert (paper.state, paper.verdict) == (State.result_returned, "early")
    paper = await ledger.move(db, SAMPLE, code, reopening("16:00"))  # again: where it was
    assert (paper.stage, paper.visit) == (2, 4)
    assert (await ledger.verify(db, SAMPLE)).faults == []


RESULT = {"produced": ["Kết quả giải quyết"]}


async def test_it_may_be_asked_for_papers_and_brings_them(db: AsyncConnection) -> None:
    code = await returned(db)
    await ledger.move(db, SAMPLE, code, reopening())
    act = Act(
        event=Event.request_supplement, actor="y", role=Role.officer, at=at(2, "10:00"),
        reason="Thiếu bản sao",
    )  # fmt: skip
    paper = await ledger.move(db, SAMPLE, code, act)
    assert (paper.state, paper.due_at) == (State.awaiting_supplement, None)
    brings = {"components": {"don": "0" * 64}}
    act = Act(
        event=Event.supplement, actor="z", role=Role.reception, at=at(2, "11:00"), payload=brings
    )
    paper = await ledger.move(db, SAMPLE, code, act)
    assert paper.state is State.processing
    assert paper.facts["components"] == brings["components"]
    assert (await ledger.verify(db, SAMPLE)).faults == []


async def test_where_the_procedure_is_unknown_that_is_said(db: AsyncConnection) -> None:
    code = await returned(db, procedure="Cấp phép bay")
    with pytest.raises(NotOpen, match=r"taken over from log\.csv.*procedure Cấp phép bay"):
        await ledger.move(db, SAMPLE, code, reopening())
    paper, _ = await ledger.find(db, code)
    assert (paper.state, paper.seq) == (State.result_returned, 2)
    assert (await ledger.verify(db, SAMPLE)).faults == []


async def test_what_was_reopened_before_there_was_a_way_on_reads_as_it_was(
    db: AsyncConnection,
) -> None:
    """Its line binds nothing, though the catalogue has the procedure."""
    code = await returned(db)
    paper, visit = await ledger.find(db, code)
    payload, opened = turn(SAMPLE, paper, visit, reopening(), told={"act": {}, "clock": {}})
    assert "pin" not in payload
    assert (opened, paper.version, paper.stage_role) == (None, 0, None)


async def test_the_proof_of_balances_holds(fresh: AsyncEngine) -> None:
    async with fresh.begin() as db:
        code = await returned(db)
        await ledger.move(db, SAMPLE, code, reopening())
    proof = await prove(fresh, SAMPLE, at(9), 1)
    assert proof.found == []


async def test_who_may_not_move_what_is_not_theirs_over_http(
    fresh: AsyncEngine, tmp_path: Any
) -> None:
    async with fresh.begin() as db:
        code = await returned(db, unit="H42.03.02")
    async with running(address(fresh), tmp_path) as office:
        office.at = at(2, "09:00")
        told(await office.move(code, "reopen", OFFICER, WHY), 403, "not-yours")
        answer = await office.move(code, "reopen", LEADER, WHY)
        assert answer.status_code == 200, answer.text
        stage = answer.json()["stage"]
        assert (stage["n"], stage["of"], stage["term"]) == (0, 3, str(first().term))
        assert stage["name"] == first().name.vi
        office.at = at(2, "10:00")
        answer = await office.move(code, "advance", OFFICER, **MADE)
        assert answer.status_code == 200, answer.text
        whole = await office.read(code)
        assert whole["stage"]["n"] == 1
        stages = await office.client.get(f"/v1/dossiers/{code}/stages", headers=DIRECTOR)
        assert len(stages.json()["stages"]) == 3
    async with fresh.connect() as db:
        assert (await ledger.verify(db, SAMPLE)).faults == []
        told_there = (await db.execute(sa.select(Entry.payload).order_by(Entry.seq))).scalars()
        assert '"pin":{"version":1' in list(told_there)[2]


def first() -> Any:
    return SAMPLE.procedure(LICENCE).stages[0]


async def test_a_line_of_before_contacts_were_kept_reads_as_it_was() -> None:
    told = TAKEN.told()
    assert not {"phone", "email", "citizen", "kept"} & told.keys()
    assert Taken.of(told) == TAKEN
    more = taken(phone="0912345678", kept={"Ghi chú": "x"})
    assert Taken.of(more.told()) == more
    assert BOOK.calendar("week")
