"""The nightly proof: that every projection is what its lines say, and every balance balances."""

from states.proof.findings import every, see
from states.proof.proving import SHARE, Proof, prove

__all__ = ["SHARE", "Proof", "every", "prove", "see"]
