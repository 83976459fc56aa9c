"""By which template an agency prints a form: its own, else the centre's, else the house's.

`None` is the house's, which this knows nothing of.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from states.catalogue import Catalogue, rights
from states.errors import Unknown
from states.forms.rows import FormName

form_template = SQLModel.metadata.tables["form_template"]
t = form_template.c
LONGEST = 100_000  # characters


async def in_force(
    db: AsyncConnection, book: Catalogue, name: FormName, agency: str, at: datetime
) -> Any | None:
    """The row of the template that a dossier of this agency is printed by; None: the house's.

    Of an agency that ended it is its heir's, unless it has one still.
    """
    heir = book.organisation.heir(agency, book.day(at))
    order = list(dict.fromkeys((agency, heir, book.centre.code)))
    newest = (
        sa.select(form_template)
        .distinct(t.agency)
        .where(t.form == name, t.agency.in_(order), t.since <= at)
        .order_by(t.agency, t.id.desc())
    )
    found = {row.agency: row for row in await db.execute(newest)}
    return next((found[each] for each in order if each in found and found[each].body), None)


def may_replace(book: Catalogue, agency: str, by: str, at: datetime) -> None:
    """Raises `Unknown`, and `NoRight` for who does not decide for that agency."""
    check(book, agency)
    rights.may_decide(book, by, at, agency)


def check(book: Catalogue, agency: str) -> None:
    """Raises `Unknown`."""
    if agency not in {*book.agencies, book.centre.code}:
        raise Unknown("there is no agency {code} in the catalogue", code=agency[:60])


async def replace(
    db: AsyncConnection, name: FormName, agency: str, body: str, by: str, at: datetime
) -> None:
    """From now on the agency prints by this one; by an empty one, as if it had none."""
    row = {"agency": agency, "form": name, "body": body, "since": at, "by": by}
    await db.execute(sa.insert(form_template).values(row))
