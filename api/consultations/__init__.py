"""Stages and consultations over HTTP: what is asked of other bodies, by when, and what they say."""

from typing import Annotated

from fastapi import APIRouter, Path, Request

from api.consultations.shapes import (
    Ask,
    ConsultationQueue,
    Consultations,
    Consulted,
    Give,
    QueuedConsultation,
    Stages,
    VisitTold,
    Withdraw,
)
from api.consultations.telling import consulted, named_told, stages
from api.doors import At, Db, Door, Looked, Page, Sees, Shelf, Speaks, Who, needs
from api.dossiers.telling import history
from api.listed import Code
from api.problems import DOCUMENTED
from api.spoken import spoken
from states import ledger, seeing
from states.accounts.scopes import Scope
from states.consultations import ending, listing
from states.consultations.asking import Question, ask
from states.consultations.ending import Answer
from states.consultations.hearing import unasked
from states.consultations.opened import answering
from states.consultations.rights import ask_refused
from states.tables import Dossier
from states.tongues import said

router = APIRouter(prefix="/v1", tags=["consultations"], route_class=Door, responses=DOCUMENTED)
READS = [needs(Scope.dossiers_read)]
WRITES = [needs(Scope.dossiers_write)]
OF_DOSSIER = "/dossiers/{code}/consultations"

Number = Annotated[int, Path(ge=1, lt=1 << 31, description="Counted in the dossier.")]


@router.get("/dossiers/{code}/stages", dependencies=READS)
async def read_stages(
    code: Code, book: Shelf, sees: Sees, speaks: Speaks, at: At, db: Db
) -> Stages:  # fmt: skip
    """The stages of the dossier's procedure, and when and with whom it was in each."""
    paper, _ = await seeing.find(db, code, sees)
    kept = await ledger.history(db, paper.code)
    rows = await listing.of_dossier(db, _id(paper), at)
    zone = book.calendar(paper.calendar).zone
    visits = history(paper.code, zone, [], kept.visits, []).visits
    asked = {
        each.visit: [row["n"] for row in rows if row["visit"] == each.visit] for each in visits
    }
    return Stages(
        code=paper.code,
        present=None if paper.stage_role is None else paper.stage,
        stages=stages(book, paper, speaks),
        visits=[VisitTold(**each.model_dump(), consultations=asked[each.visit]) for each in visits],
    )


@router.get(OF_DOSSIER, dependencies=READS)
async def list_consultations(
    request: Request,
    code: Code,
    book: Shelf,
    who: Who,
    sees: Sees,
    looked: Looked,
    speaks: Speaks,
    at: At,
    db: Db,
) -> Consultations:
    """What was asked of other bodies about the dossier, and what they said.

    That it was read is kept.
    """
    paper, _ = await seeing.find(db, code, sees)
    await looked([_id(paper)])
    rows = await listing.of_dossier(db, _id(paper), at)
    refusal = ask_refused(book, who, paper)
    return Consultations(
        code=paper.code,
        consultations=[Consulted(**consulted(book, who, paper, row)) for row in rows],
        unasked=[named_told(each, speaks) for each in unasked(book, paper, rows, at)],
        ask=None if refusal is None else said(refusal.sentence, spoken(request)),
    )


@router.post(OF_DOSSIER, status_code=201, dependencies=WRITES)
async def ask_for_opinion(
    code: Code, asked: Ask, book: Shelf, who: Who, sees: Sees, at: At, db: Db
) -> Consulted:
    """Ask another agency or unit for its opinion; the dossier's own clock runs on."""
    paper, _ = await seeing.find(db, code, sees)
    n = await ask(db, book, paper.code, who, Question(**asked.model_dump()), at)
    return Consulted(**consulted(book, who, paper, await listing.one(db, _id(paper), n, at)))


@router.post(OF_DOSSIER + "/{n}/answer", dependencies=WRITES)
async def answer_consultation(
    code: Code, n: Number, given: Give, book: Shelf, who: Who, sees: Sees, at: At, db: Db
) -> Consulted:
    """Give the opinion that was asked for, on behalf of the body that was asked; once.

    Who comes too late is told so, though they see the dossier no more.
    """
    if await listing.was_asked(db, code, n, answering(book, who)):
        paper, _ = await ledger.find(db, code)
    else:
        paper, _ = await seeing.find(db, code, sees)
    await ending.answer(db, book, paper.code, n, who, Answer(**given.model_dump()), at)
    return Consulted(**consulted(book, who, paper, await listing.one(db, _id(paper), n, at)))


@router.post(OF_DOSSIER + "/{n}/withdraw", dependencies=WRITES)
async def withdraw_consultation(
    code: Code, n: Number, said: Withdraw, book: Shelf, who: Who, sees: Sees, at: At, db: Db
) -> Consulted:
    """Ask no longer, and say why."""
    paper, _ = await seeing.find(db, code, sees)
    await ending.withdraw(db, book, paper.code, n, who, said.reason, at)
    return Consulted(**consulted(book, who, paper, await listing.one(db, _id(paper), n, at)))


@router.get("/consultations", dependencies=READS)
async def list_unanswered(
    book: Shelf, who: Who, looked: Looked, page: Page, at: At, db: Db
) -> ConsultationQueue:
    """What the caller's units and agencies are asked and have not answered yet.

    That it was read is kept.
    """
    bodies = answering(book, who)
    found = await listing.queue(db, bodies, at, page.cursor, page.limit)
    await looked(row["dossier_id"] for row in found.rows)
    rows = [consulted(book, who, None, row) | {"code": row["code"]} for row in found.rows]
    return ConsultationQueue(
        consultations=[QueuedConsultation(**row) for row in rows], next=found.next
    )


def _id(paper: Dossier) -> int:
    assert paper.id is not None
    return paper.id
