"""What is done: one version of one administrative procedure, as its agency configured it."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import NonNegativeInt, PlainSerializer, PlainValidator, PositiveInt, StringConstraints

from states.catalogue.organisation import Day, Fault, Name, Organisation, Row, Text, UnitCode, Word
from states.catalogue.organisation import twice as named_twice
from states.clock import Kind, Policy, Term
from states.errors import BadInput
from states.words import Role

STANDARD_DAY = 480  # minutes, to compare terms in days with terms in hours

Channel = Literal["counter", "online", "post"]
Regime = Literal["R2018", "R2021", "R2025", "R2026"]


def _term(value: object) -> Term:
    if isinstance(value, Term):
        return value
    try:
        return Term.parse(str(value))
    except BadInput as wrong:
        raise ValueError(str(wrong)) from wrong


Length = Annotated[Term, PlainValidator(_term), PlainSerializer(str, return_type=str)]
# National part only; places add their own suffix (.000.00.00.H42). 9.… are codes of this sample.
Code = Annotated[str, StringConstraints(pattern=r"^[1-9]\.[0-9]{6}$")]


class Ground(Row):
    """A legal ground. `verified`: its text was read."""

    document: Text
    article: Text | None = None
    verified: bool


class Channels(Row):
    """How a dossier may come in and how its result may go out. The choice is the citizen's."""

    come: tuple[Channel, ...]
    go: tuple[Channel, ...]


class PublicPost(Row):
    """Whether the public post may carry it, and why not (Decision 45/2016/QĐ-TTg Art. 1, 13)."""

    eligible: bool
    reason: Name | None = None


class Stage(Row):
    """A step inside `processing`, at one unit, with its own term.

    `produces` names the documents that must be there before the next stage; `accept`: taken in by
    a person, or by itself when the dossier arrives.
    """

    code: Word
    name: Name
    unit: UnitCode
    role: Literal[Role.officer, Role.leader]
    term: Length
    produces: tuple[Text, ...] = ()
    accept: Literal["auto", "manual"]


class Component(Row):
    """A paper of the dossier, and in how many originals and copies it is handed in."""

    code: Word
    name: Name
    required: bool
    originals: NonNegativeInt
    copies: NonNegativeInt


class SupplementRule(Row):
    """How often the citizen may be asked to supplement, and what that does to the clock.

    `lapse`: the time after which the dossier is closed if nothing comes.
    """

    times: NonNegativeInt
    mode: Literal["hold", "restart"]
    lapse: Length
    ground: Ground | None = None


class ExtensionRule(Row):
    """How often the date may be moved, and by how much at most."""

    times: NonNegativeInt
    max: Length | None = None
    ground: Ground | None = None


class Procedure(Row):
    """One version of one procedure.

    `code_verified`: a public text was found that gives this code with this name.
    `figures_verified`: term, fee and papers were compared with the national database.
    `fee` in VND. A cut-off belongs to its term (`sameday@15:00`).
    """

    code: Code
    code_verified: bool
    version: PositiveInt
    valid_from: Day
    name: Name
    field: Word
    agency: UnitCode
    level: Literal["province", "district", "commune"]
    channels: Channels
    post: PublicPost
    term: Length
    stages: tuple[Stage, ...]
    components: tuple[Component, ...]
    fee: NonNegativeInt
    figures_verified: bool
    supplement: SupplementRule
    extension: ExtensionRule
    policy: Policy
    regime: Regime
    grounds: tuple[Ground, ...]

    def faults(self, organisation: Organisation) -> Iterator[Fault]:
        """What contradicts itself, or names what the organisation does not have."""
        agency = next((each for each in organisation.agencies if each.code == self.agency), None)
        if agency is None:
            yield ("agency",), f"there is no agency {self.agency}"
        elif self.field not in agency.fields:
            yield ("field",), f"{self.agency} does not answer for a field {self.field}"
        yield from self._channels_agree()
        yield from self._stages_hold(organisation)
        yield from named_twice("components", (each.code for each in self.components))
        if self.supplement.lapse.kind is Kind.none:
            yield ("supplement", "lapse"), "must have a length: whoever waits, waits until then"
        if bool(self.extension.times) != bool(self.extension.max):
            yield ("extension",), "must have 'max' when times is above 0, and only then"
        if not self.grounds:
            yield ("grounds",), "must name at least one legal ground"

    def _channels_agree(self) -> Iterator[Fault]:
        for way, channels in (("come", self.channels.come), ("go", self.channels.go)):
            yield from ((("channels", *at), why) for at, why in named_twice(way, channels))
            if not channels:
                yield ("channels", way), "must name at least one channel"
        by_post = "post" in {*self.channels.come, *self.channels.go}
        if by_post != self.post.eligible:
            yield ("post", "eligible"), "must be true if a channel is post, and only then"
        if self.post.eligible == bool(self.post.reason):
            yield ("post",), "must have a reason when not eligible, and only then"

    def _stages_hold(self, organisation: Organisation) -> Iterator[Fault]:
        if not self.stages:
            yield ("stages",), "must have at least one stage"
        yield from named_twice("stages", (each.code for each in self.stages))
        units = {each.code for each in organisation.units}
        for at, stage in enumerate(self.stages):
            if stage.unit not in units:
                yield ("stages", at, "unit"), f"there is no unit {stage.unit}"
            elif not any(each.holds(stage.role, stage.unit) for each in organisation.people):
                yield ("stages", at, "role"), f"nobody at {stage.unit} is {stage.role}"
        yield from self._stages_fit()

    def _stages_fit(self) -> Iterator[Fault]:
        """Stage terms sum to no more than the term (Circular 01/2018/TT-VPCP Art. 8)."""
        if self.term.kind is Kind.none:
            return
        in_calendar_days = self.term.kind is Kind.calendar
        for at, stage in enumerate(self.stages):
            if stage.term.kind is Kind.none:
                yield ("stages", at, "term"), "must have a length: the procedure has a term"
            elif (stage.term.kind is Kind.calendar) != in_calendar_days:
                yield ("stages", at, "term"), f"must be counted in days of {self.term}'s kind"
        if (spent := _total(each.term for each in self.stages)) > _total([self.term]):
            unit = "calendar days" if in_calendar_days else "working minutes"
            yield ("stages",), f"take {spent} {unit} together, more than the term {self.term}"


def _total(terms: Iterable[Term]) -> int:
    """Calendar days as days, everything else as working minutes."""
    return sum(_size(term) for term in terms)


def _size(term: Term) -> int:
    if term.kind in {Kind.days, Kind.minutes}:
        return term.size(STANDARD_DAY) * (STANDARD_DAY if term.kind is Kind.days else 1)
    return STANDARD_DAY if term.kind is Kind.sameday else term.size(STANDARD_DAY)
