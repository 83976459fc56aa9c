"""Breaches: what was missed, who had it, how long it took them, and what was said of it."""
