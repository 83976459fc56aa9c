"""Reading files of other systems: XES, CSV and XLSX, by a map, into records."""

from states.intake.agencies import admitting
from states.intake.mapping import Map, load
from states.intake.reading import read
from states.intake.records import Activity, Note, Record, Refused
from states.intake.source import Limits
from states.intake.suggest import suggest

__all__ = [
    "Activity",
    "Limits",
    "Map",
    "Note",
    "Record",
    "Refused",
    "admitting",
    "load",
    "read",
    "suggest",
]
