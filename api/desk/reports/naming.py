"""What a cell of a report is called in the reader's language.

Reports name what they tell of in Vietnamese, as on paper; here its English name is looked up.
"""

from collections.abc import Callable
from typing import Any

from api.desk import names
from api.desk.voice import Voice
from states.breaches.attribution import Kind as Holds
from states.catalogue import Catalogue, Unit
from states.clock.words import Lang
from states.figures import reporting
from states.figures.sheets import Both, Called, Column, Kind
from states.suspicions.counting import RULES
from states.words import Channel, Event, Role

HOLDERS: dict[str, Both] = {
    Holds.reception: Both("bộ phận Một cửa", "the counter"),
    Holds.post: Both("bưu chính", "the post"),
    Holds.unit: Both("đơn vị giải quyết", "the unit"),
    Holds.other_agency: Both("cơ quan khác", "another agency"),
    Holds.citizen: Both("công dân", "the citizen"),
    Holds.nobody: Both("đã có kết quả", "nobody: there is a result"),
    "others": Both("khác", "others"),
}
VERDICTS: dict[str, Both] = {
    "met": Both("đạt", "met"),
    "not_met": Both("không đạt", "not met"),
    "not_yet": Both("chưa đạt", "not yet met"),
    "no_target": Both("không có chỉ tiêu", "no target"),
    "not_in_data": Both("không có dữ liệu", "not in the data"),
}
LEVELS = {"province": "province", "district": "district", "commune": "commune"}
WHOLE = {"Toàn tỉnh": "The province"}
KPIS = {
    "k1": "K1 Procedures with dossiers by post",
    "k2": "K2 Dossiers received by post",
    "k3": "K3 Results returned by post",
    "k4": "K4 Eligible post points",
    "k5": "K5 Agencies with an agreement in force",
    "k6": "K6 Communes informed",
    "k7": "K7 The year's report made in time",
}


def shown(book: Catalogue, voice: Voice, column: Column, value: Any) -> str:
    """A cell as its reader reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return voice.say("có" if value else "không", "yes" if value else "no")
    if isinstance(value, int | float):
        return number(voice, column.kind, value)
    if column.kind in {Kind.moment, Kind.day}:
        return voice.moment(value) if column.kind is Kind.moment else voice.day(value)
    if isinstance(value, Called):
        return called(book, voice, column.key, value)
    return one_of(voice, str(value)) if column.kind is Kind.called else str(value)


def number(voice: Voice, kind: Kind, value: float) -> str:
    """1.700, 98,20 %, 12h30."""
    if kind is Kind.percent:
        return voice.percent(value)
    if kind is Kind.minutes:
        sign, minutes = "-" if value < 0 else "", round(abs(value))
        return f"{sign}{voice.count(minutes // 60)}h{minutes % 60:02}"
    if kind is Kind.decimal or isinstance(value, float):
        marks = str.maketrans(",.", ".,") if voice.language is Lang.vi else {}
        return f"{value:,.1f}".translate(marks)
    return voice.count(value)


def called(book: Catalogue, voice: Voice, key: str, value: Called) -> str:
    """A name with a code, in one language."""
    code = value.code or ""
    if (both := _ours(key, code)) is not None:
        return voice.called(both)
    if voice.language is Lang.vi or not code:
        return one_of(voice, WHOLE.get(value, value) if voice.language is Lang.en else value)
    return _english(book, key, code) or one_of(voice, str(value))


def one_of(voice: Voice, text: str) -> str:
    """Of what is said in both languages, "Tổng / Total", the reader's."""
    vi, between, en = text.partition(" / ")
    return voice.say(vi, en) if between else text


def procedures(book: Catalogue, voice: Voice) -> Callable[[str], str]:
    """What procedures are called, for a list of dossiers; one that nobody knows, by its code."""

    def named(code: str) -> str:
        return voice.called(book.procedure(code)) if code in book.versions else code

    return named


def bodies(book: Catalogue, voice: Voice) -> Callable[[str | None], str]:
    """What agencies and units are called, with whose they are."""

    def named(code: str | None) -> str:
        if not code:
            return "–"
        if voice.language is Lang.en:
            return body(book, code) or code
        return str(reporting.called(book, "unit", code))

    return named


def _ours(key: str, code: str) -> Both | None:
    """What the desk has a word for."""
    if key == "role" and code in set(Role):
        return names.ROLES[Role(code)]
    if key == "channel" and code in set(Channel):
        return names.CHANNELS[Channel(code)]
    if key == "holder":
        return HOLDERS.get(code)
    if key == "rule" and code in RULES:
        return RULES[code].title
    return VERDICTS.get(code) if key == "verdict" else None


def _english(book: Catalogue, key: str, code: str) -> str | None:
    if key == "kpi":
        return KPIS.get(code)
    if key == "level":
        return LEVELS.get(code)
    if key == "field":
        its = (each.name.en for each in book.organisation.fields if each.code == code)
        return next(its, None)
    if key == "procedure":
        return str(book.procedure(code).name.en) if code in book.versions else None
    if key in {"stage", "activity"}:
        return stage(book, code)
    return body(book, code)


def body(book: Catalogue, code: str) -> str | None:
    """An agency's name; a unit's with its agency's, since many agencies call theirs alike."""
    bodies = book.organisation.bodies
    found = bodies.get(code)
    if found is None:
        return None
    whose = bodies.get(found.agency) if isinstance(found, Unit) else None
    if whose is None or whose.name.en in found.name.en:
        return str(found.name.en)
    return f"{found.name.en} – {whose.name.en}"


def stage(book: Catalogue, told: str) -> str | None:
    """A stage by its English name in the first procedure that has it, and what was done in it."""
    event, _, code = told.partition(" ")
    if event not in set(Event):
        event, code = "", told
    its = (
        one.name.en
        for versions in book.versions.values()
        for one in versions[-1].says().stages
        if one.code == code
    )
    name = next(its, code)
    if not event:
        return str(name)
    done = names.EVENTS[Event(event)].en
    return f"{done}: {name}" if name else done
