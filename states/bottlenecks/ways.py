"""Variants: the sequences of activities that dossiers took, and how many took each."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from states.bottlenecks.scope import NAME, Scope, statement


@dataclass(frozen=True, slots=True)
class Variant:
    """One way. `median`, `ninth`: working minutes on the clock, of those that are finished, that a
    half and nine tenths of them took at most. `example`: the first that went it.
    """

    activities: tuple[str, ...]
    dossiers: int
    share: float  # percent of all
    median: int | None
    ninth: int | None
    example: str


@dataclass(frozen=True, slots=True)
class Variants:
    """All ways, the most frequent first."""

    dossiers: int
    variants: tuple[Variant, ...]


async def variants(db: AsyncConnection, scope: Scope) -> Variants:
    """Counted by Postgres, in one statement."""
    sql = f"""
        WITH trace AS (
            SELECT t.dossier_id, array_agg({NAME} ORDER BY t.at, t.kind, t.n) AS activities
            FROM {scope.happened} AS t GROUP BY t.dossier_id
        )
        SELECT trace.activities, count(*) AS dossiers,
            percentile_disc(0.5) WITHIN GROUP (ORDER BY d.used) AS median,
            percentile_disc(0.9) WITHIN GROUP (ORDER BY d.used) AS ninth,
            min(d.code) AS example
        FROM trace JOIN dossier d ON d.id = trace.dossier_id
        GROUP BY trace.activities ORDER BY dossiers DESC, trace.activities
    """  # noqa: S608  of our own texts; what is asked for are parameters
    rows = (await db.execute(statement(sql), scope.values)).all()
    whole = sum(row.dossiers for row in rows)
    found = (
        Variant(
            tuple(row.activities),
            row.dossiers,
            100 * row.dossiers / whole,
            row.median,
            row.ninth,
            row.example,
        )
        for row in rows
    )
    return Variants(whole, tuple(found))
