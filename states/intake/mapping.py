"""The map of a foreign file: which of its columns or attributes means what. Data, so that another
system needs a YAML file and no code.

    kind: dossiers                  # one row is one dossier; `log`: a dossier has many events
    zone: Asia/Ho_Chi_Minh          # of the times written without an offset
    code: Mã hồ sơ                  # a name alone is the column or attribute to read
    received: Ngày tiếp nhận
    finished: {event: last, named: [Trả kết quả]}   # or the time of an event, in a log
    channel: {from: Hình thức, words: {Trực tiếp: counter}, default: counter}
    agency: {default: H42.01}       # the same for all, where the file does not say
    other_agencies: true            # lets in agencies that the catalogue does not have
    phone: Điện thoại               # `phone`, `email` and `citizen_id` are columns alone
    keep: [Ghi chú]                 # kept as text with the dossier, found in its history
"""

import codecs
import re
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from states import yaml_files
from states.intake.cells import fold, strange, tidy
from states.intake.source import Limits, Source
from states.words import Channel, Outcome

TO_FILL = "?"  # in a map that was suggested: a person has to write something here
# Encodings that hide other text in plain text, half characters included.
ESCAPES = {"utf-7", "unicode_escape", "raw_unicode_escape", "punycode", "idna"}


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:  # not there, a folder, a path that climbs
        raise ValueError("must be a time zone such as Asia/Ho_Chi_Minh") from error
    return name


def _encoding(name: str) -> str:
    try:
        bytes(4).decode(name)  # of any width
        plain = codecs.lookup(name).name not in ESCAPES
    except (LookupError, UnicodeError):
        plain = False
    if not plain:
        raise ValueError("must be a text encoding such as windows-1258 or utf-16-le")
    return name


def _format(form: str) -> str:
    trial = datetime(2001, 11, 23, 14, 45)  # noqa: DTZ001 only its digits matter
    try:
        read = datetime.strptime(trial.strftime(form), form)  # noqa: DTZ007 as above
    except (ValueError, re.error) as error:  # re.error: a letter that stands twice
        raise ValueError(f"must be a date format such as %d/%m/%Y %H:%M: {error}") from error
    if read.date() != trial.date():
        raise ValueError("must hold day, month and year, such as %d/%m/%Y")
    return form


def _plain(text: str) -> str:
    if why := strange(text):
        raise ValueError(f"may not hold {why}")
    return tidy(text)


def _delimiter(mark: str) -> str:
    mark = "\t" if mark == "tab" else mark
    if len(mark) != 1 or mark in '"\r\n ':
        raise ValueError("must be one character such as ';', or tab")
    return mark


def _filled(text: str) -> str:
    if text.strip() == TO_FILL:
        raise ValueError(f"must be filled in: write what the file does not say instead of {text!r}")
    return text


def _named(value: Any) -> Any:
    """`code` alone is short for `{from: code}`."""
    return {"from": value} if isinstance(value, str) else value


Plain = Annotated[str, AfterValidator(_plain)]
Name = Annotated[Plain, Field(min_length=1)]
Format = Annotated[str, Field(max_length=100), AfterValidator(_format)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(_Part):
    """Text from a column, its words replaced by ours, or `default` where the file says nothing."""

    column: Name | None = Field(None, alias="from")
    words: Mapping[str, Plain] = {}
    default: Annotated[Plain, AfterValidator(_filled)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.column is None and self.default is None:
            raise ValueError("must name a column, or have `from` or `default`")
        return self

    @cached_property
    def folded(self) -> dict[str, str]:
        """The words as they are compared: without case and spacing."""
        return {fold(theirs): ours for theirs, ours in self.words.items()}


class ChannelText(Text):
    """How it came in, in our words: counter, online, post."""

    words: Mapping[str, Channel] = {}
    default: Channel | None = None


class OutcomeText(Text):
    """What was decided, in our words."""

    words: Mapping[str, Outcome] = {}
    default: Outcome | None = None


class Moment(_Part):
    """A moment from a column, or of the first or last event (among those `named`)."""

    column: Name | None = Field(None, alias="from")
    event: Literal["first", "last"] | None = None
    named: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if (self.column is None) == (self.event is None):
            raise ValueError("must name a column, or say {event: first} or {event: last}")
        if self.named and not self.event:
            raise ValueError("`named` goes with `event`")
        return self


class Events(_Part):
    """What an event says: in a table the columns of its row, in XES the attributes of an event."""

    name: Name
    at: Name
    person: Name | None = None
    unit: Name | None = None
    keep: tuple[Name, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.name, self.at, self.person, self.unit, *self.keep)))


AnyText = Annotated[Text, BeforeValidator(_named)]
AnyMoment = Annotated[Moment, BeforeValidator(_named)]


class Map(_Part):
    """One foreign file's form and meaning. Dates that are not ISO 8601 need their `dates` format
    (strptime's letters); `nothing` lists words of the file that mean an empty cell.
    """

    kind: Literal["log", "dossiers"]
    zone: Annotated[str, AfterValidator(_zone)]
    calendar: Name | None = None
    encoding: Annotated[str, AfterValidator(_encoding)] | None = None
    delimiter: Annotated[str, AfterValidator(_delimiter)] | None = None
    sheet: str | None = None
    header: Annotated[int, Field(ge=1, le=1000, strict=True)] = 1
    dates: Annotated[tuple[Format, ...], Field(max_length=20)] = ()
    nothing: tuple[str, ...] = ()

    code: Name
    received: AnyMoment
    due: AnyMoment | None = None
    finished: AnyMoment | None = None
    delivered: AnyMoment | None = None
    agency: AnyText | None = None
    other_agencies: Annotated[bool, Field(strict=True)] = False
    procedure: AnyText | None = None
    channel: Annotated[ChannelText, BeforeValidator(_named)] | None = None
    outcome: Annotated[OutcomeText, BeforeValidator(_named)] | None = None
    unit: AnyText | None = None
    person: AnyText | None = None
    applicant: AnyText | None = None
    phone: Name | None = None
    email: Name | None = None
    citizen_id: Name | None = None
    keep: tuple[Name, ...] = ()
    event: Events | None = None

    @model_validator(mode="after")
    def _kind_has_its_events(self) -> Self:
        if self.kind == "log" and self.event is None:
            raise ValueError("kind: log needs `event` with name and at")
        if self.kind == "dossiers":
            if self.event is not None:
                raise ValueError("`event` goes with kind: log")
            if any(part and part.event for part in self.moments.values()):
                raise ValueError("a moment of an event needs kind: log")
        return self

    @property
    def moments(self) -> dict[str, Moment | None]:
        return {
            "received": self.received,
            "due": self.due,
            "finished": self.finished,
            "delivered": self.delivered,
        }

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns or attributes of a dossier, each once."""
        texts = (self.agency, self.procedure, self.channel, self.outcome, self.unit, self.person)
        told = (*self.moments.values(), *texts, self.applicant)
        parts = [part.column for part in told if part and part.column]
        contacts = filter(None, (self.phone, self.email, self.citizen_id))
        return tuple(dict.fromkeys((self.code, *parts, *contacts, *self.keep)))

    @cached_property
    def tz(self) -> tzinfo:
        return ZoneInfo(self.zone)

    def source(self, path: Path, limits: Limits, watch: Callable[[int], None]) -> Source:
        """A file, to be read as this map says."""
        return Source(path, self.encoding, self.delimiter, self.sheet, self.header, limits, watch)


def load(path: Path) -> Map:
    """A map from its YAML file; BadFile names file, line and field."""
    return yaml_files.validate(Map, yaml_files.read(path))
