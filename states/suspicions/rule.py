"""What a rule of suspicion is: data, with one statement for its number, its base and its list."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.figures.sheets import Both
from states.suspicions.scope import Scope

Cases = Callable[[AsyncConnection, Scope], Coroutine[Any, Any, sa.Select[Any]]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern.

    `suspects`: what it may be a sign of, and what it may be besides. `base`: what could have shown
    it. `limits`: the numbers it goes by. `cases`: the rows of the base, each with whether it shows
    the pattern; count, base, rate and list are all read off it.
    """

    key: str
    title: Both
    suspects: Both
    base: Both
    limits: Both
    cases: Cases
    ground: str | None = None
