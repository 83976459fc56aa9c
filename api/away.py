"""When the database is out of reach: what the driver raises is told as `Away`."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
import structlog
from asyncpg import PostgresError

from api.problems import Away
from states.db import LOST

log = structlog.get_logger()

BUSY = {"08", "40", "53", "55", "57"}  # SQLSTATE classes that say: not now


@contextmanager
def away_is_said() -> Iterator[None]:
    """Turn what the driver raises when the database is out of reach into `Away`."""
    try:
        yield
    except LOST as error:
        if not _is_away(error):
            raise
        log.warning("database.away", why=type(error).__name__, said=first_line(error))
        raise Away(
            "the database does not answer: try again soon, and send the same Idempotency-Key, for"
            " what was asked may have been written"
        ) from error


def _is_away(error: Exception) -> bool:
    if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
        return True
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    if isinstance(error, PostgresError | sa.exc.DBAPIError):
        return str(state)[:2] in BUSY
    return True


def first_line(error: Exception) -> str:
    """Without the statement's parameters, which may be about a person."""
    lines = str(getattr(error, "orig", error)).splitlines()
    return lines[0][:200] if lines else ""
