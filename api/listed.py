"""What every list over HTTP has: pages, and moments as they were on the wall of the office.

`Moment` and `Date` are how both come in, wherever they do.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Path, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, Field

from states.ledger.acts import SHORT
from states.sentences import Sentence

Row = TypeVar("Row", bound=BaseModel)
When = TypeVar("When", bound=date)


def _written(shape: str, example: str) -> BeforeValidator:
    """A number is no moment: a year that somebody meant would be seconds of 1970."""

    def check(said: Any) -> Any:
        if not isinstance(said, date) and not re.fullmatch(shape, str(said), re.ASCII):
            raise ValueError(Sentence("must be written as in {example}", example=example))
        return said

    return BeforeValidator(check)


def _within(at: When) -> When:
    if not FIRST <= at.year <= LAST:
        raise ValueError(
            Sentence("must lie in the years {first} to {last}", first=FIRST, last=LAST)
        )
    return at


PLAIN = r"^[^\x00-\x1f\x7f]+$"
"""Codes taken over from other systems have shapes of their own; none has a control character."""
Code = Annotated[str, Path(max_length=SHORT, pattern=PLAIN)]
Word = Annotated[str | None, Query(max_length=SHORT, pattern=PLAIN)]

FIRST, LAST = 1900, 2200  # beyond them not every moment can be told in every zone
A_MOMENT = _written(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d\S*", "2024-03-04T08:00:00+07:00")
Moment = Annotated[AwareDatetime, A_MOMENT, AfterValidator(_within)]
Date = Annotated[date, _written(r"\d{4}-\d\d-\d\d", "2024-03-04"), AfterValidator(_within)]


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
