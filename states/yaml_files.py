"""YAML files that say where they are wrong: every fault is a `BadFile` with line and field.

Read from libyaml's events, not from its loader, because a file of settings needs less than YAML
offers and a hostile file uses the rest: no anchors, aliases or tags, no second document, no key
twice. Plain scalars are null, true, false, whole numbers, or text; so `off`, `07:30`, `1.004194`
and `2026-01-02` arrive as they were written, and no file needs quotes to be understood.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from importlib.resources.abc import Traversable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import yaml

from states.errors import BadFile

if TYPE_CHECKING:  # 0.1 s to import: only `validate` needs it, and `hoso clock` never does
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

Key = tuple[str | int, ...]
M = TypeVar("M", bound="BaseModel")

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DEEPEST = 20
WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})", re.ASCII)
UNSEEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff]")
ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Document:
    """One file: its data, and the line of everything in it."""

    file: str
    data: object
    lines: dict[Key, int] = field(default_factory=dict)

    def line_of(self, path: Key) -> int:
        """The line of a path, or of the nearest thing above it that is in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def wrong(self, path: Key, expected: str) -> BadFile:
        """What to raise when the thing at this path is wrong."""
        return BadFile(self.file, self.line_of(path), dotted(path), expected)


def dotted(path: Key) -> str | None:
    """`stages.0.term`; None for the file as a whole."""
    return ".".join(map(str, path)) or None


MOST = 1_000_000  # bytes: no file of settings is larger


def read(path: Path | Traversable, max_bytes: int = MOST) -> Document:
    """Read one file of at most `max_bytes`; raises `BadFile`."""
    return parse(str(path), content(path, max_bytes), max_bytes)


def content(path: Path | Traversable, max_bytes: int = MOST) -> bytes:
    """The bytes of a file, and one more than `max_bytes` at most. Raises `BadFile`."""
    try:
        with path.open("rb") as stream:
            return stream.read(max_bytes + 1)
    except OSError as wrong:
        raise BadFile(str(path), None, None, f"cannot be read: {wrong.strerror}") from wrong


def parse(file: str, raw: bytes, max_bytes: int = MOST) -> Document:
    """What a file of that name says. Raises `BadFile`."""
    events = _Events(file, _text(file, raw, max_bytes))
    return Document(file, events.document(), events.lines)


def _text(file: str, raw: bytes, max_bytes: int) -> str:
    if len(raw) > max_bytes:
        raise BadFile(file, None, None, f"is larger than {max_bytes:,} bytes: split it")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = raw.count(b"\n", 0, wrong.start) + 1
        raise BadFile(file, line, None, "is not UTF-8 text: save it as UTF-8") from wrong
    if (tab := text.find("\t")) >= 0:
        line = text.count("\n", 0, tab) + 1
        raise BadFile(file, line, None, "holds a tab: indent with spaces")
    return text


