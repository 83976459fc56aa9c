"""What somebody asks of a dossier: an act, with what each event must bring along."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from states.clock import Kind, Term
from states.errors import BadInput
from states.faults import fault
from states.sentences import Sentence
from states.words import Channel, Event, Outcome, Role

EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]{1,63}(\.[^@\s.]{1,63})+", re.ASCII)
HMAC = re.compile(r"[0-9a-f]{64}", re.ASCII)
PHONE = re.compile(r"\+?[0-9]{8,15}", re.ASCII)
SHORT, LONG = 200, 2000  # characters of a name and of a text; an index holds names only


def keepable(text: str) -> bool:
    """Whether Postgres can keep it: it takes no NUL, and UTF-8 has no half of a surrogate pair."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def check_text(name: str, text: str | None, longest: int) -> None:
    """Raises `BadInput`."""
    if text is not None and (len(text) > longest or not keepable(text)):
        raise BadInput(
            "{name} may have {longest:,} characters at most, without NUL or half a character",
            name=name,
            longest=longest,
        )


def _kept(text: str) -> str:
    if not keepable(text):
        raise ValueError("may not hold NUL or half a character")
    return text


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=SHORT),
    AfterValidator(_kept),
]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Brings(BaseModel):
    """What an event brings: nothing, unless its own model below says so."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WithFiles(Brings):
    """Components with the SHA-256 of their files, by component code."""

    components: dict[Name, Sha256] = Field(default_factory=dict)


Number = Annotated[int, Field(strict=True, ge=0, le=10_000)]
FromOne = Annotated[int, Field(strict=True, ge=1)]


class Accepted(Brings):
    """The unit that takes in what lies in the agency's queue, caught by no rule of routing."""

    unit: Name | None = None


class Staged(Brings):
    """The documents a stage produced, by name, and who takes the next stage."""

    produced: tuple[Name, ...] = ()
    person: Name | None = None


class Onward(Staged):
    """The stage to go to, counted from 0; needed where several may follow."""

    stage: Number | None = None


class SendBack(Staged):
    """The stage to go back to, counted from 0; the one before unless said."""

    stage: Number | None = None


class Result(Staged):
    """What was decided."""

    outcome: Outcome


class Delivered(Brings):
    """How the result went to the citizen: the second leg (Decision 45/2016/QĐ-TTg Art. 5)."""

    channel: Channel | None = None


class Payment(Brings):
    """VND."""

    amount: Annotated[int, Field(strict=True, gt=0, le=10**12)]


# Terms that have a length, as `Term.parse` reads them: for the schema.
LENGTH = (
    r"^([1-9][0-9]{0,3}cd|([1-9][0-9]{0,3}(\.[0-9]{1,4})?|0\.[0-9]{0,3}[1-9])(wd|wh)"
    r"|sameday(@([01][0-9]|2[0-3]):[0-5][0-9])?)$"
)


class Extension(Brings):
    """The term added, as in `2wd`."""

    term: Annotated[Name, Field(json_schema_extra={"pattern": LENGTH})]


class OfChange(Brings):
    """What a change set moves: the set's number, under which stands who approved it."""

    change: FromOne | None = None


class Corrected(OfChange):
    """The calendar a dossier is read by from now on, as in `vn@1a2b3c4d`."""

    calendar: Annotated[str, StringConstraints(pattern=r"^[^@]{1,80}@[^@]{1,80}$")]


class Migrated(OfChange):
    """The version a dossier runs under from now on, and the stage it is in there.

    `undoes`: the number of the migration that is taken back. Where the citizen loses a promised
    date, `second` names the person who agreed.
    """

    version: FromOne
    stage: Number | None = None
    undoes: FromOne | None = None
    second: Name | None = None


