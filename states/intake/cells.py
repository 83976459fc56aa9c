"""What one cell says: clean text, or a moment. Pure."""

import re
import unicodedata
from datetime import date, datetime, time, tzinfo

from states import letters

# Words that other systems print for nothing (one stood in the heading of a source of ours).
NULLS = frozenset({"null", "NULL", "Null", "none", "None", "NONE"})
YEARS = range(1900, 2200)
TIMED = ("%H", "%I", "%c", "%X")
# What cannot be kept, is no sign of any text, or shows other text than is kept. A cell of many
# lines has tabs and line ends.
STRANGE = re.compile(
    f"[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{letters.TURNING}{letters.HALF}\ufffe\uffff]"
)


class Unreadable(Exception):
    """This cell, and with it its dossier, cannot be imported. The message says why."""


def shown(text: str) -> str:
    """A stranger's text inside a sentence: short, quoted, no control characters."""
    return repr(text if len(text) <= 40 else text[:39] + "…")


def tidy(text: str) -> str:
    """A name as it is compared: NFC, each run of white space one space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def fold(text: str) -> str:
    """A word as it is compared."""
    return tidy(text).casefold()


def clean(name: str, text: str, longest: int) -> str:
    """A cell without the space around it, composed (NFC). Text that looks like a formula is text.
    Unreadable for what no text has, or shows as another, and for more than `longest` characters.
    """
    if len(text) > longest:
        raise Unreadable(f"{name}: {len(text):,} characters, more than {longest:,}")
    if why := strange(text):
        raise Unreadable(f"{name}: {why} in {shown(text)}; the file is damaged or not text")
    return unicodedata.normalize("NFC", text.strip())


def strange(text: str) -> str | None:
    """What of a text cannot stand in the ledger, if anything: where there is, it is no text."""
    if found := STRANGE.search(text):
        return "a NUL byte" if found[0] == "\0" else f"the sign U+{ord(found[0]):04X}"
    if letters.heaped(text):
        return f"more than {letters.HEAPED} marks on a letter"
    return None


def moment(text: str, formats: tuple[str, ...], zone: tzinfo, *, ends: bool = False) -> datetime:
    """A moment written in one of `formats` or in ISO 8601; without an offset it is `zone`'s.

    A date without a time begins its day; with `ends` it is the day's last minute, because
    what is promised for a day is not late before the day is over. ValueError if it is neither, or
    lies outside 1900 to 2199.
    """
    at, dated = _parsed(text, formats)
    if dated and ends:
        at = datetime.combine(at.date(), time(23, 59))
    if at.year not in YEARS:
        raise ValueError("a year outside 1900 to 2199")
    return at if at.tzinfo else at.replace(tzinfo=zone)


def _parsed(text: str, formats: tuple[str, ...]) -> tuple[datetime, bool]:
    """The moment, and whether it is a date only."""
    for form in formats:
        try:
            at = datetime.strptime(text, form)  # noqa: DTZ007 the zone is the map's
        except ValueError:
            continue
        return at, not any(part in form for part in TIMED)
    try:
        return datetime.combine(date.fromisoformat(text), time()), True
    except ValueError:
        return datetime.fromisoformat(text), False


def unclear(at: datetime) -> bool:
    """Whether this local time happened twice or never, as when summer time ends or begins."""
    return at.utcoffset() != at.replace(fold=1).utcoffset()
