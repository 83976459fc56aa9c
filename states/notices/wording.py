"""A fact in words: a template filled in somebody's language, safe to be sent as it is. Pure.

Values are plain text. What a stranger typed may hold line ends, control characters or signs that
turn the direction of writing: none of them reaches a message.
"""

import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from states.catalogue.templates import PLACE, Language, Short, Template
from states.errors import Unknown
from states.notices.facts import Concern, Fact
from states.words import NATIONAL, Outcome, Role

NOTHING = "–"
LONGEST = 500  # characters of a value: a reason may have 2,000
TITLE = 200  # characters of a subject
# What turns or hides text: bidirectional embeddings, overrides and isolates, byte order marks.
UNSEEN = {"\u200e", "\u200f", "\u061c", "\ufeff", *map(chr, range(0x202A, 0x202F))}
UNSEEN |= {*map(chr, range(0x2066, 0x206A)), "\u2028", "\u2029", "\u2060"}
OUTCOMES: dict[str, dict[str, str]] = {
    "vi": {Outcome.approved: "đồng ý", Outcome.refused: "không đồng ý"},
    "en": {Outcome.approved: "approved", Outcome.refused: "refused"},
}
ROLES: dict[str, dict[str, str]] = {
    "vi": {
        Role.reception: "cán bộ một cửa",
        Role.postal: "nhân viên bưu chính",
        Role.officer: "cán bộ giải quyết",
        Role.leader: "lãnh đạo",
        Role.control: "cán bộ kiểm soát thủ tục",
    },
    "en": {role: str(role) for role in Role},
}
KINDS = {
    "vi": {
        "alert": "sắp đến hạn",
        "breach": "quá hạn",
        "escalation": "quá hạn kéo dài",
        "reminder": "chờ giải trình",
    },
    "en": {
        "alert": "due soon",
        "breach": "late",
        "escalation": "late for long",
        "reminder": "to be explained",
    },
}


class Names(Protocol):
    """What the catalogue calls things."""

    @property
    def zone(self) -> ZoneInfo:
        """Of the moments told."""

    def procedure(self, code: str, version: int | None = None) -> Any:
        """Raises `Unknown`."""

    @property
    def organisation(self) -> Any:
        """Bodies and people."""

    @property
    def rules(self) -> Any:
        """Rules by which alerts come."""


def clean(text: str, longest: int = LONGEST) -> str:
    """One line of visible text."""
    flat = (
        " " if unicodedata.category(each) in {"Cc", "Zl", "Zp"} else each
        for each in unicodedata.normalize("NFC", text[: 4 * longest])
        if each not in UNSEEN and unicodedata.category(each) not in {"Cs", "Co", "Cn"}
    )
    return cut(" ".join("".join(flat).split()), longest)


def cut(text: str, longest: int) -> str:
    """At most so many characters, none of them half."""
    if len(text) <= longest:
        return text
    at = longest - 1
    while at > 0 and (unicodedata.combining(text[at]) or text[at] in "\u200d\ufe0f"):
        at -= 1
    return text[:at].rstrip() + "…"


def plain(text: str) -> str:
    """Vietnamese without its accents, as old telephones read it."""
    apart = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return unicodedata.normalize("NFC", "".join(c for c in apart if not unicodedata.combining(c)))


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with its values. What stands in a value is not looked at again."""
    return PLACE.sub(lambda found: values[found[1]], text)


class Wording:
    """Fills templates; what the catalogue calls things is looked up once."""

    def __init__(self, book: Names, sms: Short) -> None:
        self._book, self._sms = book, sms
        self._known: dict[tuple[str, ...], str] = {}

    def values(self, fact: Fact, language: Language, concern: Concern | None) -> dict[str, str]:
        """Every placeholder's value."""
        told = {
            "code": fact.code,
            "procedure": self._procedure(fact, language),
            "agency": self._body(fact.agency, language),
            "unit": self._body(fact.unit, language),
            "counter": self._body(fact.counter, language),
            "person": self._person(fact.person),
            "applicant": clean(fact.applicant, 200) or NOTHING,
            "state": _state(fact, language),
            "at": self._moment(fact.at),
            "received": self._moment(fact.received),
            "due": self._moment(fact.due),
        }
        if not fact.of_line:
            return told | {
                "rule": self._rule(fact.rule or "", language),
                "what": KINDS[language].get(fact.what or "", NOTHING),
                "why": self._why(concern, language) if concern else NOTHING,
            }
        return told | {
            "due_before": self._moment(fact.due_before),
            "due_first": self._moment(fact.due_first),
            "reason": clean(fact.reason or "") or NOTHING,
            "ground": clean(fact.ground or "") or NOTHING,
            "until": self._moment(fact.until),
            "amount": _amount(fact.amount, language),
            "outcome": OUTCOMES[language].get(fact.outcome or "", NOTHING),
        }

    def said(
        self, template: Template, way: str, language: Language, values: Mapping[str, str]
    ) -> tuple[str, str]:
        """Subject and body."""
        subject = ""
        if template.subject is not None:
            subject = cut(filled(getattr(template.subject, language), values), TITLE)
        if way == "sms":
            body = filled(getattr(template.short, language), values).strip()
            return subject, cut(body if self._sms.accents else plain(body), self._sms.longest)
        return subject, filled(getattr(template.text, language), values).strip()

    # Names ---------------------------------------------------------------------------------

    def _once(self, key: tuple[str, ...], look: Callable[[], Any], language: Language) -> str:
        if key not in self._known:
            try:
                self._known[key] = clean(getattr(look().name, language), 200)
            except Unknown:
                self._known[key] = clean(key[0]) or NOTHING
        return self._known[key]

    def _procedure(self, fact: Fact, language: Language) -> str:
        code, version = fact.procedure, fact.version
        key = (code, "procedure", str(version), language)
        return self._once(key, lambda: self._book.procedure(code, version or None), language)

    def _body(self, code: str, language: Language) -> str:
        look = self._book.organisation.body
        return self._once((code, "body", language), lambda: look(code), language)

    def _rule(self, code: str, language: Language) -> str:
        def look() -> Any:
            rules = getattr(self._book.rules, "rules", ())
            if (found := next((each for each in rules if each.code == code), None)) is None:
                raise Unknown
            return found

        return self._once((code, "rule", language), look, language)

    def _person(self, person: str | None) -> str:
        if person is None:
            return NOTHING
        known = self._book.organisation.by_id.get(person)
        return clean(known.name if known else person, 200) or NOTHING

    def _why(self, concern: Concern, language: Language) -> str:
        """In what capacity somebody is told; in English with the sentence of the alert."""
        role = ROLES[language].get(concern.role or "")
        unit = self._body(concern.unit, language) if concern.unit else None
        place = " – ".join(filter(None, (role, unit)))
        if language == "en" and concern.why:
            return clean(f"{concern.why} ({place})" if place else concern.why)
        return place or NOTHING

    def _moment(self, at: datetime | None) -> str:
        return NOTHING if at is None else f"{at.astimezone(self._book.zone):%H:%M %d/%m/%Y}"


def _state(fact: Fact, language: Language) -> str:
    return NATIONAL[fact.state][0] if language == "vi" else fact.state.replace("_", " ")


def _amount(amount: int | None, language: Language) -> str:
    if amount is None:
        return NOTHING
    return f"{amount:,} VND" if language == "en" else f"{amount:,} đồng".replace(",", ".")
