"""Forms on paper: a template, the house's or an agency's, and what it says of a dossier."""

import asyncio
import io
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

import anyio
import segno
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from api.doors.house import House
from api.papers.press import pressed
from api.problems import Away
from api.tracking import SLIPS
from states.catalogue import Catalogue
from states.errors import BadFile, BadInput
from states.forms import every, reading, registering, sample, templates
from states.forms.matter import Track
from states.forms.rows import FormName
from states.sight import Sight
from states.tables import Dossier
from states.tracking import secret_part

log = structlog.get_logger()
AT_ONCE, WAIT = 2, 20  # presses at work, and papers at most for their turn


async def printed(
    house: House,
    db: AsyncConnection,
    book: Catalogue,
    paper: Dossier,
    form: FormName,
    at: datetime,
    *,
    secret: bool,
) -> bytes:
    """A form of a dossier that was found, as PDF. `secret`: whether the slip holds the secret part
    of the code, by which the dossier is followed.

    Raises `Unknown` where it cannot be printed now.
    """
    matter = await reading.matter(db, book, paper, at, track(house, paper) if secret else None)
    facts = every.facts(form, matter)
    return await _by_template(house, db, book, form, paper.agency, facts, at)


async def register(
    house: House,
    db: AsyncConnection,
    book: Catalogue,
    asked: registering.Asked,
    sees: Sight,
    at: datetime,
) -> tuple[bytes, tuple[int, ...]]:
    """The register of the dossiers that somebody sees, as PDF, and their ids."""
    made = await registering.register(db, book, asked, sees, at)
    form = FormName.register
    return (
        await _by_template(house, db, book, form, asked.agency, made.facts, at),
        made.dossiers,
    )


async def tried(
    house: House, book: Catalogue, form: FormName, agency: str, body: str, at: datetime
) -> bytes:
    """A dossier that never was, by a template. Raises `BadFile` and `BadInput`."""
    return await _pressed(house, form, body, sample.facts(book, form, agency, at))


def track(house: House, paper: Dossier) -> Track:
    """Where the dossier is followed, with its secret part."""
    own = house.settings
    site = str(own.url) if own.url else f"http://{own.host}:{own.port}"
    return Track(site, secret_part(house.key(SLIPS), paper.code))


def template(form: FormName) -> str:
    """The house's."""
    return _file(form)


async def _by_template(
    house: House,
    db: AsyncConnection,
    book: Catalogue,
    form: FormName,
    agency: str,
    facts: dict[str, Any],
    at: datetime,
) -> bytes:
    """By the agency's; by the house's, where that one fails: somebody waits at the counter."""
    own = await templates.in_force(db, book, form, agency, at)
    if own is not None:
        try:
            return await _pressed(house, form, own.body, facts)
        except (BadFile, BadInput) as error:
            # What it says may be what it was given: that is about a person.
            why, line = type(error).__name__, getattr(error, "line", None)
            log.warning("form.template_failed", form=form, agency=own.agency, why=why, line=line)
    return await _pressed(house, form, template(form), facts)


async def _pressed(house: House, form: FormName, body: str, facts: dict[str, Any]) -> bytes:
    """In turn. Raises `Away`."""
    turn: anyio.CapacityLimiter = house.held.setdefault("forms", anyio.CapacityLimiter(AT_ONCE))
    if turn.statistics().tasks_waiting >= WAIT:
        raise Away("too many forms are being printed: ask again in a moment")
    if facts.get("track"):
        facts["track"]["svg"] = _scanned(facts["track"]["address"])
    async with turn:
        return await asyncio.to_thread(pressed, form, _file("form"), body, facts)


def _scanned(address: str) -> str:
    """An address as a QR code, a quarter of which may be covered."""
    drawn = io.BytesIO()
    segno.make(address, error="q", micro=False).save(drawn, kind="svg", xmldecl=False, border=2)
    return drawn.getvalue().decode()


@cache
def _file(name: str) -> str:
    return (resources.files("api.papers.forms") / f"{name}.typ").read_text(encoding="utf-8")
