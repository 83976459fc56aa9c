"""A year of a one-stop centre, told as data and lived through the ledger.

The plan (`config/sample/pilot.yaml`) says how many dossiers come, by which channel, and how long
each unit takes against the date it promised. The story makes of it what people do, day by day.
Nothing here knows a class or a sum: those come out of the clock when the year is lived.
"""

from states.pilot.plan import Course, Plan, load
from states.pilot.progress import lived
from states.pilot.story import Chain, Day, Step, story

__all__ = ["Chain", "Course", "Day", "Plan", "Step", "lived", "load", "story"]
