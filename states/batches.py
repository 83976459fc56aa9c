"""Many dossiers picked from a list, and one event for them all: foretold, and done by hundreds.

Each is judged as if it had come alone, by the rules and the rights for one; a postal clerk moves
each for its own agency. Nothing here commits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from states.files import attaching
from states.hands import OPENING, Hands
from states.ledger import Act
from states.ledger.acts import BRINGS, GROUNDED, OF_CHANGES, REASONED, by_a_change
from states.ledger.bulk import Bringing, Told, Wanted, derived, foretell_each, move_each
from states.ledger.many import among, present, with_visits
from states.ledger.statements import d
from states.people import NotHeld
from states.sentences import Sentence
from states.sight import Sight
from states.tables import Dossier
from states.words import Event

MOST = 1_000  # dossiers at once
HUNDRED = 100  # of them in one transaction
BY_HAND = frozenset(Event) - OF_CHANGES - OPENING - {Event.lapse, Event.adopt}
"""What somebody may do to many."""
LEAVING = frozenset({Event.advance, Event.return_result})
ASSUMED: dict[str, Any] = {"outcome": "approved", "amount": 1, "term": None}
"""What is not said yet, where it is only foretold: a term is as long as the procedure gives."""


class Picked(NamedTuple):
    """One dossier of a list; `seq`: as it was seen there."""

    code: str
    seq: int | None


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of all alike. `made`: the documents of the stage that each leaves are there."""

    event: Event
    reason: str | None = None
    ground: str | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    made: bool = False

    def asks(self) -> list[str]:
        """The names of what the event wants to be told."""
        return asked_of(self.event)

    def assumed(self) -> "Said":
        """The same with all that is still to be said, to foretell by."""
        lacking = {n: ASSUMED[n] for n in self.asks() if n in ASSUMED and n not in self.payload}
        reason, ground = self.reason or "…", self.ground or "…"
        return replace(
            self, reason=reason, ground=ground, payload=self.payload | lacking, made=True
        )


def asked_of(event: Event) -> list[str]:
    """What an event wants to be told beside the dossier: the names of the fields."""
    names = ["reason"] if event in REASONED else []
    names += ["ground"] if event in GROUNDED else []
    fields = BRINGS[event].model_fields if event in BRINGS else {}
    names += [name for name in (*ASSUMED, "channel") if name in fields]
    return names + (["made"] if event in LEAVING else [])


async def papers(
    db: AsyncConnection, picked: Iterable[Picked], sees: Sight
) -> dict[str, Dossier]:  # fmt: skip
    """Of those picked, the dossiers that may be seen, by code."""
    there = with_visits(among(d.code, {each.code for each in picked}) & sees.where())
    return {paper.code: paper for paper, _ in await present(db, there)}


async def foretell(
    db: AsyncConnection, hands: Hands, sees: Sight, picked: Sequence[Picked], said: Said
) -> list[tuple[Dossier | None, Told]]:
    """Each dossier as it stands, and what would become of it now: nothing is written."""
    there = await papers(db, picked, sees)
    every = [Picked(code, None) for code, _ in picked]  # as it stands, whatever was seen
    wanted = _wanted(hands, there, every, said.assumed(), None, 0)
    told = await foretell_each(
        db, hands.book, wanted, _why_not(hands), sees.where(), _bringing(db, hands, wanted)
    )
    return [(there.get(each.code), each) for each in told]


async def move_hundred(
    db: AsyncConnection,
    hands: Hands,
    sees: Sight,
    picked: Sequence[Picked],
    said: Said,
    key: str | None = None,
    first: int = 0,
) -> list[Told]:
    """Move them; `first`: the place of the first of them among all, from which its key is made."""
    there = await papers(db, picked, sees)
    wanted = _wanted(hands, there, picked, said, key, first)
    return await move_each(
        db, hands.book, wanted, _why_not(hands), sees.where(), _bringing(db, hands, wanted)
    )


def _wanted(
    hands: Hands,
    there: dict[str, Dossier],
    picked: Sequence[Picked],
    said: Said,
    key: str | None,
    first: int,
) -> list[Wanted]:
    told = {"reason": said.reason, "ground": said.ground}
    wanted = []
    for n, (code, seq) in enumerate(picked, first):
        its = {"key": key and derived(key, n), "seq": seq, **told}
        wanted.append(Wanted(code, _act(hands, there.get(code), said, its)))
    return wanted


def _act(hands: Hands, paper: Dossier | None, said: Said, its: dict[str, Any]) -> Act:
    leaves = paper is not None and said.made and said.event in LEAVING
    made = hands.made(paper) if leaves else ()
    payload = said.payload | ({"produced": list(made)} if made else {})
    if payload.get("term", "") is None:
        payload["term"] = _longest(hands, paper)
    try:
        if paper is not None:
            return hands.act(paper, said.event, payload=payload, **its)
    except NotHeld:  # told of the move: `may_not` says why
        pass
    who = hands.who
    return Act(event=said.event, actor=who.person.id, role=who.role, at=hands.at, **its)


def _longest(hands: Hands, paper: Dossier | None) -> str:
    if paper is None or not paper.version:
        return "1wd"
    return str(hands.book.procedure(paper.procedure, paper.version).extension.max or "1wd")


def _why_not(hands: Hands) -> Any:
    def why_not(paper: Dossier, event: Event) -> Sentence | None:
        return hands.may_not(paper) or by_a_change(event)

    return why_not


def _bringing(db: AsyncConnection, hands: Hands, wanted: Sequence[Wanted]) -> Bringing | None:
    takes = any(attaching.takes_files(each.act) for each in wanted)
    return partial(attaching.bringing, db, hands.book) if takes else None
