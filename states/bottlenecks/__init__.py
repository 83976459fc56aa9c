"""Where dossiers get stuck: the ways they take, what is done twice, and what only waits.

Of our own dossiers by their lines and visits, of those that were taken over by the history that
their system told. Postgres chooses and counts; working minutes are asked of the calendar.
"""

from states.bottlenecks.reworking import Repeated, Returned, Revisited, Rework, rework
from states.bottlenecks.scope import Scope
from states.bottlenecks.taking import Spread, Stage, Times, times
from states.bottlenecks.ways import Variant, Variants, variants

__all__ = [
    "Repeated",
    "Returned",
    "Revisited",
    "Rework",
    "Scope",
    "Spread",
    "Stage",
    "Times",
    "Variant",
    "Variants",
    "rework",
    "times",
    "variants",
]
