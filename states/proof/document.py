"""A dossier's deadline as a document that proves itself: what `states.checker` checks. Pure.

It holds the chain of the dossier's lines with the texts that are hashed, the facts with the lines
they come from, the days of the calendar that were looked at, and the trace with what stands behind
each line: lines of the chain, days, the rule and its legal ground.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Any, NamedTuple

from states import checker
from states.clock import Calendar, Reading
from states.clock import Line as Step
from states.clock.words import NOTE, Lang, ground
from states.errors import BadInput
from states.ledger import chain
from states.ledger.effects import facts_of, reading
from states.ledger.history import History
from states.ledger.pins import Book
from states.lifecycle import NEW, moves
from states.tables import Dossier
from states.words import Clock, Event

Row = Mapping[str, Any]
GOING = {Clock.starts, Clock.runs, Clock.restarts, Clock.extends}


class Source(NamedTuple):
    """The lines that the clock's facts come from."""

    received: Row
    holds: list[tuple[Row, Row | None]]
    supplements: list[Row]
    extend: list[Row]
    finished: Row | None
    due: Row | None  # the last that told a due moment

    def marks(self) -> Iterable[Row]:
        """All but extensions: they change the term and no stretch of time."""
        held = [row for hold in self.holds for row in hold]
        every = [self.received, self.finished, *held, *self.supplements]
        return (row for row in every if row is not None)


def written(kept: History, book: Book, at: datetime) -> dict[str, Any]:
    """The proof of a dossier's deadline, read at a moment: plain JSON. Raises `BadInput`."""
    paper = kept.paper
    calendar = book.calendar(paper.calendar, paper.calendar_version)
    read = reading(paper, calendar, at)
    if read is None:
        raise BadInput("dossier {code} was not received: it has no clock yet", code=paper.code)
    source, zone = _source(kept.entries), calendar.zone
    document = {
        "form": checker.FORM,
        "code": paper.code,
        "at": _iso(at, zone),
        "procedure": {
            "code": paper.procedure,
            "version": paper.version,
            "regime": paper.regime,
        },
        "term": paper.term,
        "policy": str(paper.policy),
        "calendar": _cut(calendar, *read.days),
        "facts": _facts(paper, source, zone),
        "entries": [_entry(row) for row in kept.entries],
        "due": _iso(read.due, zone),
        "due_original": _iso(paper.due_original, zone),
        "verdict": str(read.verdict),
        "tally": None if paper.verdict is None else str(paper.verdict),
        "used": read.used,
        "remaining": read.remaining,
        "trace": _trace(read, paper, source, zone),
    }
    return document | {"seal": checker.seal(document)}


def _iso(at: datetime | None, zone: tzinfo) -> str | None:
    return None if at is None else at.astimezone(zone).isoformat()


def _entry(row: Row) -> dict[str, Any]:
    prev = row["prev"] and row["prev"].hex()
    text = {"canonical": chain.canonical(row)}
    return {"seq": row["seq"], "hash": row["hash"].hex(), "prev": prev, **text}


# The calendar -----------------------------------------------------------------------------


def _cut(calendar: Calendar, first: int, last: int) -> dict[str, Any]:
    """The days that were looked at, with the documents that made some of them exceptions."""
    hours = {_day(n): _hours(calendar, n) for n in range(first, last + 1) if calendar.works(n)}
    return {
        "name": calendar.name,
        "version": calendar.version,
        "zone": calendar.zone.key,
        "first": _day(first),
        "last": _day(last),
        "standard_day": calendar.standard_day,
        "days": hours,
        "exceptions": [_exception(n, note) for n, note in calendar.special(first, last)],
    }


def _day(number: int) -> str:
    return date.fromordinal(number).isoformat()


def _hours(calendar: Calendar, day: int) -> list[list[str]]:
    return [[f"{opens:%H:%M}", f"{closes:%H:%M}"] for opens, closes in calendar.sessions(day)]


