"""National → province → agency → unit: what an heir does not say is its parent's."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import reduce
from typing import Any

from states.calendars.building import build
from states.calendars.files import CalendarFile, checked, parse
from states.clock import Calendar
from states.errors import Unknown
from states.sentences import Sentence, any_of

FIELDS = {  # what each inheritable key fills
    "zone": ("zone",),
    "reach": ("first", "last"),
    "holidays": ("country",),
    "standard_day": ("standard_day",),
    "weekly": ("weekly",),
}


def inherit(child: CalendarFile, parent: CalendarFile) -> CalendarFile:
    """The child with its parent's share; a generation further where the parent inherits too.

    Its own seasons and exceptions come before its parent's. Associative, so that a line of
    descent may be joined from either end. Raises `BadFile` for a child that reaches further than
    its parent or decides a day that lies outside its reach.
    """
    if "reach" not in child.unsaid:
        for key, own, far in (
            ("reach.from", child.first, child.first < parent.first),
            ("reach.to", child.last, child.last > parent.last),
        ):
            if far:
                raise child.wrong(
                    key, Sentence("{year} lies outside {span}", year=own.year, span=_span(parent))
                )
    taken: dict[str, Any] = {
        field: getattr(parent, field) for key in child.unsaid for field in FIELDS[key]
    }
    heir = replace(
        child,
        inherits=parent.inherits,
        unsaid=child.unsaid & parent.unsaid,
        seasons=child.seasons + parent.seasons,
        overrides={**parent.overrides, **child.overrides},
        **taken,
    )
    checked(heir, child.overrides)
    within = {day: each for day, each in heir.overrides.items() if heir.first <= day <= heir.last}
    return replace(heir, overrides=within)


def _span(parent: CalendarFile) -> Sentence:
    return Sentence(
        "the reach of {name}, {first} to {last}",
        name=parent.name,
        first=parent.first.year,
        last=parent.last.year,
    )


def resolve(name: str, of: Callable[[str], CalendarFile]) -> CalendarFile:
    """The calendar of that name with all that it inherits; `of` tells what each says by itself.

    Raises `BadFile` at the `inherits` that leads in a circle or to a calendar there is not.
    """
    descent = [of(name)]
    while (parent := descent[-1].inherits) is not None:
        heir, line = descent[-1], [each.name for each in descent]
        if parent in line:
            circle = " → ".join([*line[line.index(parent) :], parent])
            raise heir.wrong(
                "inherits",
                Sentence("leads in a circle, {circle}: one must stand by itself", circle=circle),
            )
        try:
            descent.append(of(parent))
        except Unknown as unknown:
            raise heir.wrong("inherits", unknown.sentence) from unknown
    return reduce(lambda elder, child: inherit(child, elder), reversed(descent))


def built(name: str, texts: Mapping[str, bytes]) -> Calendar:
    """The clock's calendar of that name, from the texts of all. Raises `Unknown`, `BadFile`."""

    def of(each: str) -> CalendarFile:
        if each not in texts:
            raise Unknown(
                "there is no calendar '{each}': known are {known}",
                each=each[:40],
                known=any_of(sorted(texts)),
            )
        return parse(texts[each], each)

    return build(resolve(name, of))


def heirs(name: str, texts: Mapping[str, bytes]) -> list[str]:
    """All calendars that inherit from it, directly or not, parents before their children."""
    parents = {each: parse(text, each).inherits for each, text in sorted(texts.items())}
    line = [name]
    for elder in line:  # which grows as it is walked
        line += [each for each, parent in parents.items() if parent == elder and each not in line]
    return line[1:]
