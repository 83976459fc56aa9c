"""What stages need and produce, and who brings it."""

from collections.abc import Iterator

from states.catalogue.checking.draft import Draft
from states.catalogue.checking.finding import Flaw, Severity
from states.catalogue.checking.graph import Ways, following
from states.catalogue.checking.lists import repeated
from states.catalogue.procedures import Component, Procedure, Stage
from states.sentences import Sentence


def flaws(draft: Draft) -> Iterator[Flaw]:
    """What nobody brings, or two bring."""
    procedure, found = draft.procedure, draft.ways
    for at, component in enumerate(procedure.components):
        if component.required and not (
            component.originals or component.copies or component.reusable
        ):
            why = Sentence("{code} is required, and nobody hands it in", code=component.code)
            mend = "say how many originals or copies, or write 'reusable: true'"
            yield Flaw(("components", at), why, mend, Severity.warning)
    for at, stage in enumerate(procedure.stages):
        yield from repeated(("stages", at, "needs"), stage.needs)
        yield from repeated(("stages", at, "produces"), stage.produces)
        yield from _needed(procedure, found, at, stage)
        yield from _produced(procedure, found, at, stage)


def _needed(procedure: Procedure, found: Ways, at: int, stage: Stage) -> Iterator[Flaw]:
    """A stage begins only with what it needs."""
    components = {each.code: each for each in reversed(procedure.components)}
    past = avoiding(found, {at}) - {at}
    for n, name in enumerate(stage.needs):
        key = ("stages", at, "needs", n)
        if name in components:
            yield from _handed_in(key, components[name])
            continue
        makers = {m for m, each in enumerate(procedure.stages) if name in each.produces}
        before = {m for m in makers & past if at in found.after[m]}
        if not makers:
            why = Sentence("no component and no stage gives {name}", name=name)
            mend = "add it to the components, or to what a stage before 'produces'"
            yield Flaw(key, why, mend)
        elif not before and at in found.reached:
            made = ", ".join(procedure.stages[m].code for m in sorted(makers))
            why = Sentence(
                "{name} is produced by {made}, and that does not come before", name=name, made=made
            )
            yield Flaw(key, why, "have a stage before produce it, or take it out of 'needs'")
        elif at in avoiding(found, before):
            made = ", ".join(procedure.stages[m].code for m in sorted(before))
            why = Sentence(
                "a way leads here past {made}, which produces {name}", made=made, name=name
            )
            mend = "have every way produce it, or take it out of 'needs'"
            yield Flaw(key, why, mend, Severity.warning)


def _handed_in(key: tuple[str | int, ...], component: Component) -> Iterator[Flaw]:
    if not component.required:
        why = Sentence(
            "{code} need not be handed in, and without it the stage cannot begin",
            code=component.code,
        )
        mend = "require the component, or take it out of 'needs'"
        yield Flaw(key, why, mend, Severity.warning)


def avoiding(found: Ways, stages: set[int]) -> frozenset[int]:
    """The stages that a dossier can come to by going through none of these before."""
    onward = [() if n in stages else to for n, to in enumerate(found.onward)]
    return following({0}, onward) if onward else frozenset()


def _produced(procedure: Procedure, found: Ways, at: int, stage: Stage) -> Iterator[Flaw]:
    """What is there already."""
    components = {each.code for each in procedure.components}
    for n, name in enumerate(stage.produces):
        key = ("stages", at, "produces", n)
        if name in components:
            why = Sentence("{name} is a component, which the applicant hands in", name=name)
            yield Flaw(key, why, "call what the stage produces otherwise", Severity.warning)
        for m, each in enumerate(procedure.stages):
            if m != at and name in each.produces and at in found.after[m]:
                why = Sentence("{code} produced {name} before", code=each.code, name=name)
                yield Flaw(key, why, "leave it out of one of the two", Severity.warning)
                break