def _exception(number: int, note: str) -> dict[str, Any]:
    found = NOTE.fullmatch(note)
    source = found["source"] if found else None
    return {"day": _day(number), "note": note, "source": source and source.strip(" ")[1:-1]}


# Facts and where they come from -----------------------------------------------------------


def _source(lines: Sequence[Row]) -> Source:
    found: dict[str, Any] = {"received": None, "finished": None, "due": None}
    holds: list[tuple[Row, Row | None]] = []
    supplements: list[Row] = []
    extend: list[Row] = []
    for line in lines:
        event = Event(line["event"])
        clocks = {row.clock for row in moves(event, line["source"] or NEW)}
        if Clock.starts in clocks:
            found["received"] = line
        if Clock.holds in clocks:
            holds.append((line, None))
        elif clocks & GOING and holds and holds[-1][1] is None:
            holds[-1] = (holds[-1][0], line)
        if event is Event.supplement and found["received"] is not None:
            supplements.append(line)
        if Clock.extends in clocks:
            extend.append(line)
        if Clock.stops in clocks:
            found["finished"] = line
        if event is Event.reopen:
            found["finished"] = None
        if "due" in json.loads(line["payload"]).get("clock", {}):
            found["due"] = line
    return Source(holds=holds, supplements=supplements, extend=extend, **found)


def _facts(paper: Dossier, source: Source, zone: tzinfo) -> dict[str, Any]:
    facts = facts_of(paper, paper.finished_at)
    again = next((row for row in source.supplements if row["at"] == facts.restart), None)
    given = facts.promised and {"at": _iso(facts.promised, zone), "entry": 1}
    return {
        "received": _fact(source.received, zone),
        "promised": given,
        "holds": [
            {"from": _fact(begins, zone), "to": _fact(ends, zone)} for begins, ends in source.holds
        ],
        "restart": _fact(again, zone),
        "extend": [
            {"term": str(term), "entry": row["seq"]}
            for term, row in zip(facts.extend, source.extend, strict=True)
        ],
        "finished": _fact(source.finished, zone),
    }


def _fact(row: Row | None, zone: tzinfo) -> dict[str, Any] | None:
    return None if row is None else {"at": _iso(row["at"], zone), "entry": row["seq"]}


# The trace --------------------------------------------------------------------------------


def _trace(read: Reading, paper: Dossier, source: Source, zone: tzinfo) -> list[dict[str, Any]]:
    extended = iter(source.extend)
    told, steps = [], read.trace
    for step in steps:
        entries, days = _behind(step, source, extended, zone)
        laws = {lang: ground(step, steps[0].start, lang) for lang in Lang}
        ruled = laws[Lang.vi] is not None or step.rule == "term"
        of = {"code": paper.procedure, "version": paper.version, "regime": paper.regime}
        law = {str(lang): said for lang, said in laws.items()} if laws[Lang.vi] else None
        told.append(
            {
                "rule": step.rule,
                "from": step.start.isoformat(),
                "to": step.end.isoformat(),
                "minutes": step.minutes,
                "counts": step.counts,
                "note": step.note,
                "entries": entries,
                "days": days,
                "under": {**of, "law": law} if ruled else None,
            }
        )
    return told


def _behind(step: Step, source: Source, extended: Any, zone: tzinfo) -> tuple[list[int], list[str]]:
    """The numbers of the lines, and the days, that a line of the trace rests on."""
    if step.rule in {"off", "works"}:
        return [], [step.start.date().isoformat()]
    if step.rule == "extended":
        return [next(extended)["seq"]], []
    if step.rule in {"due", "rolled"}:
        days = {step.start.date().isoformat(), step.end.date().isoformat()}
        return ([] if source.due is None else [source.due["seq"]]), sorted(days)
    edges = {step.start, step.end}
    at = ((row["at"].astimezone(zone), row["seq"]) for row in source.marks())
    minutes = ((moment.replace(second=0, microsecond=0), seq) for moment, seq in at)
    return sorted({seq for minute, seq in minutes if minute in edges}), []
