"""A term in the words of a form, and what is typed in such words as a text has it. Pure."""

import re

from states.catalogue.difference.values import length
from states.clock import Term
from states.clock.words import Lang
from states.errors import BadInput
from states.letters import plain

AMOUNT = re.compile(r"(?P<number>[0-9]{1,9}(?:[.,][0-9]{1,4})?)\s*(?P<unit>.*)", re.ASCII)
SAME_DAY = re.compile(r"(?:trong|the same|same) ?(?:ngay|day)(?P<rest>.*)")
HOUR = re.compile(r".*\b(?P<hour>[01]?[0-9]|2[0-3]) (?P<minute>[0-5][0-9])")
UNITS = {
    "wd": {"ngay lam viec", "working day", "working days"},
    "cd": {"ngay", "ngay lich", "day", "days", "calendar day", "calendar days"},
    "wh": {"gio", "gio lam viec", "hour", "hours", "working hour", "working hours"},
}
NONE = {"khong quy dinh thoi han", "khong quy dinh", "no term"}


def in_words(text: str, lang: Lang) -> str:
    """`15wd` as `15 ngày làm việc`; what is no term as it is."""
    try:
        term = Term.parse(text)
    except BadInput:
        return text
    return length(term)[lang is Lang.en]


def typed(text: str) -> str:
    """`15 ngày làm việc` as `15wd`; what is not understood as it is, for the checker to refuse."""
    bare = plain(text)
    if bare in NONE:
        return "none"
    if found := SAME_DAY.fullmatch(bare):
        at = HOUR.fullmatch(found["rest"])
        said = f"sameday@{int(at['hour']):02}:{at['minute']}" if at else "sameday"
        return said if at or not found["rest"] else text
    if found := AMOUNT.fullmatch(text.strip()):
        unit = plain(found["unit"])
        for code, names in UNITS.items():
            if unit in names:
                return found["number"].replace(",", ".") + code
    return text
