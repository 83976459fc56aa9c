"""How stages and consultations are told: from rows to the shapes that go out."""

from collections.abc import Mapping
from typing import Any

from api.consultations.shapes import Named, StageTold
from states.catalogue import Catalogue
from states.clock.words import Lang
from states.consultations.rights import answer_refused, withdraw_refused
from states.people import Caller
from states.tables import Dossier

MOMENTS = ("asked_at", "due_at", "late_at", "ended_at")


def stages(book: Catalogue, paper: Dossier, speaks: Lang) -> list[StageTold]:
    if not paper.version:
        return []
    procedure = book.procedure(paper.procedure, paper.version)
    told = []
    for n, stage in enumerate(procedure.stages):
        onward, ends = procedure.onward(n)
        told.append(
            StageTold(
                n=n,
                code=stage.code,
                name=getattr(stage.name, speaks),
                unit=stage.unit,
                role=stage.role,
                term=str(stage.term),
                needs=list(stage.needs),
                produces=list(stage.produces),
                onward=list(onward),
                ends=ends,
                back=list(procedure.back(n)),
                consults=[named_told(each, speaks) for each in stage.consults],
            )
        )
    return told


def named_told(rule: Any, speaks: Lang) -> Named:
    about = getattr(rule.about, speaks) if rule.about else None
    return Named(unit=rule.unit, term=str(rule.term), about=about)


def consulted(book: Catalogue, who: Caller, paper: Any, row: Mapping[str, Any]) -> dict[str, Any]:
    """A consultation and what the caller may do with it, with moments as on the wall of the body
    that was asked. Without its dossier (`paper`) nobody is told that they may withdraw it.
    """
    zone = book.calendar(row["calendar"], row["calendar_version"]).zone
    told = dict(row) | {name: row[name] and row[name].astimezone(zone) for name in MOMENTS}
    may = []
    if answer_refused(book, who, row) is None:
        may.append("answer")
    if paper is not None and withdraw_refused(book, who, paper, row) is None:
        may.append("withdraw")
    calendar = f"{row['calendar']}@{row['calendar_version']}"
    return told | {"due": told["due_at"], "calendar": calendar, "open": may}
