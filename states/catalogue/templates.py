"""What is said to whom of which fact, by which way, in which words. Data of the office.

A template is a text with placeholders of a closed set; what is put into it is never read as one.
"""

import re
from collections.abc import Iterator
from datetime import time
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, StringConstraints

from states.catalogue.organisation import Fault, Row, Word
from states.catalogue.procedures import Ground
from states.catalogue.rules import What
from states.words import Event, State

PLACE = re.compile(r"\{([a-z_]+)\}")
OF_BOTH = frozenset(
    {
        *("code", "procedure", "agency", "unit", "counter", "person", "applicant"),
        *("state", "at", "received", "due"),
    }
)
OF_LINES = OF_BOTH | {"due_before", "due_first", "reason", "ground", "until", "amount", "outcome"}
OF_ALERTS = OF_BOTH | {"rule", "what", "why"}
# Decree 224/2026/NĐ-CP Art. 15(1)(g): the body, who receives or solves, the times.
PRESCRIBED = ("code", "agency", "person", "state", "received", "due")
LANGUAGES = ("vi", "en")
CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)

Language = Literal["vi", "en"]
PlainWay = Literal["email", "sms", "chat"]  # webhooks take everything, in no words


def _balanced(text: str) -> str:
    if re.search(r"[{}]", PLACE.sub("", text)):
        raise ValueError("holds a brace that belongs to no placeholder: write them as in {code}")
    return text


def _line(text: str) -> str:
    if "\n" in text:
        raise ValueError("must be one line")
    return text


def _hour(value: object) -> time:
    if isinstance(value, time):
        return value
    if isinstance(value, str) and CLOCK.fullmatch(value):
        return time.fromisoformat(value)
    raise ValueError("must be an hour such as 21:00")


Said = Annotated[str, StringConstraints(min_length=1, max_length=4000), AfterValidator(_balanced)]
Title = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    AfterValidator(_balanced),
    AfterValidator(_line),
]
Hour = Annotated[
    time, BeforeValidator(_hour), PlainSerializer(lambda at: f"{at:%H:%M}", return_type=str)
]


class Words(Row):
    """A text of a message."""

    vi: Said
    en: Said


class Titles(Row):
    """A subject."""

    vi: Title
    en: Title


class Occasion(Row):
    """Which facts; all that is said must hold. Of lines of the ledger, or of alerts.

    `moved`: the state is another than before; or the date promised to the citizen is.
    """

    events: tuple[Event, ...] = ()
    states: tuple[State, ...] = ()
    moved: Literal["state", "promise"] | None = None
    what: tuple[What, ...] = ()
    rules: tuple[Word, ...] = ()

    @property
    def of_lines(self) -> bool:
        return bool(self.events or self.states or self.moved)

    @property
    def of_alerts(self) -> bool:
        return bool(self.what or self.rules)


class Template(Row):
    """One message. `short` goes by SMS, `text` by all else. `law`: no quiet hours hold it back."""

    code: Word
    on: Occasion
    audience: Literal["citizen", "staff"]
    ways: tuple[PlainWay, ...]
    law: bool = False
    ground: Ground | None = None
    subject: Titles | None = None
    text: Words
    short: Words | None = None

    def faults(self) -> Iterator[Fault]:
        """What contradicts itself."""
        if self.on.of_lines == self.on.of_alerts:
            yield ("on",), "must name events, states or moved, or else what or rules: one of both"
        if self.on.of_alerts and self.audience == "citizen":
            yield ("audience",), "must be staff: citizens are not told of alerts"
        if not self.ways or len(set(self.ways)) < len(self.ways):
            yield ("ways",), "must name at least one way, each once"
        if ("email" in self.ways) and self.subject is None:
            yield ("subject",), "is required for email"
        if ("sms" in self.ways) != (self.short is not None):
            yield ("short",), "must be there if sms is one of the ways, and else not"
        if self.law != (self.ground is not None):
            yield ("ground",), "must be there for what the law prescribes, and else not"
        yield from self._placeholders()

    def _placeholders(self) -> Iterator[Fault]:
        known = OF_ALERTS if self.on.of_alerts else OF_LINES
        for part in ("subject", "text", "short"):
            if (words := getattr(self, part)) is None:
                continue
            used = {each: set(PLACE.findall(getattr(words, each))) for each in LANGUAGES}
            for each, names in used.items():
                if strange := sorted(names - known):
                    there = ", ".join(sorted(known))
                    yield (part, each), f"has no {{{strange[0]}}} to tell: there are {there}"
                lacking = sorted((used["vi"] | used["en"]) - names)
                if lacking:
                    yield (part, each), f"leaves out {{{lacking[0]}}}: the other language has it"
                if part != "text" or not self.law or self.audience != "citizen":
                    continue
                if left_out := [name for name in PRESCRIBED if name not in names]:
                    yield (part, each), f"must tell {{{left_out[0]}}}: the law prescribes it"


class Languages(Row):
    """In which language whom."""

    citizen: Language = "vi"
    staff: Language = "vi"


class Quiet(Row):
    """From when to when, by the centre's clock, nothing goes to the staff but by law."""

    since: Hour
    until: Hour


class Short(Row):
    """What an SMS may be. Without accents twice as much fits into one."""

    longest: Annotated[int, Field(ge=70, le=1530)] = 480
    accents: bool = True


class Templates(Row):
    """`templates.yaml`. Of those that fit a fact, an audience and a way, the first is taken."""

    languages: Languages = Languages()
    quiet: Quiet | None = None
    sms: Short = Short()
    templates: tuple[Template, ...]

    def faults(self) -> Iterator[Fault]:
        """What contradicts itself."""
        if self.quiet is not None and self.quiet.since == self.quiet.until:
            yield ("quiet", "until"), "must be another hour than since"
        seen: set[str] = set()
        for at, each in enumerate(self.templates):
            place: Any = ("templates", at)
            if each.code in seen:
                yield (*place, "code"), f"{each.code} is there twice"
            seen.add(each.code)
            for path, expected in (*each.faults(), *self._too_long(each)):
                yield (*place, *path), expected
            for way in each.ways:
                if any(self._hides(former, each, way) for former in self.templates[:at]):
                    yield (*place, "ways"), f"is never reached by {way}: one before takes it all"

    def _too_long(self, template: Template) -> Iterator[Fault]:
        for each in LANGUAGES if template.short is not None else ():
            if len(PLACE.sub("", getattr(template.short, each))) > self.sms.longest // 2:
                most = self.sms.longest // 2
                yield ("short", each), f"may have {most} characters beside what is put into it"

    @staticmethod
    def _hides(former: Template, later: Template, way: PlainWay) -> bool:
        same = former.audience == later.audience and way in former.ways
        return same and former.on == later.on
