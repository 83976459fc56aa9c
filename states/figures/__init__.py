"""The figures: one projection of the ledger, read by every report."""

from states.figures.bieu06 import Bieu06, Row, bieu06
from states.figures.reporting import agencies_known

__all__ = ["Bieu06", "Row", "agencies_known", "bieu06"]
