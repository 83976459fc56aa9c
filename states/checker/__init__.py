"""A second opinion on an exported proof: what the clock said of a dossier, worked out again.

By hand, as it were: one day, one working minute at a time (`pencil`, `tracing`), from the document
alone (`document`). It imports nothing but Python's own library and shares no line with the clock,
the ledger or the catalogue: who doubts those can still read these.
"""

from states.checker.document import FORM, fault_of, seal, told
from states.checker.fault import Fault

__all__ = ["FORM", "Fault", "fault_of", "seal", "told"]
