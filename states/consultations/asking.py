"""A question to another body, with the term to answer it. Nothing here commits."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from states import clock
from states.catalogue import Catalogue
from states.clock import Facts, Kind, Policy, Term
from states.consultations.hearing import is_of, named
from states.consultations.holding import held, in_time
from states.consultations.opened import ASKS, UNENDED, c, consultation
from states.consultations.rights import ask_refused
from states.consultations.rows import Standing
from states.errors import BadInput, NotOpen
from states.ledger.acts import LONG, check_text
from states.people import Caller
from states.sentences import Sentence

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of which agency or unit. Where the version of the procedure names that body for
    the stage, the term is the version's, and its subject stands where none is told.
    """

    to: str
    about: str | None = None
    term: str | None = None


async def ask(
    db: AsyncConnection, book: Catalogue, code: str, who: Caller, asked: Question, at: datetime
) -> int:
    """Ask for an opinion; returns the number of the consultation, counted in its dossier.

    Raises `BadInput`, `Unknown`, and `NotOpen` or `NotYours` where it may not be asked.
    """
    check_text("about", asked.about, LONG)
    paper = await held(db, code)
    if refusal := ask_refused(book, who, paper):
        raise refusal
    at = in_time(at, paper.moved_at, Sentence("the last move"))
    agency = _agency(book, paper, asked.to, book.day(at))
    term, about = _wanted(book, paper, asked, at)
    await _check_alone(db, paper, asked.to)
    calendar = book.calendar_of(asked.to)
    reading = clock.read(term, calendar, Facts(at), Policy(paper.policy), at)
    before = sa.select(sa.func.coalesce(sa.func.max(c.n), 0) + 1).where(c.dossier_id == paper.id)
    row = {
        "dossier_id": paper.id,
        "n": before.scalar_subquery(),
        "visit": paper.visit,
        "unit": asked.to,
        "agency": agency,
        "by_unit": paper.unit,
        "asked_by": who.person.id,
        "role": who.role,
        "asked_at": at,
        "about": about,
        "term": str(term),
        "calendar": calendar.name,
        "calendar_version": calendar.version,
        "due_at": reading.due,
        "late_at": reading.late_at,
        "standing": Standing.open,
    }
    n = int((await db.execute(sa.insert(consultation).values(row).returning(c.n))).scalar_one())
    log.info("consultation.asked", dossier=code, n=n, unit=asked.to, by=who.person.id)
    return n


def _agency(book: Catalogue, paper: Any, to: str, on: date) -> str:
    """The agency of the body that is asked. Raises `BadInput` for one that cannot answer."""
    staff = book.organisation
    if (body := staff.bodies.get(to)) is None:
        raise BadInput(
            "there is no agency or unit {to}: ask one that the organisation has", to=to[:40]
        )
    if not body.stands(on):
        heir = staff.heir(to, on)
        took = heir != to and Sentence("ask {heir}, which took over", heir=heir)
        instead = took or Sentence("ask another")
        raise BadInput(
            "{to} does not stand on {on:%d/%m/%Y}: {instead}", to=to, on=on, instead=instead
        )
    agency = staff.agency_of(to)
    if to == paper.unit or (to == agency and to == _agency_of(book, paper.unit)):
        raise BadInput("{unit} has the dossier itself: ask another unit", unit=paper.unit)
    units = (each.code for each in staff.units if to in {each.code, each.agency})
    if not any(staff.holders(unit, role, on) for unit in (to, *units) for role in ASKS):
        raise BadInput("{to} has neither officer nor leader who could answer: ask another", to=to)
    return agency


def _agency_of(book: Catalogue, unit: str) -> str | None:
    """None of a unit that is known from an imported dossier only."""
    return book.organisation.agency_of(unit) if unit in book.organisation.bodies else None


def _wanted(book: Catalogue, paper: Any, asked: Question, at: datetime) -> tuple[Term, str]:
    """The term and what it is about. Raises `BadInput` for what is left to be said."""
    rule = next((e for e in named(book, paper) if is_of(book, e, asked.to, at)), None)
    own = None if asked.term is None else Term.parse(asked.term)
    if rule is not None and own not in {None, rule.term}:
        raise BadInput(
            "the procedure gives {to} {term} to answer: leave the term out",
            to=asked.to,
            term=rule.term,
        )
    if (term := rule.term if rule else own) is None:
        raise BadInput("say by a term, such as 3wd, how long {to} has to answer", to=asked.to)
    if term.kind is Kind.none:
        raise BadInput("an opinion is asked for within a term: 'none' is no length")
    about = (asked.about or "").strip() or (rule.about.vi if rule and rule.about else "")
    if not about:
        raise BadInput(
            "say what {to} is asked about (Decree 61/2018/NĐ-CP Art. 19(5))", to=asked.to
        )
    return term, about


async def _check_alone(db: AsyncConnection, paper: Any, to: str) -> None:
    """A body has one open question of a stage at a time."""
    its = sa.select(c.n).where(c.dossier_id == paper.id, c.visit == paper.visit, c.unit == to)
    if (n := await db.scalar(its.where(UNENDED))) is not None:
        raise NotOpen(
            "{to} was asked already, by consultation {n}: wait for the answer, or withdraw it"
            " and ask anew",
            to=to,
            n=n,
        )
