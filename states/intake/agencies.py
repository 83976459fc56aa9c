"""Which agencies a file may bring dossiers of, and whose units and people it may name. Pure."""

from collections.abc import Callable, Collection

from states.catalogue.organisation import Organisation
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


def within(agencies: Collection[str] | None, staff: Organisation) -> Admits:
    """Refuses a dossier that is of another agency, or lies with one: what a file tells of the units
    and people of others is for those to bring in. The centre's are everybody's. None: none is.
    """
    if agencies is None:
        return lambda item: item
    ours = {*agencies, staff.centre.code}

    def own(item: Record | Refused) -> Record | Refused:
        if isinstance(item, Refused):
            return item
        why = _not_of(item.agency, agencies) or _elsewhere(item, ours, staff)
        return item if why is None else Refused(item.row, item.code, why)

    return own


def _not_of(agency: str | None, agencies: Collection[str]) -> Sentence | None:
    if agency is None or agency in agencies:
        return None
    return Sentence(
        "it is of {agency}, and who asked for this brings in dossiers of {agencies} only",
        agency=shown(agency),
        agencies=sorted(agencies),
    )


def _elsewhere(item: Record, ours: Collection[str], staff: Organisation) -> Sentence | None:
    """A unit or a person of the catalogue's that none of ours has. Words that it does not know are
    the file's own, and nobody's here.
    """
    if item.unit in staff.bodies and staff.agency_of(item.unit) not in ours:
        return Sentence(
            "its unit {unit} is one of {agency}: the control unit brings it in",
            unit=item.unit,
            agency=staff.agency_of(item.unit),
        )
    held = staff.by_id[item.person].positions if item.person in staff.by_id else ()
    bodies = {staff.agency_of(each.unit) for each in held}
    if bodies and bodies.isdisjoint(ours):
        return Sentence(
            "{person}, who finished it, is of {agencies}: the control unit brings it in",
            person=item.person,
            agencies=sorted(bodies),
        )
    return None


def _strange(agency: str, agencies: Collection[str]) -> Sentence:
    return Sentence(
        "there is no agency {agency}: name one of {agencies} (by `agency.words`, if the file has"
        " names of its own), or let others in with `other_agencies: true`",
        agency=shown(agency),
        agencies=sorted(agencies),
    )
