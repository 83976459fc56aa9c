"""What each move does to a dossier, its clock and its stages; every date reckoned by hand.

Day 0 is a Monday. PERMIT takes five working days: received on day 0 it is due on day 7 at 17:00.
"""

import json
from dataclasses import replace

import pytest
from book import (
    APPRAISED,
    BOOK,
    COMPLETE,
    FILE,
    LICENCE,
    NINE,
    PERMIT,
    UNIT,
    Channels,
    Component,
    Shelf,
    act,
    at,
    lines,
    lodging,
    move,
    process,
    receive,
    visits,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from states import ledger
from states.clock import Policy, Term
from states.errors import BadInput, NotOpen, Unknown
from states.ledger import Taken
from states.words import Channel, Event, Role, State, Tally

# Coming in ----------------------------------------------------------------------------------


async def test_a_receipt_starts_the_clock(db: AsyncConnection) -> None:
    paper = await receive(db, key="one")
    found, visit = await ledger.find(db, paper.code)
    assert vars(found) == vars(paper) | {"facts": found.facts}
    assert visit is None
    assert (found.code, found.state, found.seq) == (f"{UNIT}-240304-0001", State.received, 1)
    assert found.registered_at == found.received_at == found.moved_at == NINE
    assert found.due_at == found.due_original == at(7, "17:00")
    assert found.late_at == at(8, "00:00")
    assert (found.deadline, found.missing, found.fee_asked, found.fee_paid) == (1, 0, 600_000, 0)
    assert (found.procedure, found.version, found.agency) == (PERMIT.code, 1, "H42.05")
    assert (found.term, found.policy, found.regime) == ("5wd", Policy.day, "R2021")
    assert (found.calendar, found.calendar_version) == ("week", "1")
    assert (found.unit, found.stage, found.stages, found.visit) == (UNIT, -1, 3, 0)

    [line] = await lines(db, paper)
    assert (line.seq, line.event, line.source, line.dest) == (1, "receive", None, "received")
    assert (line.actor, line.role, line.key, line.prev) == ("a reception", "reception", "one", None)
    assert line.hash == found.head
    told = json.loads(line.payload)
    assert told["act"] == COMPLETE
    assert told["lodging"]["applicant"] == "Nguyễn Thị Ánh"
    assert told["clock"] == {"due": at(7, "17:00").isoformat(), "calendar": "week@1"}


async def test_online_the_clock_starts_with_the_acceptance(db: AsyncConnection) -> None:
    lodged = lodging(channel=Channel.online)
    paper = await ledger.open_(db, BOOK, lodged, act(Event.register, at(-2, "21:00")))
    assert (paper.state, paper.received_at, paper.due_at) == (State.registered, None, None)
    assert (paper.missing, paper.channel) == (2, Channel.online)
    assert paper.code == f"{UNIT}-240302-0001"
    paper = await move(db, paper.code, Event.receive, NINE, payload=COMPLETE)
    assert (paper.state, paper.received_at) == (State.received, NINE)
    assert (paper.registered_at, paper.due_at) == (at(-2, "21:00"), at(7, "17:00"))
    assert (paper.missing, paper.deadline) == (0, 2)


async def test_a_channel_the_procedure_does_not_have_is_refused(db: AsyncConnection) -> None:
    book = Shelf((replace(PERMIT, channels=Channels(("counter",))),))
    with pytest.raises(BadInput, match="does not take dossiers by post: it takes counter"):
        await ledger.open_(db, book, lodging(channel=Channel.post), act(Event.receive, NINE))


async def test_a_receipt_binds_to_the_version_then_in_force(db: AsyncConnection) -> None:
    paper = await ledger.open_(db, BOOK, lodging(), act(Event.register, at(0), payload=COMPLETE))
    assert (paper.version, paper.missing) == (1, 0)
    more = (*PERMIT.components, Component("plan"))
    second = BOOK.with_next(PERMIT, term=Term.parse("3wd"), fee=1, components=more)
    paper = await move(db, paper.code, Event.receive, NINE, book=second)
    assert (paper.version, paper.term, paper.fee_asked, paper.missing) == (2, "3wd", 1, 1)
    assert paper.due_at == at(3, "17:00")

    third = second.with_next(second.procedures[-1], term=Term.parse("1wd"), fee=2, components=())
    paper = await move(
        db, paper.code, Event.digitise, NINE, book=third, payload={"components": {"plan": FILE}}
    )
    assert (paper.version, paper.term, paper.fee_asked) == (2, "3wd", 1)
    assert paper.due_at == at(3, "17:00")


async def test_a_declined_dossier_never_had_a_clock(db: AsyncConnection) -> None:
    paper = await ledger.open_(db, BOOK, lodging(), act(Event.register, at(0)))
    paper = await move(db, paper.code, Event.decline, NINE, reason="không thuộc thẩm quyền")
    assert (paper.state, paper.finished_at) == (State.declined, NINE)
    assert (paper.verdict, paper.used, paper.due_at) == (Tally.not_counted, None, None)
    assert (await lines(db, paper))[1].reason == "không thuộc thẩm quyền"


async def test_digitising_wants_every_required_component(db: AsyncConnection) -> None:
    paper = await receive(db, payload={"components": {"form": FILE, "passport": FILE}})
    assert paper.missing == 1
    with pytest.raises(NotOpen, match="a required component still has no file"):
        await move(db, paper.code, Event.digitise, NINE)
    with pytest.raises(BadInput, match="no component selfie: it has form, passport, photo"):
        await move(db, paper.code, Event.digitise, NINE, payload={"components": {"selfie": FILE}})
    with pytest.raises(BadInput, match=r"digitise: components\.photo: "):
        await move(db, paper.code, Event.digitise, NINE, payload={"components": {"photo": "x"}})
    photo = {"components": {"photo": FILE}}
    paper = await move(db, paper.code, Event.digitise, NINE, payload=photo)
    assert (paper.state, paper.missing, paper.seq) == (State.digitised, 0, 2)
    assert set(paper.facts["components"]) == {"form", "passport", "photo"}


# Stages -------------------------------------------------------------------------------------


async def test_accepting_opens_the_first_visit(db: AsyncConnection) -> None:
    paper = await receive(db)
    await move(db, paper.code, Event.digitise, NINE)
    paper = await move(db, paper.code, Event.route, NINE)
    assert (paper.unit, paper.stage, paper.stage_role) == ("H42.05.01", -1, None)
    paper = await move(db, paper.code, Event.accept, NINE)
    assert (paper.stage, paper.visit, paper.stage_role) == (0, 1, Role.officer)
    [visit] = await visits(db, paper)
    assert (visit.stage, visit.code, visit.unit, visit.role) == (
        0,
        "appraise",
        paper.unit,
        "officer",
    )
    assert (visit.person, visit.term, visit.due_at) == ("a officer", "2wd", at(2, "17:00"))
    assert (visit.opened_at, visit.opened_seq, visit.closed_at) == (NINE, 4, None)


async def test_by_itself_nobody_has_taken_it_and_where_a_person_must_it_waits(
    db: AsyncConnection,
) -> None:
    for procedure in (PERMIT, LICENCE):
        paper = await receive(db, procedure)
        await move(db, paper.code, Event.digitise, NINE, Role.system)
        await move(db, paper.code, Event.route, NINE, Role.system)
        if procedure is PERMIT:
            paper = await move(db, paper.code, Event.accept, NINE, Role.system)
            assert [visit.person for visit in await visits(db, paper)] == [None]
        else:
            with pytest.raises(NotOpen, match="a person of the unit must take this dossier in"):
                await move(db, paper.code, Event.accept, NINE, Role.system)


async def test_each_stage_has_its_own_clock_and_a_second_visit_is_a_second_row(
    db: AsyncConnection,
) -> None:
    paper = await process(db)
    with pytest.raises(BadInput, match="stage appraise must produce appraisal"):
        await move(db, paper.code, Event.advance, at(1, "09:00"))
    with pytest.raises(NotOpen, match="or the stage is another role's"):
        await move(db, paper.code, Event.advance, at(1, "09:00"), Role.leader, **APPRAISED)
    forward = {"payload": {"produced": ["appraisal"], "person": "Trần Thị Bưởi"}}
    await move(db, paper.code, Event.advance, at(1, "09:00"), **forward)
    paper = await move(db, paper.code, Event.advance, at(2, "16:00"), Role.leader)
    assert (paper.stage, paper.unit, paper.stage_role) == (2, "H42.05.09", Role.leader)
    paper = await move(db, paper.code, Event.send_back, at(3, "09:00"))
    assert paper.stage == 1
    for stage in (1, 2, 99):
        with pytest.raises(BadInput, match=f"stage {stage} is not open from here"):
            await move(db, paper.code, Event.send_back, at(3, "10:00"), payload={"stage": stage})
    paper = await move(db, paper.code, Event.send_back, at(3, "10:00"), payload={"stage": 0})
    assert (paper.stage, paper.visit, paper.stage_role) == (0, 5, Role.officer)
    assert paper.due_at == at(7, "17:00")

    told = [(v.stage, v.person, v.due_at, v.verdict, v.used) for v in await visits(db, paper)]
    assert told == [
        (0, "a officer", at(2, "17:00"), "early", 480),
        (1, "a leader", at(2, "17:00"), "on_time", 390 + 420),
        (2, "a leader", at(3, "10:30"), "on_time", 60 + 90),
        (1, "a leader", at(4, "17:00"), "early", 60),
        (0, None, at(7, "17:00"), None, None),
    ]
    spans = [(v.opened_seq, v.closed_seq) for v in await visits(db, paper)]
    assert spans == [(4, 5), (5, 6), (6, 7), (7, 8), (8, None)]


# From elsewhere -----------------------------------------------------------------------------


async def test_a_dossier_taken_over_keeps_its_code_and_promise(db: AsyncConnection) -> None:
    taken = Taken(
        source="log.xes", code="OLD-7", agency="H42.05", unit=UNIT, procedure="other",
        channel=Channel.counter, applicant="x", calendar="week", policy=Policy.day,
        received=NINE, promised=at(4, "11:00"),
    )  # fmt: skip
    paper = await ledger.adopt(db, BOOK, taken, act(Event.adopt, NINE))
    assert (paper.code, paper.state, paper.source) == ("OLD-7", State.processing, "log.xes")
    assert (paper.received_at, paper.due_at) == (NINE, at(4, "11:00"))
    paper = await move(db, "OLD-7", Event.return_result, at(5), payload={"outcome": "unstated"})
    assert (paper.verdict, paper.due_at) == (Tally.late, at(4, "11:00"))
    assert (await ledger.verify(db, BOOK)).faults == []


async def test_there_is_no_such_dossier(db: AsyncConnection) -> None:
    with pytest.raises(Unknown, match=r"there is no dossier H42\.14-240304-0404: check the code"):
        await move(db, "H42.14-240304-0404", Event.digitise, NINE)
