"""From an author to the counter: a bundle is drafted, checked, published, and retired.

Each step is one person's, on the record; who publishes is not who drafted. Nothing here commits.
"""

import asyncio
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from states import yaml_files
from states.catalogue import Catalogue, checking
from states.catalogue.bundles import ALWAYS, BOUND, ONE, as_data, b, bundle, named, row_of, says
from states.catalogue.continuing import check_goes_on
from states.catalogue.organisation import Organisation
from states.catalogue.plans import Plans
from states.catalogue.procedures import Procedure
from states.catalogue.regimes import Regimes
from states.catalogue.rights import NotAllowed, may_decide, may_draft
from states.catalogue.rows import Kind, Status
from states.catalogue.rules import Rules
from states.catalogue.templates import Templates
from states.errors import Outdated
from states.ledger.acts import LONG, check_text
from states.ledger.statements import d, dossier
from states.sentences import Sentence, joined, told

ALONE: dict[Kind, type[checking.Alone]] = {
    Kind.regimes: Regimes,
    Kind.rules: Rules,
    Kind.templates: Templates,
    Kind.plans: Plans,
}
MODELS: dict[Kind, type[Procedure | Organisation | checking.Alone]] = {
    Kind.procedure: Procedure,
    Kind.organisation: Organisation,
    **ALONE,
}


def key(row: Any) -> tuple[Any, ...]:
    return b.kind == row.kind, b.code == row.code, b.version == row.version


# Draft, check -----------------------------------------------------------------------------


async def draft(
    db: AsyncConnection, book: Catalogue, kind: Kind, file: str, raw: bytes, by: str, at: datetime
) -> tuple[str, int]:
    """Keep a text as a draft, in place of a draft of the same version; its code and version.

    An organisation and the regimes have no number of their own: theirs is the next. Raises
    `BadFile` for a text that is none, `NotAllowed` for another text of a version that is published;
    the same text is no change, and needs none.
    """
    may_draft(book, by, at)
    document, said = await asyncio.to_thread(_read, kind, file, raw)
    text = raw.decode()
    await db.execute(DRAFTING)
    if isinstance(said, Procedure):
        code, version = said.code, said.version
        valid = {"valid_from": said.valid_from, "valid_until": said.valid_until}
    else:
        code, version, valid = ONE, await _next(db, kind, text), ALWAYS
    row = row_of(kind, code, version, text, as_data(document))
    this = (b.kind == kind, b.code == code, b.version == version)
    there = (await db.execute(sa.select(bundle).where(*this).with_for_update())).one_or_none()
    if there is not None and there.text == text:
        return code, version
    if isinstance(said, Procedure):
        replaced = {says(there).agency} if there is not None else set()
        may_draft(book, by, at, owners(book, said) | replaced)
    if there is not None and there.status in BOUND:
        last = sa.select(sa.func.max(b.version)).where(b.kind == kind, b.code == code)
        after = await db.scalar(last.where(b.status.in_(BOUND)))
        raise NotAllowed(
            "{named} is {status} and cannot change: give the new text 'version: {after}'",
            named=named(there),
            status=there.status,
            after=after + 1,
        )
    await db.execute(sa.delete(bundle).where(*this))
    drafted = {"status": Status.draft, "drafted_by": by, "drafted_at": at}
    await db.execute(sa.insert(bundle).values(row | valid | drafted))
    return code, version


def _read(
    kind: Kind, file: str, raw: bytes
) -> tuple[yaml_files.Document, Procedure | Organisation | checking.Alone]:
    """What a text says: a thread's work, for a long one takes half a second. Raises `BadFile`."""
    document = yaml_files.parse(file, raw)
    return document, yaml_files.validate(MODELS[kind], document)


# Two that draft at once: one waits. Who publishes holds the row.
DRAFTING = sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("bundle")))


async def _next(db: AsyncConnection, kind: Kind, text: str) -> int:
    """The draft there is, the last if it says the same, else the next."""
    last = sa.select(b.version, b.status, b.text).where(b.kind == kind, b.code == ONE)
    last = last.order_by(b.version.desc()).limit(1).with_for_update()
    found = (await db.execute(last)).one_or_none()
    if found is None:
        return 1
    again = found.status not in BOUND or found.text == text
    return int(found.version) if again else int(found.version) + 1


