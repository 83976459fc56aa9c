"""The clock: when a dossier is due, what class it falls in, and why. Pure; time is passed in.

Everything is reckoned on one line of working minutes laid end to end (`Calendar`). A term, a hold,
a restart and an extension are additions on that line or on its days (`read`), and the same
reckoning tells its steps (`Reading.trace`). No other code adds days, in Python or in SQL.
"""

from states.clock.facts import Facts, Line, Policy, Verdict
from states.clock.reading import Reading, late_from, read, verdict_of
from states.clock.term import Kind, Term
from states.clock.worktime import Calendar
from states.clock.written import dump, restore

__all__ = [
    "Calendar",
    "Facts",
    "Kind",
    "Line",
    "Policy",
    "Reading",
    "Term",
    "Verdict",
    "dump",
    "late_from",
    "read",
    "restore",
    "verdict_of",
]
