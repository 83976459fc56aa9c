"""A whole file: everything that is wrong with it, at its lines."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from states import yaml_files
from states.catalogue.checking import (
    fit,
    hands,
    holds,
    occasions,
    papers,
    routes,
    terms,
    validity,
    ways,
)
from states.catalogue.checking.draft import Around, Draft
from states.catalogue.checking.finding import Finding, Flaw, Linted, parted, placed, unread
from states.catalogue.checking.organisation import faults
from states.catalogue.checking.structure import structure
from states.catalogue.organisation import Organisation, Row
from states.catalogue.plans import Plans
from states.catalogue.procedures import Procedure
from states.catalogue.regimes import Regimes
from states.catalogue.rules import Rules
from states.catalogue.templates import Templates
from states.errors import BadFile
from states.sentences import Sentence
from states.yaml_files import Document, Key

M = TypeVar("M", bound=Row)
Alone = Regimes | Rules | Templates | Plans
MOST = 100  # entries of a list: some rules compare each with each
RULES = (ways, terms, fit, hands, routes, papers, holds, validity)


def lint(file: str, raw: bytes, book: Around) -> Linted:
    """Everything that is wrong with the text of a procedure."""
    document, procedure, findings = _read(Procedure, file, raw)
    if document is not None and procedure is not None:
        findings = [placed(document, each) for each in examine(procedure, book)]
    return _sorted(file, procedure, findings)


def lint_organisation(file: str, raw: bytes) -> Linted:
    """The same of an organisation."""
    document, organisation, findings = _read(Organisation, file, raw)
    if document is not None and organisation is not None:
        findings = _told(document, faults(organisation))
    return _sorted(file, None, findings)


def lint_alone(model: type[Alone], file: str, raw: bytes, rules: Rules | None = None) -> Linted:
    """The same of a bundle of which there is one: regimes, rules, templates, plans.

    `rules`: those in force, for templates that speak of them.
    """
    document, said, findings = _read(model, file, raw)
    if document is not None and said is not None:
        findings = _told(document, said.faults())
        if rules is not None and isinstance(said, Templates):
            findings += [placed(document, each) for each in occasions.flaws(said, rules)]
    return _sorted(file, None, findings)


def examine(procedure: Procedure, book: Around) -> Iterator[Flaw]:
    """Everything that is wrong with a version, each once.

    Where it contradicts itself nothing else is said of that place.
    """
    if crowds := list(_crowded(procedure, ())):
        yield from crowds
        return
    own = list(structure(procedure, book.organisation, procedure.valid_from))
    yield from own
    told = {each.key for each in own}
    draft, said = Draft(procedure, book), set[Flaw]()
    for rule in RULES:
        for flaw in rule.flaws(draft):
            if flaw.key not in told and flaw not in said:
                yield flaw
            said.add(flaw)


def _crowded(value: object, key: Key) -> Iterator[Flaw]:
    """Lists that are too long to be compared each with each, and to be meant."""
    if isinstance(value, Row):
        for name in type(value).model_fields:
            yield from _crowded(getattr(value, name), (*key, name))
    if isinstance(value, tuple):
        if len(value) > MOST:
            why = Sentence(
                "has {value:,} entries, more than the {most} that are checked",
                value=len(value),
                most=MOST,
            )
            yield Flaw(key, why, "shorten it")
        for n, each in enumerate(value[:MOST]):
            yield from _crowded(each, (*key, n))


# Files --------------------------------------------------------------------------------------


def _read(model: type[M], file: str, raw: bytes) -> tuple[Document | None, M | None, list[Finding]]:
    """What a file says, or why it says nothing."""
    try:
        document = yaml_files.parse(file, raw)
    except BadFile as wrong:
        return None, None, [unread(wrong)]
    said, wrongs = yaml_files.judged(model, document)
    return document, said, [unread(each) for each in wrongs]


def _told(document: Document, wrong: Iterable[tuple[Key, str]]) -> list[Finding]:
    return [placed(document, Flaw(key, *parted(sentence))) for key, sentence in wrong]


def _sorted(file: str, procedure: Procedure | None, findings: list[Finding]) -> Linted:
    in_order = sorted(findings, key=lambda each: (each.line or 0, each.severity, each.field or ""))
    return Linted(file, procedure, tuple(in_order))
