"""The checker: what is wrong with a bundle before it binds anyone. Pure.

`faults` decide whether a version can be used at all, and are asked of every file at start. `lint`
finds these and everything else, all at once, each with its line, why, and how to mend it.
"""

from states.catalogue.checking.draft import Around
from states.catalogue.checking.finding import Finding, Linted, Severity
from states.catalogue.checking.linting import Alone, lint, lint_alone, lint_organisation
from states.catalogue.checking.organisation import faults as organisation_faults
from states.catalogue.checking.structure import faults

__all__ = [
    "Alone",
    "Around",
    "Finding",
    "Linted",
    "Severity",
    "faults",
    "lint",
    "lint_alone",
    "lint_organisation",
    "organisation_faults",
]
