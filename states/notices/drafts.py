"""From a fact to its messages: which templates fit, to whom, at what address. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from states.catalogue.templates import Language, Occasion, Template, Templates
from states.notices.facts import Concern, Fact
from states.notices.quiet import after
from states.notices.rows import Audience, Way
from states.notices.wording import Names, Wording

MOST = 60_000  # bytes of a webhook's body: what an act brought is left out of a longer one
WEBHOOK = "webhook"  # what its messages say instead of a template


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before it has a number; the fields are the columns."""

    fact: str
    template: str
    dossier_id: int
    audience: Audience
    way: Way
    recipient: str
    subject: str
    body: str
    law: bool
    next_at: datetime


def fits(on: Occasion, fact: Fact) -> bool:
    """Whether a fact is one of these."""
    if on.of_lines != fact.of_line:
        return False
    return (
        (not on.events or fact.event in on.events)
        and (not on.states or fact.state in on.states)
        and (on.moved is None or on.moved in fact.moved)
        and (not on.what or fact.what in on.what)
        and (not on.rules or fact.rule in on.rules)
    )


class Drafting:
    """Drafts by one edition of the catalogue, for the ways that are set up."""

    def __init__(
        self,
        book: Names,
        templates: Templates,
        ways: Collection[Way],
        endpoints: Collection[str],
        at: datetime,
    ) -> None:
        self._book, self._templates, self._ways = book, templates, frozenset(ways)
        self._endpoints, self._at = tuple(sorted(endpoints)), at
        self._wording = Wording(book, templates.sms)
        self._chosen: dict[tuple[Any, ...], tuple[tuple[Template, Way], ...]] = {}

    def of(self, fact: Fact) -> Iterator[Draft]:
        """One message an audience, a way and a recipient."""
        seen: set[tuple[Any, ...]] = set()
        for audience in (Audience.citizen, Audience.staff):
            for template, way in self._templates_for(fact, audience):
                for recipient, concern in self._recipients(fact, audience, way):
                    if (key := (audience, way, recipient)) in seen:
                        continue
                    seen.add(key)
                    yield self._draft(fact, template, way, recipient, concern)
        if self._endpoints:
            what = f"dossier.{fact.event}" if fact.of_line else f"deadline.{fact.what}"
            words = what, self._told(fact)
            for name in self._endpoints:
                to = (Audience.system, Way.webhook, name)
                yield Draft(fact.id, WEBHOOK, fact.dossier_id, *to, *words, False, self._at)

    def _templates_for(self, fact: Fact, audience: Audience) -> tuple[tuple[Template, Way], ...]:
        key = (audience, fact.event, fact.state, fact.moved, fact.what, fact.rule)
        if key not in self._chosen:
            first: dict[Way, Template] = {}
            for each in self._templates.templates:
                if each.audience == audience and fits(each.on, fact):
                    for way in map(Way, each.ways):
                        first.setdefault(way, each)
            self._chosen[key] = tuple((each, w) for w, each in first.items() if w in self._ways)
        return self._chosen[key]

    def _recipients(
        self, fact: Fact, audience: Audience, way: Way
    ) -> Iterator[tuple[str, Concern | None]]:
        if audience is Audience.citizen:
            if address := fact.email if way is Way.email else fact.phone:
                yield address, None
            return
        for concern in fact.concerns:
            for person in self._people(concern):
                if address := getattr(person, "email" if way is Way.email else "phone", None):
                    yield address, concern

    def _people(self, concern: Concern) -> Iterator[Any]:
        """The one who is named; where nobody is, those present who have the role there."""
        staff, on = self._book.organisation, self._at.astimezone(self._book.zone).date()
        if concern.person is not None:
            if (known := staff.by_id.get(concern.person)) is not None:
                yield known
            return
        for each in staff.people:
            held = (p for p in each.positions if p.unit == concern.unit and p.stands(on))
            if any(concern.role in {None, p.role} for p in held) and staff.present(each.id, on):
                yield each

    def _draft(
        self, fact: Fact, template: Template, way: Way, recipient: str, concern: Concern | None
    ) -> Draft:
        audience = Audience(template.audience)
        language: Language = getattr(self._templates.languages, audience)
        values = self._wording.values(fact, language, concern)
        words = self._wording.said(template, way, language, values)
        begins = self._at
        if audience is Audience.staff and not template.law:
            begins = after(self._templates.quiet, begins, self._book.zone)
        to = (audience, way, recipient)
        return Draft(fact.id, template.code, fact.dossier_id, *to, *words, template.law, begins)

    @staticmethod
    def _told(fact: Fact) -> str:
        """What other systems get: no name, no address of the applicant."""
        told = {
            "fact": fact.id,
            "code": fact.code,
            "at": fact.at,
            "state": fact.state,
            "agency": fact.agency,
            "unit": fact.unit,
            "person": fact.person,
            "procedure": fact.procedure,
            "version": fact.version,
            "received": fact.received,
            "due": fact.due,
        }
        own = ("seq", "event", "source", "due_before", "reason", "ground", "until")
        told |= {name: getattr(fact, name) for name in (own if fact.of_line else ("rule", "what"))}
        told["moved"] = sorted(fact.moved)
        whole = orjson.dumps(told | dict(fact.told))
        return (whole if len(whole) <= MOST else orjson.dumps(told)).decode()
