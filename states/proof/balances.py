"""Every balance: carried over + received = early + on time + late + not counted + open.

By agency, field, procedure and month. What came and went is counted from the lines alone, in a flow
that is summed up month by month; what was in hand is counted from the dossiers as they stand. The
two ways have no column in common, so that a wrong one shows. A dossier without a term counts with
those that are not counted; one that nobody received, nowhere.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.errors import Unknown
from states.figures.periods import ZONE
from states.ledger.pins import Book
from states.ledger.statements import d
from states.lifecycle import FINISHED, moves
from states.proof.findings import Finding
from states.words import Clock, Event

NO_DATUM = "22"  # the class of Postgres's errors for what cannot be read
NUMBERS = ("carried", "received", "early", "on_time", "late", "not_counted", "open")
STOPS = [each for each in Event if any(row.clock is Clock.stops for row in moves(each))]
REOPENS = [
    each
    for each in Event
    if any(row.source in FINISHED and row.dest not in FINISHED for row in moves(each))
]
BINDS = [Event.register, Event.receive, Event.migrate]
CLASSES = [Event.return_result, Event.restate]
TELLING = sorted({*BINDS, *CLASSES, *STOPS, *REOPENS, Event.adopt})

MONTH = f"date_trunc('month', {{}} AT TIME ZONE '{ZONE.key}')::date"
CAME, WENT = (MONTH.format(f"told.{name}") for name in ("received", "finished"))
HAD, LEFT = (MONTH.format(f"d.{name}") for name in ("received_at", "finished_at"))

DRAWN = f"""
WITH kind AS (
    SELECT * FROM unnest(
        CAST(:codes AS text[]), CAST(:versions AS text[]),
        CAST(:agencies AS text[]), CAST(:fields AS text[])
    ) AS t (code, version, agency, field)
), told AS (  -- what its lines tell of a dossier, each fact by the last that tells it
    SELECT dossier_id,
        (array_agg(payload::json) FILTER (WHERE seq = 1))[1] AS first,
        coalesce(
            min(at) FILTER (WHERE event = 'receive'),
            min((payload::json -> 'taken' ->> 'received')::timestamptz)
                FILTER (WHERE event = 'adopt')
        ) AS received,
        (array_agg(at ORDER BY seq DESC) FILTER (WHERE event = ANY(:stops)))[1] AS finished,
        (array_agg(event ORDER BY seq DESC) FILTER (WHERE event = ANY(:stops)))[1] AS how,
        coalesce(max(seq) FILTER (WHERE event = ANY(:stops)), 0)
            > coalesce(max(seq) FILTER (WHERE event = ANY(:reopens)), 0) AS ended,
        (array_agg(payload::json -> 'clock' ->> 'verdict' ORDER BY seq DESC)
            FILTER (WHERE event = ANY(:classes)))[1] AS class,
        (array_agg(payload::json -> 'pin' ->> 'version' ORDER BY seq DESC)
            FILTER (WHERE event = ANY(:binds)))[1] AS version
    FROM entry WHERE event = ANY(:telling) GROUP BY dossier_id
), flow AS (
    SELECT coalesce(kind.agency, first -> 'taken' ->> 'agency', '?') AS agency,
        coalesce(kind.field, CASE WHEN first -> 'taken' IS NULL THEN '?' ELSE '' END) AS field,
        coalesce(first -> 'lodging' ->> 'procedure', first -> 'taken' ->> 'procedure', '?')
            AS procedure,
        {CAME} AS came,
        CASE WHEN ended THEN {WENT} END AS went,
        CASE WHEN how IS DISTINCT FROM 'return_result' OR class = 'no_term' THEN 'not_counted'
            ELSE class END AS class
    FROM told LEFT JOIN kind
        ON kind.code = first -> 'lodging' ->> 'procedure' AND kind.version = told.version
    WHERE received IS NOT NULL
), change AS (
    SELECT agency, field, procedure, came AS month, 1 AS came, NULL AS class FROM flow
    UNION ALL
    SELECT agency, field, procedure, went, 0, class FROM flow WHERE went IS NOT NULL
), line AS (  -- every month from the first receipt of its kind on, whether anything happened or not
    SELECT agency, field, procedure, month::date AS month FROM (
        SELECT agency, field, procedure, min(month) AS first FROM change GROUP BY 1, 2, 3
    ) AS begun, generate_series(first, CAST(:last AS date), interval '1 month') AS month
), counted AS (
    SELECT agency, field, procedure, month, coalesce(sum(change.came), 0) AS received,
        count(*) FILTER (WHERE class = 'early') AS early,
        count(*) FILTER (WHERE class = 'on_time') AS on_time,
        count(*) FILTER (WHERE class = 'late') AS late,
        count(*) FILTER (WHERE class = 'not_counted') AS not_counted,
        count(*) FILTER (WHERE change.came = 0) AS gone
    FROM line LEFT JOIN change USING (agency, field, procedure, month) GROUP BY 1, 2, 3, 4
), summed AS (
    SELECT *, sum(received - gone) OVER (
        PARTITION BY agency, field, procedure ORDER BY month
    ) AS open FROM counted
), lines AS (
    SELECT agency, field, procedure, month, ARRAY[
        open - received + gone, received, early, on_time, late, not_counted, open
    ]::bigint[] AS told FROM summed
), dossiers AS (
    SELECT d.agency, d.field, d.procedure, month::date AS month, ARRAY[
        count(*) FILTER (WHERE {HAD} < month),
        count(*) FILTER (WHERE {HAD} = month),
        count(*) FILTER (WHERE {LEFT} = month AND verdict = 'early'),
        count(*) FILTER (WHERE {LEFT} = month AND verdict = 'on_time'),
        count(*) FILTER (WHERE {LEFT} = month AND verdict = 'late'),
        count(*) FILTER (WHERE {LEFT} = month AND verdict IN ('not_counted', 'no_term')),
        count(*) FILTER (WHERE {LEFT} IS NULL OR {LEFT} > month)
    ] AS stood
    FROM dossier d, generate_series(
        {HAD}, least(coalesce({LEFT}, CAST(:last AS date)), CAST(:last AS date)), interval '1 month'
    ) AS month
    WHERE received_at IS NOT NULL GROUP BY 1, 2, 3, 4
), compared AS (
    SELECT agency, field, procedure, month, coalesce(told, CAST(:nothing AS bigint[])) AS told,
        coalesce(stood, CAST(:nothing AS bigint[])) AS stood
    FROM lines FULL JOIN dossiers USING (agency, field, procedure, month)
)
"""  # noqa: S608  made of our own words
WRONG = """
, wrong AS (
    SELECT DISTINCT ON (agency, field, procedure) *,
        count(*) OVER (PARTITION BY agency, field, procedure) - 1 AS more
    FROM compared
    WHERE told <> stood OR stood[1] + stood[2] <> (SELECT sum(n) FROM unnest(stood[3:]) AS n)
    ORDER BY agency, field, procedure, month
)
SELECT (SELECT count(*) FROM compared) AS balances, wrong.*
FROM (SELECT) AS one LEFT JOIN wrong ON true
"""


class Balanced(NamedTuple):
    """How many balances were drawn, and those that do not hold."""

    balances: int
    found: list[Finding]


async def balance(db: AsyncConnection, book: Book, at: datetime) -> Balanced:
    """Draw every balance up to the month of a moment, both ways, in one statement."""
    try:
        async with db.begin_nested():
            rows = await draw(db, book, at, WRONG)
    except sa.exc.DBAPIError as error:
        if not str(getattr(error.orig, "sqlstate", "")).startswith(NO_DATUM):
            raise
        return Balanced(0, [Finding("balances", "a line tells a moment that is none: none drawn")])
    return Balanced(rows[0].balances, [_told(row) for row in rows if row.month is not None])


async def draw(db: AsyncConnection, book: Book, at: datetime, asked: str) -> Sequence[Any]:
    """What a statement says of the balances: of `lines`, of `dossiers`, or of both `compared`."""
    kinds = await _kinds(db, book)
    given: dict[str, Any] = dict(
        zip(("codes", "versions", "agencies", "fields"), kinds, strict=True)
    )
    given |= {"stops": STOPS, "reopens": REOPENS, "classes": CLASSES, "binds": BINDS}
    last = at.astimezone(ZONE).date().replace(day=1)
    given |= {"telling": TELLING, "last": last, "nothing": [0] * len(NUMBERS)}
    return (await db.execute(sa.text(DRAWN + asked), given)).all()


async def _kinds(db: AsyncConnection, book: Book) -> Sequence[list[Any]]:
    """Whose each version of a procedure is, by the catalogue and not by the dossiers."""
    named = sa.select(d.procedure, d.version).where(d.source.is_(None)).distinct()
    kinds: list[tuple[str, str, str, str]] = []
    for code, version in (await db.execute(named)).all():
        try:
            its = book.procedure(code, version)
        except Unknown:
            continue  # its dossiers are found to be nobody's
        kinds.append((code, str(version), its.agency, its.field))
    return [list(column) for column in zip(*kinds, strict=True)] if kinds else [[], [], [], []]


def _told(row: Any) -> Finding:
    """What differs in the first month that does."""
    pairs = zip(NUMBERS, row.stood, row.told, strict=True)
    apart = [f"{name} {stood}, by its lines {told}" for name, stood, told in pairs if stood != told]
    more = f" (and {row.more} later months)" if row.more else ""
    what = "; ".join(apart) or "what came is not what went and what is left"
    name = f"{row.agency}/{row.field}/{row.procedure}"
    return Finding(f"balance {name}", f"{row.month:%Y-%m}{more}: {what}")
