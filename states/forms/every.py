"""The forms of one dossier, by name."""

from states.errors import Unknown
from states.forms import apology, control, refusal, slip, stop, supplement
from states.forms.form import Form, filled, why_not
from states.forms.matter import Matter
from states.forms.rows import FormName

FORMS: dict[FormName, Form] = {
    each.name: each
    for each in (
        slip.FORM,
        supplement.FORM,
        refusal.FORM,
        apology.FORM,
        stop.FORM,
        control.FORM,
    )
}


def facts(name: FormName, matter: Matter) -> dict[str, object]:
    """What is printed on a form of a dossier. Raises `Unknown` where it cannot be printed now."""
    if name not in FORMS:
        raise Unknown("{form} is no form of one dossier: ask /v1/forms/{form}", form=name)
    form = FORMS[name]
    if (why := why_not(form, matter)) is not None:
        raise Unknown(
            "{form} of {code} cannot be printed: {why}", form=name, code=matter.paper.code, why=why
        )
    return filled(form, matter)
