"""Templates that speak of rules: of a rule that nobody has there is never an alert to tell."""

from collections.abc import Iterator
from difflib import get_close_matches

from states.catalogue.checking.finding import Flaw, Severity
from states.catalogue.rules import Rules
from states.catalogue.templates import Templates
from states.sentences import Sentence, ored


def flaws(templates: Templates, rules: Rules) -> Iterator[Flaw]:
    """Rules that are named and not in force; rules whose alerts are of another kind than named."""
    of = {each.code: each.what for each in rules.rules}
    for at, template in enumerate(templates.templates):
        on = template.on
        for n, code in enumerate(on.rules):
            key = ("templates", at, "on", "rules", n)
            if code not in of:
                near = get_close_matches(code, of, n=1)
                there = (
                    Sentence("did you mean {near}?", near=near[0])
                    if near
                    else Sentence("there are {of}", of=sorted(of))
                )
                yield Flaw(
                    key,
                    Sentence("no rule in force is {code}", code=code),
                    Sentence("name one that is: {there}", there=there),
                )
            elif on.what and of[code] not in on.what:
                kinds = ored(on.what)
                mend = Sentence("leave it out, or add {of} to what", of=of[code])
                why = Sentence(
                    "{code} is of {of}, and never of {kinds}", code=code, of=of[code], kinds=kinds
                )
                yield Flaw(key, why, mend, Severity.warning)
