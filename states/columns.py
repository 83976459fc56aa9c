"""What columns are made of: words by CHECK, facts tied to states, moments."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from states.words import State


class Word(sa.types.TypeDecorator[StrEnum]):
    """An enum kept as the plain word; `only` adds the CHECK."""

    impl = sa.String
    cache_ok = True

    def __init__(self, enum: type[StrEnum]) -> None:
        super().__init__()
        self.enum = enum

    def process_bind_param(self, value: StrEnum | str | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else self.enum(value).value

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> StrEnum | None:
        return None if value is None else self.enum(value)


def word(enum: type[StrEnum]) -> Any:
    return Word(enum)


def listed(words: Iterable[StrEnum]) -> str:
    """The words as an SQL list, in a settled order."""
    return "(" + ", ".join(f"'{each}'" for each in sorted(words)) + ")"


def only(column: str, enum: type[StrEnum]) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} IN {listed(enum)}", name=f"{column}_word")


def iff(fact: str, states: Iterable[State], name: str) -> sa.CheckConstraint:
    """The fact holds in these states and in no other."""
    return sa.CheckConstraint(f"({fact}) = (state IN {listed(states)})", name=name)


MOMENT: Any = sa.DateTime(timezone=True)
UNFINISHED, FINISHED = sa.text("finished_at IS NULL"), sa.text("finished_at IS NOT NULL")
