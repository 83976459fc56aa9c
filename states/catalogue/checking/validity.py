"""From when it binds, beside what is published: versions, calendar, regime, channels, grounds."""

from collections.abc import Iterator

from states.catalogue.checking.draft import Draft
from states.catalogue.checking.finding import Flaw, Severity
from states.catalogue.procedures import Procedure
from states.errors import Unknown
from states.sentences import Sentence, any_of


def flaws(draft: Draft) -> Iterator[Flaw]:
    """What clashes with what is in force."""
    yield from _calendar(draft)
    yield from _regime(draft)
    yield from _versions(draft)
    yield from _channels(draft)
    yield from _grounds(draft.procedure)


def _calendar(draft: Draft) -> Iterator[Flaw]:
    procedure, calendar = draft.procedure, draft.calendar
    if calendar is None:
        named = procedure.calendar or draft.book.organisation.calendar_of(procedure.agency)
        key = "calendar" if procedure.calendar else "agency"
        known = any_of(sorted(draft.book.calendars))
        why = Sentence("there is no calendar {named} to count the terms on", named=named)
        yield Flaw(
            (key,),
            why,
            Sentence("name a calendar that there is ({known}), or publish it", known=known),
        )
    elif not calendar.first <= procedure.valid_from <= calendar.last:
        first, last = calendar.first, calendar.last
        why = Sentence(
            "calendar {name} has days from {first:%d/%m/%Y} to {last:%d/%m/%Y} only",
            name=calendar.name,
            first=first,
            last=last,
        )
        yield Flaw(("valid_from",), why, "correct the date, or publish a calendar that reaches it")


def _regime(draft: Draft) -> Iterator[Flaw]:
    procedure, regimes = draft.procedure, draft.book.regimes
    day = procedure.valid_from
    if procedure.regime is None:
        try:
            regimes.regime_on(day)
        except Unknown:
            why = Sentence("there is no regime for {day:%d/%m/%Y}", day=day)
            yield Flaw(("valid_from",), why, "begin the version later, or publish the regime")
        return
    known = {each.code: each for each in regimes.regimes}
    regime = known.get(procedure.regime)
    if regime is None:
        why = Sentence("there is no regime {regime}", regime=procedure.regime)
        yield Flaw(
            ("regime",), why, Sentence("name one of {known}, or leave it out", known=[*known])
        )
    elif day < regime.since or (regime.until is not None and regime.until < day):
        why = Sentence("{code} is not in force on {day:%d/%m/%Y}", code=regime.code, day=day)
        yield Flaw(("regime",), why, "leave it out, as that of the day of receipt counts")
    elif regime.until is not None and (
        procedure.valid_until is None or regime.until < procedure.valid_until
    ):
        why = Sentence(
            "{code} ends on {until:%d/%m/%Y}, while the version is valid",
            code=regime.code,
            until=regime.until,
        )
        mend = "leave it out, as that of the day of receipt counts"
        yield Flaw(("regime",), why, mend, Severity.warning)


def _versions(draft: Draft) -> Iterator[Flaw]:
    """A version that is not published yet comes after those that are."""
    procedure, organisation = draft.procedure, draft.book.organisation
    others = draft.book.versions.get(procedure.code, ())
    numbers = [each.number for each in others]
    if not numbers:
        return
    if procedure.version in numbers:
        yield from _clash(procedure, others[numbers.index(procedure.version)].says())
        return
    if procedure.version < max(numbers):
        why = Sentence(
            "version {numbers} is published, and {version} is lower",
            numbers=max(numbers),
            version=procedure.version,
        )
        yield Flaw(("version",), why, Sentence("write {numbers}", numbers=max(numbers) + 1))
    for each in others:
        if procedure.valid_from <= each.since:
            why = Sentence(
                "version {number} is in force from {since:%d/%m/%Y}",
                number=each.number,
                since=each.since,
            )
            yield Flaw(("valid_from",), why, "let this version begin on a later day")
            break
    last = others[-1].says()
    if organisation.heir(last.agency, procedure.valid_from) != procedure.agency:
        why = Sentence(
            "{code} is a procedure of {agency} in version {version}",
            code=procedure.code,
            agency=last.agency,
            version=last.version,
        )
        yield Flaw(("agency",), why, "correct the code or the agency", Severity.warning)


def _clash(procedure: Procedure, published: Procedure) -> Iterator[Flaw]:
    """A code is that of one procedure. Another text of one version is refused when published."""
    theirs, own = (published.agency, published.field), (procedure.agency, procedure.field)
    if theirs != own:
        why = Sentence(
            "{code} is the code of '{vi}' of {agency}",
            code=procedure.code,
            vi=published.name.vi,
            agency=published.agency,
        )
        yield Flaw(("code",), why, "write the code of this one, or the next 'version' of that")


def _channels(draft: Draft) -> Iterator[Flaw]:
    """Online as far as the level says, by post where the post takes it in."""
    procedure = draft.procedure
    come, online, points = procedure.channels.come, procedure.online, draft.book.organisation.points
    if online is not None:
        if (online.level == "none") == ("online" in come):
            if "online" in come:
                why = Sentence(
                    "the level is {level}, and online is among the channels it comes by",
                    level=online.level,
                )
            else:
                why = Sentence(
                    "the level is {level}, and online is not among the channels it comes by",
                    level=online.level,
                )
            yield Flaw(("online", "level"), why, "correct the level or 'channels'")
        if online.level != "full" and online.reason is None:
            why = Sentence(
                "the level is {level}, and no reason says why not all of it is online",
                level=online.level,
            )
            yield Flaw(("online", "level"), why, "add 'reason' with vi and en", Severity.warning)
    day = procedure.valid_from
    open_ = (each for each in points if each.kind == "post" and each.eligible and each.stands(day))
    if "post" in come and points and next(open_, None) is None:
        why = Sentence("no service point of the post takes dossiers in on {day:%d/%m/%Y}", day=day)
        mend = "leave post out of the channels, or add the service point"
        yield Flaw(("channels", "come", come.index("post")), why, mend, Severity.warning)


def _grounds(procedure: Procedure) -> Iterator[Flaw]:
    seen: set[tuple[str, str | None]] = set()
    for n, each in enumerate(procedure.grounds):
        if (each.document, each.article) in seen:
            yield Flaw(
                ("grounds", n), "is there twice", "leave one of the two out", Severity.warning
            )
        seen.add((each.document, each.article))
