"""Which moves of the lifecycle can happen to the dossiers of one version. Pure."""

from collections.abc import Iterator

from api.desk.names import EVENTS, ROLES, STATES
from api.desk.voice import Voice
from states.catalogue.procedures import Procedure
from states.drawing import ITSELF
from states.lifecycle import NEW, ROWS, Move, moves
from states.words import Event, Role, State

Pairs = dict[tuple[State, State], list[Event]]
QUIET = frozenset({*ITSELF, Event.adopt})  # no clerk's move from one state to another
OF = {row: event for event in Event for row in moves(event)}


def _rows(version: Procedure) -> Iterator[Move]:
    """The rows that some dossier of it may take: none is asked to supplement where none may be."""
    asked = version.supplement.times > 0
    lodged = set(version.channels.come) & {"online", "post"}
    for row in ROWS:
        waits = State.awaiting_supplement in {row.source, row.dest}
        first = State.registered in {row.source, row.dest}
        if OF[row] in QUIET or (waits and not asked) or (first and not lodged):
            continue
        yield row


def possible(version: Procedure) -> Pairs:
    """Events by the states they lead from and to; none from a state to itself, or from nothing."""
    pairs: Pairs = {}
    for row in _rows(version):
        if row.source in {NEW, row.dest}:
            continue
        events = pairs.setdefault((State(row.source), State(row.dest)), [])
        if OF[row] not in events:
            events.append(OF[row])
    return pairs


def lead(pairs: Pairs, source: State, dest: State) -> list[Event]:
    return pairs.get((source, dest), [])


def told(version: Procedure, voice: Voice) -> list[tuple[str, str, str, str]]:
    """Every such move in words: what, from where, to where, by whom. Rows that differ in their
    source only are one.
    """
    alike: dict[tuple[Event, str, frozenset[Role]], list[str]] = {}
    for row in _rows(version):
        sources = alike.setdefault((OF[row], row.dest, row.by), [])
        if row.source not in sources:
            sources.append(row.source)
    return [
        (
            voice.called(EVENTS[event]),
            ", ".join(_state(each, voice) for each in sources),
            _state(dest, voice),
            ", ".join(voice.called(ROLES[role]) for role in Role if role in by),
        )
        for (event, dest, by), sources in alike.items()
    ]


def _state(state: str, voice: Voice) -> str:
    return voice.say("(mới)", "(new)") if state == NEW else voice.called(STATES[State(state)])
