"""From a dossier and its lines to what its applicant is told. Pure.

Which reasons are the citizen's is decided here: of whatever was refused or asked, and of every date
that moved. Why a dossier went back a stage, was withdrawn or was taken up again is not told.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from states.catalogue import Catalogue
from states.catalogue import Name as Names
from states.clock.words import Lang, Words, moment
from states.errors import Unknown
from states.ledger.promises import Promise, promises
from states.lifecycle import FINISHED, HELD, WITH_RESULT
from states.notices.wording import clean
from states.tracking import words
from states.tracking.promised import broken
from states.tracking.shapes import Ended, Late, Place, Promised, Request, Titled, Tracked
from states.words import Event, Outcome, State

LONGEST = 2000  # characters of a reason
TOLD = frozenset(
    {
        Event.decline,
        Event.request_supplement,
        Event.extend,
        Event.stop,
        Event.recompute,
        Event.migrate,
        Event.restate,
    }
)
"""Events whose reason and ground the citizen is told; a result's when it is a refusal."""

AT_COUNTER = frozenset({State.registered, State.received, State.digitised})


class Telling(NamedTuple):
    """What every part of the telling needs."""

    book: Catalogue
    paper: Any
    lines: Sequence[Mapping[str, Any]]
    given: Sequence[Promise]
    zone: tzinfo
    lang: Lang

    def there(self, at: datetime | None) -> datetime | None:
        return None if at is None else at.astimezone(self.zone)

    def says(self, text: Words, **moments: datetime | str) -> str:
        values = {
            name: moment(each.astimezone(self.zone), self.lang)
            if isinstance(each, datetime)
            else each
            for name, each in moments.items()
        }
        return words.say(text, self.lang, **values)

    def name(self, names: Names) -> str:
        return names.vi if self.lang is Lang.vi else names.en

    def body(self, code: str) -> Titled:
        """An agency, unit or service point; of those that nobody knows the code is the name."""
        staff = self.book.organisation
        points = {each.code: each for each in staff.points}
        known = staff.bodies.get(code) or points.get(code)
        return Titled(code=code, name=self.name(known.name) if known else code)

    @property
    def counter(self) -> Titled:
        """Where its applicant speaks with somebody: any counter of the centre."""
        return self.body(self.paper.counter if self.paper.source else self.book.centre.code)


def telling(
    book: Catalogue, paper: Any, lines: Sequence[Mapping[str, Any]], at: datetime, lang: Lang
) -> Tracked:
    """What is told of a dossier at a moment."""
    zone = book.calendar(paper.calendar).zone
    of = Telling(book, paper, lines, tuple(promises(lines, waits=True)), zone, lang)
    return Tracked(
        code=paper.code,
        language=lang,
        procedure=_procedure(of),
        agency=of.body(paper.agency),
        state=paper.state,
        sentence=of.says(words.STATES[paper.state]),
        registered=paper.registered_at.astimezone(zone),
        received=of.there(paper.received_at),
        due=of.there(_in_force(paper)),
        held=paper.state in HELD,
        promises=[_promised(of, each) for each in of.given],
        place=_place(of),
        asked=_asked(of),
        ended=_ended(of),
        late=_late(of, at),
    )


def _version(of: Telling) -> Any:
    """The procedure's version it runs under; None of what ran elsewhere."""
    try:
        return of.book.procedure(of.paper.procedure, of.paper.version or None)
    except Unknown:
        return None


def _procedure(of: Telling) -> Titled:
    version, code = _version(of), of.paper.procedure
    return Titled(code=code, name=code if version is None else of.name(version.name))


def _in_force(paper: Any) -> datetime | None:
    """None is while it waits, nor once it ended without a result."""
    without = paper.state in FINISHED - WITH_RESULT
    due: datetime | None = None if paper.state in HELD or without else paper.due_at
    return due


def _promised(of: Telling, promise: Promise) -> Promised:
    tells = promise.event in TOLD
    return Promised(
        at=promise.at.astimezone(of.zone),
        due=of.there(promise.due),
        event=promise.event,
        sentence=of.says(words.PROMISES[promise.event]),
        reason=_text(promise.reason) if tells else None,
        ground=_text(promise.ground) if tells else None,
    )


