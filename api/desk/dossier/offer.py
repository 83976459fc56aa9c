"""What is open now, the main act first, and why all else is closed. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime

from api.desk.dossier.case import Case, Field
from api.desk.dossier.fields import fields
from states import acting
from states.catalogue import Catalogue
from states.consultations.hearing import LEAVING, awaited_now
from states.figures.sheets import Both
from states.files import attaching
from states.folder import Folder
from states.ledger.acts import REASONED
from states.people import Caller
from states.sentences import Sentence
from states.words import Event

FORWARD = (
    *(Event.receive, Event.digitise, Event.route, Event.accept, Event.supplement, Event.pay),
    *(Event.advance, Event.return_result, Event.deliver),
)
"""What takes a dossier on its way: the first that is open is the main act."""
KEYS: dict[Event, str] = {
    Event.receive: "n",
    Event.digitise: "s",
    Event.route: "c",
    Event.accept: "i",
    Event.supplement: "b",
    Event.pay: "p",
    Event.advance: "v",
    Event.return_result: "k",
    Event.deliver: "d",
    Event.request_supplement: "y",
    Event.request_payment: "t",
    Event.extend: "x",
    Event.send_back: "l",
    Event.decline: "u",
    Event.withdraw: "w",
    Event.stop: "o",
    Event.reopen: "m",
}
"""The key of each event that people fire, in their order of use."""
MAIN = "a"  # the key of the main act, whatever it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An act that is open. `plain`: done by one click, as nothing must be said."""

    event: Event
    key: str
    main: bool
    plain: bool
    fields: list[Field]
    leads: Both | None


@dataclass(frozen=True, slots=True)
class Offers:
    """All of them; `alike` holds the reasons for what is closed, each with its events."""

    open: list[Offer]
    alike: list[tuple[Sentence, list[Event]]]

    def of(self, event: Event) -> Offer | None:
        return next((each for each in self.open if each.event is event), None)

    def why(self, event: Event) -> Sentence | None:
        """Why it is closed."""
        return next((why for why, events in self.alike if event in events), None)


def offers(
    book: Catalogue, folder: Folder, who: Caller | None, at: datetime, refused: Sentence | None
) -> Offers:
    """`who` is None for whom nothing is open, as `refused` says."""
    events = sorted(KEYS, key=lambda each: (each not in FORWARD, [*KEYS].index(each)))
    if who is None:
        return Offers([], [(refused or Sentence("nobody may"), events)])
    closed = _closed(book, folder, who, at)
    opened = [each for each in events if each not in closed]
    lacking = frozenset(each.code for each in folder.files if each.lacking)
    case = Case(book=book, paper=folder.paper, event=events[0], at=at, lacking=lacking)
    made = [_offer(replace(case, event=each), opened[0]) for each in opened]
    alike: dict[Sentence, list[Event]] = {}
    for event in events:
        if event in closed:
            alike.setdefault(closed[event], []).append(event)
    return Offers(made, list(alike.items()))


def _closed(
    book: Catalogue, folder: Folder, who: Caller, at: datetime
) -> dict[Event, Sentence]:  # fmt: skip
    """As it will be with the files that are attached, and once those asked have answered."""
    paper = attaching.foreseen(book, folder.paper, folder.attached())
    closed = acting.closed(book, paper, who, at)
    for event in LEAVING - closed.keys():
        if waits := awaited_now(book, paper, folder.consultations, at):
            closed[event] = waits
    return closed


def _offer(case: Case, first: Event) -> Offer:
    main = case.event is first and first in FORWARD
    asked = fields(case)
    return Offer(
        event=case.event,
        key=MAIN if main else KEYS[case.event],
        main=main,
        plain=case.event not in REASONED and not any(field.required for field in asked),
        fields=asked,
        leads=_leads(case),
    )


def _leads(case: Case) -> Both | None:
    """Where it takes the dossier, if that is one stage."""
    if case.event is not Event.advance or len(case.onward) != 1 or case.procedure is None:
        return None
    stage = case.procedure.stages[case.onward[0]]
    return Both(f"→ {stage.name.vi}", f"→ {stage.name.en}")
