"""Who a request comes from: asked for each of them, so in one statement and one round trip."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

import states.accounts.rows  # noqa: F401  so that the metadata is full
from states.accounts.refusals import OutOfScope, PasswordDue
from states.accounts.rows import How
from states.accounts.scopes import ALL, Scope, known
from states.answers import Kept, of_row
from states.db import fetch

# A session or a key that is good now, of an account that is open. Both hashes are unique, so it is
# two probes of an index, and an account. `text[]`: what the driver knows without asking.
ARRIVE = """
SELECT edition.n AS edition, clock.at, who.*, answer.asked, answer.status,
       answer.headers::text AS headers, answer.body
FROM edition
CROSS JOIN (SELECT coalesce($2::timestamptz, clock_timestamp()) AS at) clock
LEFT JOIN LATERAL (
    SELECT a.id AS account, a.person, a.admin, a.must_change AND s.how = 'password' AS must_change,
           s.id AS session, s.how, NULL::bigint AS key, NULL::text[] AS scopes,
           NULL::date AS used_on, s.access_until AS until
    FROM session s JOIN account a ON a.id = s.account_id
    WHERE s.access = $1 AND s.access_until > clock.at AND s.revoked_at IS NULL
      AND a.closed_at IS NULL
    UNION ALL
    SELECT a.id, a.person, a.admin, false, NULL, NULL, k.id, k.scopes::text[], k.used_on,
           k.expires_at
    FROM service_key k JOIN account a ON a.id = k.account_id
    WHERE k.hash = $1 AND k.expires_at > clock.at AND k.revoked_at IS NULL
      AND a.closed_at IS NULL
) who ON true
LEFT JOIN answer ON answer.person = who.person AND answer.key = $3
"""
# Nobody waits for another who came by the same key at the same time: either writes the day.
USED = """
UPDATE service_key SET used_on = $2
WHERE id = (SELECT id FROM service_key WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who came, proved by a session's token or by a service key: one of the two is named."""

    account: int
    person: str
    admin: bool
    must_change: bool
    scopes: frozenset[Scope]
    session: int | None = None
    how: How | None = None
    key: int | None = None
    until: datetime | None = None  # when what they came in by ends

    def may(self, scope: Scope) -> None:
        """Raises `OutOfScope` for a key made for other things, `PasswordDue` where that is due."""
        if self.must_change:
            raise PasswordDue(
                "this is a one-time password: change it by POST /v1/accounts/password, then go on"
            )
        if scope not in self.scopes:
            raise OutOfScope(
                "this service key was not made for {scope}: ask for one that is", scope=scope
            )


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known of a request before it is looked at."""

    edition: int  # of the catalogue
    at: datetime
    who: Identity | None = None  # None: no token, or one that is not good now
    kept: Kept | None = None  # what they were answered to the same key before


async def arrive(
    db: AsyncConnection,
    token_hash: bytes | None,
    at: datetime | None = None,
    key: str | None = None,
) -> Arrival:
    """Who holds that token. `at`: the database's clock unless told otherwise."""
    row = await fetch(db, ARRIVE, token_hash, at, key)
    now: datetime = row["at"]
    if row["account"] is None:
        return Arrival(row["edition"], now, None)
    if row["key"] is not None:
        await _used(db, row["key"], row["used_on"], now.astimezone(UTC).date())
    kept = of_row(row) if row["asked"] is not None else None
    return Arrival(row["edition"], now, _identity(row), kept)


def _identity(row: Any) -> Identity:
    return Identity(
        account=row["account"],
        person=row["person"],
        admin=row["admin"],
        must_change=row["must_change"],
        scopes=ALL if row["key"] is None else known(row["scopes"]),
        session=row["session"],
        how=How(row["how"]) if row["how"] else None,
        key=row["key"],
        until=row["until"],
    )


async def _used(db: AsyncConnection, key: int, last: date | None, today: date) -> None:
    """Once a day for each key."""
    if last is None or last < today:
        await fetch(db, USED, key, today)
