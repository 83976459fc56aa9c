"""The pilot year: what its plan promises, how people move in it, and what comes out.

Only this file knows what was published of the year (Hà Nam, 2023); the code may not.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from states import calendars, catalogue, lifecycle, pilot
from states.errors import BadFile, BadInput
from states.ledger import Act, driving
from states.ledger.statements import d, entry
from states.ledger.turn import opening, turn
from states.lifecycle import Now
from states.pilot import Day, Plan, Step
from states.tables import Dossier, Visit
from states.words import Channel, Event, Role, State, Tally

PUBLISHED = {Tally.early: 1_479, Tally.on_time: 168, Tally.late: 21}
IN_PROCESS = 32
ONLINE, ELSEWHERE = 1_669, 31
CLOSING = datetime(2023, 12, 31, 17, tzinfo=UTC)  # midnight in Hà Nội

CATALOGUE = catalogue.load()
VN = calendars.load("vn")
PLAN = pilot.load(CATALOGUE)
REST = ("asked_to_pay", "sent_back", "refused")


@pytest.fixture(scope="module")
def year() -> Sequence[Day]:
    return pilot.story(CATALOGUE, PLAN)


def steps(days: Sequence[Day]) -> Iterator[Step]:
    return (step for day in days for chain in day.chains for step in chain)


def lives(days: Sequence[Day]) -> dict[int, list[Step]]:
    found: dict[int, list[Step]] = {}
    for step in steps(days):
        found.setdefault(step.dossier, []).append(step)
    return found


def small() -> Plan:
    """The last two months with a third of the procedures: a dossier of each pace, some on paper."""
    few = []
    for course in PLAN.procedures[::3]:
        unfinished = min(course.unfinished, 1)
        told = len(course.pace) + unfinished
        counts = {
            "come": {Channel.online: told - 1, Channel.counter: 1},
            "pace": dict.fromkeys(course.pace, 1),
            "unfinished": unfinished,
            "months": (11, 12),
            "held": min(course.held, 1),
            "extended": min(course.extended, 1),
        }
        few.append(course.model_copy(update=dict.fromkeys(REST, 0) | counts))
    return PLAN.model_copy(update={"name": "small", "procedures": tuple(few)})


# The plan ---------------------------------------------------------------------------------


def test_the_plan_is_the_published_year() -> None:
    come: Counter[str] = Counter()
    pace = Counter()
    for course in PLAN.procedures:
        come.update(course.come)
        for days, count in course.pace.items():
            pace[(days > 0) - (days < 0)] += count
    assert come[Channel.online] == ONLINE
    assert come[Channel.counter] + come[Channel.post] == ELSEWHERE
    assert pace == {
        -1: PUBLISHED[Tally.early],
        0: PUBLISHED[Tally.on_time],
        1: PUBLISHED[Tally.late],
    }
    assert sum(course.unfinished for course in PLAN.procedures) == IN_PROCESS


def test_every_agency_and_every_field_occurs() -> None:
    procedures = [CATALOGUE.procedure(course.code) for course in PLAN.procedures]
    assert {each.agency for each in procedures} == set(CATALOGUE.agencies)
    assert len(CATALOGUE.agencies) == 6
    assert {each.field for each in procedures} == set(CATALOGUE.fields)
    assert len(CATALOGUE.fields) == 11


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("{-1: 6, 0: 33, 1: 1}", "{-1: 6, 0: 34, 1: 1}", "procedures.0.come", "must sum to 41"),
        ("code: 1.005092", "code: 1.999999", "procedures.0.code", "no procedure 1.999999"),
        ("code: 1.005092", "code: 3.000181", "procedures.0.code", "promises no date"),
        ("clerk: p-post-01", "clerk: p-edu-director", "counter.clerk", "p-edu-director is none"),
        ("clerk: p-post-01", "clerk: nobody", "counter.clerk", "nobody is none"),
        ("post: Trả kết quả qua bưu chính công ích", "", "reasons.deliver", "a text for post"),
        ("{-1: 6, 0: 33, 1: 1}", "{-1: six}", "procedures.0.pace.-1", "whole number"),
    ],
)
def test_a_wrong_plan_names_its_line(
    tmp_path: Path, old: str, new: str, where: str, what: str
) -> None:
    text = Path(pilot.__file__).parents[2] / "config" / "sample" / "pilot.yaml"
    lines = text.read_text(encoding="utf-8")
    assert old in lines
    file = tmp_path / "pilot.yaml"
    file.write_text(lines.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadFile) as raised:
        pilot.load(CATALOGUE, file)
    assert raised.value.field == where
    assert what in raised.value.expected
    assert raised.value.line


@pytest.mark.parametrize("trouble", ["held", "extended", "sent_back"])
def test_what_a_procedure_does_not_allow_is_no_plan(trouble: str) -> None:
    course = PLAN.procedures[0].model_copy(update={trouble: 1})
    procedure = CATALOGUE.procedure(course.code)
    bare = procedure.model_copy(
        update={
            "supplement": procedure.supplement.model_copy(update={"times": 0}),
            "extension": procedure.extension.model_copy(update={"times": 0, "max": None}),
            "stages": procedure.stages[:1],
        }
    )
    assert trouble in {where[0] for where, _ in course.faults(bare)}


def test_an_impossible_pace_is_said() -> None:
    course = PLAN.procedures[0].model_copy(
        update={"pace": {-5: 1}, "come": {Channel.online: 1}, "unfinished": 0}
    )
    with pytest.raises(BadInput, match=r"no day of 2023 suits .* that has pace -5"):
        pilot.story(CATALOGUE, PLAN.model_copy(update={"procedures": (course,)}))


# The story --------------------------------------------------------------------------------


def test_the_same_seed_tells_the_same_story(year: Sequence[Day]) -> None:
    assert pilot.story(CATALOGUE, PLAN) == year
    one, other = small(), small().model_copy(update={"seed": PLAN.seed + 1})
    assert pilot.story(CATALOGUE, one) != pilot.story(CATALOGUE, other)


def test_a_day_is_a_working_day_and_its_end(year: Sequence[Day]) -> None:
    assert [day.at.date() for day in year] == [
        date.fromordinal(number)
        for number in range(date(2023, 1, 1).toordinal(), date(2024, 1, 1).toordinal())
        if VN.works(number)
    ]
    assert {day.at.time() for day in year} == {time(17)}


def test_acts_lie_in_working_hours_of_their_day_and_in_order(year: Sequence[Day]) -> None:
    for day in year:
        for chain in day.chains:
            for step in chain:
                assert step.act.at.date() == day.at.date()
                assert time(7, 30) <= step.act.at.time() <= time(11, 30) or (
                    time(13) <= step.act.at.time() <= time(17)
                )
    for life in lives(year).values():
        assert [step.number for step in life] == list(range(1, len(life) + 1))
        assert [step.lodging is not None for step in life] == [True] + [False] * (len(life) - 1)
        assert all(a.act.at <= b.act.at for a, b in pairwise(life))


def test_every_act_has_its_own_key(year: Sequence[Day]) -> None:
    keys = [step.act.key for step in steps(year)]
    assert len(set(keys)) == len(keys)
    assert keys[0] == "pilot-2023/0001/1"


def test_one_clerk_stands_at_the_counter_for_every_agency(year: Sequence[Day]) -> None:
    acted: Counter[tuple[str, str | None]] = Counter()
    for step in steps(year):
        act = step.act
        if act.role is Role.postal:
            assert act.on_behalf_of is not None
            assert CATALOGUE.organisation.may_act_for(act.actor, act.on_behalf_of, act.at.date())
        if act.role in {Role.postal, Role.reception}:
            acted[act.actor, act.on_behalf_of] += 1
            assert act.event in {
                Event.register,
                Event.receive,
                Event.digitise,
                Event.route,
                Event.supplement,
                Event.deliver,
            }
    clerk = {agency for who, agency in acted if who == PLAN.counter.clerk}
    assert clerk == set(CATALOGUE.agencies)
    assert {who for who, _ in acted} == {PLAN.counter.clerk, PLAN.counter.stand_in}


def test_staff_act_where_they_belong(year: Sequence[Day]) -> None:
    for step in steps(year):
        if step.act.role in {Role.officer, Role.leader}:
            assert CATALOGUE.person(step.act.actor).holds(step.act.role)


def test_everything_that_may_go_wrong_does(year: Sequence[Day]) -> None:
    seen = {step.act.event for step in steps(year)}
    assert seen >= {
        Event.request_supplement,
        Event.supplement,
        Event.request_payment,
        Event.pay,
        Event.send_back,
        Event.extend,
        Event.deliver,
    }
    assert not seen & {Event.decline, Event.withdraw, Event.stop, Event.reopen}


def test_few_come_before_tet_and_many_on_mondays(year: Sequence[Day]) -> None:
    came = Counter(step.act.at.date() for step in steps(year) if step.lodging)
    weekdays = Counter(day.weekday() for day in came.elements())
    assert weekdays[0] == max(weekdays.values())
    tet = [day.at.date() for day in year if date(2023, 1, 12) <= day.at.date() <= date(2023, 1, 31)]
    march = [day.at.date() for day in year if day.at.month == 3]
    assert sum(came[day] for day in tet) / len(tet) < 0.6 * sum(came[day] for day in march) / len(
        march
    )


# The year in memory -----------------------------------------------------------------------


@dataclass
class Paper:
    """A dossier and its present visit, without a database."""

    dossier: Dossier
    visit: Visit | None = None

    def move(self, act: Act) -> None:
        _, opened = turn(CATALOGUE, self.dossier, self.visit, act)
        closed = self.visit is not None and self.visit.closed_at is not None
        self.visit = opened or (None if closed else self.visit)


WAITING = {row.source for row in lifecycle.ROWS if row.automatic}


@dataclass
class Memory:
    """The year without a database: the ledger's own turns, and what is automatic at each end."""

    papers: dict[int, Paper] = field(default_factory=dict)
    moved: Counter[Event] = field(default_factory=Counter)

    def live(self, days: Sequence[Day]) -> "Memory":
        for day in days:
            for step in (step for chain in day.chains for step in chain):
                self.take(step)
            self.drive(day.at)
        return self

    def take(self, step: Step) -> None:
        if step.lodging is None:
            self.papers[step.dossier].move(step.act)
            return
        dossier, _ = opening(CATALOGUE, step.lodging, step.act)
        dossier.id = step.dossier
        self.papers[step.dossier] = Paper(dossier)

    def drive(self, at: datetime) -> None:
        now = Now(at, Role.system)
        waiting = [each for each in self.papers.values() if lifecycle.automatic(each.dossier.state)]
        for event in lifecycle.AUTOMATIC:
            for paper in waiting:
                if lifecycle.why_not(paper.dossier, event, now) is None:
                    paper.move(Act(event=event, actor="system", role=Role.system, at=at))
                    self.moved[event] += 1

    def classes(self) -> dict[Tally, int]:
        verdicts = Counter(each.dossier.verdict for each in self.papers.values())
        return {tally: count for tally, count in verdicts.items() if tally is not None}


