"""Personal data as they are told to whoever need not know them. Pure."""

import unicodedata
from typing import Any


def masked(row: dict[str, Any], *, full: bool) -> dict[str, Any]:
    """A row whose applicant and phone are told whole, or so far as to tell two rows apart."""
    if full:
        return row
    return row | {"applicant": name(row["applicant"]), "phone": phone(row["phone"])}


def name(text: str) -> str:
    """Nguyễn Thị Ánh is Nguyễn T. Á.; what has one word only, its first letter."""
    words = unicodedata.normalize("NFC", text).split()
    if not words:
        return ""
    first = words[0] if len(words) > 1 else f"{words[0][0]}."
    return " ".join([first, *(f"{word[0]}." for word in words[1:])])


def phone(text: str | None) -> str | None:
    """Its last three digits."""
    return None if text is None else f"…{text[-3:]}"
