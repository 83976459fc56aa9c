"""Service keys; who arrives by what, in how many round trips; what the application may write."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from test_accounts import DAY, HAND, NINE, ONE, SECOND, TWO, arrival, begun, opened

from states.accounts import Scope, arrive, keeping, keys, tokens
from states.accounts.rows import account, service_key
from states.accounts.scopes import known
from states.catalogue.bundles import EDITION
from states.db import transaction
from states.errors import BadInput, NotOpen, Unknown

READ, WRITE = Scope.dossiers_read, Scope.dossiers_write


async def made(db: AsyncConnection, *scopes: Scope, **given: Any) -> tuple[Any, str]:
    return await keys.make(db, "the portal", ONE, scopes or [READ], HAND, NINE, **given)


# Keys ---------------------------------------------------------------------------------------


async def test_a_key_is_its_holder_and_no_further_than_its_scopes(db: AsyncConnection) -> None:
    number = await opened(db, admin=True)
    row, key = await made(db, READ, WRITE, READ)
    who = await arrival(db, key, NINE)
    assert who is not None
    assert (who.account, who.person, who.key, who.session) == (number, ONE, row.id, None)
    assert who.scopes == {READ, WRITE}
    assert not who.must_change
    [kept] = (await db.execute(sa.select(service_key))).all()
    assert key not in repr(kept)
    assert kept.hash == tokens.digest(key)


async def test_a_key_ends_by_its_day_by_revocation_and_with_its_account(
    db: AsyncConnection,
) -> None:
    await opened(db)
    (_, one), (two_row, two), (_, three) = [await made(db, lasts=DAY) for _ in range(3)]
    assert await arrival(db, one, NINE + DAY - SECOND) is not None
    assert await arrival(db, one, NINE + DAY) is None
    await keys.revoke(db, two_row.id, HAND, NINE)
    assert await arrival(db, two, NINE) is None
    with pytest.raises(Unknown, match="not revoked"):
        await keys.revoke(db, two_row.id, HAND, NINE)
    await keeping.close(db, ONE, HAND, NINE)
    assert await arrival(db, three, NINE) is None
    assert await keys.listed(db) == []
    assert len(await keys.listed(db, revoked=True)) == 3
    await opened(db)
    assert await arrival(db, three, NINE) is None


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"scopes": []}, "name a scope"),
        ({"name": "  "}, "has a name"),
        ({"lasts": timedelta()}, "1 to 731 days"),
        ({"lasts": keys.LONGEST + SECOND}, "1 to 731 days"),
    ],
)
async def test_what_is_no_key(db: AsyncConnection, wrong: dict[str, Any], why: str) -> None:
    await opened(db)
    given = {"name": "x", "person": ONE, "scopes": [READ], "by": HAND, "at": NINE} | wrong
    with pytest.raises(BadInput, match=why):
        await keys.make(db, **given)


async def test_a_key_needs_an_account_that_is_open(db: AsyncConnection) -> None:
    with pytest.raises(Unknown, match="no account"):
        await made(db)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    lasts=st.integers(2, 731),
    grace=st.integers(0, 31),
    when=st.integers(1, 800),
    look=st.integers(0, 1600),
)
@example(lasts=10, grace=31, when=5, look=6)
async def test_a_rotated_key_lives_on_for_the_grace_and_never_longer_than_it_would(
    db: AsyncConnection, lasts: int, grace: int, when: int, look: int
) -> None:
    inner = await db.begin_nested()
    await opened(db, secret=keeping.NONE)
    row, old = await made(db, lasts=lasts * DAY)
    at, seen = NINE + when * DAY, NINE + (when + look) * DAY
    if when >= lasts:
        with pytest.raises(BadInput, match="expired"):
            await keys.rotate(db, row.id, HAND, at, grace * DAY)
    else:
        other, new = await keys.rotate(db, row.id, HAND, at, grace * DAY)
        assert (other.name, other.person, other.scopes) == (row.name, row.person, row.scopes)
        assert (await arrival(db, old, seen) is not None) == (look < min(grace, lasts - when))
        assert (await arrival(db, new, seen) is not None) == (look < lasts)
    await inner.rollback()


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 31), st.integers(0, 40)), max_size=12
    )
)
@example(steps=[(0, 7, 0), (0, 7, 0)])  # the same once more: a fork
@example(steps=[(0, 7, 0), (1, 7, 0)])  # the new one at once: a chain
@example(steps=[(0, 31, 300), (1, 31, 0), (1, 31, 31)])
async def test_keys_do_not_multiply_and_each_lasts_as_long_as_the_first_was_made_for(
    db: AsyncConnection, steps: list[tuple[int, int, int]]
) -> None:
    """Whichever key of a line is rotated when: two of it are good at most, the last in full."""
    inner = await db.begin_nested()
    await opened(db, secret=keeping.NONE)
    line, at = [await made(db)], NINE
    for which, grace, pause in steps:
        at += pause * DAY
        row, _ = line[which % len(line)]
        before = [each.expires_at for each in await keys.listed(db)]
        try:
            line.append(await keys.rotate(db, row.id, HAND, at, grace * DAY))
        except (BadInput, NotOpen):
            assert [each.expires_at for each in await keys.listed(db)] == before
        else:
            assert line[-1][0].expires_at == at + keys.USUAL
            assert line[-1][0].replaces == row.id
        good = [await arrival(db, key, at) is not None for _, key in line]
        assert sum(good) <= 2
        assert len({each.replaces for each in await keys.listed(db)}) == len(line)
    await inner.rollback()


async def test_a_successor_that_nobody_has_is_revoked_and_the_key_rotated_again(
    db: AsyncConnection,
) -> None:
    await opened(db)
    old, _ = await made(db)
    lost, _ = await keys.rotate(db, old.id, HAND, NINE)
    with pytest.raises(NotOpen, match=f"rotated already, into {lost.id}"):
        await keys.rotate(db, old.id, HAND, NINE)
    with pytest.raises(NotOpen, match=f"{old.id}, which this one replaces, is good until 11/03"):
        await keys.rotate(db, lost.id, HAND, NINE + DAY)
    await keys.revoke(db, lost.id, HAND, NINE + DAY)
    new, _ = await keys.rotate(db, old.id, HAND, NINE + 2 * DAY)
    assert (new.replaces, new.expires_at) == (old.id, NINE + 2 * DAY + keys.USUAL)
    [kept] = [each for each in await keys.listed(db) if each.id == old.id]
    assert kept.expires_at == NINE + keys.GRACE  # once more, and no longer
    same = [c for c in service_key.c if c.name not in {"id", "hash"}]
    twin = sa.select(*same, sa.literal(b"another")).where(service_key.c.id == new.id)
    names = [*(c.name for c in same), "hash"]
    with pytest.raises(DBAPIError, match="service_key_replaces_key"):
        await db.execute(sa.insert(service_key).from_select(names, twin))


async def test_a_scope_that_is_no_more_grants_nothing(db: AsyncConnection) -> None:
    await opened(db)
    await made(db)
    words = ["dossiers:read", "moon:write"]
    await db.execute(
        sa.insert(service_key).from_select(
            [
                *("account_id", "name", "hash", "scopes", "expires_at", "created_at"),
                *("created_by", "lasts"),
            ],
            sa.select(
                service_key.c.account_id,
                sa.literal("old"),
                sa.literal(tokens.digest("hsk_old")),
                sa.literal(words, sa.ARRAY(sa.String)),
                service_key.c.expires_at,
                service_key.c.created_at,
                sa.literal("test"),
                service_key.c.lasts,
            ),
        )
    )
    who = await arrival(db, "hsk_old", NINE)
    assert who is not None
    assert who.scopes == known(words) == {READ}


# Arriving -----------------------------------------------------------------------------------


class Heard:
    """What goes over the wire of one connection."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def __call__(self, record: Any) -> None:
        self.statements.append(record.query)

    async def all(self) -> list[str]:
        await asyncio.sleep(0)  # the driver tells in the loop's next turn
        return self.statements


