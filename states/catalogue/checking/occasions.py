"""Templates that speak of rules: of a rule that nobody has there is never an alert to tell."""

from collections.abc import Iterator
from difflib import get_close_matches

from states.catalogue.checking.finding import Flaw, Severity
from states.catalogue.rules import Rules
from states.catalogue.templates import Templates


def flaws(templates: Templates, rules: Rules) -> Iterator[Flaw]:
    """Rules that are named and not in force; rules whose alerts are of another kind than named."""
    of = {each.code: each.what for each in rules.rules}
    for at, template in enumerate(templates.templates):
        on = template.on
        for n, code in enumerate(on.rules):
            key = ("templates", at, "on", "rules", n)
            if code not in of:
                near = get_close_matches(code, of, n=1)
                there = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(of))}"
                yield Flaw(key, f"no rule in force is {code}", f"name one that is: {there}")
            elif on.what and of[code] not in on.what:
                kinds = " or ".join(on.what)
                mend = f"leave it out, or add {of[code]} to what"
                why = f"{code} is of {of[code]}, and never of {kinds}"
                yield Flaw(key, why, mend, Severity.warning)