def _text(text: str | None) -> str | None:
    return clean(text or "", LONGEST) or None


# Where it is ------------------------------------------------------------------------------


def _place(of: Telling) -> Place:
    """Custody of papers is not kept: it is told as far as the state and the unit tell it."""
    paper, state = of.paper, of.paper.state
    if state is State.delivered:
        return Place(at="citizen", code=None, name=None, sentence=of.says(words.WITH_CITIZEN))
    if state is State.result_returned:
        return _at(of, "counter", of.counter, words.RESULT_READY)
    if state in FINISHED:
        return _at(of, "ended", of.counter, words.ASK)
    if state in AT_COUNTER or paper.received_at is None:
        return _at(of, "counter", of.body(paper.counter), words.AT_COUNTER)
    known = paper.unit in of.book.organisation.bodies
    agency = of.body(of.book.organisation.agency_of(paper.unit) if known else paper.agency)
    if state is State.routed:
        return _at(of, "way", agency, words.SENT)
    return _at(of, "agency", agency, words.AT_AGENCY)


def _at(of: Telling, at: Any, place: Titled, text: Words) -> Place:
    sentence = of.says(text, place=place.name)
    return Place(at=at, code=place.code, name=place.name, sentence=sentence)


# What is asked, and how it ended ------------------------------------------------------------


def _last(of: Telling, *events: Event) -> Mapping[str, Any]:
    """The last line of one of these events; an empty one where there is none."""
    return next((line for line in reversed(of.lines) if line["event"] in events), {})


def _asked(of: Telling) -> Request | None:
    paper, until = of.paper, of.there(of.paper.lapse_at)
    if until is None:
        return None
    if paper.state is State.awaiting_payment:
        # What was asked last, as the ledger takes it: the fee may have been paid at the counter.
        owed = paper.facts.get("owed", max(0, paper.fee_asked - paper.fee_paid))
        said = of.says(words.PAYMENT, until=until, amount=words.amount(owed, of.lang))
        return Request(
            what="payment", sentence=said, until=until, reason=None, missing=[], amount=owed
        )
    return Request(
        what="supplement",
        sentence=of.says(words.SUPPLEMENT, until=until),
        until=until,
        reason=_text(_last(of, Event.request_supplement).get("reason")),
        missing=_missing(of),
        amount=None,
    )


def _missing(of: Telling) -> list[str]:
    files = of.paper.facts.get("components", {})
    components = getattr(_version(of), "components", ())
    return [of.name(c.name) for c in components if c.required and c.code not in files]


def _ended(of: Telling) -> Ended | None:
    paper = of.paper
    if paper.finished_at is None:
        return None
    refused = paper.outcome is Outcome.refused
    line = _last(of, Event.return_result) if paper.state in WITH_RESULT else of.lines[-1]
    tells = refused or line.get("event") in TOLD
    return Ended(
        at=paper.finished_at.astimezone(of.zone),
        outcome=paper.outcome,
        fetch_at=of.counter if paper.state is State.result_returned else None,
        delivered=of.there(paper.delivered_at),
        sentence=of.says(words.LAPSED) if line.get("event") is Event.lapse else None,
        reason=_text(line.get("reason")) if tells else None,
        ground=_text(line.get("ground")) if tells else None,
    )


# Late -------------------------------------------------------------------------------------


def _late(of: Telling, at: datetime) -> Late | None:
    paper = of.paper
    until = paper.finished_at or at
    promised = broken(of.given, until, of.zone)
    if paper.late_at is not None and paper.late_at <= until:
        promised = paper.due_at
    if promised is None:
        return None
    due = None if paper.finished_at else _in_force(paper)
    new = due if due is not None and due != promised else None
    if paper.finished_at is not None:
        sentence = of.says(words.CAME_LATE, promised=promised)
    elif new is not None:
        sentence = of.says(words.PROMISED_ANEW, promised=promised, new=new)
    else:
        sentence = of.says(words.LATE, promised=promised)
    return Late(promised=promised.astimezone(of.zone), new=of.there(new), sentence=sentence)
