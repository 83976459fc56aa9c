"""What the forms say that change the organisation."""

from datetime import date

from pydantic import BaseModel, Field

from states.words import Role


class Absent(BaseModel):
    """When somebody is away, and who stands in."""

    since: date
    until: date
    substitute: str | None = Field(default=None, max_length=80)
    reason: str | None = Field(default=None, max_length=1000)


class Delegated(BaseModel):
    """For whom somebody acts, until when, by which document."""

    role: Role
    agencies: list[str] = Field(min_length=1, max_length=200)
    fields: list[str] = Field(default_factory=list, max_length=200)
    document: str = Field(max_length=1000)
    since: date
    until: date


class Revoked(BaseModel):
    """From which day on a delegation holds no more, by which document."""

    number: int = Field(ge=0, le=100_000)
    on: date
    document: str = Field(max_length=1000)


class Placed(BaseModel):
    """A role at a unit."""

    unit: str = Field(max_length=40)
    role: Role
    since: date


class Ended(BaseModel):
    """The last day of a position."""

    number: int = Field(ge=0, le=100)
    until: date


class Hired(Placed):
    """Somebody new."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]{0,60}$")
    name: str = Field(max_length=200)
