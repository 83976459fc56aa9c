"""An import's account: what came in, what was mended, what was refused."""

import csv
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from api.cli.output import table
from states.figures.sheets import plain


def show_tally(console: Console, file: Path, tally: Any) -> None:
    """How many came in, what was mended and what was refused."""
    console.print(
        f"{file.name}: {tally.taken:,} dossiers imported with {tally.activities:,} events;"
        f" {tally.known:,} known already; {len(tally.refused):,} refused.",
        highlight=False,
        markup=False,
    )
    if tally.notes:
        kinds = Counter(note.what for note in tally.notes)
        example = {note.what: f"{note.code}: {note.detail}" for note in reversed(tally.notes)}
        rows = [(kind, count, example[kind]) for kind, count in kinds.most_common()]
        console.print(table("Kept as they are, and noted", ("what", "dossiers", "first"), rows))
    if tally.refused:
        faults = [(each.row, each.code or "", each.why) for each in tally.refused[:20]]
        console.print(table("Refused", ("row", "code", "why"), faults))


def tally_json(file: Path, tally: Any) -> dict[str, Any]:
    """The whole account, every row of it."""
    return {
        "file": str(file),
        "imported": tally.taken,
        "known": tally.known,
        "events": tally.activities,
        "noted": [asdict(note) for note in tally.notes],
        "refused": [asdict(each) for each in tally.refused],
    }


def write_rows(report: Path, tally: Any) -> None:
    """What was mended or refused, row by row."""
    with report.open("w", newline="", encoding="utf-8-sig") as file:
        to = csv.writer(file)
        to.writerow(["row", "code", "what", "detail"])
        for note in tally.notes:
            to.writerow([note.row, plain(note.code), note.what, plain(note.detail)])
        for each in tally.refused:
            to.writerow([each.row, plain(each.code or ""), "refused", plain(each.why)])
