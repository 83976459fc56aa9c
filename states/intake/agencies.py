"""Which agencies a file may bring dossiers of. Pure."""

from collections.abc import Callable, Collection

from states.errors import BadInput
from states.intake.cells import shown
from states.intake.mapping import Map
from states.intake.records import Record, Refused
from states.sentences import Sentence

Admits = Callable[[Record | Refused], Record | Refused]


def admitting(by: Map, agencies: Collection[str]) -> Admits:
    """Refuses a dossier of an agency that is none of these, unless the map lets others in.

    Raises `BadInput` when the map gives such an agency to every dossier that names none.
    """
    if by.other_agencies:
        return lambda item: item
    default = by.agency.default if by.agency else None
    if default is not None and default not in agencies:
        raise BadInput("the map, agency.default: {strange}", strange=_strange(default, agencies))

    def admit(item: Record | Refused) -> Record | Refused:
        if isinstance(item, Refused) or item.agency is None or item.agency in agencies:
            return item
        return Refused(item.row, item.code, _strange(item.agency, agencies))

    return admit


def within(agencies: Collection[str] | None) -> Admits:
    """Refuses a dossier of an agency that is none of these, whoever it is of; None: none is."""
    if agencies is None:
        return lambda item: item

    def own(item: Record | Refused) -> Record | Refused:
        if isinstance(item, Refused) or item.agency is None or item.agency in agencies:
            return item
        why = Sentence(
            "it is of {agency}, and who asked for this brings in dossiers of {agencies} only",
            agency=shown(item.agency),
            agencies=sorted(agencies),
        )
        return Refused(item.row, item.code, why)

    return own


def _strange(agency: str, agencies: Collection[str]) -> Sentence:
    return Sentence(
        "there is no agency {agency}: name one of {agencies} (by `agency.words`, if the file has"
        " names of its own), or let others in with `other_agencies: true`",
        agency=shown(agency),
        agencies=sorted(agencies),
    )