async def check(
    db: AsyncConnection, book: Catalogue, row: Any, by: str | None, at: datetime
) -> checking.Linted:
    """Have a bundle checked; a draft without errors is checked, if somebody (`by`) says so.

    Raises `NotAllowed` for a draft that was written again meanwhile, `NoRight` as `draft`.
    """
    if by is not None:
        may_draft(book, by, at, owners(book, says(row)) if row.kind is Kind.procedure else ())
    linted = await asyncio.to_thread(lint, row.kind, file_of(row), row.text.encode(), book)
    if by is not None and row.status is Status.draft and not linted.errors:
        await _held(db, row)
        said = {"status": Status.checked, "checked_by": by, "checked_at": at}
        await db.execute(sa.update(bundle).where(*key(row)).values(said))
    return linted


def file_of(row: Any) -> str:
    """The name of the file that a bundle comes in."""
    return f"{row.code if row.kind is Kind.procedure else row.kind}.yaml"


async def _held(db: AsyncConnection, row: Any) -> Any:
    """The row as it is now, held until the end. Raises `NotAllowed` for another text."""
    asked = sa.select(bundle).where(*key(row)).with_for_update()
    now = (await db.execute(asked)).one_or_none()
    if now is None or now.text != row.text:
        raise NotAllowed("{named} was changed meanwhile: check it anew", named=named(row))
    return now


def lint(kind: Kind, file: str, raw: bytes, book: Catalogue) -> checking.Linted:
    """Everything that is wrong with a text of that kind."""
    if kind is Kind.procedure:
        return checking.lint(file, raw, book)
    if kind is Kind.organisation:
        return checking.lint_organisation(file, raw)
    return checking.lint_alone(ALONE[kind], file, raw, book.rules)


# Publish, retire --------------------------------------------------------------------------


async def publish(
    db: AsyncConnection, book: Catalogue, row: Any, by: str, document: str, at: datetime
) -> None:
    """Let a checked version bind what is received from its first day on; the last one ends there.

    Raises `NotAllowed` with the rule: a second person publishes, what is checked and still holds,
    what follows the version in force, and what reaches back over no dossier received under another.
    `Outdated` for a catalogue that was read before another publication.
    """
    await alone(db, book)
    for agency in owners(book, says(row)) if row.kind is Kind.procedure else (None,):
        may_decide(book, by, at, agency)
    row = await _held(db, row)
    if row.status in BOUND:
        raise NotAllowed("{named} is {status} already", named=named(row), status=row.status)
    if row.status is not Status.checked:
        raise NotAllowed("{named} is not checked: lint it, and say by whom", named=named(row))
    if by == row.drafted_by:
        raise NotAllowed(
            "{by} drafted {named}: a second person publishes it", by=by, named=named(row)
        )
    if not document.strip():
        raise NotAllowed("a version is published by a decision: name the document")
    check_text(Sentence("the document"), document, LONG)
    found = (
        await asyncio.to_thread(lint, row.kind, file_of(row), row.text.encode(), book)
    ).findings
    if error := next((e for e in found if e.severity is checking.Severity.error), None):
        where = [error.field] if error.field else []
        raise NotAllowed(
            "{named} holds no longer: {why}",
            named=named(row),
            why=joined([*where, told(error.why)], ": "),
        )
    if row.kind is Kind.procedure:
        await _follow(db, book, row, by, at)
    else:
        check_goes_on(book, row, book.day(at))
    said = {"status": Status.published, "published_by": by, "published_at": at}
    await db.execute(sa.update(bundle).where(*key(row)).values(said | {"document": document}))


def check_seen(row: Any, digest: str | None) -> None:
    """That a text is the one which was read; None: nobody says which. Raises `NotAllowed`."""
    if digest not in {None, row.digest}:
        raise NotAllowed("{named} was changed meanwhile: check it anew", named=named(row))


