"""The register of dossiers as a form: a line for each that was received in some days, with whose it
is. One statement; the report of that name is streamed and as a rule names nobody.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states.catalogue import Catalogue, Name
from states.errors import BadInput, Unknown
from states.forms import saying
from states.forms.form import Facts, identity
from states.forms.rows import FormName
from states.forms.slip import CAME
from states.ledger.statements import d, dossier
from states.sight import Sight
from states.words import NATIONAL, Channel

MOST = 2_000  # lines: some hundred and fifty pages
ON, TITLE = "the register", Name(vi="Sổ theo dõi hồ sơ", en="Register of dossiers")
READ = (
    *(d.id, d.code, d.procedure, d.version, d.applicant, d.place, d.phone, d.state, d.calendar),
    *(d.received_at, d.due_at, d.due_original, d.delivered_at, d.delivered_by, d.verdict),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Of which agency, received on which days: the first is in it, the last is not."""

    agency: str
    since: date
    until: date

    def check(self, book: Catalogue) -> None:
        """Raises `BadInput`."""
        if self.agency not in {*book.agencies, book.centre.code}:
            raise BadInput("there is no agency {code} in the catalogue", code=self.agency[:60])
        if self.since >= self.until:
            raise BadInput("the register needs a day at least: `to` is the first day after it")


@dataclass(frozen=True, slots=True)
class Register:
    """What is printed, and whose data are in it."""

    facts: Facts
    dossiers: tuple[int, ...]


async def register(
    db: AsyncConnection, book: Catalogue, asked: Asked, sees: Sight, at: datetime
) -> Register:
    """Of the dossiers that somebody sees. Raises `BadInput` for more than anybody would print."""
    asked.check(book)
    begin, end = (datetime.combine(each, time(), book.zone) for each in (asked.since, asked.until))
    query = (
        sa.select(*READ)
        .select_from(dossier)
        .where(d.agency.in_(sorted(book.organisation.line(asked.agency))), sees.where())
        .where(d.received_at >= begin, d.received_at < end)
        .order_by(d.received_at, d.id)
        .limit(MOST + 1)
    )
    rows = (await db.execute(query)).all()
    if len(rows) > MOST:
        raise BadInput(
            "the register of these days has more than {most:,} lines: ask for fewer days", most=MOST
        )
    return Register(facts(book, asked, rows, at), tuple(row.id for row in rows))


def facts(book: Catalogue, asked: Asked, rows: Any, at: datetime) -> Facts:
    """What is printed of rows."""
    regime = book.regimes.regime_on(asked.since)
    named = _procedures(book)
    return {
        "form": identity(FormName.register, TITLE.vi, ON, regime),
        "today": saying.day(at.astimezone(book.zone)),
        "head": saying.issued("", saying.body(book, book.centre.code)),
        "agency": saying.body(book, asked.agency),
        "period": {
            "from": f"{asked.since:%d/%m/%Y}",
            "to": f"{asked.until - timedelta(days=1):%d/%m/%Y}",
        },
        "rows": [_line(book, named, row) for row in rows],
    }


def _procedures(book: Catalogue) -> Any:
    @cache
    def name(code: str, version: int) -> str:
        try:
            return saying.text(book.procedure(code, version or None).name.vi)
        except Unknown:
            return saying.text(code)

    return name


def _line(book: Catalogue, named: Any, row: Any) -> dict[str, str]:
    zone = book.calendar(row.calendar).zone

    def told(at: datetime | None) -> str:
        return "" if at is None else f"{at.astimezone(zone):%H:%M %d/%m/%Y}"

    return {
        "code": saying.text(row.code),
        "procedure": named(row.procedure, row.version),
        "applicant": saying.text(row.applicant),
        "place": saying.place(book, row.place),
        "phone": saying.text(row.phone),
        "received": told(row.received_at),
        "due": told(row.due_at or row.due_original),
        "given": told(row.delivered_at),
        "way": CAME[Channel(row.delivered_by)].capitalize() if row.delivered_by else "",
        "note": saying.verdict(row.verdict) or NATIONAL[row.state][0],
    }
