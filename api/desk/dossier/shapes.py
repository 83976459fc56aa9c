"""All that the page of a dossier shows, made of its folder. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.desk.dossier import telling, timeline
from api.desk.dossier.offer import Offers, offers
from states.catalogue import Catalogue
from states.clock.words import Lang
from states.consultations.hearing import unasked
from states.consultations.rights import answer_refused, ask_refused, withdraw_refused
from states.figures.sheets import Both
from states.folder import Folder
from states.forms import every
from states.forms.form import why_not
from states.people import Caller
from states.sentences import Sentence
from states.tracking import Tracked
from states.tracking.telling import telling as tracked
from states.words import Role, State

COUNTER = frozenset({Role.reception, Role.postal})


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """What templates read. `acting` is None for who may only read, as `refused` says."""

    folder: Folder
    book: Catalogue
    at: datetime
    acting: Caller | None
    refused: Sentence | None
    offers: Offers
    badge: tuple[str, Any]
    clock: telling.Clock
    tracked: Tracked
    steps: list[telling.Step]
    made: list[telling.Made]
    lines: list[timeline.Told]

    @property
    def paper(self) -> Any:
        return self.folder.paper

    @property
    def names(self) -> telling.Directory:
        return telling.Directory(self.book)

    @property
    def procedure(self) -> Any:
        """None of what ran elsewhere and is not in the catalogue."""
        return self.folder.matter(self.book, self.at).procedure

    def term(self, text: str) -> Any:
        return telling.term(text)

    def rule(self, code: str) -> Any:
        """A rule of watching by name."""
        known = next((each for each in self.book.rules.rules if each.code == code), None)
        return known.name if known else Both(code, code)

    @property
    def unscanned(self) -> list[Any]:
        """Required components without a file, where it waits at the counter for these alone."""
        if (
            self.acting is None
            or self.acting.role not in COUNTER
            or self.paper.state is not State.received
        ):
            return []
        return [each.wanted for each in self.folder.files if each.lacking]

    def changed(self, seen: int) -> list[timeline.Told]:
        """What was done since somebody looked."""
        return [each for each in self.lines if each.seq > seen]

    # Consultations --------------------------------------------------------------------------

    @property
    def ask_refused(self) -> Sentence | None:
        """Why no opinion may be asked for."""
        if self.acting is None:
            return self.refused
        refusal = ask_refused(self.book, self.acting, self.paper)
        return refusal.sentence if refusal else None

    @property
    def unasked(self) -> list[Any]:
        """Those that the procedure names for this stage, and nobody asked yet."""
        return unasked(self.book, self.paper, self.folder.consultations, self.at)

    @property
    def bodies(self) -> list[tuple[str, Any]]:
        """The agencies and units that may be asked: all that stand, but for who has it."""
        staff, day = self.book.organisation, self.book.day(self.at)
        standing = (each for each in staff.bodies.values() if each.stands(day))
        return [
            (e.code, e.name) for e in standing if e.code not in {staff.centre.code, self.paper.unit}
        ]

    def may_answer(self, row: Any) -> bool:
        return self.acting is not None and answer_refused(self.book, self.acting, row) is None

    def may_withdraw(self, row: Any) -> bool:
        who = self.acting
        return who is not None and withdraw_refused(self.book, who, self.paper, row) is None

    # Paper ----------------------------------------------------------------------------------

    @property
    def forms(self) -> list[tuple[Any, Any, Sentence | None]]:
        """Each form by name, with its title, and why it cannot be printed now."""
        matter = self.folder.matter(self.book, self.at)
        told = []
        for name, form in every.FORMS.items():
            known = matter.prescribed(form.on)
            told.append((name, known or form.title, why_not(form, matter)))
        return told


def whole(
    book: Catalogue,
    folder: Folder,
    acting: Caller | None,
    refused: Sentence | None,
    at: datetime,
    lang: Lang,
) -> Whole:
    paper = folder.paper
    return Whole(
        folder=folder,
        book=book,
        at=at,
        acting=acting,
        refused=refused,
        offers=offers(book, folder, acting, at, refused),
        badge=telling.badge(paper, at),
        clock=telling.clock(book, paper, at, lang),
        tracked=tracked(book, paper, folder.lines, at, lang),
        steps=telling.steps(book, folder),
        made=list(telling.produced(folder)),
        lines=timeline.told(book, folder),
    )