async def alone(db: AsyncConnection, book: Catalogue | None = None) -> None:
    """One publishes at a time, and makes the next edition. Raises `Outdated` unless after `book`'s.

    Openings hold the row shared until they commit: what they received is seen by whoever publishes.
    Those that come meanwhile queue behind the table's lock; behind the row's they would not, and
    a busy counter could keep anybody from publishing for ever.
    """
    await db.execute(sa.text("LOCK TABLE edition IN EXCLUSIVE MODE"))
    edition = await db.scalar(sa.text("UPDATE edition SET n = n + 1 RETURNING n"))
    if book is not None and book.edition is not None and edition != book.edition + 1:
        raise Outdated


def agency_of(row: Any) -> str | None:
    """Whose rule a bundle is: a procedure's agency; None for what all share."""
    return says(row).agency if row.kind is Kind.procedure else None


def owners(book: Catalogue, said: Procedure) -> set[str]:
    """Whose a procedure is, and whose it was: one is not taken from another agency by its text."""
    before = book.versions.get(said.code, ())
    return {said.agency, *(each.says().agency for each in before[-1:])}


async def _follow(db: AsyncConnection, book: Catalogue, row: Any, by: str, at: datetime) -> None:
    """End the version before on the day before. Raises `NotAllowed`."""
    asked = sa.select(bundle).where(b.kind == row.kind, b.code == row.code, b.status.in_(BOUND))
    last = (await db.execute(asked.order_by(b.version.desc()).limit(1))).one_or_none()
    if last is None:
        return
    if row.version <= last.version:
        raise NotAllowed("{named} is published: number this one higher", named=named(last))
    runs = Sentence("runs since {since:%d/%m/%Y}", since=last.valid_from)
    if last.valid_until is not None and row.valid_from <= last.valid_until:
        runs = Sentence("runs until {until:%d/%m/%Y}", until=last.valid_until)
    if row.valid_from <= max(last.valid_from, last.valid_until or date.min):
        raise NotAllowed(
            "{named} {runs}: this one must begin after that day", named=named(last), runs=runs
        )
    begins = datetime.combine(row.valid_from, time(), book.zone)
    since = sa.select(sa.func.count()).select_from(dossier)
    since = since.where(d.procedure == row.code, d.version != row.version, d.received_at >= begins)
    since = since.where(d.source.is_(None))  # what another system received is under none of ours
    if (taken := await db.scalar(since)) is not None and taken > 0:
        raise NotAllowed(
            "{taken:,} dossiers of {code} were received since {valid_from:%d/%m/%Y} under"
            " another version, and none is moved by a publication: let it begin later",
            taken=taken,
            code=row.code,
            valid_from=row.valid_from,
        )
    if last.status is Status.published:
        until = last.valid_until or row.valid_from - timedelta(days=1)
        await _end(db, last, until, by, at)


async def _end(db: AsyncConnection, row: Any, until: date, by: str, at: datetime) -> None:
    said = {"status": Status.retired, "valid_until": until, "retired_by": by, "retired_at": at}
    await db.execute(sa.update(bundle).where(*key(row)).values(said))


async def retire(db: AsyncConnection, book: Catalogue, row: Any, by: str, at: datetime) -> date:
    """End a procedure without a successor, after today: the last day on which it binds.

    Raises `NotAllowed` while dossiers run, and `Outdated` as `publish`.
    """
    await alone(db, book)
    may_decide(book, by, at, agency_of(row))
    row = await _held(db, row)
    if row.kind is not Kind.procedure:
        raise NotAllowed(
            "{named} is followed by the next version, and never retired", named=named(row)
        )
    if row.status is not Status.published:
        raise NotAllowed("{named} is {status}, not published", named=named(row), status=row.status)
    # Under whichever version: nothing follows this one. Version 0 ran elsewhere.
    running = sa.select(sa.func.count()).select_from(dossier).where(d.finished_at.is_(None))
    running = running.where(d.procedure == row.code, d.version > 0)
    if (count := await db.scalar(running)) is not None and count > 0:
        raise NotAllowed(
            "{count:,} dossiers of {code} run: finish them, or publish a version that follows"
            " {named}",
            count=count,
            code=row.code,
            named=named(row),
        )
    until: date = min(max(book.day(at), row.valid_from), row.valid_until or date.max)
    await _end(db, row, until, by, at)
    return until
