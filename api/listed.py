"""What every list over HTTP has: pages, and moments as they were on the wall of the office."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field

Row = TypeVar("Row", bound=BaseModel)


def _within(at: datetime) -> datetime:
    if not FIRST <= at.year <= LAST:
        raise ValueError(f"must lie in the years {FIRST} to {LAST}")
    return at


FIRST, LAST = 1900, 2200  # beyond them not every moment can be told in every zone
Moment = Annotated[AwareDatetime, AfterValidator(_within)]


class Listed(BaseModel, Generic[Row]):
    """A page of a list; each has a subclass, whose name the OpenAPI document tells."""

    items: list[Row]
    next: str | None = Field(description="`cursor` of the page that follows; none: this is all.")


def local(row: Mapping[str, Any], zone: tzinfo) -> dict[str, Any]:
    """A row whose moments have the offset of a place."""
    return {
        name: value.astimezone(zone) if isinstance(value, datetime) else value
        for name, value in row.items()
    }
