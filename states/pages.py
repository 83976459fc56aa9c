"""Lists by pages that stand still while rows are written: a page begins after a row, by its key.

A cursor is the key of the last row that was told. It gives no right: what a page may show is in its
query, whatever the cursor says.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.errors import BadInput
from states.ledger.acts import keepable


class Page(NamedTuple):
    """Rows, and the cursor of what follows them; None: they are the last."""

    rows: list[dict[str, Any]]
    next: str | None


async def page(
    db: AsyncConnection,
    asked: sa.Select[Any],
    key: Sequence[sa.Column[Any]],
    cursor: str | None,
    limit: int,
    *,
    newest: bool = False,
) -> Page:
    """One page of a query in the order of `key`, which names a row; `newest`: the last one first.

    The key's columns are among those asked for. Raises `BadInput` for a cursor of no such list.
    """
    if cursor is not None:
        here, after = sa.tuple_(*key), _literals(key, read(cursor, key))
        asked = asked.where(here < after if newest else here > after)
    asked = asked.order_by(*(each.desc() if newest else each for each in key)).limit(limit + 1)
    rows = [dict(row) for row in (await db.execute(asked)).mappings()]
    if len(rows) <= limit:
        return Page(rows, None)
    last = rows[limit - 1]
    return Page(rows[:limit], told(last[each.name] for each in key))


def told(values: Any) -> str:
    """A key as a cursor."""
    plain = [each.isoformat() if isinstance(each, datetime) else each for each in values]
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(cursor: str, key: Sequence[sa.Column[Any]]) -> list[Any]:
    """The key a cursor tells. Raises `BadInput`."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        values = json.loads(text)
        return [
            _value(column.type, value) for column, value in zip(key, _listed(values), strict=True)
        ]
    except (ValueError, binascii.Error, RecursionError):
        raise BadInput(
            "the cursor is none of this list: send `next` of the page before as it is, or none"
        ) from None


LARGEST = {False: 2**31 - 1, True: 2**63 - 1}  # of an integer, of a big one


def _listed(values: Any) -> list[Any]:
    if not isinstance(values, list):
        raise ValueError  # noqa: TRY004  told as all other faults of a cursor are
    return values


def _value(kind: sa.types.TypeEngine[Any], value: Any) -> Any:
    """Raises `ValueError`."""
    if isinstance(kind, sa.DateTime):
        at = datetime.fromisoformat(value if isinstance(value, str) else "")
        if at.tzinfo is None:
            raise ValueError
        return at
    if isinstance(kind, sa.Integer):
        if type(value) is int and abs(value) <= LARGEST[type(kind) is sa.BigInteger]:
            return value
    elif isinstance(value, str) and keepable(value):
        return value
    raise ValueError


def _literals(key: Sequence[sa.Column[Any]], values: list[Any]) -> Any:
    pairs = zip(key, values, strict=True)
    return sa.tuple_(*(sa.literal(value, each.type) for each, value in pairs))
