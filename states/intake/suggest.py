"""A first map for a file nobody has described yet: guessed from its names and the kinds of its
values, and written as YAML with what is unsure beside it. A person reads it before it is used.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from states.errors import BadFile
from states.intake.guesses import CHANNELS, EVENT, FIELDS, OUTCOMES, zone_of
from states.intake.mapping import TO_FILL
from states.intake.sampling import Column, Seen, look
from states.letters import plain

BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(:[A-Za-z0-9_]+)*")
EMPTY = {"EMPTY", "UNKNOWN", "-", "N/A"}
MOMENTS = ("received", "due", "finished", "delivered")
TEXTS = ("procedure", "agency", "unit", "person", "applicant")
CONTACTS = ("phone", "email", "citizen_id")
FEW = 30  # words in a column of words
WORDS = {"channel": CHANNELS, "outcome": OUTCOMES}
ASKED = ("agency", "procedure")  # of whoever imports, where the file does not say


def suggest(path: Path) -> str:
    """A map for this file as YAML text, which `hoso import --map` takes once what only a person
    knows is filled in. BadFile if the file cannot be begun, or shows no code or no date that could
    be a receipt.
    """
    seen = look(path)
    event = _event(seen)
    found = _dossier(seen, event)
    used = [*found.values(), *event.values()]
    rest = [name for name in seen.own if name not in used]
    columns = [seen.own.get(name) or seen.its[name] for name in used]
    lines = [
        f"# A guess from the first {seen.rows:,} rows. Read it, correct it, then import with it.",
        *_form(seen, columns, log=bool(event)),
        "",
        *_fields(seen, found, log=bool(event)),
    ]
    if rest and (seen.nested or not event):
        lines += ["# What else there is, kept with the dossier as text:"]
        lines += [f"keep: [{', '.join(map(_quoted, rest))}]"]
    if event:
        lines += ["", "event:", *(f"  {key}: {_quoted(name)}" for key, name in event.items())]
    return "\n".join(lines) + "\n"


def _event(seen: Seen) -> dict[str, str]:
    """The columns of an event, by our names; none if a row is a dossier."""
    free = dict(seen.its)
    if not seen.nested:  # in a table an event's name must not be taken from the dossier's code
        code = _guess(FIELDS["code"], free.values(), dated=False)
        if code is None or free[code].unique:
            return {}
        del free[code]
    found: dict[str, str] = {}
    for key, words in EVENT.items():
        if name := _guess(words, free.values(), dated=key == "at"):
            found[key] = name
            del free[name]
    return found if {"name", "at"} <= found.keys() else {}


def _dossier(seen: Seen, event: dict[str, str]) -> dict[str, str]:
    free = dict(seen.own)
    if not seen.nested:
        free = {name: column for name, column in free.items() if name not in event.values()}
    found: dict[str, str] = {}

    def take(key: str, words: Iterable[str], dated: bool) -> None:
        if name := _guess(words, free.values(), dated=dated):
            found[key] = name
            del free[name]

    take("code", FIELDS["code"], dated=False)
    # The planned end and the day of delivery have the longer names, which the end's would match.
    for key in ("due", "delivered", "received", "finished"):
        take(key, FIELDS[key], dated=True)
    for key in (*WORDS, *TEXTS, *CONTACTS):
        take(key, FIELDS[key], dated=False)
    if "code" not in found:
        alone = [name for name, column in free.items() if column.unique and not column.dated]
        found["code"] = _first(alone, seen, "a code, different in each row")
    if "received" not in found and not event:
        dated = [name for name, column in free.items() if column.dated]
        found["received"] = _first(dated, seen, "a date of receipt")
    if "delivered" in found and "finished" not in found:
        found["finished"] = found.pop("delivered")
    return found


def _guess(words: Iterable[str], columns: Iterable[Column], *, dated: bool) -> str | None:
    """The column whose name is one of the words, else contains one; the surest word first."""
    named = [
        (f" {plain(column.name)} ", column.name) for column in columns if column.dated == dated
    ]
    wanted = [f" {word} " for word in words]
    for word in wanted:
        for bare, name in named:
            if bare == word:
                return name
    for word in wanted:
        for bare, name in named:
            if word in bare:
                return name
    return None


def _first(names: list[str], seen: Seen, what: str) -> str:
    if not names:
        there = ", ".join(list(seen.own)[:40])
        why = f"no column looks like {what}; it has: {there}"
        raise BadFile(str(seen.source.path), None, None, why)
    return names[0]


def _form(seen: Seen, columns: list[Column], *, log: bool) -> Iterator[str]:
    zone, why = zone_of({offset for column in columns for offset in column.offsets})
    yield f"kind: {'log' if log else 'dossiers'}"
    yield f"zone: {zone} # {why}"
    yield f"calendar: {'nl' if zone == 'Europe/Amsterdam' else 'vn'}"
    if seen.source.encoding:
        yield f"encoding: {seen.source.encoding} # not UTF-8; check a few names with accents"
    if seen.source.header > 1:
        yield f"header: {seen.source.header} # the row that holds the names"
    formats = dict.fromkeys(form for column in columns for form in column.formats if form)
    if formats:
        yield f"dates: [{', '.join(json.dumps(form) for form in formats)}] # day or month first?"
    if empty := sorted({word for column in columns for word in EMPTY & column.values.keys()}):
        yield f"nothing: [{', '.join(map(_quoted, empty))}] # words that mean an empty cell"


def _fields(seen: Seen, found: dict[str, str], *, log: bool) -> Iterator[str]:
    yield f"code: {_quoted(found['code'])}"
    for key in MOMENTS:
        if key in found:
            yield f"{key}: {_quoted(found[key])}"
        elif key == "received":
            yield "received: {event: first} # no column of it: the first event of each dossier"
        elif key == "finished" and log:
            yield "# finished: {event: last, named: [the event that ends a dossier]}"
        else:
            yield f"# {key}: no column of it was found"
    for key, words in WORDS.items():
        if key in found:
            yield from _worded(key, seen.own[found[key]], words)
    yield from _texts(found)


def _texts(found: dict[str, str]) -> Iterator[str]:
    for key in TEXTS:
        if key in found:
            yield f"{key}: {_quoted(found[key])}"
        elif key in ASKED:
            yield f'{key}: {{default: "{TO_FILL}"}} # not in the file: write yours instead'
    yield "# other_agencies: true # lets in agencies that the catalogue does not have"
    for key in CONTACTS:
        if key in found:
            yield f"{key}: {_quoted(found[key])}"
    if "citizen_id" in found:
        yield "# of the number of an identity card only a keyed hash is kept, to find it by"


def _worded(key: str, column: Column, known: dict[str, tuple[str, ...]]) -> Iterator[str]:
    """A column of a few words, each with ours."""
    told = {f" {word} ": ours for ours, theirs in known.items() for word in theirs}
    ours = {
        value: next((told[word] for word in told if word in f" {plain(value)} "), None)
        for value in column.values
    }
    if len(ours) > FEW or not any(ours.values()):
        yield f"# {key}: perhaps {_quoted(column.name)}, but its words say nothing to us"
        return
    yield from (f"{key}:", f"  from: {_quoted(column.name)}", "  words:")
    for value, word in ours.items():
        if word:
            yield f"    {_quoted(value)}: {word}"
        else:
            yield f"    # {_quoted(value)}: one of {', '.join(known)}; refused until you say"


def _quoted(name: str) -> str:
    if BARE.fullmatch(name) and name not in {"null", "true", "false"}:
        return name
    return json.dumps(name, ensure_ascii=not name.isprintable())
