"""Where the stages lead: whether each is come to, and each comes to an end."""

from collections.abc import Iterable, Iterator

from states.catalogue.checking.draft import Draft
from states.catalogue.checking.finding import Flaw, Severity
from states.catalogue.checking.graph import Ways, after, following, named, places
from states.catalogue.checking.lists import repeated
from states.catalogue.procedures import END, Procedure
from states.clock import Kind
from states.sentences import Sentence


def flaws(draft: Draft) -> Iterator[Flaw]:
    """What is wrong with the ways."""
    procedure = draft.procedure
    found = draft.ways
    yield from _unreached(procedure, found)
    yield from _circles(procedure, found)
    yield from _unclocked(procedure, found)
    for at, stage in enumerate(procedure.stages):
        yield from repeated(("stages", at, "next"), stage.next or ())
        yield from repeated(("stages", at, "returns"), stage.returns or ())
        yield from _returns(procedure, found, at)


def _unreached(procedure: Procedure, found: Ways) -> Iterator[Flaw]:
    at = places(procedure)
    back = [named(each.returns or (), at) for each in procedure.stages]
    both = [{*on, *of} for on, of in zip(found.onward, back, strict=True)]
    sent_back = following({0}, both) if both else frozenset()
    mend = "name it in the 'next' of a stage before it, or leave it out"
    for n, stage in enumerate(procedure.stages):
        if n in sent_back and n not in found.reached:
            why = Sentence("a dossier comes to {code} only by being sent back", code=stage.code)
            yield Flaw(("stages", n), why, mend, Severity.warning)
        elif n not in sent_back:
            yield Flaw(("stages", n), Sentence("no way leads to {code}", code=stage.code), mend)


def _circles(procedure: Procedure, found: Ways) -> Iterator[Flaw]:
    """Ways forward that come round again, each told once, where it turns back."""
    for circle in {found.circle(at) for at in range(len(found.onward))} - {frozenset()}:
        turns = (
            (at, to)
            for at in sorted(circle)
            for to in found.onward[at]
            if to in circle and to <= at
        )
        at, to = next(turns)
        stage, again = procedure.stages[at], procedure.stages[to].code
        key = ("stages", at, "next", (stage.next or ()).index(again))
        if not any(found.ends[each] for each in found.after[at]):
            why = Sentence(
                "{code} leads back to {again} and nowhere to the result",
                code=stage.code,
                again=again,
            )
            yield Flaw(
                key,
                why,
                Sentence("name {end} or a stage that leads to it in one of their 'next'", end=END),
            )
        else:
            why = Sentence(
                "{code} leads forward to {again}, where the dossier was before",
                code=stage.code,
                again=again,
            )
            mend = "name it in 'returns', which asks for a reason"
            yield Flaw(key, why, mend, Severity.warning)


def _unclocked(procedure: Procedure, found: Ways) -> Iterator[Flaw]:
    """Rounds, backwards or forwards, in which no clock runs."""
    totals = (procedure.term, *(each.term for each in procedure.terms))
    if all(each.kind is not Kind.none for each in totals):
        return
    free = {n for n, each in enumerate(procedure.stages) if each.term.kind is Kind.none}
    steps = [
        free.intersection({*found.onward[n], *_back(procedure, n)}) if n in free else ()
        for n in range(len(procedure.stages))
    ]
    round_ = after(steps)
    rounds = {frozenset(m for m in round_[n] if n in round_[m]) for n in free}
    for circle in rounds - {frozenset()}:
        at = min(circle)
        codes = ", ".join(procedure.stages[each].code for each in sorted(circle))
        why = Sentence("a dossier may go round in {codes} without any clock running", codes=codes)
        yield Flaw(("stages", at, "term"), why, "give this stage a term, or the procedure")


def _back(procedure: Procedure, at: int) -> Iterable[int]:
    """Where a stage may send back to. The first sends nowhere, whatever it says."""
    returns = procedure.stages[at].returns
    if returns is None or at == 0:
        return range(at)
    return named(returns, places(procedure))


def _returns(procedure: Procedure, found: Ways, at: int) -> Iterator[Flaw]:
    stage, at_of = procedure.stages[at], places(procedure)
    if at == 0 and stage.returns:
        why = "is never used, as nothing is sent back from the first stage"
        yield Flaw(("stages", 0, "returns"), why, "leave it out", Severity.warning)
        return
    for n, code in enumerate(stage.returns or ()):
        to = at_of.get(code)
        if to is None:
            continue
        key = ("stages", at, "returns", n)
        if to == at:
            why = Sentence("{code} cannot be sent back to itself", code=code)
            yield Flaw(key, why, "name a stage before it, or leave it out")
        elif to in found.after[at] and at not in found.after[to]:
            why = Sentence(
                "{code} comes after {stage_code}, so this is no way back",
                code=code,
                stage_code=stage.code,
            )
            yield Flaw(key, why, "name it in 'next'", Severity.warning)
