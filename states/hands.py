"""Somebody at their desk who moves dossiers: what is open to them, and what a move brings. Pure.

A postal clerk stands there for every agency that trusts them; each dossier is moved for its own.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from states import lifecycle, people
from states.catalogue import Catalogue
from states.ledger import Act
from states.ledger.acts import by_a_change
from states.lifecycle import Now
from states.people import Caller, NotHeld
from states.sentences import Sentence
from states.words import Event, Role, State

ONWARD: dict[State, Event] = {
    State.registered: Event.receive,
    State.received: Event.digitise,
    State.digitised: Event.route,
    State.routed: Event.accept,
    State.awaiting_supplement: Event.supplement,
    State.awaiting_payment: Event.pay,
    State.result_returned: Event.deliver,
}
"""What comes next of a dossier in a state; in `processing` its stage says it."""
OPENING = frozenset({Event.register})
"""What opens a dossier, and moves none."""


@dataclass(frozen=True, slots=True)
class Onward:
    """The next act on a dossier; `plain`: it needs nothing but to be done."""

    event: Event
    plain: bool


@dataclass(frozen=True, slots=True)
class Hands:
    """Who moves, and when. Rows are dossiers, or rows of a list."""

    book: Catalogue
    who: Caller
    at: datetime
    _known: dict[Any, Any] = field(default_factory=dict)

    def acting(self, agency: str) -> Caller:
        """As they act on a dossier of this agency. Raises `NotHeld`."""
        if self.who.role is not Role.postal:
            return self.who
        return people.caller(self.book, self.who.person.id, Role.postal, agency, self.who.on)

    def may_not(self, row: Any) -> Sentence | None:
        """Why the dossier is not theirs to move, whatever its state; None: it is."""
        key = (row.agency, row.unit, row.field)
        if key not in self._known:
            self._known[key] = self._right(*key)
        return self._known[key]  # type: ignore[no-any-return]

    def _right(self, agency: str, unit: str, of: str) -> Sentence | None:
        try:
            who = self.acting(agency)
        except NotHeld as error:
            return error.sentence
        return people.may(self.book, who, agency, unit, of)

    def why_not(self, row: Any, event: Event) -> Sentence | None:
        """Why an event is closed to them on this dossier, as a clause; None: it is open."""
        if event in OPENING:
            return Sentence("it opens a dossier, and moves none")
        if why := by_a_change(event) or lifecycle.why_not(row, event, Now(self.at, self.who.role)):
            return why
        return self.may_not(row)

    def open_on(self, row: Any) -> list[Event]:
        """The buttons to draw."""
        return [event for event in Event if self.why_not(row, event) is None]

    def onward(self, row: Any) -> Onward | None:
        """The one next act, where it is theirs."""
        event = ONWARD.get(row.state)
        if row.state is State.processing:
            event = Event.return_result if row.ends and not row.leads else Event.advance
        if event is None:
            return None
        if event is Event.digitise:  # what is still missing is brought there
            closed = lifecycle.shut(event, row.state, self.who.role) or self.may_not(row)
        else:
            closed = self.why_not(row, event)
        return None if closed else Onward(event, self._plain(row, event))

    def _plain(self, row: Any, event: Event) -> bool:
        """Whether nothing is left to be said, chosen or looked at."""
        if event is Event.advance:
            stages, _ = self._following(row)
            return len(stages) == 1 and not self.made(row) and not self._looks_on(row, stages[0])
        if event is Event.digitise:
            return bool(row.missing == 0)
        return event is Event.route or (event is Event.accept and row.unit != row.agency)

    def _following(self, row: Any) -> tuple[tuple[int, ...], bool]:
        if not row.version:
            return (), True
        return self.book.procedure(row.procedure, row.version).onward(row.stage)

    def _looks_on(self, row: Any, stage: int) -> bool:
        """Whether the stage behind needs papers, or the present one the opinion of others."""
        stages = self.book.procedure(row.procedure, row.version).stages
        return bool(stages[stage].needs or stages[row.stage].consults)

    def made(self, row: Any) -> tuple[str, ...]:
        """The documents that the present stage must produce before it is left."""
        if not row.version or row.stage < 0:
            return ()
        stages = self.book.procedure(row.procedure, row.version).stages
        return tuple(stages[row.stage].produces)

    def act(self, row: Any, event: Event, **more: Any) -> Act:
        """The act, by whoever they are on this dossier. Raises `NotHeld`."""
        who = self.acting(row.agency)
        return Act(
            event=event,
            actor=who.person.id,
            role=who.role,
            at=self.at,
            on_behalf_of=who.acts_for,
            **more,
        )
