"""A question to a report, as the doors take it: read, and refused where it cannot be meant."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from difflib import get_close_matches

from sqlalchemy.ext.asyncio import AsyncConnection

from states.catalogue import Catalogue
from states.clock import Policy
from states.errors import BadInput
from states.figures import auditing
from states.figures.counting import known
from states.figures.levels import LEVEL
from states.figures.periods import EACH, Period
from states.figures.reporting import Asked, Report, agencies_known, period
from states.people import Caller, NotHeld
from states.sentences import Sentence
from states.sight import Sight

NEAR = 3
FIRST = 1900  # the year before which no moment is told


def whole(who: Caller, sees: Sight) -> frozenset[str] | None:
    """The agencies somebody sees with all their dossiers; None: every one. Raises `NotHeld`."""
    if not (sees.all or sees.agencies):
        raise NotHeld(
            "figures are of whole agencies, and {id} sees none whole as {role}: ask a leader or"
            " the control unit",
            id=who.person.id,
            role=who.role,
        )
    return None if sees.all else sees.agencies


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, in the words of who asked. `period`: by name, instead of its two ends."""

    since: datetime | None = None
    until: datetime | None = None
    period: str | None = None
    agencies: Sequence[str] | None = None
    by: tuple[str, ...] | None = None
    each: str | None = None
    policy: Policy | None = None
    options: Mapping[str, str] = field(default_factory=dict)


async def asked(
    db: AsyncConnection,
    book: Catalogue,
    report: Report,
    question: Question,
    at: datetime,
    seen: Collection[str] | None = None,
    who: Caller | None = None,
) -> Asked:
    """`seen`: the agencies that `who`, the caller, sees whole; None: all.

    Raises `BadInput`, and `NotYours` for what looks at people.
    """
    auditing.check(report.name, report.audit, question.options, who)
    by = _apart(report, question.by)
    if question.each is not None and question.each not in EACH:
        there = ", ".join(EACH)
        raise BadInput(
            "'{each}' divides no period: choose {known}", each=question.each, known=there
        )
    if question.each is not None and not report.each:
        raise BadInput(
            "{report} is of the whole period and is not told by {each}: leave out --each",
            report=report.name,
            each=question.each,
        )
    if question.policy is not None and not report.anew:
        raise BadInput("{report} knows classes only as they were frozen", report=report.name)
    for name in question.options:
        if name not in report.options:
            there = ", ".join(report.options) or "none"
            raise BadInput(
                "{report} knows no option '{name}': there are {there}",
                report=report.name,
                name=name,
                there=there,
            )
    named = _named(question, at)
    return Asked(
        db, book, _begun(named, at), at, named.until,
        agencies=await _agencies(db, book, question.agencies, seen),
        by=by, each=question.each, policy=question.policy, options=question.options, who=who,
    )  # fmt: skip


def _named(question: Question, at: datetime) -> Period:
    """As it was asked for. Raises `BadInput`."""
    if question.period is None:
        return period(question.since, question.until or at)
    if question.since is not None or question.until is not None:
        raise BadInput("a period has a name or two ends: give --period, or --from and --to")
    named = Period.parse(question.period)
    if named.since is not None and named.since.astimezone(UTC).year < FIRST:
        raise BadInput("periods are told from {first} on", first=FIRST + 1)
    return named


def _begun(named: Period, at: datetime) -> Period:
    """What of it is over: nothing is late by a date ahead. Raises `BadInput` where nothing is."""
    if named.since is not None and named.since >= at:
        raise BadInput("the period has not begun: ask for one that begins before now")
    return replace(named, until=min(named.until, at))


def _apart(report: Report, said: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """By what figures are told apart. Raises `BadInput` for what a report cannot tell apart."""
    by = tuple(key if key == LEVEL else known(key) for key in said or ())
    if len(set(by)) < len(by):
        raise BadInput("figures are told apart by each dimension once: {by}", by=", ".join(by))
    there = report.dims
    if strange := [key for key in by if key not in there]:
        raise BadInput(
            "{report} is not told apart by {by}: {mend}",
            report=report.name,
            by=", ".join(strange),
            mend=Sentence("choose {there}", there=", ".join(there))
            if there
            else Sentence("leave out --by"),
        )
    return None if said is None else by


async def _agencies(
    db: AsyncConnection,
    book: Catalogue,
    wanted: Sequence[str] | None,
    seen: Collection[str] | None,
) -> list[str] | None:
    """Those a report is of; None: all. One that is not seen is not told from one there is not."""
    if not wanted:
        return None if seen is None else sorted(seen)
    there = await agencies_known(db, book) if seen is None else set(seen)
    if strange := sorted(set(wanted) - there):
        raise BadInput(
            "there is no agency {strange}: there are {there}{near}",
            strange=", ".join(strange),
            there=", ".join(sorted(there)),
            near=_near(book, strange[0], there),
        )
    return sorted(set(wanted))


def _near(book: Catalogue, said: str, there: set[str]) -> str:
    """The agencies whose code or name is like what was said."""
    by_words = {each.lower(): each for each in there}
    for code in there & book.agencies.keys():
        by_words[book.agencies[code].name.vi.lower()] = code
    like = get_close_matches(said.lower(), by_words, NEAR)
    found = list(dict.fromkeys(by_words[each] for each in like))
    return f"; nearest: {', '.join(found)}" if found else ""
