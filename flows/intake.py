"""Files of other systems: dossiers and event logs."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from prefect import flow

from config.secret import key, secret
from config.settings import settings
from flows.opening import moment, opened
from flows.telling import named, tell
from states.files import store
from states.finding.searching import citizen
from states.intake import admitting, load, read, running
from states.intake.source import nobody
from states.intake.taking import Tally, take


@flow(
    name="intake",
    flow_run_name="intake {file.name}",
    persist_result=False,
    validate_parameters=False,
    description=__doc__,
)
async def intake(file: Path, by: Path, watch: Callable[[int], None] | None = None) -> Tally:
    """Import a file by a map; run again, it goes on where it was stopped.

    `watch` hears the bytes read so far.
    """
    engine, book = await opened()
    names = load(by)
    calendar = book.calendar(names.calendar or book.keeps)  # a wrong name is wrong for every row
    admit = admitting(names, book.agencies)
    items = map(admit, read(file, names, watch=watch or nobody))
    card = _cards() if names.citizen_id else None
    return await take(engine, book, items, file.name, calendar.name, card=card)


@flow(
    name="imports",
    flow_run_name=named,
    persist_result=False,
    description="Imports that were asked for over HTTP.",
)
async def imports(at: datetime | None = None) -> dict[str, int]:
    """Take in every import that waits, each from where it was; how many dossiers of each came."""
    engine, book = await opened()
    told = settings()
    kept = store.opened(told.files, told.data)
    taken = {}
    for number in await running.waiting(engine):
        row = await running.run(engine, book, kept, number, lambda: moment(at), _cards())
        taken[f"import {number}"] = int(row.taken)
    await tell("imports", taken)
    return taken


def _cards() -> Callable[[str], str]:
    """What is kept of the number of an identity card, as the API keeps it."""
    return partial(citizen, key(secret(settings()), "citizen"))
