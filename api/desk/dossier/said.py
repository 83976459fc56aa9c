"""What the form of an act says, as the act that the ledger is asked for. Pure."""

from typing import Annotated, Any

from pydantic import BaseModel, StringConstraints

from api.desk import typed
from api.desk.dossier.case import Case, Field
from api.desk.dossier.fields import MORE, fields
from api.desk.dossier.why import ASKED
from api.desk.typed import Mistyped, Typed
from states.ledger import Act
from states.ledger.acts import BRINGS, LONG, Brings
from states.people import Caller
from states.sentences import Sentence
from states.words import Event, Outcome

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONG)]
NUMBERS = ("stage", "amount")
DIGITS = 15  # more is no amount of anything here


class Why(BaseModel):
    """Why it is done, and by which norm."""

    reason: Text | None = None
    ground: Text | None = None


def seen(form: Typed) -> int | None:
    """The number of moves that whoever sends a form had seen; None where it does not say."""
    said = form.get("seq")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 9 else None


def act(case: Case, who: Caller, form: Typed) -> Act:
    """Raises `Mistyped` after what is wrong was noted beside each field."""
    asked = fields(case)
    _check_there(asked, form)
    why = typed.read(Why, form)
    brought = typed.read(BRINGS.get(case.event, Brings), form, **_by_hand(asked, form))
    reason = _reason(case, form, why.reason)
    if form.faults:
        raise Mistyped("some fields are to be mended: see beside each")
    return Act(
        event=case.event,
        actor=who.person.id,
        role=who.role,
        at=case.at,
        on_behalf_of=who.acts_for,
        payload=brought.model_dump(mode="json", exclude_defaults=True),
        reason=reason,
        ground=why.ground,
        seq=seen(form),
    )


def _check_there(asked: list[Field], form: Typed) -> None:
    """Raises `Mistyped`."""
    for field in asked:
        if field.required and not any(form.all(field.name)):
            form.faults.setdefault(field.name, Sentence("this is needed"))
    if form.faults:
        raise Mistyped("some fields are to be mended: see beside each")


def _by_hand(asked: list[Field], form: Typed) -> dict[str, Any]:
    """Numbers, which are written, and documents, which are ticked and listed."""
    read: dict[str, Any] = {}
    for name in NUMBERS:
        said = form.get(name)
        written = "".join(each for each in said if each not in ". ,\u00a0")
        if written.isascii() and written.isdecimal() and len(written) <= DIGITS:
            read[name] = int(written)
    if any(field.name in {"produced", MORE} for field in asked):
        lines = (line.strip() for line in form.get(MORE).splitlines())
        read["produced"] = [*form.all("produced"), *(line for line in lines if line)]
    known = {field.name for field in asked}
    return {name: value for name, value in read.items() if name in known | {"produced"}}


def _reason(case: Case, form: Typed, reason: str | None) -> str | None:
    """With what the citizen is asked for. A refusal has one."""
    if case.event is Event.return_result:
        if form.get("outcome") == Outcome.refused and not reason:
            form.faults["reason"] = Sentence("say why it is refused: the citizen is told")
        return reason or None
    if case.event is not Event.request_supplement:
        return reason or None
    listed = case.procedure.components if case.procedure else ()
    asked = "; ".join(each.name.vi for each in listed if form.has(ASKED, each.code))
    if reason and asked and reason[-1] not in ".;:!?":
        reason += "."
    whole = "\n".join(each for each in (reason, asked and f"Đề nghị bổ sung: {asked}.") if each)
    if not whole:
        form.faults["reason"] = Sentence("say what is lacking, or tick it above")
    elif len(whole) > LONG:
        form.faults["reason"] = Sentence(
            "may have {longest:,} characters at most, with the components", longest=LONG
        )
    return whole or None
