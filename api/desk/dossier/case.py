"""A dossier about to be moved, and what a field of the form is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from states.catalogue import Catalogue
from states.catalogue.procedures import Procedure
from states.figures.sheets import Both
from states.words import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a form. `kind`: text, long, number, choice, radio or ticks. `value` and `ticked`:
    what it says before anybody typed.
    """

    name: str
    label: Both
    kind: str = "text"
    choices: tuple[tuple[str, Both], ...] = ()
    value: str = ""
    ticked: tuple[str, ...] = ()
    hint: Both | None = None
    required: bool = False
    longest: int = 200
    suggested: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A dossier about to be moved. `lacking`: its required components without a file."""

    book: Catalogue
    paper: Any
    event: Event
    at: datetime
    lacking: frozenset[str] = frozenset()

    @property
    def procedure(self) -> Procedure | None:
        """None where its rules are not ours."""
        paper = self.paper
        return self.book.procedure(paper.procedure, paper.version) if paper.version else None

    @property
    def onward(self) -> tuple[int, ...]:
        """The stages that the act may lead to."""
        procedure, paper = self.procedure, self.paper
        if procedure is None or paper.stage < 0:
            return ()
        if self.event is Event.advance:
            return procedure.onward(paper.stage)[0]
        return procedure.back(paper.stage) if self.event is Event.send_back else ()


def both(name: Any) -> Both:
    return Both(name.vi, name.en)


def added(name: Any, more: Both) -> Both:
    return Both(name.vi + more.vi, name.en + more.en)
