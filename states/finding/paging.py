"""One page of a list: what all lists of dossiers have in common.

The predicate of what a caller may see is a disjunction, and so are some searches. No index serves
an OR; so each part is asked for its own first rows, each by its own index, and they are merged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from operator import or_
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.finding import cursors
from states.finding.cursors import Place
from states.finding.masks import masked
from states.ledger.statements import WITH_VISIT, d, dossier, v

# Plans are made for the values asked for: a name half the province bears wants another than a rare
# one. None of these questions is worth compiling, or waking other processes for.
PLANNED = sa.text(
    "SELECT set_config('plan_cache_mode', 'force_custom_plan', true),"
    " set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)"
)
TOLD = (
    *(d.id, d.code, d.seq, d.state, d.procedure, d.version, d.agency, d.unit, d.field, d.channel),
    *(d.applicant, d.phone, d.calendar, d.stage, d.stages, d.stage_role, d.verdict, d.outcome),
    *(d.registered_at, d.received_at, d.due_at, d.late_at, d.lapse_at, d.finished_at, d.moved_at),
    *(v.person, v.due_at.label("stage_due"), d.calendar_version),
    # What the guards of the lifecycle read beside these: so a list tells what is open to whom.
    *(d.leads, d.ends, d.takes_in, d.missing, d.supplement_restarts),
    *(d.supplements_left, d.extensions_left),
)


@dataclass(frozen=True)
class Order:
    """A settled order of dossiers: by a moment that is a column of `of`, and then by id.

    Without a moment by id alone: in the order in which they were entered.
    """

    name: str
    key: Any = None
    of: Any = dossier
    newest: bool = False

    def after(self, place: Place | None) -> list[Any]:
        """What comes behind a place, as conditions."""
        if place is None:
            return []
        mine: Any = d.id
        there: Any = sa.literal(place.id, d.id.type)
        if self.key is not None:
            mine = sa.tuple_(self.key, mine)
            there = sa.tuple_(sa.literal(place.key, d.due_at.type), there)
        return [mine < there if self.newest else mine > there]

    def by(self, key: Any, id_: Any) -> list[Any]:
        """ORDER BY."""
        columns = [id_] if self.key is None else [key, id_]
        return [each.desc() for each in columns] if self.newest else columns


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as they are told; `next` is the cursor of what follows, if anything does."""

    rows: list[dict[str, Any]]
    next: str | None


def parts(predicate: sa.ColumnElement[bool]) -> Sequence[sa.ColumnElement[bool]]:
    """What an OR is made of; of anything else, itself."""
    if isinstance(predicate, sa.BooleanClauseList) and predicate.operator is or_:
        return predicate.clauses
    return [predicate]


async def page(
    db: AsyncConnection,
    seen: sa.ColumnElement[bool],
    holds: Sequence[Any],
    order: Order,
    cursor: str | None,
    limit: int,
    *,
    any_of: Sequence[Any] = (),
    full: bool = False,
) -> Page:
    """The first rows behind the cursor of which all of `holds` and one of `any_of` hold.

    Personal data are masked unless `full`. Raises `BadInput` for a cursor of no such list.
    """
    place = (
        None if cursor is None else cursors.read(order.name, cursor, keyed=order.key is not None)
    )
    narrowed = [*holds, *order.after(place)]
    asked = _asked(order, seen, narrowed, any_of, limit + 1)
    await db.execute(PLANNED)
    found = (await db.execute(asked)).mappings().all()
    rows = [masked(dict(row), full=full) for row in found[:limit]]
    keys = [row.pop("key") for row in rows]
    more = len(found) > limit
    return Page(
        rows, cursors.written(order.name, Place(keys[-1], rows[-1]["id"])) if more else None
    )


def _asked(
    order: Order,
    seen: sa.ColumnElement[bool],
    holds: Sequence[Any],
    any_of: Sequence[Any],
    most: int,
) -> sa.Select[Any]:
    merged = either(seen, holds, any_of, most, order)
    ranked = sa.select(merged).order_by(*order.by(merged.c.key, merged.c.id)).limit(most)
    top = ranked.subquery("top")
    rows = sa.select(*TOLD, top.c.key).select_from(
        top.join(WITH_VISIT, d.id == top.c.id)  # of the few that are told
    )
    return rows.order_by(*order.by(top.c.key, top.c.id))


def either(
    seen: sa.ColumnElement[bool],
    holds: Sequence[Any],
    any_of: Sequence[Any],
    most: int | None = None,
    order: Order | None = None,
) -> sa.FromClause:
    """Ids, each once, of what any part of the predicate shows and one of `any_of` holds of.

    Of each combination the first `most` in that order, with their keys; any, where there is none.
    """
    first = []
    for part, alternative in product(parts(seen), any_of or [sa.true()]):
        key = sa.null() if order is None or order.key is None else order.key
        one = sa.select(d.id, key.label("key")).where(part, alternative, *holds).limit(most)
        if order is not None:
            one = one.select_from(order.of).order_by(*order.by(order.key, d.id))
        first.append(one.subquery())
    return first[0] if len(first) == 1 else sa.union(*map(sa.select, first)).subquery()


CAME = Order("came", newest=True)
DUE = Order("due", d.due_at)
