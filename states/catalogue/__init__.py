"""The catalogue as files: organisation, procedures, and what contradicts what.

A file is read strictly and as a whole or not at all: `load` gives a catalogue in which every
reference holds, or raises `BadFile` with the line to correct.
"""

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from states import calendars, yaml_files
from states.catalogue.organisation import (
    Agency,
    Delegation,
    Fault,
    Field,
    Name,
    Organisation,
    Person,
    Position,
    Row,
    Unit,
)
from states.catalogue.procedures import (
    Component,
    ExtensionRule,
    Ground,
    Procedure,
    Stage,
    SupplementRule,
)
from states.clock import Calendar
from states.errors import BadFile, Unknown
from states.words import Role
from states.yaml_files import Document

__all__ = [
    "Agency",
    "Catalogue",
    "Component",
    "Delegation",
    "ExtensionRule",
    "Field",
    "Ground",
    "Name",
    "Person",
    "Position",
    "Procedure",
    "Stage",
    "SupplementRule",
    "Unit",
    "load",
]


class Catalogue(Row):
    """Everything by its code; the ledger's `Book`. `keeps` names the centre's working calendar."""

    keeps: str
    folder: Path | None = None
    centre: Agency
    fields: dict[str, Field]
    agencies: dict[str, Agency]
    units: dict[str, Unit]
    people: dict[str, Person]
    delegations: tuple[Delegation, ...]
    procedures: dict[str, Procedure]

    def procedure(self, code: str, version: int | None = None) -> Procedure:
        """Raises `Unknown`. The local suffix of a code (.000.00.00.H42) is no part of it."""
        national = ".".join(code.split(".")[:2])
        found = self.procedures.get(national)
        if found is None or version not in {None, found.version}:
            wanted = f"{code[:40]}" if version is None else f"{code[:40]} version {version}"
            raise Unknown(f"there is no procedure {wanted} in the catalogue")
        return found

    def calendar(self, name: str) -> Calendar:
        """A working calendar by its name. Raises `Unknown`."""
        return calendars.load(name, self.folder)

    def calendar_of(self, agency: str) -> Calendar:
        """The calendar an agency works by: here all keep the centre's."""
        return self.calendar(self.keeps)

    def person(self, id: str) -> Person:  # noqa: A002 — it is what the file calls it
        """Raises `Unknown`."""
        if id not in self.people:
            raise Unknown(f"there is no person {id[:80]} in the catalogue")
        return self.people[id]

    def may_act_for(self, person: str, agency: str, on: date, role: Role = Role.postal) -> bool:
        """Whether a delegation in force on that day lets this person act for that agency."""
        return any(
            each.person == person
            and each.role is role
            and agency in each.agencies
            and each.since <= on <= each.until
            for each in self.delegations
        )


def load(folder: Path | None = None) -> Catalogue:
    """The catalogue in a folder (default: the sample in `config`); cached. Raises `BadFile`."""
    return _load(folder)


@lru_cache(maxsize=16)
def _load(folder: Path | None) -> Catalogue:
    place = folder or resources.files("config") / "sample"
    document = yaml_files.read(place / "organisation.yaml")
    organisation = yaml_files.validate(Organisation, document)
    _refuse(document, organisation.faults())
    if organisation.calendar not in calendars.names(folder):
        raise document.wrong(("calendar",), f"there is no calendar {organisation.calendar}")
    return Catalogue(
        keeps=organisation.calendar,
        folder=folder,
        centre=organisation.centre,
        fields={each.code: each for each in organisation.fields},
        agencies={each.code: each for each in organisation.agencies},
        units={each.code: each for each in organisation.units},
        people={each.id: each for each in organisation.people},
        delegations=organisation.delegations,
        procedures=_procedures(place / "procedures", organisation),
    )


def _procedures(folder: Traversable, organisation: Organisation) -> dict[str, Procedure]:
    procedures: dict[str, Procedure] = {}
    if not folder.is_dir():
        raise BadFile(str(folder), None, None, "must be a folder with a file for each procedure")
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if not file.name.endswith(".yaml"):
            raise BadFile(str(file), None, None, "is no .yaml file: rename it or move it elsewhere")
        document = yaml_files.read(file)
        procedure = yaml_files.validate(Procedure, document)
        if file.name != f"{procedure.code}.yaml":
            raise document.wrong(("code",), f"must be the file's name: {file.name} holds it")
        _refuse(document, procedure.faults(organisation))
        procedures[procedure.code] = procedure
    return procedures


def _refuse(document: Document, faults: Iterator[Fault]) -> None:
    """Raise the first fault in the file."""
    if fault := min(faults, key=lambda each: document.line_of(each[0]), default=None):
        raise document.wrong(*fault)
