"""Deadlines watched: what comes near, what is missed, what stays missed; each told once."""

from states.deadlines.looking import Book
from states.deadlines.sweeping import sweep

__all__ = ["Book", "sweep"]