BRINGS: dict[Event, type[Brings]] = {
    Event.register: WithFiles,
    Event.receive: WithFiles,
    Event.digitise: WithFiles,
    Event.supplement: WithFiles,
    Event.accept: Accepted,
    Event.advance: Onward,
    Event.send_back: SendBack,
    Event.return_result: Result,
    Event.deliver: Delivered,
    Event.request_payment: Payment,
    Event.pay: Payment,
    Event.extend: Extension,
    Event.recompute: Corrected,
    Event.migrate: Migrated,
    Event.restate: Corrected,
}
OF_CHANGES = frozenset(event for event, model in BRINGS.items() if issubclass(model, OfChange))
"""What only a change set does: proposed, previewed, and approved by a second person."""


def by_a_change(event: Event) -> Sentence | None:
    """Why nobody fires an event by hand; None: one may."""
    return Sentence("only a change set does it: propose one") if event in OF_CHANGES else None


# A refusal, a wait or a second look is always explained (Decree 61/2018 Art. 17, 19, 21).
REASONED = frozenset(
    {
        Event.decline,
        Event.send_back,
        Event.request_supplement,
        Event.extend,
        Event.stop,
        Event.reopen,
        Event.withdraw,
        Event.recompute,
        Event.migrate,
        Event.restate,
    }
)
GROUNDED = frozenset(
    {Event.extend, Event.stop, Event.reopen, Event.recompute, Event.migrate, Event.restate}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Who does what, in what capacity, when, and what it brings.

    `seq` is the number of moves the actor has seen (None: not said); `key` makes the act
    repeatable: the same actor's same key gives the same answer and writes nothing again.
    """

    event: Event
    actor: str
    role: Role
    at: datetime
    payload: dict[str, Any] = field(default_factory=dict)
    on_behalf_of: str | None = None
    reason: str | None = None
    ground: str | None = None
    key: str | None = None
    seq: int | None = None

    def brings(self) -> Brings:
        """The payload, parsed. `BadInput` names the field and what was expected."""
        if self.at.tzinfo is None:
            raise BadInput("the moment of a move must carry its offset")
        if self.event in REASONED and not (self.reason or "").strip():
            raise BadInput(
                "{event} needs a reason: say why, the citizen will be told", event=self.event
            )
        if self.event in GROUNDED and not (self.ground or "").strip():
            raise BadInput(
                "{event} needs its legal ground: the decree and article", event=self.event
            )
        for name in ("actor", "on_behalf_of", "key"):
            check_text(name, getattr(self, name), SHORT)
        for name in ("reason", "ground"):
            check_text(name, getattr(self, name), LONG)
        try:
            brought = BRINGS.get(self.event, Brings).model_validate(self.payload)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "payload"
            raise BadInput(
                "{event}: {where}: {msg}", event=self.event, where=where, msg=fault(first)
            ) from None
        if isinstance(brought, Extension) and Term.parse(brought.term).kind is Kind.none:
            raise BadInput("an extension must have a length: 'none' extends nothing")
        return brought


@dataclass(frozen=True, slots=True, kw_only=True)
class Lodging:
    """A dossier about to be opened: at which one-stop unit, for which procedure, by whom."""

    unit: str
    procedure: str
    channel: Channel
    applicant: str
    place: str | None = None
    counter: str | None = None  # the unit or service point that took it in, where not `unit`
    email: str | None = None
    phone: str | None = None
    citizen: str | None = None  # HMAC-SHA-256 in hexadecimal: the number itself is kept nowhere

    def check(self) -> None:
        """Raises `BadInput`."""
        check_text("unit", self.unit, SHORT)
        check_text("applicant", self.applicant, LONG)
        check_text("place", self.place, SHORT)
        check_text("counter", self.counter, SHORT)
        if self.email is not None and not EMAIL.fullmatch(self.email):
            raise BadInput("email must be an address such as anh@example.vn, or be left out")
        if self.phone is not None and not PHONE.fullmatch(self.phone):
            raise BadInput("phone must be 8 to 15 digits, with + before them or not")
        if self.citizen is not None and not HMAC.fullmatch(self.citizen):
            raise BadInput("citizen must be 64 hexadecimal digits: the hash, never the number")
        if not (self.unit.strip() and self.applicant.strip()):
            raise BadInput("unit and applicant may not be empty: say where and for whom")
