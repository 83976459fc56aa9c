"""One row as a map reads it, with what was odd about it. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, tzinfo
from enum import StrEnum

from states.finding.searching import NUMBER
from states.intake.cells import NULLS, Unreadable, clean, fold, moment, shown, tidy, unclear
from states.intake.mapping import Map, Moment, Text
from states.intake.records import Activity, Note, Oddity, Record
from states.intake.source import Row
from states.ledger.acts import EMAIL, PHONE
from states.words import Channel, Outcome

LONGEST_CODE = 200
PARTED = re.compile(r"[\s.\-()]+")  # how numbers are written in groups
CARD = re.compile(NUMBER.pattern, re.ASCII | re.IGNORECASE)


class Telling:
    """Reads one row. `code` first; then `record`, or Unreadable from either."""

    def __init__(self, row: Row, by: Map, longest: int) -> None:
        self.row, self.by, self._longest = row, by, longest
        self._code = ""
        self._nulls: dict[str, None] = {}
        self._unclear: dict[str, None] = {}
        self._unread: dict[str, None] = {}

    def code(self) -> str:
        self._code = self._line(self.by.code) or ""
        if not self._code:
            raise Unreadable(self.row.fault or f"no code: {self.by.code} is empty")
        if len(self._code) > LONGEST_CODE:
            raise Unreadable(f"the code {shown(self._code)} is longer than {LONGEST_CODE}")
        return self._code

    def record(self) -> Record:
        if self.row.fault:
            raise Unreadable(self.row.fault)
        by = self.by
        told = self._activities()
        activities = tuple(sorted(told, key=lambda each: each.at))
        received = self._moment("received", by.received, activities)
        if received is None:
            raise Unreadable(f"no date of receipt: {by.received.column or 'no such event'}")
        record = Record(
            row=self.row.number,
            code=self._code,
            channel=self._channel(),
            procedure=self._said(by.procedure),
            agency=self._said(by.agency),
            unit=self._said(by.unit),
            person=self._said(by.person),
            applicant=self._said(by.applicant),
            received=received,
            due=self._moment("due", by.due, activities),
            finished=self._moment("finished", by.finished, activities),
            outcome=self._outcome(),
            delivered=self._moment("delivered", by.delivered, activities),
            activities=activities,
            data=self._kept(by.keep, self.row.cells),
            mended=(),
            phone=self._contact(by.phone, PHONE, PARTED),
            email=self._contact(by.email, EMAIL),
            citizen_id=self._contact(by.citizen_id, CARD, PARTED),
        )
        oddities = [*self._cleaned(told != activities), *odd(record, by.tz)]
        notes = tuple(Note(record.row, record.code, what, detail) for what, detail in oddities)
        return replace(record, mended=notes)

    def _text(self, name: str, cells: Mapping[str, str] | None = None) -> str | None:
        value = clean(
            name, (self.row.cells if cells is None else cells).get(name, ""), self._longest
        )
        if value in NULLS and value not in self.by.nothing:
            self._nulls[name] = None
            return None
        return None if value in self.by.nothing else value or None

    def _line(self, name: str, cells: Mapping[str, str] | None = None) -> str | None:
        """A name in one line, however many the cell has."""
        return tidy(self._text(name, cells) or "") or None

    def _kept(self, names: tuple[str, ...], cells: Mapping[str, str]) -> dict[str, str]:
        found = ((name, self._text(name, cells)) for name in names)
        return {name: value for name, value in found if value is not None}

    def _contact(
        self, name: str | None, shape: re.Pattern[str], parted: re.Pattern[str] | None = None
    ) -> str | None:
        """How somebody is reached. What cannot be used is no reason to refuse their dossier."""
        if name is None or (text := self._text(name)) is None:
            return None
        found = parted.sub("", text) if parted else text
        if not shape.fullmatch(found):
            self._unread[name] = None
            return None
        return found

    def _said(self, part: Text | None) -> str | None:
        if part is None:
            return None
        value = self._line(part.column) if part.column else None
        if value is None:
            return part.default
        return part.folded.get(fold(value), value)

    def _channel(self) -> Channel | None:
        try:
            said = self._said(self.by.channel)
            return None if said is None else Channel(said)
        except ValueError as error:
            raise self._no_word("channel", said, Channel) from error

    def _outcome(self) -> Outcome | None:
        try:
            said = self._said(self.by.outcome)
            return None if said is None else Outcome(said)
        except ValueError as error:
            raise self._no_word("outcome", said, Outcome) from error

    @staticmethod
    def _no_word(field: str, said: str | None, ours: type[StrEnum]) -> Unreadable:
        # Left out in silence, an unknown word would bend every figure by channel or outcome.
        return Unreadable(
            f"{field}: {shown(said or '')} is a word the map does not know; "
            f"add it to {field}.words as one of: {', '.join(ours)}"
        )

    def _moment(
        self, field: str, part: Moment | None, activities: tuple[Activity, ...]
    ) -> datetime | None:
        if part is None:
            return None
        if part.column:
            return self._at(part.column, self.row.cells, ends=field == "due")
        named = {fold(name) for name in part.named}
        found = [each.at for each in activities if not named or fold(each.name) in named]
        return found[0 if part.event == "first" else -1] if found else None

    def _at(self, name: str, cells: Mapping[str, str], *, ends: bool = False) -> datetime | None:
        text = self._text(name, cells)
        if text is None:
            return None
        try:
            at = moment(text, self.by.dates, self.by.tz, ends=ends)
        except ValueError as error:
            formats = ", ".join(("ISO 8601", *self.by.dates))
            why = f"{name}: {shown(text)} is not a date of the map's formats ({formats})"
            raise Unreadable(why) from error
        if unclear(at):
            self._unclear[name] = None
        return at

    def _activities(self) -> tuple[Activity, ...]:
        by = self.by.event
        found = []
        for number, cells in enumerate(self.row.events if by else (), 1):
            assert by is not None
            name, at = self._line(by.name, cells), self._at(by.at, cells)
            if name is None and at is None:  # a dossier without events, in a table
                continue
            if name is None or at is None:
                raise Unreadable(f"event {number} has no {by.at if name else by.name}")
            person = self._line(by.person, cells) if by.person else None
            unit = self._line(by.unit, cells) if by.unit else None
            found.append(Activity(name, at, person, unit, self._kept(by.keep, cells)))
        return tuple(found)

    def _cleaned(self, unsorted: bool) -> Iterator[tuple[Oddity, str]]:
        """What had to be cleaned in order to read it."""
        if self.row.short:
            yield "short_row", f"{self.row.short} cells missing at its end, read as empty"
        if self._nulls:
            yield "null_text", f"a word for null read as empty in {', '.join(self._nulls)}"
        if self._unclear:
            names = ", ".join(self._unclear)
            yield "unclear_local_time", f"a local time that summer time repeats or skips in {names}"
        if self._unread:
            names = ", ".join(self._unread)
            yield "unread_contact", f"not written as one is, and so not kept: {names}"
        if self.row.differing:
            names = ", ".join(self.row.differing)
            yield "differing_values", f"rows disagree on {names}; the first is kept"
        if unsorted:
            yield "unsorted_events", "events were not in order of time; sorted"


def odd(record: Record, zone: tzinfo) -> Iterator[tuple[Oddity, str]]:
    """What is odd about dates that are kept as they are. Unreadable where two cannot both be."""
    received, finished = record.received, record.finished
    if finished and finished < received:
        if finished.astimezone(zone).date() < received.astimezone(zone).date():
            raise Unreadable(f"finished {finished} on a day before it was received {received}")
        yield "finished_before_receipt", f"finished {finished}, received {received}, the same day"
    if record.due and record.due < received:
        yield "due_before_receipt", f"due {record.due}, received {received}"
    if record.delivered and not finished:
        raise Unreadable(f"delivered {record.delivered} but not finished; map `finished`")
    if record.delivered and finished and record.delivered < finished:
        yield "delivered_before_finish", f"delivered {record.delivered}, finished {finished}"
    if record.outcome and not finished:
        yield "outcome_without_finish", f"{record.outcome}, but no date on which it was finished"
    of = len(record.activities)
    if early := sum(each.at < received for each in record.activities):
        yield "event_before_receipt", f"{early} of {of} events before the receipt {received}"
    if finished and (after := sum(each.at > finished for each in record.activities)):
        yield "event_after_finish", f"{after} of {of} events after the end {finished}"