async def test_all_that_a_request_begins_with_is_one_statement(fresh: AsyncEngine) -> None:
    async with transaction(fresh) as db:
        number = await opened(db)
        new = await begun(db, number, datetime.now(UTC))
        _, key = await made(db, lasts=keys.LONGEST)
        await db.execute(sa.update(service_key).values(expires_at=datetime.now(UTC) + DAY))
    async with transaction(fresh) as db:
        edition = await db.scalar(EDITION)
        driver = (await db.get_raw_connection()).driver_connection
        assert driver is not None
        heard = Heard()
        driver.add_query_logger(heard)
        for token in (None, "hsa_nothing", new.access):
            heard.statements.clear()
            came = await arrive(db, token and tokens.digest(token))
            assert len(await heard.all()) == 1
            assert came.edition == edition
            assert abs(came.at - datetime.now(UTC)) < timedelta(minutes=1)
            assert (came.who is not None) == (token == new.access)
        for statements in (2, 1, 1):  # the first time in a day, that it was used is written
            heard.statements.clear()
            assert (await arrive(db, tokens.digest(key))).who is not None
            assert len(await heard.all()) == statements
        driver.remove_query_logger(heard)


async def test_the_day_of_use_is_written_and_nobody_waits_for_another(fresh: AsyncEngine) -> None:
    async with transaction(fresh) as db:
        await opened(db)
        row, key = await made(db)
    hashed = tokens.digest(key)
    async with transaction(fresh) as one, transaction(fresh) as two:
        await arrive(one, hashed, NINE)
        async with asyncio.timeout(5):
            assert (await arrive(two, hashed, NINE)).who is not None
    async with transaction(fresh) as db:
        assert (await keys.find(db, row.id)).used_on == date(2024, 3, 4)
        await arrive(db, hashed, NINE + DAY)
        assert (await keys.find(db, row.id)).used_on == date(2024, 3, 5)
        await arrive(db, hashed, NINE)  # a clock that went back
        assert (await keys.find(db, row.id)).used_on == date(2024, 3, 5)


