"""From a number to its dossiers: those that the figure's own condition counts."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from states.errors import BadInput
from states.figures import levels
from states.figures.counting import Condition, Form, Span, known
from states.figures.periods import Period
from states.figures.reporting import Asked, Report
from states.ledger.statements import d, dossier
from states.pages import Page, page
from states.sight import Sight

TOLD = (
    d.id, d.code, d.agency, d.procedure, d.version, d.channel, d.state, d.received_at, d.due_at,
    d.finished_at, d.verdict, d.calendar,
)  # fmt: skip
PERIOD = "period"


async def behind(
    asked: Asked,
    report: Report,
    figure: str,
    where: Mapping[str, str],
    sees: Sight | None = None,
    *,
    cursor: str | None = None,
    limit: int = 50,
) -> Page:
    """The dossiers that a figure of a report counts, the first taken in first.

    `where`: the row of the figure, by its dimensions; an empty value is that of what has none.
    `sees`: whose list it is; None: of whoever has the database. Raises `BadInput`.
    """
    form = _form(asked, report)
    form.find(figure)
    rest = dict(where)
    one = _period(asked, rest.pop(PERIOD, None))
    query = sa.select(*TOLD).select_from(dossier).where(
        form.behind(figure, Span.between(one.since, one.until)),
        *(() if asked.agencies is None else (d.agency.in_(asked.agencies),)),
        *(_is(asked, key, value) for key, value in rest.items()),
        *(() if sees is None else (sees.where(),)),
    )  # fmt: skip
    return await page(asked.db, query, [d.id], cursor, limit)


def _form(asked: Asked, report: Report) -> Form:
    if report.form is None:
        raise BadInput(
            "the figures of {name} are not of dossiers, and open to none", name=report.name
        )
    if asked.policy is not None:
        raise BadInput(
            "figures classed anew by a policy are not kept, and cannot be opened: ask without one"
        )
    return report.form


def _period(asked: Asked, name: str | None) -> Period:
    """The period, or that part of it which a row is of."""
    if name is None:
        return asked.period
    if asked.each is not None:
        for each in asked.periods:
            if each.name == name:
                return each
    one, whole = Period.parse(name), asked.period
    since = max(filter(None, (one.since, whole.since)), default=None)
    until = min(one.until, whole.until)
    if since is not None and since >= until:
        raise BadInput("{name} lies outside of the period that was asked for", name=name)
    return replace(one, since=since, until=until)


def _is(asked: Asked, key: str, value: str) -> Condition:
    if key == levels.LEVEL:
        return levels.at(asked.book, value)
    column: sa.ColumnElement[Any] = d[known(key)]
    # As text: what is no word of the column's is that of no dossier.
    return sa.cast(column, sa.Text) == value if value else column.is_(None)


def pairs(said: list[str]) -> dict[str, str]:
    """`KEY=VALUE`, each key once. Raises `BadInput`."""
    found: dict[str, str] = {}
    for each in said:
        key, between, value = each.partition("=")
        if not between or not key or key in found:
            raise BadInput("'{said}' is not KEY=VALUE, or is there twice", said=each[:200])
        found[key] = value
    return found
