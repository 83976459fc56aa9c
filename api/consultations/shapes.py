"""What goes in and out about stages and consultations, as the OpenAPI document describes it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.dossiers.shapes import Visited
from states.consultations.rows import Opinion, Standing
from states.ledger.acts import LONG, Name, Sha256
from states.words import Role

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONG)]

# In -----------------------------------------------------------------------------------------


def _example(**said: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [said]})


class Ask(BaseModel):
    """A question. Where the procedure names the body for the stage, `term` and `about` are its."""

    model_config = _example(to="H42.07.02", about="Đơn giá thiết bị", term="3wd")

    to: Name = Field(description="The agency or unit that is asked.")
    about: Text | None = Field(None, description="The procedure's own, where it has one.")
    term: Name | None = Field(None, description="How long it has; not where the procedure says it.")


class Give(BaseModel):
    """An opinion. Whoever does not simply agree says why."""

    model_config = _example(opinion="disagrees", text="Đơn giá cao hơn giá thị trường 20%")

    opinion: Opinion
    text: Text | None = None
    file: Sha256 | None = Field(None, description="SHA-256 of the signed opinion.")


class Withdraw(BaseModel):
    """Why the question needs no answer any more."""

    model_config = _example(reason="Hồ sơ đã có ý kiến bằng văn bản")

    reason: Text


# Out ----------------------------------------------------------------------------------------


class Consulted(BaseModel):
    """A consultation: `overtaken` is one whose stage was left without the answer."""

    n: int
    visit: int = Field(description="The visit of a stage in which it was asked.")
    unit: str = Field(description="That is asked.")
    agency: str
    by_unit: str = Field(description="That asks, and has the dossier.")
    asked_by: str
    asked_at: datetime
    about: str
    term: str
    calendar: str
    due: datetime
    late_at: datetime
    standing: Standing
    late: bool = Field(description="Not answered in time: answered later, or not at all so far.")
    ended_at: datetime | None
    ended_by: str | None
    opinion: Opinion | None
    text: str | None = Field(description="The opinion's words, or why it was withdrawn.")
    file: str | None
    open: list[Literal["answer", "withdraw"]] = Field(description="What the caller may do now.")


class Named(BaseModel):
    """A consultation that the version of the procedure names for a stage."""

    unit: str
    term: str
    about: str | None


class Consultations(BaseModel):
    """Those of a dossier, as they were asked."""

    code: str
    consultations: list[Consulted]
    unasked: list[Named] = Field(description="Named for the present stage, and not asked in it.")
    ask: str | None = Field(description="Why the caller may ask for no opinion now; none: may.")


class QueuedConsultation(Consulted):
    """One that the caller's bodies are to answer."""

    code: str


class ConsultationQueue(BaseModel):
    """What is due first comes first."""

    consultations: list[QueuedConsultation]
    next: str | None = Field(description="The `cursor` of the next page.")


class StageTold(BaseModel):
    """A stage of the procedure, counted from 0, as the dossier's version says it."""

    n: int
    code: str
    name: str
    unit: str | None = Field(description="None: the rules of routing choose.")
    role: Role
    term: str
    needs: list[str]
    produces: list[str]
    onward: list[int] = Field(description="The stages that may follow.")
    ends: bool = Field(description="Whether the result may follow.")
    back: list[int] = Field(description="The stages it may be sent back to.")
    consults: list[Named]


class VisitTold(Visited):
    """A visit of a stage, with the numbers of what was asked in it."""

    consultations: list[int]


class Stages(BaseModel):
    """The way of a dossier. One taken over from another system has none that is known here."""

    code: str
    present: int | None = Field(description="The stage it is in.")
    stages: list[StageTold]
    visits: list[VisitTold]
