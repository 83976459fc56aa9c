"""From a text to what it says, with the place of everything in it."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NoReturn

import yaml

from states.errors import BadFile
from states.sentences import Sentence

Key = tuple[str | int, ...]
Place = tuple[int, int]  # line and column, from 1
START: Place = (1, 1)
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DEEPEST = 20
MOST = 1_000_000  # bytes: no file of settings is larger
VALUES = 100_000  # in a file: a province's organisation has half as many
WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})", re.ASCII)
UNSEEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff]")
ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


EXPECTED = {
    "missing": Sentence("is required and is not there"),
    "extra_forbidden": Sentence("is not a key known here: correct its spelling or leave it out"),
    "string_type": Sentence("must be text"),
    "string_too_short": Sentence("must not be empty"),
    "int_type": Sentence("must be a whole number"),
    "bool_type": Sentence("must be true or false"),
    "date_type": Sentence("must be a date such as 2023-01-31"),
    "tuple_type": Sentence("must be a list: lines that begin with '- '"),
    "model_type": Sentence("must be a map: lines of 'key: value'"),
    "dict_type": Sentence("must be a map: lines of 'key: value'"),
}


@dataclass(frozen=True, slots=True)
class Document:
    """One file: its data, and the place of everything in it."""

    file: str
    data: object
    places: dict[Key, Place] = field(default_factory=dict)

    def place_of(self, path: Key) -> Place:
        """Line and column of a path, or of the nearest thing above it that is in the file."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, START)

    def line_of(self, path: Key) -> int:
        return self.place_of(path)[0]

    def wrong(self, path: Key, expected: str) -> BadFile:
        """What to raise when the thing at this path is wrong."""
        line, column = self.place_of(path)
        return BadFile(self.file, line, dotted(path), expected, column)


def dotted(path: Key) -> str | None:
    """`stages.0.term`; None for the file as a whole."""
    return ".".join(map(str, path)) or None


def read(path: Path | Traversable, max_bytes: int = MOST) -> Document:
    """Read one file of at most `max_bytes`; raises `BadFile`."""
    return parse(str(path), content(path, max_bytes), max_bytes)


def content(path: Path | Traversable, max_bytes: int = MOST) -> bytes:
    """The bytes of a file, and one more than `max_bytes` at most. Raises `BadFile`."""
    try:
        with path.open("rb") as stream:
            return stream.read(max_bytes + 1)
    except OSError as wrong:
        raise BadFile(
            str(path), None, None, Sentence("cannot be read: {why}", why=wrong.strerror)
        ) from wrong


def parse(file: str, raw: bytes, max_bytes: int = MOST) -> Document:
    """What a file of that name says. Raises `BadFile`."""
    events = _Events(file, _text(file, raw, max_bytes))
    return Document(file, events.document(), events.places)


def _text(file: str, raw: bytes, max_bytes: int) -> str:
    if len(raw) > max_bytes:
        raise BadFile(
            file, None, None, Sentence("is larger than {most:,} bytes: split it", most=max_bytes)
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = raw.count(b"\n", 0, wrong.start) + 1
        raise BadFile(file, line, None, "is not UTF-8 text: save it as UTF-8") from wrong
    if (tab := text.find("\t")) >= 0:
        line, column = _place(text, tab)
        raise BadFile(file, line, None, "holds a tab: indent with spaces", column)
    return text


class _Events:
    """Builds the data and the lines of one file from its events, in one pass."""

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text
        self.places: dict[Key, Place] = {}
        self.values = 0
        self.events: Iterator[yaml.Event] = yaml.parse(text, Loader=LOADER)

    def document(self) -> object:
        """The one document of the file."""
        self._next()  # the stream begins
        if isinstance(self._next(), yaml.StreamEndEvent):
            raise BadFile(self.file, 1, None, "is empty")
        first = self._next()
        self.places[()] = _start(first)
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
            line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
            why = Sentence("is not YAML: {problem}", problem=wrong.problem)
            raise BadFile(self.file, line, None, why, column) from wrong
        except yaml.YAMLError as wrong:
            at = getattr(wrong, "position", None)
            before = self.text.encode()[:at].decode(errors="ignore")  # libyaml counts bytes
            line, column = (None, None) if at is None else _place(self.text, len(before))
            why = Sentence("holds a character that no text has")
            raise BadFile(self.file, line, None, why, column) from wrong

    def _value(self, event: yaml.Event, path: Key) -> object:
        self.values += 1
        if self.values > VALUES:
            what = Sentence("holds more than {most:,} values: split it", most=VALUES)
            self._wrong(event, path[:3], what)
        if len(path) > DEEPEST:
            self._wrong(
                event, path[:3], Sentence("is nested more than {deepest} deep", deepest=DEEPEST)
            )
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
            if UNSEEN.search(key):
                self._wrong(event, path, "has a key that holds a control character")
            if key in data:
                first, _ = self.places[*path, key]
                self._wrong(
                    event,
                    (*path, key),
                    Sentence("is there twice: first on line {first}", first=first),
                )
            self.places[*path, key] = _start(event)
            data[key] = self._value(self._next(), (*path, key))
        return data

    def _list(self, path: Key) -> list[object]:
        data: list[object] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            self.places[*path, len(data)] = _start(event)
            data.append(self._value(event, (*path, len(data))))
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
        line, column = _start(event)
        raise BadFile(self.file, line, dotted(path), expected, column)


def _start(event: yaml.Event) -> Place:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else START


def _place(text: str, at: int) -> Place:
    """Of a character in a text."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def day(value: object) -> date:
    """A date from its text. Raises `ValueError`; takes no week dates and no seconds since 1970."""
    if isinstance(value, date):
        return value
    if isinstance(value, str) and ISO.fullmatch(value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    raise ValueError(EXPECTED["date_type"])
