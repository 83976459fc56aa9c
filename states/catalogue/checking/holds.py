"""How long a dossier may wait, and how often its date may move."""

from collections.abc import Iterator
from datetime import timedelta

from states.catalogue.checking.draft import Draft
from states.catalogue.checking.finding import Flaw, Severity
from states.catalogue.procedures import Ground, Procedure
from states.clock import Kind, Term
from states.sentences import Sentence
from states.yaml_files import Key

LAW = "61/2018"
YEAR = timedelta(days=365)


def flaws(draft: Draft) -> Iterator[Flaw]:
    """What is wrong with supplements and extensions."""
    procedure = draft.procedure
    supplement, extension = procedure.supplement, procedure.extension
    yield from _once("supplement", supplement.times, supplement.ground, "Art. 11(2)(c)")
    yield from _once("extension", extension.times, extension.ground, "Art. 19(9)")
    for key, length in (
        (("supplement", "notice"), supplement.notice),
        (("extension", "max"), extension.max),
        (("extension", "before"), extension.before),
    ):
        if length is not None and length.kind is Kind.none:
            why = "must have a length, where it is said at all"
            yield Flaw(key, why, "write a term, or leave it out")
    if supplement.times:
        what = Sentence("the citizen is asked")
        yield from _within(draft, ("supplement", "notice"), supplement.notice, what)
    if extension.times:
        what = Sentence("an extension is told")
        yield from _within(draft, ("extension", "before"), extension.before, what)
    yield from _limited(draft, supplement.lapse)
    yield from _unused(procedure)


def _once(what: str, times: int, ground: Ground | None, article: str) -> Iterator[Flaw]:
    """Once by the decree; oftener by another law, which is then named."""
    if times > 1 and (ground is None or LAW in ground.document):
        why = Sentence(
            "Decree 61/2018/NĐ-CP {article} allows one {what}, and this allows {times}",
            article=article,
            what=what,
            times=times,
        )
        mend = "write 'times: 1', or name in 'ground' the law that allows more"
        yield Flaw((what, "times"), why, mend, Severity.warning)


def _within(draft: Draft, key: Key, length: Term | None, what: str) -> Iterator[Flaw]:
    """A time within the term is shorter than every term that a dossier may have."""
    procedure = draft.procedure
    for total in (procedure.term, *(each.term for each in procedure.terms)):
        if length is not None and draft.longer(length, total):
            why = Sentence(
                "{length} is longer than the term {total} within which {what}",
                length=length,
                total=total,
                what=what,
            )
            yield Flaw(key, why, "shorten it to a part of the term")
            return


def _limited(draft: Draft, lapse: Term) -> Iterator[Flaw]:
    """Whoever waits must come to an end within a year."""
    if lapse.kind in {Kind.none, Kind.sameday} or not draft.days:
        return
    day, hours = draft.days[0]
    first = draft.moment(day, hours[0][0])
    end = draft.due(lapse, first)
    if end is not None and end - first >= YEAR:
        why = Sentence("{lapse} is a year or more, and so practically no limit", lapse=lapse)
        mend = "write the time after which nobody expects an answer, such as 30cd"
        yield Flaw(("supplement", "lapse"), why, mend, Severity.warning)


def _unused(procedure: Procedure) -> Iterator[Flaw]:
    """What is said of something that may happen no times."""
    supplement, extension = procedure.supplement, procedure.extension
    said = {
        ("supplement", "notice"): supplement.notice if not supplement.times else None,
        ("extension", "before"): extension.before if not extension.times else None,
        ("extension", "instrument"): extension.instrument if not extension.times else None,
    }
    for key, value in said.items():
        if value is not None:
            why = Sentence("is never used, as '{key}' allows none", key=key[0])
            yield Flaw(key, why, "leave it out, or write 'times: 1'", Severity.warning)
