"""Files of other systems: dossiers and event logs."""

from collections.abc import Callable
from pathlib import Path

from prefect import flow

from flows.opening import opened
from states.intake import admitting, load, read
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
    return await take(engine, book, items, file.name, calendar.name)