class _Events:
    """Builds the data and the lines of one file from its events, in one pass."""

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text
        self.lines: dict[Key, int] = {}
        self.events: Iterator[yaml.Event] = yaml.parse(text, Loader=LOADER)

    def document(self) -> object:
        """The one document of the file."""
        self._next()  # the stream begins
        if isinstance(self._next(), yaml.StreamEndEvent):
            raise BadFile(self.file, 1, None, "is empty")
        first = self._next()
        self.lines[()] = _line(first)
        data = self._value(first, ())
        self._next()  # the document ends
        if not isinstance(after := self._next(), yaml.StreamEndEvent):
            self._wrong(after, (), "begins a second document: one file holds one")
        return data

    def _next(self) -> yaml.Event:
        try:
            return next(self.events)
        except yaml.MarkedYAMLError as wrong:
            mark = wrong.problem_mark or wrong.context_mark
            line = mark.line + 1 if mark else None
            raise BadFile(self.file, line, None, f"is not YAML: {wrong.problem}") from wrong
        except yaml.YAMLError as wrong:
            at = getattr(wrong, "position", None)
            line = None if at is None else self.text.count("\n", 0, at) + 1
            raise BadFile(self.file, line, None, "holds a character that no text has") from wrong

    def _value(self, event: yaml.Event, path: Key) -> object:
        if len(path) > DEEPEST:
            self._wrong(event, path[:3], f"is nested more than {DEEPEST} deep")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            self._wrong(event, path, "uses an anchor or alias (& or *): write it out")
        if getattr(event, "tag", None):
            self._wrong(event, path, "uses a tag (!): leave it out")
        if isinstance(event, yaml.MappingStartEvent):
            return self._map(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(path)
        assert isinstance(event, yaml.ScalarEvent)
        return self._scalar(event, path)

    def _map(self, path: Key) -> dict[str, object]:
        data: dict[str, object] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent) or event.anchor or event.tag:
                self._wrong(event, path, "has a key that is not a plain word")
            key = event.value
            if key in data:
                first = self.lines[*path, key]
                self._wrong(event, (*path, key), f"is there twice: first on line {first}")
            self.lines[*path, key] = _line(event)
            data[key] = self._value(self._next(), (*path, key))
        return data

    def _list(self, path: Key) -> list[object]:
        data: list[object] = []
        for at in count():
            if isinstance(event := self._next(), yaml.SequenceEndEvent):
                break
            self.lines[*path, at] = _line(event)
            data.append(self._value(event, (*path, at)))
        return data

    def _scalar(self, event: yaml.ScalarEvent, path: Key) -> str | int | bool | None:
        value: str = event.value
        if UNSEEN.search(value):
            self._wrong(event, path, "holds a control character")
        if event.implicit[0]:  # written without quotes
            if value in WORDS:
                return WORDS[value]
            if WHOLE.fullmatch(value):
                return int(value)
        return value

    def _wrong(self, event: yaml.Event, path: Key, expected: str) -> NoReturn:
        raise BadFile(self.file, _line(event), dotted(path), expected)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def day(value: object) -> date:
    """A date from its text. Raises `ValueError`; takes no week dates and no seconds since 1970."""
    if isinstance(value, date):
        return value
    if isinstance(value, str) and ISO.fullmatch(value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    raise ValueError(EXPECTED["date_type"])


# Against a model ----------------------------------------------------------------------------


def validate(model: type[M], document: Document) -> M:
    """The file as a model; the first fault in the file is raised as `BadFile`.

    Validated as JSON, the mode in which a strict model takes a list for a tuple, a word for a
    member and `2026-01-02` for a date, and still no `"5"` for a number.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate_json(json.dumps(document.data))
    except ValidationError as wrong:
        fault = min(wrong.errors(include_url=False), key=lambda each: _order(document, each))
        raise document.wrong(fault["loc"], _sentence(fault)) from wrong


EXPECTED = {
    "missing": "is required and is not there",
    "extra_forbidden": "is not a key known here: correct its spelling or leave it out",
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "date_type": "must be a date such as 2023-01-31",
    "tuple_type": "must be a list: lines that begin with '- '",
    "model_type": "must be a map: lines of 'key: value'",
    "model_attributes_type": "must be a map: lines of 'key: value'",
    "dict_type": "must be a map: lines of 'key: value'",
}


def _order(document: Document, fault: "ErrorDetails") -> tuple[bool, int]:
    """By line, but what is missing last: a misspelled key is also a missing one."""
    return fault["type"] == "missing", document.line_of(fault["loc"])


def _sentence(fault: "ErrorDetails") -> str:
    context = fault.get("ctx", {})
    if fault["type"] in {"literal_error", "enum"}:
        return f"must be one of: {context['expected']}"
    if fault["type"] == "value_error":
        return str(context["error"])
    return EXPECTED.get(fault["type"], fault["msg"])


# By hand, where a model would cost the start-up ---------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """A value of a document with its place; each method is what it must be, or raises."""

    document: Document
    path: Key
    value: object

    def wrong(self, expected: str) -> BadFile:
        return self.document.wrong(self.path, expected)

    def map(self, required: str, optional: str = "") -> "dict[str, Part]":
        """Its parts by key: all the required keys, and no others than the optional ones."""
        if not isinstance(self.value, dict):
            raise self.wrong(EXPECTED["dict_type"])
        known = {*required.split(), *optional.split()}
        for key in self.value:
            if key not in known:
                raise self.document.wrong((*self.path, key), EXPECTED["extra_forbidden"])
        for key in required.split():
            if key not in self.value:
                raise self.document.wrong((*self.path, key), EXPECTED["missing"])
        return {key: Part(self.document, (*self.path, key), self.value[key]) for key in self.value}

    def list(self) -> "list[Part]":
        if not isinstance(self.value, list):
            raise self.wrong(EXPECTED["tuple_type"])
        return [Part(self.document, (*self.path, at), each) for at, each in enumerate(self.value)]

    def text(self) -> str:
        if not isinstance(self.value, str) or not self.value:
            raise self.wrong(EXPECTED["string_type"])
        return self.value

    def word(self, *known: str) -> str:
        if self.value not in known:
            raise self.wrong(f"must be one of: {', '.join(known)}")
        return str(self.value)

    def whole(self, least: int, most: int) -> int:
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self.wrong(EXPECTED["int_type"])
        if not least <= self.value <= most:
            raise self.wrong(f"must lie between {least} and {most}")
        return self.value

    def truth(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.wrong(EXPECTED["bool_type"])
        return self.value

    def day(self) -> date:
        try:
            return day(self.value)
        except ValueError as wrong:
            raise self.wrong(str(wrong)) from wrong
