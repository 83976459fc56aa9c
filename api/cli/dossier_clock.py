"""`hoso clock --dossier`: the proof of a dossier's deadline, and every date it was promised."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
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
    proof: dict[str, Any]
    lines: Mapping[int, Mapping[str, Any]]


def own(code: str, at: datetime | None, data: Path | None) -> Own:
    """Read it by the calendar it is bound to. Raises `Unknown`, `BadInput`."""
    from api.cli.bundles import catalogued
    from states import ledger
    from states.ledger.effects import reading
    from states.ledger.promises import promises
    from states.proof.document import written

    async def work(db: Any, book: Any, now: datetime) -> Own:
        kept = await ledger.history(db, code)
        calendar = book.calendar(kept.paper.calendar, kept.paper.calendar_version)
        read = reading(kept.paper, calendar, at or now)
        if read is None:
            raise BadInput("dossier {code} was not received: it has no clock yet", code=code)
        zone = calendar.zone
        told = [
            each._replace(at=each.at.astimezone(zone), due=each.due and each.due.astimezone(zone))
            for each in promises(kept.entries)
        ]
        first = kept.paper.due_original
        proof = written(kept, book, at or now)
        lines = {row["seq"]: {**row, "at": row["at"].astimezone(zone)} for row in kept.entries}
        first = first and first.astimezone(zone)
        return Own(read, kept.paper.policy, first, told, proof, lines)

    return catalogued(data, work)


def check(file: Path | None) -> None:
    """Raises `BadInput` where a proof cannot be written."""
    from api.cli.output import check_writable

    check_writable(file)


def write(found: Own, file: Path | None) -> None:
    """The proof to its file, if it has one."""
    from rich.console import Console

    from api.cli.output import as_json

    if file is None:
        return
    with file.open("w", encoding="utf-8") as to:
        as_json(found.proof, to)
    told = f"Wrote {file}: check it anywhere with `hoso verify --proof {file}`."
    Console(stderr=True).print(told, markup=False, highlight=False, soft_wrap=True)


def as_data(found: Own) -> dict[str, Any]:
    """What JSON has beside the answer."""
    return {
        "due_original": found.first,
        "promises": [each._asdict() for each in found.promises],
        "trace": found.proof["trace"],
        "entries": [
            {name: found.lines[n][name] for name in ("seq", "event", "at")}
            | {"hash": found.lines[n]["hash"].hex()}
            for n in sorted({n for step in found.proof["trace"] for n in step["entries"]})
        ],
    }


def behind(found: Own, lang: Lang) -> Iterator[str]:
    """What each line of the trace rests on: days, lines of the ledger, the rule."""
    day, entry, under = {
        Lang.vi: ("ngày {}", "dòng {seq} {event} {at:%d/%m/%Y %H:%M} {hash}", "{} bản {}, {}"),
        Lang.en: ("day {}", "line {seq} {event} {at:%d/%m/%Y %H:%M} {hash}", "{} version {}, {}"),
    }[lang]
    sources = {each["day"]: each["source"] for each in found.proof["calendar"]["exceptions"]}
    for step in found.proof["trace"]:
        parts = []
        for each in step["days"]:
            source = sources.get(each)
            shown = day.format(f"{date.fromisoformat(each):%d/%m/%Y}")
            parts.append(shown + (f" ({source})" if source else ""))
        for n in step["entries"]:
            line = found.lines[n]
            parts.append(entry.format(**{**line, "hash": line["hash"].hex()[:12]}))
        if (rule := step["under"]) and rule["version"]:
            law = (rule["law"] or {}).get(lang)
            named = [rule["code"], rule["version"], ", ".join(filter(None, (rule["regime"], law)))]
            parts.append(under.format(*named))
        yield "; ".join(parts)


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