def test_the_year_ends_as_published(year: Sequence[Day]) -> None:
    memory = Memory().live(year)
    assert memory.classes() == PUBLISHED
    papers = [each.dossier for each in memory.papers.values()]
    assert len(papers) == ONLINE + ELSEWHERE == 1_700
    assert all(each.received_at and each.received_at <= CLOSING for each in papers)
    in_hand = [each for each in papers if each.finished_at is None]
    assert len(in_hand) == IN_PROCESS
    assert not any(each.late_at and each.late_at <= CLOSING for each in in_hand)
    assert {each.state for each in papers} <= {
        State.received,
        State.routed,
        State.processing,
        State.awaiting_supplement,
        State.awaiting_payment,
        State.result_returned,
        State.delivered,
    }
    assert memory.moved[Event.digitise] > 1_000
    assert memory.moved[Event.route] > 1_000
    assert memory.moved[Event.accept] > 0
    assert memory.moved[Event.lapse] == 0


def test_a_result_some_days_later_is_in_another_class() -> None:
    course = PLAN.procedures[4].model_copy(
        update={"come": {Channel.online: 3}, "pace": {-2: 3}, "unfinished": 0, "held": 0}
        | dict.fromkeys(("extended", "sent_back", "refused"), 0)
    )
    days = pilot.story(CATALOGUE, PLAN.model_copy(update={"procedures": (course,)}))
    for later, tally in ((0, Tally.early), (2, Tally.on_time), (3, Tally.late)):
        memory = Memory()
        last: list[tuple[datetime, Step]] = []
        for day in days:
            for step in (step for chain in day.chains for step in chain):
                if step.act.event is Event.return_result:
                    number = VN.ordinal(step.act.at.date()) + later
                    at = VN.when(VN.nth(number)).replace(hour=15, minute=0)
                    last.append((at, step._replace(act=replace(step.act, at=at))))
                elif step.act.event is not Event.deliver:
                    memory.take(step)
            memory.drive(day.at)
        for _, step in last:
            memory.take(step)
        assert memory.classes() == {tally: 3}


