"""The ledger: the only writer of state.

A move is one transaction: read the row, `lifecycle.fire`, compare-and-swap on `seq`, and entry,
stage, clock and projection written together. Nothing here commits.
"""

from states.ledger.acts import Act, Lodging
from states.ledger.history import History, history
from states.ledger.outbox import read, unread
from states.ledger.pins import Book
from states.ledger.sets import move_all
from states.ledger.statements import WAKE
from states.ledger.turn import Taken
from states.ledger.verify import Fault, Report, replay, verify
from states.ledger.write import adopt, find, move, open_

__all__ = [
    "WAKE",
    "Act",
    "Book",
    "Fault",
    "History",
    "Lodging",
    "Report",
    "Taken",
    "adopt",
    "find",
    "history",
    "move",
    "move_all",
    "open_",
    "read",
    "replay",
    "unread",
    "verify",
]
