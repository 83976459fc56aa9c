"""The pilot year on the command line: a bar while it is lived, its figures when it is over."""

import logging
import time
from datetime import datetime
from typing import Any

from api.cli.output import ZONE, as_json, console
from api.cli.place import Place, transacted

YEAR = datetime(2023, 1, 1, tzinfo=ZONE), datetime(2024, 1, 1, tzinfo=ZONE)


async def live(place: Place, *, quiet: bool) -> tuple[Any, float | None]:
    """Live the year, or what is left of it; Biểu 06 of its agencies, and the seconds; None of them
    if it was lived before.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    from flows.opening import close
    from flows.pilot import pilot
    from states.catalogue import bundles
    from states.figures import every
    from states.figures.periods import Period
    from states.figures.reporting import Asked

    logging.getLogger("states").setLevel(logging.WARNING)  # a line a move is for real offices
    columns = (
        TextColumn("The pilot year  {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("acts"),
        TimeElapsedColumn(),
    )
    before, begun = await _lived(place), time.monotonic()
    with Progress(*columns, console=console, disable=quiet) as bar:
        task = bar.add_task("", total=None)

        def told(done: int, total: int, day: str) -> None:
            bar.update(task, completed=done, total=total, description=day)

        await pilot(told)
    await close()
    took = time.monotonic() - begun if await _lived(place) != before else None
    logging.getLogger("states").setLevel(logging.NOTSET)
    async with transacted(place.database) as db:
        book = await bundles.read(db)
        year, now = Period("2023", *YEAR), datetime.now(ZONE)
        asked = Asked(db, book, year, now, agencies=list(book.agencies))
        made = await every.find("bieu06").make(asked)
    return made, took


async def _lived(place: Place) -> dict[int, tuple[str, int]]:
    """How far each of its dossiers came."""
    from states.catalogue import bundles
    from states.pilot import lived, load

    async with transacted(place.database) as db:
        return dict(await lived(db, load(await bundles.read(db)).name))


async def tried(place: Place) -> Any:
    """Accounts for whoever tries it here."""
    from states.accounts.trying import open_trial
    from states.catalogue import bundles

    async with transacted(place.database) as db:
        return await open_trial(db, await bundles.read(db), datetime.now(ZONE))


def show(made: Any, took: float | None, *, json: bool) -> None:
    """The figures, as a form or as JSON."""
    from api.papers import document, screen

    if json:
        seconds = None if took is None else round(took, 1)
        as_json(document.complete(made) | {"seconds": seconds})
        return
    told = "was lived here before" if took is None else f"took {took:.0f} s"
    console.print(f"\nThe year {told}.\n", highlight=False)
    screen.show(console, made)
    for line in summed_up(made):
        console.print(line, style="bold", markup=False, highlight=False)


def summed_up(made: Any) -> tuple[str, str]:
    """The year in a sentence, as it was in the papers: what came in, and what became of it."""
    (sheet,) = made.sheets
    total = dict(zip((column.key for column in sheet.columns), sheet.total, strict=True))
    n = {key: f"{number:,}" for key, number in total.items() if isinstance(number, int)}
    vi = (
        f"Tiếp nhận {n['received']}; giải quyết {n['resolved']} = trước hạn {n['early']} + đúng hạn"
        f" {n['on_time']} + quá hạn {n['late']}; đang xử lý {n['in_process']}."
    )
    en = (
        f"Received {n['received']}; resolved {n['resolved']} = {n['early']} early + {n['on_time']}"
        f" on time + {n['late']} late; in process {n['in_process']}."
    )
    return vi.replace(",", "."), en
