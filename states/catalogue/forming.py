"""A procedure's text as the fields of a form, and what the form says put back into the text. Pure.

The text is the truth: a form is filled from it, and changes only what was typed otherwise, so that
comments, order, and all that no field shows stay as they were. A field is called by its path,
`stages.0.term`. What is typed wrong is written as it is typed: the checker says what is wrong.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum, auto
from typing import Any, NamedTuple

from states.catalogue import lengths
from states.clock.words import Lang
from states.errors import BadInput
from states.letters import plain
from states.yaml_files import Key, dotted, editing

Said = Mapping[str, Sequence[str]]
ORDER = (
    *(
        "code",
        "suffix",
        "code_verified",
        "version",
        "valid_from",
        "valid_until",
        "name",
        "vi",
        "en",
    ),
    *("field", "agency", "level", "online", "channels", "come", "go", "post"),
    *("eligible", "reason"),
    *("unit", "routes", "role", "term", "terms", "calendar", "transfer_by", "needs", "produces"),
    *("consults", "next", "returns", "accept", "stages", "components", "required", "originals"),
    *("copies", "digitised", "reusable", "fee", "figures_verified", "times", "notice", "mode"),
    *("lapse", "max", "before", "instrument", "ground", "document", "article", "verified"),
    *("supplement", "extension", "policy", "regime", "grounds"),
)


class Kind(StrEnum):
    """What a field holds."""

    text = auto()
    number = auto()
    yes = auto()
    ticks = auto()  # some of a few words
    lines = auto()  # a text a line
    term = auto()  # in the words of the reader


class Field(NamedTuple):
    """A key that the form shows. `spare`: left empty, it is left out of the text."""

    path: str
    kind: Kind = Kind.text
    spare: bool = False
    default: Any = None


T, N, Y, L, D = Kind.text, Kind.number, Kind.yes, Kind.lines, Kind.term
FIELDS = (
    *(Field(each) for each in ("code", "valid_from", "name.vi", "name.en", "field", "agency")),
    *(Field(each) for each in ("level", "policy", "supplement.mode")),
    *(Field(each, D) for each in ("term", "supplement.lapse")),
    *(Field(each, D, True) for each in ("supplement.notice", "extension.max", "extension.before")),
    *(Field(each, N) for each in ("version", "fee", "supplement.times", "extension.times")),
    *(Field(each, T, True) for each in ("valid_until", "transfer_by", "extension.instrument")),
    *(Field(f"post.reason.{each}", T, True) for each in ("vi", "en")),
    Field("post.eligible", Y),
    *(Field(f"channels.{each}", Kind.ticks) for each in ("come", "go")),
    *(Field(f"stages.*.{each}") for each in ("code", "name.vi", "name.en", "role", "accept")),
    Field("stages.*.term", D),
    Field("stages.*.unit", T, True),
    *(Field(f"stages.*.{each}", L, True) for each in ("needs", "produces")),
    *(Field(f"components.*.{each}") for each in ("code", "name.vi", "name.en")),
    *(Field(f"components.*.{each}", N) for each in ("originals", "copies")),
    Field("components.*.required", Y),
    Field("components.*.digitised", Y, default=True),
    Field("grounds.*.document"),
    Field("grounds.*.article", T, True),
)  # fmt: skip
LISTS: dict[str, dict[str, Any]] = {  # and what a new item of each says
    "stages": {
        "code": "", "name": {"vi": "", "en": ""}, "unit": "", "role": "officer", "term": "1wd",
        "accept": "manual",
    },
    "components": {
        "code": "", "name": {"vi": "", "en": ""}, "required": True, "originals": 1, "copies": 0,
    },
    "grounds": {"document": "", "verified": False},
}  # fmt: skip
ACT = re.compile(r"(stages|components|grounds)\.(?:(add)|([0-9]{1,3})\.(up|down|remove))")


# From the text ----------------------------------------------------------------------------------


def filled(text: str, lang: Lang | None = None) -> dict[str, list[str]]:
    """The fields as the text fills them, terms in words where a language is named.

    Raises `BadFile` for a text that cannot be read.
    """
    data = editing.plain(text)
    found: dict[str, list[str]] = {}
    for field, path in _places(data):
        shown = _shown(field, _value(data, field, path))
        if field.kind is Kind.term and lang is not None:
            shown = [lengths.in_words(each, lang) for each in shown]
        found[dotted(path) or ""] = shown
    return found


def size(text: str, listed: str) -> int:
    """How many items a list has. Raises `BadFile`."""
    there = editing.at(editing.plain(text), (listed,))
    return len(there) if isinstance(there, list) else 0


def _places(data: Any) -> Iterator[tuple[Field, Key]]:
    for field in FIELDS:
        first, *rest = field.path.split(".")
        if rest[:1] != ["*"]:
            yield field, (first, *rest)
            continue
        listed = editing.at(data, (first,))
        for n in range(len(listed) if isinstance(listed, list) else 0):
            yield field, (first, n, *rest[1:])


def _value(data: Any, field: Field, path: Key) -> Any:
    there = editing.at(data, path)
    return field.default if there is None else there


def _shown(field: Field, value: Any) -> list[str]:
    match value:
        case None:
            return [] if field.kind is Kind.ticks else [""]
        case list():
            each = [str(one) for one in value]
            return ["\n".join(each)] if field.kind is Kind.lines else each
        case bool():
            return ["true" if value else "false"]
    return [str(value)]


# Into the text ----------------------------------------------------------------------------------


def written(text: str, said: Said) -> str:
    """The text with what was typed otherwise. Fields that the form did not send stay.

    Raises `BadFile` for a text that cannot be read, `BadInput` for one no form can change.
    """
    text = _without_reason(text, said)
    data = editing.plain(text)
    for field, path in _places(data):
        name = dotted(path) or ""
        ticked = field.kind is Kind.ticks and f"{name}?" in said
        if name not in said and not ticked:
            continue
        typed = list(said.get(name, ()))
        if field.kind is Kind.term:
            typed = [lengths.typed(each) for each in typed]
        if typed == _shown(field, _value(data, field, path)):
            continue
        text = _with(text, field, path, _read(field, typed))
    return _coded(text)


def _coded(text: str) -> str:
    """Stages and components that were given a name and no code get one made of the name."""
    for listed in ("stages", "components"):
        there = editing.at(editing.plain(text), (listed,))
        items = [each for each in there if isinstance(each, dict)] if there else []
        if len(items) != len(there or ()):
            continue
        taken = {str(each.get("code")) for each in items}
        for n, each in enumerate(items):
            named = each.get("name")
            name = named.get("vi") if isinstance(named, dict) else None
            if each.get("code") == "" and isinstance(name, str) and (code := _code(name, taken)):
                taken.add(code)
                text = editing.put(text, (listed, n, "code"), code, ORDER)
    return text


def _code(name: str, taken: set[str]) -> str:
    """`Bản cam kết` as `ban-cam-ket`, or with a number where that is taken; "" for no letters."""
    words = re.sub(r"^[0-9 ]+", "", plain(name)).replace(" ", "-")[:40].rstrip("-")
    names = (words if n == 1 else f"{words}-{n}" for n in range(1, len(taken) + 2))
    return next((each for each in names if each not in taken), "") if words else ""


def _with(text: str, field: Field, path: Key, value: Any) -> str:
    if field.spare and value in ("", []):
        there = editing.at(editing.plain(text), path)
        return text if there is None else editing.drop(text, path)
    return editing.put(text, path, value, ORDER)


def _without_reason(text: str, said: Said) -> str:
    """A reason that was emptied in both languages goes whole."""
    typed = [said.get(f"post.reason.{each}", ["?"]) for each in ("vi", "en")]
    there = editing.at(editing.plain(text), ("post", "reason"))
    if there is None or any(any(each) for each in typed):
        return text
    return editing.drop(text, ("post", "reason"))


def _read(field: Field, typed: list[str]) -> Any:
    """What was typed as the text will say it."""
    first = typed[0] if typed else ""
    if field.kind is Kind.ticks:
        return typed
    if field.kind is Kind.lines:
        return [each.strip() for each in first.split("\n") if each.strip()]
    if field.kind is Kind.number and re.fullmatch(r"0|[1-9][0-9]{0,17}", first, re.ASCII):
        return int(first)
    if field.kind is Kind.yes and first in {"true", "false"}:
        return first == "true"
    return first


def acted(text: str, act: str) -> str:
    """The text with an item of a list added, moved or taken out: `stages.add`, `stages.1.up`.

    Raises `BadInput` for what is no such act or names no such item.
    """
    found = ACT.fullmatch(act)
    if found is None:
        raise BadInput("there is no such button: load the page again")
    listed, add, number, what = found.groups()
    if add:
        return editing.append(text, (listed,), LISTS[listed], ORDER)
    path = (listed, int(number))
    if what == "remove":
        return editing.drop(text, path)
    return editing.move(text, path, -1 if what == "up" else 1)


def renumbered(text: str, version: int, begins: str) -> str:
    """The same as the text of the next version, which begins on that day and has no end yet."""
    text = editing.put(text, ("version",), version, ORDER)
    text = editing.put(text, ("valid_from",), begins, ORDER)
    ends = editing.at(editing.plain(text), ("valid_until",))
    return text if ends is None else editing.drop(text, ("valid_until",))
