"""Who has how much in hand, for rules of routing that send work to who has least."""

from sqlalchemy.ext.asyncio import AsyncConnection

from states.ledger import statements
from states.ledger.acts import Act
from states.ledger.pins import Book
from states.tables import Dossier
from states.words import Event

ROUTED = {Event.route, Event.advance, Event.send_back, Event.reopen}


async def in_hand(db: AsyncConnection) -> dict[str, int]:
    """How many open visits each person has."""
    return {row.person: row.visits for row in await db.execute(statements.IN_HAND)}


def balances(book: Book, paper: Dossier, act: Act) -> bool:
    """Whether a rule of routing may ask who has least in hand."""
    if act.event not in ROUTED:
        return False
    if not paper.version:  # taken over: it goes into a stage of ours when it is reopened
        return act.event is Event.reopen
    stages = book.procedure(paper.procedure, paper.version).stages
    return any(rule.least_loaded for stage in stages for rule in stage.routes)
