"""A draft's rules on one closed dossier. Pure.

What happened stays: receipt, holds, extensions, finish. What a supplement does to the clock is the
draft's to say: under `restart` the term begins again with the last one, under `hold` its time does
not count, whatever the rule was when it came.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

from states import clock
from states.catalogue.procedures import Procedure
from states.clock import Calendar, Term, Verdict
from states.errors import BadInput
from states.ledger.effects import facts_of, visit_facts
from states.ledger.pins import Book
from states.simulation.results import Reread
from states.tables import Dossier, Visit
from states.words import Tally


class Visited(NamedTuple):
    """A visit of a stage: whether it was late, and would have been; None without a like stage."""

    stage: str
    late_before: bool
    late_after: bool | None


class Rules:
    """A draft, and the calendar by which it is read: its own or the agency's newest unless given.

    Raises `BadInput` for a term that this calendar cannot give, and `Unknown` for no calendar.
    """

    def __init__(self, book: Book, draft: Procedure, calendar: Calendar | None = None) -> None:
        own = draft.calendar
        self.draft = draft
        self.calendar = calendar or (book.calendar(own) if own else book.calendar_of(draft.agency))
        self._book = book
        self._stages = {stage.code: self._given(stage.term) for stage in draft.stages}
        self._restarts = draft.supplement.mode == "restart"
        self.term = lru_cache(maxsize=1024)(self._term)

    def _term(self, channel: str, place: str | None) -> Term:
        """`term`: that of a dossier which came by that channel, from that place."""
        return self._given(self.draft.term_for(channel, self._book.region_of(place)))

    def _given(self, term: Term) -> Term:
        term.size(self.calendar.standard_day)  # refused for the draft, not dossier by dossier
        return term

    def _paper(self, past: Any, on: datetime) -> Dossier:
        """The dossier with the facts that the draft's clock would have had at that moment."""
        facts = {name: fact for name, fact in past.facts.items() if name != "restart"}
        if self._restarts and past.supplemented:
            came = [at for at in past.supplemented if at <= on]
            facts |= {"restart": came[-1].isoformat()} if came else {}
        return cast("Dossier", SimpleNamespace(received_at=past.received_at, facts=facts))

    def reread(self, past: Any, term: Term) -> Reread:
        """Its class under the draft. Raises `BadInput` beyond the calendar's reach."""
        finished = past.finished_at
        facts = facts_of(self._paper(past, finished), finished)
        reading = clock.read(term, self.calendar, facts, self.draft.policy, finished)
        return Reread(
            past.code,
            past.received_at,
            finished,
            past.verdict,
            Tally(reading.verdict),
            past.due_at,
            reading.due,
            max(0, -(reading.remaining or 0)),
        )

    def visits(self, past: Any) -> Iterator[Visited]:
        """Its visits of stages. Raises as `reread`."""
        if past.stages is None:
            return
        for code, opened, left, late in zip(
            past.stages, past.opened, past.left, past.late, strict=True
        ):
            if (term := self._stages.get(code)) is None:
                yield Visited(code, late, None)
                continue
            visit = cast("Visit", SimpleNamespace(opened_at=opened))
            facts = visit_facts(self._paper(past, left), visit, left)
            verdict = clock.read(term, self.calendar, facts, self.draft.policy, left).verdict
            yield Visited(code, late, verdict is Verdict.late)

    # What the draft would not have allowed ---------------------------------------------

    def asked_too_often(self, past: Any) -> bool:
        """More often than the draft allows."""
        return bool(past.asked > self.draft.supplement.times)

    def extended_too_far(self, past: Any) -> bool:
        """More often than the draft allows, by more, or by a term of another kind."""
        given = [Term.parse(text) for text in past.facts.get("extend", ())]
        rule = self.draft.extension
        if len(given) > rule.times:
            return True
        most = rule.max
        return most is not None and any(
            more.kind is not most.kind or more.amount > most.amount for more in given
        )

    def extended_overdue(self, past: Any, term: Term) -> bool:
        """When the draft's date, with the extensions before, had passed."""
        return any(self._overdue(past, term, at, n) for n, at in enumerate(past.extended or ()))

    def _overdue(self, past: Any, term: Term, at: datetime, given: int) -> bool:
        """Whether it was at that moment, with so many extensions. Later holds change nothing."""
        facts = facts_of(self._paper(past, at))
        then = replace(facts, extend=facts.extend[:given])
        reading = clock.read(term, self.calendar, then, self.draft.policy, at)
        return reading.verdict is Verdict.overdue


# Drafts from versions -------------------------------------------------------------------------


def shortened(procedure: Procedure, by: Term) -> Procedure:
    """The procedure with its term less by that much, and its other terms likewise.

    Stages keep theirs. Raises `BadInput` where nothing would remain, and where the terms are not
    counted alike, as then a term less by something could end later.
    """
    others = tuple(
        each.model_copy(update={"term": _less(each.term, by)}) for each in procedure.terms
    )
    return procedure.model_copy(update={"term": _less(procedure.term, by), "terms": others})


def _less(term: Term, by: Term) -> Term:
    counted = (term.kind, term.unit)
    if counted != (by.kind, by.unit):
        raise BadInput(
            "a term of {term} is not counted as {by} is: shorten it by its own unit",
            term=term,
            by=by,
        )
    if (rest := term.amount - by.amount) <= 0:
        raise BadInput(
            "a term of {term} less {by} leaves nothing: shorten it by less", term=term, by=by
        )
    less = Term.parse(f"{rest:f}{term.unit}")
    if (less.kind, less.unit) != counted:
        raise BadInput(
            "{term} less {by} is {less}, which is not counted as {term} is",
            term=term,
            by=by,
            less=less,
        )
    return less
