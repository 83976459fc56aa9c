"""What a dossier is looked for by: its code, and who it is of.

A name is found without its accents, in any case and Unicode form; each word of it by its beginning.
The number of an identity card is kept nowhere: it is found by its HMAC, and only as a whole.
"""

import hmac
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from states.errors import BadInput
from states.finding.rows import LONGEST, Kind
from states.finding.terms import beginning, found
from states.ledger.acts import PHONE, SHORT, check_text

SHORTEST = 2  # letters or digits of a name; 3 of a code
NUMBER = re.compile(r"[0-9A-Z]{6,20}", re.ASCII)  # identity cards 9 or 12 digits, passports
CARD = re.compile(r"[0-9]{9}|[0-9]{12}|[A-Z][0-9]{7}", re.ASCII)
PARTED = re.compile(r"[\s.\-()]+")


def citizen(key: bytes, number: str) -> str:
    """The number of an identity card as it is kept: its HMAC-SHA-256. Raises `BadInput`.

    Written with blanks, points or dashes it is the same number.
    """
    plain = _plain(number)
    if not NUMBER.fullmatch(plain):
        raise BadInput("citizen_id must be 6 to 20 digits or capitals, as on the identity card")
    return hmac.digest(key, plain.encode(), "sha256").hex()


def _plain(text: str) -> str:
    return PARTED.sub("", unicodedata.normalize("NFKC", text)).upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is known of a dossier; all of it must hold. `text`: one box, for any one of these."""

    text: str | None = None
    code: str | None = None
    name: str | None = None
    citizen: str | None = None
    phone: str | None = None

    @property
    def personal(self) -> bool:
        """Whether somebody is looked for, and not a code alone."""
        return any((self.text, self.name, self.citizen, self.phone))

    def any_of(self, key: bytes) -> list[Any]:
        """As conditions of which one must hold; none where nothing was asked. Raises `BadInput`."""
        told = {n: getattr(self, n) for n in ("text", "code", "name", "citizen", "phone")}
        for name, text in told.items():
            check_text(name, text, SHORT)
        ways = {"code": _code, "name": _name, "phone": _phone}
        every = [of(told[name]) for name, of in ways.items() if told[name] is not None]
        if self.citizen is not None:
            every.append(found(Kind.citizen, citizen(key, self.citizen)))
        if self.text is None:
            return [sa.and_(*every)] if every else []
        if not (guessed := list(_guessed(self.text, key))):
            raise BadInput("search for a name of two letters, three signs of a code, or a number")
        return [sa.and_(guess, *every) for guess in guessed]


def _guessed(text: str, key: bytes) -> Iterator[Any]:
    """What a text in the one box may be: a number several things, a word a name or a code."""
    plain = _plain(text)
    if any(each.isdigit() for each in plain):
        if len(plain) > SHORTEST:
            yield _code(text)
        if PHONE.fullmatch(plain):
            yield _phone(plain)
        if CARD.fullmatch(plain):
            yield found(Kind.citizen, citizen(key, plain))
    if any(each.isalpha() for each in plain) and _letters(text) >= SHORTEST:
        yield _name(text)


def _letters(text: str) -> int:
    return sum(each.isalnum() for each in unicodedata.normalize("NFKC", text))


def _code(text: str) -> Any:
    typed = unicodedata.normalize("NFKC", text).strip()
    if len(typed) <= SHORTEST:
        raise BadInput("code must have three signs at least: all that begin with them are found")
    begins = sa.func.left(sa.func.upper(typed), LONGEST)
    escaped = sa.func.regexp_replace(begins, r"([%_\\])", r"\\\1", "g")
    return beginning(Kind.code, escaped)


def _name(text: str) -> Any:
    if _letters(text) < SHORTEST:
        raise BadInput("name must have two letters at least")
    folded = sa.func.left(sa.func.hoso_folded(sa.cast(text, sa.Text)), LONGEST)
    return beginning(Kind.applicant, folded) & (folded != "")


def _phone(text: str) -> Any:
    if not PHONE.fullmatch(_plain(text)):
        raise BadInput("phone must be 8 to 15 digits, with + before them or not")
    return found(Kind.phone, sa.func.hoso_dialled(sa.cast(_plain(text), sa.Text)))
