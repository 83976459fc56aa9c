"""Automatic moves in sets, through Prefect, beside plain SQL writing the same rows."""

import asyncio
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa
from apart import apart
from crowd import MORNING, gather
from drivers import driver
from measures import ROUNDS, Figure, Figures

from flows import server
from states.db import engine, transaction
from states.embedded import Embedded

pytestmark = pytest.mark.bench

PROCEDURE = "1.005092"  # its first stage takes dossiers in by itself
DOSSIERS = 20_000
MOVES = 3 * DOSSIERS  # digitise, route, accept
AT = MORNING + timedelta(hours=1)

# One statement a move: the rows alone, without rules, clock and hash.
PLAIN = """
WITH moved AS (
  UPDATE dossier SET seq = seq + 1, state = '{dest}', head = '\\x00', moved_at = '{at}' {more}
  WHERE state = '{source}' RETURNING id, seq, visit
)
{visits}
INSERT INTO entry (dossier_id, seq, event, source, dest, role, actor, at, recorded_at, payload,
  prev, hash)
SELECT id, seq, '{event}', '{source}', '{dest}', 'system', 'system', '{at}', now(),
  '{{"act": {{}}, "clock": {{}}}}', '\\x00', '\\x00' FROM moved
"""
VISITS = """, opened AS (
  INSERT INTO visit (dossier_id, visit, stage, code, unit, role, term, opened_at, opened_seq,
    due_at)
  SELECT id, visit, 0, 'tham-dinh', 'H42.05.01', 'officer', '1wd', '{at}', seq, '{at}' FROM moved
)"""
ENTERED = ", stage = 0, visit = visit + 1, unit = 'H42.05.01', stage_role = 'officer'"
STEPS = (
    dict(event="digitise", source="received", dest="digitised", more="", visits=""),
    dict(event="route", source="digitised", dest="routed", more="", visits=""),
    dict(event="accept", source="routed", dest="processing", more=ENTERED, visits=VISITS),
)


def test_sets_and_plain_sql(durable: Embedded, figures: Figures) -> None:
    with server.serving(durable.data, durable.prefect, port=0) as prefect:
        known = server.environment(prefect.api, prefect.home)
        with apart(driver, known | {"HOSO_DATABASE": durable.application}) as flow:
            rounds = []
            for _ in range(ROUNDS):
                gather(durable.owner, DOSSIERS, PROCEDURE)
                flow.send(AT)
                moves, seconds = flow.recv()
                assert moves == MOVES
                gather(durable.owner, DOSSIERS, PROCEDURE)
                rounds.append((MOVES / seconds, MOVES / asyncio.run(plain(durable.application))))
    figures.add(
        Figure(
            row=3,
            what="Automatic moves, by the flow",
            unit="/s",
            beside="plain SQL",
            rounds=rounds,
            target="≥ 20,000 /s",
            reached=lambda figure: figure.measured >= 20_000,
        )
    )


async def plain(address: str) -> float:
    """The seconds it takes to write the rows of the same moves."""
    connections, took = engine(address, 1), 0.0
    for step in STEPS:
        visits = step["visits"].format(at=AT)
        statement = PLAIN.format(**{**step, "visits": visits}, at=AT)
        begin = time.perf_counter()
        async with transaction(connections) as db:
            done = await db.execute(sa.text(statement.replace(":", "\\:")))
        took += time.perf_counter() - begin
        assert done.rowcount == DOSSIERS
    await connections.dispose()
    return took