# The year in a real ledger ----------------------------------------------------------------


async def test_a_small_year_lived_twice_and_in_pieces(fresh: AsyncEngine) -> None:
    from flows.pilot import Moment, live

    days = [day for day in pilot.story(CATALOGUE, small()) if day.chains]
    expected = Memory().live(days)
    seen: list[tuple[int, int]] = []
    evenings: list[datetime] = []
    weekends: list[datetime] = []

    async def evening(at: datetime, moment: Moment) -> None:
        async with moment:
            evenings.append(at)
            if len(evenings) == 20:
                raise BadInput("the lights went out")
            await driving.drive(fresh, CATALOGUE, at)

    async def weekend(at: datetime, moment: Moment) -> None:
        async with moment:
            weekends.append(at)

    def told(done: int, total: int, when: str) -> None:
        seen.append((done, total))

    async def go_on() -> int:
        return await live(fresh, CATALOGUE, "small", days, told, evening=evening, weekend=weekend)

    with pytest.raises(BadInput, match="the lights went out"):
        await go_on()
    assert 0 < seen[-1][0] < seen[-1][1]
    again = await go_on()
    assert seen[-1] == (again, again)
    assert evenings[20].isocalendar()[:2] == evenings[19].isocalendar()[:2]  # on with that week
    assert {at.isocalendar()[:2] for at in weekends} == {at.isocalendar()[:2] for at in evenings}
    before = await everything(fresh)
    assert await go_on() == again
    assert await everything(fresh) == before

    entries, verdicts, codes = before
    assert entries == again + sum(expected.moved.values())
    assert verdicts == Counter(each.dossier.verdict for each in expected.papers.values())
    assert verdicts.keys() == {None, *PUBLISHED}
    assert codes == sorted(codes)  # given in the order of arrival


async def everything(
    engine: AsyncEngine,
) -> tuple[int | None, Counter[Tally | None], list[str]]:
    """How many lines, how many of each class, and the codes in the order of registration."""
    dossiers = sa.select(d.code, d.verdict).order_by(d.registered_at, d.code)
    async with engine.connect() as db:
        entries = await db.scalar(sa.select(sa.func.count()).select_from(entry))
        rows = (await db.execute(dossiers)).all()
    return entries, Counter(row.verdict for row in rows), [row.code for row in rows]
