"""What is done: one version of one administrative procedure, as its agency configured it.

What a version says is here; what contradicts itself is the checker's to find (`checking`).
"""

from typing import Annotated, Literal

from pydantic import Field as Bound
from pydantic import NonNegativeInt, PlainSerializer, PlainValidator, StringConstraints

from states.catalogue.organisation import Day, Name, Row, Text, UnitCode, Word
from states.clock import Policy, Term
from states.errors import BadInput
from states.words import Role

Channel = Literal["counter", "online", "post"]
Regime = Annotated[str, StringConstraints(pattern=r"^R[0-9]{4}$")]
Number = Annotated[int, Bound(ge=1, le=99_999_999)]  # `CODE@VERSION` takes eight digits
Few = Annotated[int, Bound(ge=0, le=20)]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Region = Literal["plain", "mountain", "island"]
END = "end"  # in `next`: the result may be returned from here


def _term(value: object) -> Term:
    if isinstance(value, Term):
        return value
    try:
        return Term.parse(str(value))
    except BadInput as wrong:
        raise ValueError(wrong.sentence) from wrong


Written = Annotated[str, Bound(json_schema_extra={"format": "term"})]  # its pattern: `schema`
Length = Annotated[
    Term,
    PlainValidator(_term, json_schema_input_type=Written),
    PlainSerializer(str, return_type=str),
]
# National part only; places add their own suffix (.000.00.00.H42). 9.… are codes of this sample.
Code = Annotated[str, StringConstraints(pattern=r"^[1-9]\.[0-9]{6}$")]
Suffix = Annotated[str, StringConstraints(pattern=r"^[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-Z][0-9]{2}$")]


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


class Online(Row):
    """How much of it is done online; less than all of it needs a reason (Decree 224/2026)."""

    level: Literal["full", "partial", "none"]
    reason: Name | None = None


class OtherTerm(Row):
    """Another term where the law gives one: online, or in a region. The first that fits counts."""

    term: Length
    channel: Channel | None = None
    region: Region | None = None
    ground: Ground | None = None

    def fits(self, channel: str, region: str | None) -> bool:
        """Whether it is the term of a dossier that came so, from there."""
        return self.channel in {None, channel} and self.region in {None, region}


class Route(Row):
    """A rule of who gets a dossier that enters the stage; the first whose conditions hold.

    Conditions are `received_at` (the unit or service point that took it in), `place`, `field` and
    `channel`; one not named always holds. It goes to `unit`, or the stage's when none is named,
    there to `person`, or with `least_loaded` to whoever of the role has least in hand.
    """

    received_at: tuple[Text, ...] = ()
    place: tuple[Word, ...] = ()
    field: tuple[Word, ...] = ()
    channel: tuple[Channel, ...] = ()
    unit: UnitCode | None = None
    person: Word | None = None
    least_loaded: bool = False


class Consultation(Row):
    """Another unit asked for its opinion, beside the stage and with its own term.

    All are asked at once; the stage's unit leads (Decree 61/2018/NĐ-CP Art. 19(5), (6)(b)).
    """

    unit: UnitCode
    term: Length
    about: Name | None = None


class Stage(Row):
    """A step inside `processing`, at one unit, with its own term.

    `unit` takes what no rule of `routes` catches; without it that goes to the agency's queue.
    `needs` names components and documents that must be there when it begins, `produces` the
    documents that must be there before it ends. `next`: the stages that may follow, `end` for the
    result; without it the one below, and the result after the last. `returns`: the stages it may be
    sent back to; without it any above. `accept`: taken in by a person, or by itself.
    """

    code: Word
    name: Name
    unit: UnitCode | None = None
    routes: tuple[Route, ...] = ()
    role: Literal[Role.officer, Role.leader]
    term: Length
    needs: tuple[Text, ...] = ()
    produces: tuple[Text, ...] = ()
    consults: tuple[Consultation, ...] = ()
    next: tuple[Word, ...] | None = None
    returns: tuple[Word, ...] | None = None
    accept: Literal["auto", "manual"]


class Component(Row):
    """A paper of the dossier, and in how many originals and copies it is handed in.

    `digitised`: scanned at reception (Circular 01/2023/TT-VPCP). `reusable`: taken from what the
    person handed in before, or from a national database, and then handed in by nobody.
    """

    code: Word
    name: Name
    required: bool
    originals: NonNegativeInt
    copies: NonNegativeInt
    digitised: bool = True
    reusable: bool = False


class SupplementRule(Row):
    """How often the citizen may be asked to supplement, and what that does to the clock.

    `notice`: the time within which to ask. `lapse`: the time after which the dossier is closed if
    nothing comes.
    """

    times: Few
    notice: Length | None = None
    mode: Literal["hold", "restart"]
    lapse: Length
    ground: Ground | None = None


class ExtensionRule(Row):
    """How often the date may be moved, by how much at most, and how long before it runs out.

    `instrument` is the paper that says so to the citizen.
    """

    times: Few
    max: Length | None = None
    before: Length | None = None
    instrument: Text | None = None
    ground: Ground | None = None


class Procedure(Row):
    """One version of one procedure.

    `code_verified`: a public text was found that gives this code with this name.
    `figures_verified`: term, fee and papers were compared with the national database.
    `valid_until` is left out where the next version ends it. `fee` in VND. A cut-off of the result
    belongs to its term (`sameday@15:00`); `transfer_by` is that of the transfer to the unit.
    `regime` is that of the day of receipt, and `calendar` the agency's, unless they are named.
    """

    code: Code
    suffix: Suffix | None = None
    code_verified: bool
    version: Number
    valid_from: Day
    valid_until: Day | None = None
    name: Name
    field: Word
    agency: UnitCode
    level: Literal["province", "district", "commune"]
    online: Online | None = None
    channels: Channels
    post: PublicPost
    term: Length
    terms: tuple[OtherTerm, ...] = ()
    calendar: Word | None = None
    transfer_by: TimeOfDay | None = None
    stages: tuple[Stage, ...]
    components: tuple[Component, ...]
    fee: NonNegativeInt
    figures_verified: bool
    supplement: SupplementRule
    extension: ExtensionRule
    policy: Policy
    regime: Regime | None = None
    grounds: tuple[Ground, ...]

    def term_for(self, channel: str, region: str | None = None) -> Term:
        """The term of a dossier that came by that channel, from that region."""
        other = (each.term for each in self.terms if each.fits(channel, region))
        return next(other, self.term)

    def position(self, stage: str) -> int:
        """Where a stage stands in the list. Raises `StopIteration` for none of ours."""
        return next(at for at, each in enumerate(self.stages) if each.code == stage)

    def onward(self, at: int) -> tuple[tuple[int, ...], bool]:
        """Which stages may follow the one at that place, and whether the result may."""
        stage = self.stages[at]
        if stage.next is None:
            last = at == len(self.stages) - 1
            return ((), True) if last else ((at + 1,), False)
        ways = (self.position(code) for code in stage.next if code != END)
        return tuple(ways), END in stage.next

    def back(self, at: int) -> tuple[int, ...]:
        """The stages to which the one at that place may send a dossier back."""
        stage = self.stages[at]
        if stage.returns is None:
            return tuple(range(at))
        return tuple(self.position(code) for code in stage.returns)