async def test_a_one_time_password_binds_only_who_came_by_it(db: AsyncConnection) -> None:
    from states.accounts import signing
    from states.accounts.rows import How

    number = await opened(db)
    await db.execute(sa.update(account).values(must_change=True))
    for how in How:
        new = await signing.begin(
            db, signing.Holder(number, ONE, must_change=True), how, NINE, HAND
        )
        who = await arrival(db, new.access, NINE)
        assert who is not None
        assert who.must_change == new.must_change == (how is How.password)


async def test_what_is_asked_at_every_request_is_found_by_its_hash(
    owner_db: AsyncConnection,
) -> None:
    from states.accounts.arriving import ARRIVE

    await owner_db.execute(sa.text("SET LOCAL enable_seqscan = off"))
    asked = ARRIVE.replace("$1", "'\\x00'::bytea").replace("$2", "now()").replace("$3", "'x'")
    plan = "\n".join((await owner_db.execute(sa.text("EXPLAIN " + asked))).scalars())
    assert "session_access_key" in plan
    assert "service_key_hash_key" in plan


# Rights -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "forbidden",
    [
        "DELETE FROM account",
        "UPDATE account SET person = 'x'",
        "UPDATE account SET created_by = 'x'",
        "UPDATE session SET account_id = 1",
        "UPDATE session SET how = 'command'",
        "UPDATE service_key SET scopes = '{accounts:write}'",
        "UPDATE service_key SET account_id = 1",
        "DELETE FROM service_key",
        "UPDATE service_key SET replaces = NULL",
        "UPDATE service_key SET lasts = '9 years'",
        "UPDATE account_event SET done_by = 'x'",
        "DELETE FROM account_event",
        "TRUNCATE account_event",
        "UPDATE used_state SET until = now()",
        "TRUNCATE session",
    ],
)
async def test_what_the_application_may_not_write(db: AsyncConnection, forbidden: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with db.begin_nested():
            await db.execute(sa.text(forbidden))


async def test_accounts_are_listed_page_by_page(db: AsyncConnection) -> None:
    for person in (TWO, ONE, "p-post-01"):
        await opened(db, person)
    await keeping.close(db, "p-post-01", HAND, NINE)
    rows, cursor = await keeping.part(db, None, 2)
    assert [each["person"] for each in rows] == ["p-post-01", ONE]
    assert rows[0]["closed_at"] is not None
    assert "password" not in rows[0]
    last = await keeping.part(db, cursor, 2)
    assert ([each["person"] for each in last.rows], last.next) == ([TWO], None)
    assert await keeping.listed(db) == [*rows, *last.rows]
