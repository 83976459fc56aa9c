"""The figures: one projection of the ledger, read by every report."""

from states.figures.bieu06 import Bieu06, Row, agencies_known, bieu06

__all__ = ["Bieu06", "Row", "agencies_known", "bieu06"]
