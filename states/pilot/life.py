"""The life of one dossier: who does what with it, and when.

Moments are positions on the line of working minutes until they become acts. Each promise is read
from the clock with the facts of that moment; the result is then dated so many working days from it,
as the plan says.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import accumulate
from random import Random
from typing import Any, NamedTuple

from states.catalogue import Procedure, Stage
from states.clock import Facts
from states.ledger import Act, Lodging
from states.pilot.cast import Centre, Hand, invented
from states.pilot.hours import Hours
from states.pilot.plan import signatory
from states.words import Channel, Event, Outcome, Role

HOUR = 60
# Working minutes from lodging to receipt: an answer within 8 hours online (Decree 45/2020/NĐ-CP);
# by post the handover at the agency counts (Decision 45/2016/QĐ-TTg Art. 7(4)), a day later.
RECEIPT = {Channel.online: (10, 7 * HOUR), Channel.post: (4 * HOUR, 10 * HOUR)}
SCAN = (5, 25)  # minutes to digitise a paper dossier
NOTICE = 3  # working days to ask for a supplement in (Decree 61/2018/NĐ-CP Art. 19(4))
ANSWER = (4 * HOUR, 48 * HOUR)  # until the citizen answers, unless it would lapse before
APOLOGY = 1  # working days before the term ends, at the latest (Decree 61/2018/NĐ-CP Art. 19(9))
# Until the citizen has the result; by post J+1 or J+2 (Circular 17/2017/TT-BTTTT).
HANDOVER = {Channel.post: (2 * HOUR, 16 * HOUR)}
FETCHED = (HOUR // 2, 40 * HOUR)
SHARE = {Role.officer: 3.0, Role.leader: 1.0}  # of the time, what a stage takes
TOUCH = 0.3  # and what it takes to send or to take in a dossier
MOMENT = 2  # minutes between two moves at least


class NotThen(Exception):
    """This life does not fit the day it would begin on."""


@dataclass(frozen=True, slots=True)
class Case:
    """What the plan says of one dossier. `pace` None: it has no result within the year."""

    procedure: Procedure
    channel: Channel
    pace: int | None
    hitch: Event | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Life:
    """A whole life, past the year's end too."""

    lodging: Lodging
    acts: tuple[Act, ...]
    received: datetime
    finished: datetime


class _Beat(NamedTuple):
    """A move on the way to the result, and what it takes of the time, relatively."""

    event: Event
    stage: Stage
    share: float


def tell(centre: Centre, case: Case, day: date, rng: Random) -> Life:
    """The life of a dossier lodged on that working day. Raises `NotThen`."""
    telling = _Telling(centre, case, rng)
    telling.lodge(day)
    if case.hitch in {Event.request_supplement, Event.request_payment}:
        telling.wait(case.hitch)
    elif case.hitch is Event.extend:
        telling.extend()
    finished = telling.process()
    telling.deliver()
    lodging = Lodging(
        unit=centre.catalogue.centre.code,
        procedure=case.procedure.code,
        channel=case.channel,
        applicant=telling.applicant,
    )
    acts = tuple(sorted(telling.acts, key=lambda act: act.at))
    return Life(lodging, acts, telling.facts.received, finished)


