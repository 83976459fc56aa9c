"""How a page speaks: its language, its numbers, its days."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from starlette.requests import HTTPConnection

from api.spoken import liked
from states.clock.words import Lang
from states.figures.periods import ZONE
from states.sentences import Sentence
from states.tongues import said

COOKIE = "hoso-lang"
WEEKDAYS = (
    ("thứ Hai", "Monday"),
    ("thứ Ba", "Tuesday"),
    ("thứ Tư", "Wednesday"),
    ("thứ Năm", "Thursday"),
    ("thứ Sáu", "Friday"),
    ("thứ Bảy", "Saturday"),
    ("Chủ nhật", "Sunday"),
)


def chosen(request: HTTPConnection) -> Lang:
    """The language somebody chose here; else the one their browser likes; else Vietnamese."""
    for said_ in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if said_ in set(Lang):
            return Lang(said_)
    return liked(request.headers.get("accept-language", "")) or Lang.vi


@dataclass(frozen=True, slots=True)
class Voice:
    """One reader's language; `zone`: where the office stands."""

    language: Lang
    zone: tzinfo = ZONE

    def say(self, vi: str, en: str) -> str:
        return vi if self.language is Lang.vi else en

    def called(self, both: Any) -> str:
        """Whatever has a name in both languages: a `Both`, or an object whose `name` is one."""
        named = getattr(both, "name", both)
        return self.say(named.vi, named.en)

    def told(self, what: Sentence | str) -> str:
        """A sentence of the house, such as a refusal."""
        return said(what, self.language) if isinstance(what, Sentence) else str(what)

    def count(self, number: int) -> str:
        """1.700 in Vietnamese, 1,700 in English."""
        return self._marks(f"{number:,}")

    def percent(self, rate: float | None) -> str:
        return "–" if rate is None else self._marks(f"{rate:,.2f}") + " %"

    def day(self, on: date | datetime | None) -> str:
        if on is None:
            return "–"
        return f"{on.astimezone(self.zone) if isinstance(on, datetime) else on:%d/%m/%Y}"

    def moment(self, at: datetime | None) -> str:
        return "–" if at is None else f"{at.astimezone(self.zone):%d/%m/%Y %H:%M}"

    def weekday(self, on: date | datetime) -> str:
        there = on.astimezone(self.zone) if isinstance(on, datetime) else on
        return self.say(*WEEKDAYS[there.weekday()])

    def _marks(self, text: str) -> str:
        return text.translate(str.maketrans(",.", ".,")) if self.language is Lang.vi else text
