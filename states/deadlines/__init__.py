"""Deadlines watched: what is warned of and what is breached, each told once."""

from states.deadlines.sweeping import sweep

__all__ = ["sweep"]
