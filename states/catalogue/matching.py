"""Procedures by a few letters of their name or code: without accents, in any case. Pure."""

from datetime import date
from functools import lru_cache

from states.catalogue import Catalogue
from states.catalogue.procedures import Procedure
from states.letters import plain

REMEMBERED = 8192  # names and codes: those of a province, in both languages
letters = lru_cache(REMEMBERED)(plain)
"""The plain letters of what a catalogue says again at every key that is struck."""


def in_force(book: Catalogue, on: date) -> list[Procedure]:
    """What binds on a day, by name."""
    of_day = (
        next((each.says() for each in versions if each.binds(on)), None)
        for versions in book.versions.values()
    )
    return sorted((each for each in of_day if each is not None), key=lambda e: letters(e.name.vi))


def matching(book: Catalogue, on: date, text: str = "", agency: str = "") -> list[Procedure]:
    """Those in force of which every word of the text begins a word of the name or the code."""
    words = plain(text).split()
    return [
        each
        for each in in_force(book, on)
        if agency in {"", each.agency} and all(_begun(word, each) for word in words)
    ]


def _begun(word: str, of: Procedure) -> bool:
    there = f" {letters(of.name.vi)} {letters(of.name.en)} {letters(of.code)}"
    return f" {word}" in there
