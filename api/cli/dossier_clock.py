"""`hoso clock --dossier`: the clock of a dossier as it stands, and every date it was promised."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from states.clock import Policy, Reading
from states.clock.words import Lang, moment
from states.errors import BadInput

if TYPE_CHECKING:
    from states.ledger.promises import Promise


class Own(NamedTuple):
    """A dossier's reading. `first` is the promise that was made, whatever rules hold now."""

    reading: Reading
    policy: Policy
    first: datetime | None
    promises: Sequence["Promise"]


def own(code: str, at: datetime | None, data: Path | None) -> Own:
    """Read it by the calendar it is bound to. Raises `Unknown`, `BadInput`."""
    from api.cli.bundles import catalogued
    from states import ledger
    from states.ledger.effects import reading
    from states.ledger.promises import promises

    async def work(db: Any, book: Any, now: datetime) -> Own | None:
        kept = await ledger.history(db, code)
        calendar = book.calendar(kept.paper.calendar, kept.paper.calendar_version)
        read = reading(kept.paper, calendar, at or now)
        if read is None:
            return None
        zone = calendar.zone
        told = [
            each._replace(at=each.at.astimezone(zone), due=each.due and each.due.astimezone(zone))
            for each in promises(kept.entries)
        ]
        first = kept.paper.due_original
        return Own(read, kept.paper.policy, first and first.astimezone(zone), told)

    found = catalogued(data, work)
    if found is None:
        raise BadInput(f"dossier {code} was not received: it has no clock yet")
    return found


def as_data(found: Own) -> dict[str, Any]:
    """What JSON has beside the answer."""
    return {
        "due_original": found.first,
        "promises": [each._asdict() for each in found.promises],
    }


def show(found: Own, lang: Lang) -> None:
    """The dates that were promised, where there was more than one."""
    from rich.table import Table
    from rich.text import Text

    from api.cli.output import console

    if len(found.promises) < 2:
        return
    heads = {
        Lang.vi: ("Ngày", "Việc", "Hẹn trả", "Lý do, căn cứ"),
        Lang.en: ("On", "Move", "Promised", "Reason, ground"),
    }
    dates = Table(*heads[lang])
    for each in found.promises:
        why = "; ".join(part for part in (each.reason, each.ground) if part)
        due = moment(each.due, lang) if each.due else "–"
        dates.add_row(*map(Text, (moment(each.at, lang), each.event, due, why)))
    console.print(dates, width=min(console.width, 100))