class _Telling:
    """A life being told. `at` is the position it has come to; `inside`: a unit has it."""

    def __init__(self, centre: Centre, case: Case, rng: Random) -> None:
        self.centre, self.plan, self.case, self.rng = centre, centre.plan, case, rng
        self.procedure, self.first = case.procedure, case.procedure.stages[0]
        self.calendar = centre.catalogue.calendar_of(case.procedure.agency)
        self.hours = Hours(self.calendar)
        self.applicant = invented(self.plan, rng)
        self.acts: list[Act] = []
        self.people: dict[str, str] = {}  # who has the dossier, by stage
        self.at, self.inside = 0, False
        self.facts: Facts

    # The parts of a life --------------------------------------------------------------

    def lodge(self, day: date) -> None:
        """Lodged, received and, if it is on paper, scanned."""
        number, channel = self.calendar.ordinal(day), self.case.channel
        self.at = self._between(self.hours.begins(number), self.hours.ends(number))
        files = {each.code: self.rng.randbytes(32).hex() for each in self.procedure.components}
        online: dict[str, Any] = {"components": files} if channel is Channel.online else {}
        if channel in RECEIPT:
            self._act(Event.register, self._citizen() if online else self._clerk(), **online)
            self.at += self.rng.randint(*RECEIPT[channel])
        self._act(Event.receive, self._clerk())
        self.facts = Facts(self.hours.moment(self.at))
        if not online:
            self.at += self.rng.randint(*SCAN)
            self._act(Event.digitise, self._clerk(), components=files)

    def wait(self, request: Event) -> None:
        """Taken in, found wanting, and answered by the citizen before it lapses."""
        arrived = self._today_ends()
        last = min(arrived + NOTICE * self.hours.day - HOUR, self._due() - 1)
        asked = self._between(arrived + 3 * MOMENT, last)
        if self.first.accept == "manual":
            self.at = self._between(arrived + 1, asked - 1)
            self._act(Event.accept, self._holder(self.first))
        self.at = asked
        answer, reasons, brings = self._wanting(request)
        asks = brings if request is Event.request_payment else {}
        self._act(request, self._holder(self.first), self.rng.choice(reasons), **asks)
        begun = self.hours.moment(asked)
        lapse = self.hours.due(self.procedure.supplement.lapse, Facts(begun))
        self.at = self._between(asked + ANSWER[0], min(asked + ANSWER[1], lapse))
        by_citizen = self.case.channel is Channel.online or answer is Event.pay
        self._act(answer, self._citizen() if by_citizen else self._clerk(), **brings)
        restarts = answer is Event.supplement and self.procedure.supplement.mode == "restart"
        ended = self.hours.moment(self.at)
        self.facts = replace(
            self.facts, holds=((begun, ended),), restart=ended if restarts else None
        )
        self.inside = True

    def extend(self) -> None:
        """An apology and a new date, in time; the dossier stays where it is."""
        stage, rule = signatory(self.procedure), self.procedure.extension
        assert stage is not None
        assert rule.max is not None
        here = self.at
        last = self._due() - APOLOGY * self.hours.day
        self.at = self._between(max(here + 1, last - self.hours.day), last)
        ground = f"{rule.ground.document} {rule.ground.article or ''}" if rule.ground else ""
        reason = self.rng.choice(self.plan.reasons.extend)
        self._act(Event.extend, self._holder(stage), reason, ground.strip(), term=str(rule.max))
        self.facts = replace(self.facts, extend=(rule.max,))
        self.at = here

    def process(self) -> datetime:
        """Through the stages to the result; returns when it was there."""
        due = self._due()
        day = self.hours.number(due) + (self.case.pace or 0)
        begin, beats = self._way(day)
        said = self.calendar.position(self.acts[-1].at)  # an apology comes before the result
        opens = max(begin + MOMENT * len(beats), said + 1, self.hours.begins(day))
        closes = self.hours.ends(day)
        if opens + HOUR <= due < closes:
            closes = due
        moments = self._spread(begin, self._between(opens, closes), beats)
        for self.at, beat, onward in zip(moments, beats, [*beats[1:], None], strict=True):
            self._process(beat, onward.stage if onward else None)
        return self.hours.moment(self.at)

    def deliver(self) -> None:
        """Handed over at the counter, by post or online, as the citizen chose."""
        ways = [way for way in self.plan.go if way in self.procedure.channels.go]
        way = self.rng.choices(ways, [self.plan.go[way] for way in ways])[0]
        self.at += self.rng.randint(*HANDOVER.get(way, FETCHED))
        self._act(Event.deliver, self._clerk(), self.plan.reasons.deliver[way], channel=way)

    # Through the stages ---------------------------------------------------------------

    def _way(self, day: int) -> tuple[int, list[_Beat]]:
        """From which position on, and by what moves, the result is reached on that day."""
        stages = self.procedure.stages
        beats = [_Beat(Event.advance, stage, SHARE[stage.role]) for stage in stages]
        beats[-1] = beats[-1]._replace(event=Event.return_result)
        if self.case.hitch is Event.send_back:
            beats[1:1] = [beats[1]._replace(event=Event.send_back), beats[0]]
        if self.inside:
            return self.at, beats
        accept = _Beat(Event.accept, self.first, TOUCH)
        if day > self.hours.number(self.at):  # its day ends, and it is passed on by itself
            return self._today_ends(), [accept, *beats] if self.first.accept == "manual" else beats
        # Wanted on the day of receipt: passed on by hand.
        scanned = self.acts[-1].event is Event.digitise
        touches = [Event.route] if scanned else [Event.digitise, Event.route]
        return self.at, [*(accept._replace(event=event) for event in touches), accept, *beats]

    def _spread(self, begin: int, end: int, beats: list[_Beat]) -> list[int]:
        """Positions for the moves, in order; the last one is the end."""
        shares = list(accumulate(beat.share * self.rng.uniform(0.6, 1.4) for beat in beats))
        free = end - begin - MOMENT * len(beats)
        return [
            begin + MOMENT * n + int(free * share / shares[-1])
            for n, share in enumerate(shares, start=1)
        ]

    def _process(self, beat: _Beat, onward: Stage | None) -> None:
        """Make a move; whoever has the dossier names the person of the next stage."""
        if beat.event in {Event.digitise, Event.route}:
            self._act(beat.event, self._clerk())
            return
        brings: dict[str, Any] = {}
        if beat.event in {Event.advance, Event.return_result}:
            brings["produced"] = list(beat.stage.produces)
        if beat.event in {Event.advance, Event.send_back} and onward is not None:
            brings["person"] = self._holder(onward).actor
        if beat.event is Event.return_result:
            brings["outcome"] = self.case.outcome.value
        back = beat.event is Event.send_back
        reason = self.rng.choice(self.plan.reasons.send_back) if back else None
        self._act(beat.event, self._holder(beat.stage), reason, **brings)

    def _wanting(self, request: Event) -> tuple[Event, tuple[str, ...], dict[str, Any]]:
        """How the citizen answers, why they were asked, and what they bring."""
        if request is Event.request_payment:
            return Event.pay, self.plan.reasons.payment, {"amount": self.plan.extra_fee}
        paper = self.rng.choice(self.procedure.components).code
        brings = {"components": {paper: self.rng.randbytes(32).hex()}}
        return Event.supplement, self.plan.reasons.supplement, brings

    # Who and when ---------------------------------------------------------------------

    def _act(
        self,
        event: Event,
        hand: Hand,
        reason: str | None = None,
        ground: str | None = None,
        **brings: Any,
    ) -> None:
        self.acts.append(
            Act(
                event=event,
                actor=hand.actor,
                role=hand.role,
                on_behalf_of=hand.on_behalf_of,
                at=self.hours.moment(self.at),
                payload=brings,
                reason=reason,
                ground=ground,
            )
        )

    def _citizen(self) -> Hand:
        return Hand(self.applicant, Role.citizen)

    def _clerk(self) -> Hand:
        return self.centre.at_counter(self.hours.moment(self.at).date(), self.procedure.agency)

    def _holder(self, stage: Stage) -> Hand:
        """The person who has the dossier in a stage: the same one at every visit."""
        if stage.code not in self.people:
            staff = self.centre.staff[stage.unit or "", stage.role]
            self.people[stage.code] = self.rng.choice(staff)
        return Hand(self.people[stage.code], stage.role)

    def _between(self, first: int, last: int) -> int:
        if last < first:
            raise NotThen
        return self.rng.randint(first, last)

    def _today_ends(self) -> int:
        return self.hours.ends(self.hours.number(self.at))

    def _due(self) -> int:
        """The date promised, by what has happened so far."""
        return self.hours.due(self.procedure.term, self.facts)
