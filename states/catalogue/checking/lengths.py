"""Every length of time that a version names, and whether a calendar can give it."""

from collections.abc import Iterator

from states.catalogue.checking.finding import Flaw
from states.catalogue.procedures import Procedure
from states.clock import Kind, Term
from states.errors import BadInput
from states.sentences import Sentence
from states.yaml_files import Key


def lengths(procedure: Procedure) -> Iterator[tuple[Key, Term]]:
    """All of them with their places; those without a length are none."""
    named: list[tuple[Key, Term | None]] = [(("term",), procedure.term)]
    named += [(("terms", n, "term"), each.term) for n, each in enumerate(procedure.terms)]
    for at, stage in enumerate(procedure.stages):
        named.append((("stages", at, "term"), stage.term))
        asked = enumerate(stage.consults)
        named += [(("stages", at, "consults", n, "term"), each.term) for n, each in asked]
    supplement, extension = procedure.supplement, procedure.extension
    named += [
        (("supplement", "notice"), supplement.notice),
        (("supplement", "lapse"), supplement.lapse),
        (("extension", "max"), extension.max),
        (("extension", "before"), extension.before),
    ]
    return ((key, each) for key, each in named if each is not None and each.kind is not Kind.none)


def finer(procedure: Procedure, standard_day: int) -> Iterator[Flaw]:
    """Fractions finer than a minute."""
    for key, term in lengths(procedure):
        try:
            term.size(standard_day)
        except BadInput:
            why = Sentence("{term} is no whole number of minutes", term=term)
            yield Flaw(key, why, "round it, or write hours (wh)")
