"""Pages of a list: every row once, however long a page is; what is no cursor is refused."""

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from states.errors import BadInput
from states.pages import page, read, told

AT = sa.column("at", sa.DateTime(timezone=True))
NAME, N = sa.column("name", sa.String), sa.column("n", sa.BigInteger)
KEY: Any = (AT, NAME, N)
START = datetime(2024, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize("newest", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
async def test_every_row_once_and_in_order(db: AsyncConnection, limit: int, newest: bool) -> None:
    rows = [(START + timedelta(days=n // 4), "ab"[n // 2 % 2], n % 2) for n in range(7)]
    table = sa.values(*KEY, name="rows").data(rows[::-1])
    found, cursor = [], None
    while True:
        part = await page(db, sa.select(table), tuple(table.c), cursor, limit, newest=newest)
        assert 1 <= len(part.rows) <= limit
        found += [tuple(row.values()) for row in part.rows]
        if (cursor := part.next) is None:
            break
    assert found == (rows[::-1] if newest else rows)


@given(
    st.datetimes(timezones=st.just(UTC)),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    st.integers(-(2**63) + 1, 2**63 - 1),
)
def test_a_cursor_is_the_key_it_was_made_of(at: datetime, name: str, n: int) -> None:
    assert read(told((at, name, n)), KEY) == [at, name, n]


@given(st.text() | st.binary().map(lambda raw: urlsafe_b64encode(raw).decode()))
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="the cursor is none of this list"):
        read(text, KEY)


NOW = START.isoformat()


@pytest.mark.parametrize(
    "values",
    [
        [], {}, 1, [NOW, "a"], [NOW, "a", 1, 1], ["2024-03-04", "a", 1], [NOW, 1, 1],
        [NOW, "a", "1"], [NOW, "a", True], [NOW, "a", 2**63], [NOW, "a", 1.0], [NOW, "a\0", 1],
        [NOW, "\ud800", 1], [None, "a", 1], "[" * 100_000,
    ],
)  # fmt: skip
def test_a_cursor_of_another_list_is_refused(values: Any) -> None:
    text = values if isinstance(values, str) else json.dumps(values)
    with pytest.raises(BadInput, match="send `next` of the page before"):
        read(urlsafe_b64encode(text.encode()).decode(), KEY)
