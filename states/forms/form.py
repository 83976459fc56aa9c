"""What a form is: its name, when it may be printed, and what is on it. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from states.catalogue import Name
from states.catalogue.regimes import Regime
from states.forms import saying
from states.forms.matter import Matter
from states.forms.rows import FormName
from states.sentences import Sentence

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """A form. `on`: the occasion by which regimes name it; `shut`: why it may not be printed of a
    dossier; `says`: what is on it, where it may.
    """

    name: FormName
    on: str
    title: Name  # where no regime gives it one
    shut: Callable[[Matter], Sentence | None]
    says: Callable[[Matter], Facts]


def why_not(form: Form, matter: Matter) -> Sentence | None:
    """Why a form cannot be printed of a dossier now; None: it can."""
    if (why := form.shut(matter)) is not None:
        return why
    if matter.prescribed(form.on) is None:
        return Sentence(
            "the regime {regime} that it was received under has no such form",
            regime=matter.regime.code,
        )
    return None


def filled(form: Form, matter: Matter) -> Facts:
    """All that is printed. Every value is plain text, a truth or a list: never markup."""
    return headed(form, matter) | saying.whose(matter) | form.says(matter)


def headed(form: Form, matter: Matter) -> Facts:
    """Which form it is, by which regime, and the day it is printed."""
    return {
        "form": identity(form.name, form.title.vi, form.on, matter.regime),
        "today": saying.day(matter.at.astimezone(matter.zone)),
    }


def identity(name: FormName, title: str, on: str, regime: Regime) -> Facts:
    """A form is known by its regime and number; what it is called is the regime's to say."""
    known = next((each for each in regime.forms if each.on == on), None)
    return {
        "name": str(name),
        "title": known.name.vi if known else title,
        "number": known.number if known else "",
        "circular": regime.circular or "",
        "regime": regime.code,
        "law": regime.lifecycle,
    }
