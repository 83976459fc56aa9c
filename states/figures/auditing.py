"""Which reports look at people, and who is told those: whoever is shown suspicions."""

from collections.abc import Mapping
from dataclasses import dataclass

from states.accounts.scopes import Scope
from states.errors import NotYours
from states.people import Caller
from states.sight import WIDE


@dataclass(frozen=True, slots=True)
class Audit:
    """Of a report: it looks at people, and is told to a leader or the control unit alone.

    `scope`: what a service key must be made for, beside reports. `option`: only with this option.
    """

    scope: Scope | None = None
    option: str | None = None

    def concerns(self, options: Mapping[str, str]) -> bool:
        """Whether what is asked looks at people."""
        return self.option is None or options.get(self.option, "no") != "no"


def check(name: str, audit: Audit | None, options: Mapping[str, str], who: Caller | None) -> None:
    """Of a report with that name. Raises `NotYours`."""
    if audit is None or audits(who) or not audit.concerns(options):
        return
    asked = name if audit.option is None else f"{name} {audit.option}={options[audit.option][:20]}"
    raise NotYours(
        "{asked} looks at people and is not told to a {role}: ask a leader or the control unit",
        asked=asked,
        role=who.role if who else "",
    )


def audits(who: Caller | None) -> bool:
    """Whether somebody leads or audits; None: who has the database has all of it."""
    return who is None or who.role in WIDE
