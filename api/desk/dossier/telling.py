"""How a dossier stands, in words: its badge, its clock, its stages and its papers. Pure."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from api.desk.names import TALLIES
from states.catalogue import Catalogue
from states.clock import Kind, Reading, Term
from states.clock.words import UNITS, Lang, say, working_time
from states.errors import BadInput
from states.figures.sheets import Both
from states.finding.queues import SOON
from states.folder import Folder
from states.ledger import effects
from states.lifecycle import HELD
from states.sentences import Sentence
from states.words import Tally

KINDS = {Tally.no_term: "none", Tally.not_counted: "none"}


@dataclass(frozen=True, slots=True)
class Directory:
    """Who is who, by code; of what nobody knows the code is the name."""

    book: Catalogue

    def person(self, code: str | None) -> str:
        known = self.book.organisation.by_id.get(code or "")
        return known.name if known else (code or "")

    def body(self, code: str) -> Both:
        staff = self.book.organisation
        known = staff.bodies.get(code) or next((e for e in staff.points if e.code == code), None)
        return Both(known.name.vi, known.name.en) if known else Both(code, code)


# How it stands ------------------------------------------------------------------------------


def badge(paper: Any, at: datetime) -> tuple[str, Both]:
    """Of what kind its badge is, and what it says."""
    if paper.verdict is not None:
        return KINDS.get(paper.verdict, paper.verdict.value), TALLIES[paper.verdict]
    if paper.due_at is None:
        return _undue(paper)
    if paper.late_at <= at:
        return "overdue", Both("Quá hạn", "Overdue")
    if paper.due_at < at + SOON:
        return "soon", Both("Sắp đến hạn", "Due soon")
    return "open", Both("Trong hạn", "In time")


def _undue(paper: Any) -> tuple[str, Both]:
    if paper.state in HELD:
        return "held", Both("Đang tạm dừng", "Held")
    if paper.received_at is None:
        return "none", Both("Chưa tính thời hạn", "The term has not begun")
    return "none", TALLIES[Tally.no_term]


def term(text: str | None) -> Both:
    """`3wd` as `3 ngày làm việc`; what is no term stays as it is."""
    try:
        read = Term.parse(text or "none")
    except BadInput:
        return Both(text or "", text or "")
    if read.kind is Kind.none:
        return TALLIES[Tally.no_term]
    if read.kind is Kind.sameday:
        return Both("trong ngày", "the same day")
    one, many = UNITS[read.unit]
    amount = f"{read.amount.normalize():f}"
    return Both(
        f"{amount.replace('.', ',')} {one[0]}", f"{amount} {(one if amount == '1' else many)[1]}"
    )


# The clock ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Clock:
    """A reading. `why` it cannot be read, if it cannot."""

    left: Both | None
    used: Both | None
    trace: list[tuple[bool, str]]  # whether the step counts, and what it says
    calendar: str
    why: Sentence | None = None


def clock(book: Catalogue, paper: Any, at: datetime, lang: Lang) -> Clock:
    named = f"{paper.calendar}@{paper.calendar_version}"
    try:
        calendar = book.calendar(paper.calendar, paper.calendar_version)
        reading = effects.reading(paper, calendar, at)
        steps = reading.trace if reading else ()
    except BadInput as error:
        return Clock(None, None, [], named, error.sentence)
    trace = [(line.counts, said) for line, said in zip(steps, say(steps, lang), strict=True)]
    if reading is None:
        return Clock(None, None, trace, named)
    told = _left(paper, reading, at, calendar.zone, calendar.standard_day)
    return Clock(told, worked(reading.used, calendar.standard_day), trace, named)


def worked(minutes: int, standard_day: int) -> Both:
    """Working time, in days where it is many hours."""
    if minutes >= 2 * standard_day:
        days = minutes // standard_day
        return Both(f"{days} ngày làm việc", f"{days} working days")
    vi, en = (working_time(minutes, lang) for lang in (Lang.vi, Lang.en))
    return Both(f"{vi} làm việc", f"{en} of working time")


def _left(
    paper: Any, reading: Reading, at: datetime, zone: tzinfo, standard_day: int
) -> Both | None:
    """How long there is still, or how far from its date it ended."""
    if reading.remaining is None or paper.verdict is Tally.not_counted:
        return None
    vi, en = worked(abs(reading.remaining), standard_day)
    if paper.state in HELD:
        return Both(f"còn {vi} khi tính tiếp", f"{en} left once it runs")
    if reading.due is None:
        return None
    end = (paper.finished_at or at).astimezone(zone).date()
    days = (reading.due.astimezone(zone).date() - end).days
    if paper.finished_at is not None:
        return _ended(paper.verdict, days, vi, en)
    due = reading.due.astimezone(zone)
    return _running(days, vi, en, due, late=paper.late_at is not None and paper.late_at <= at)


def _running(days: int, vi: str, en: str, due: datetime, *, late: bool) -> Both:
    count = _days(abs(days))
    if late:
        return Both(f"đã quá {count.vi} ({vi})", f"{count.en} over ({en})")
    if days == 0:
        return Both(f"hết hạn hôm nay lúc {due:%H:%M}", f"due today at {due:%H:%M}")
    return Both(f"còn {count.vi} ({vi})", f"{count.en} left ({en})")


def _ended(verdict: Tally | None, days: int, vi: str, en: str) -> Both:
    count = _days(abs(days))
    if verdict is Tally.late:
        return Both(f"chậm {count.vi} ({vi})", f"{count.en} late ({en})")
    if days > 0:
        return Both(
            f"xong trước hạn {count.vi} ({vi})",
            f"{count.en} before its date ({en})",
        )
    return Both("xong đúng ngày hẹn", "on the day promised")


def _days(n: int) -> Both:
    return Both(f"{n} ngày", f"{n} day" if n == 1 else f"{n} days")


# Stages and papers --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of the procedure. `standing`: done, now, ahead or passed over."""

    n: int
    name: Both
    role: Any
    unit: Both | None
    term: Both
    standing: str
    visits: list[Any]


def steps(book: Catalogue, folder: Folder) -> list[Step]:
    """The way through the procedure; empty where its stages are not ours."""
    paper, names = folder.paper, Directory(book)
    if not paper.version:
        return []
    made = []
    for n, stage in enumerate(book.procedure(paper.procedure, paper.version).stages):
        its = [visit for visit in folder.visits if visit["stage"] == n]
        unit = its[-1]["unit"] if its else stage.unit
        made.append(
            Step(
                n=n + 1,
                name=Both(stage.name.vi, stage.name.en),
                role=stage.role,
                unit=names.body(unit) if unit else None,
                term=term(str(stage.term)),
                standing=_standing(paper, its, n),
                visits=its,
            )
        )
    return made


def _standing(paper: Any, its: list[Any], n: int) -> str:
    if its and its[-1]["closed_at"] is None:
        return "now"
    if its:
        return "done"
    return "passed" if paper.finished_at is not None or n < paper.stage else "ahead"


@dataclass(frozen=True, slots=True)
class Made:
    """A document that a stage produced."""

    name: str
    at: datetime
    by: str


def produced(folder: Folder) -> Iterator[Made]:
    """Each document once, when it was first named."""
    seen: set[str] = set()
    for line in folder.lines:
        for name in json.loads(line["payload"])["act"].get("produced", ()):
            if name not in seen:
                seen.add(name)
                yield Made(name, line["at"], line["actor"])
