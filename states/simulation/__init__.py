"""Simulation on history: what is closed, read again by the clock under a draft.

An agency sees what a shorter term, another policy or another calendar would have made of the
dossiers it has had, before the draft binds anyone. Nothing is written.
"""

from states.simulation.results import (
    AFTER,
    BEFORE,
    CLASSES,
    Disallowed,
    LeftOut,
    Matrix,
    Reread,
    Simulation,
    StageCount,
    in_time,
    shifts,
    together,
    totals,
)
from states.simulation.rules import shortened
from states.simulation.running import may_try, simulate
from states.simulation.telling import as_dict

__all__ = [
    "AFTER",
    "BEFORE",
    "CLASSES",
    "Disallowed",
    "LeftOut",
    "Matrix",
    "Reread",
    "Simulation",
    "StageCount",
    "as_dict",
    "in_time",
    "may_try",
    "shifts",
    "shortened",
    "simulate",
    "together",
    "totals",
]
