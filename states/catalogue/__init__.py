"""The catalogue: the organisation, the procedures in all their versions, calendars and regimes.

As files it is the sample, and what an agency writes (`load`); in the database it is what was
published, version after version (`bundles`). Both make the same `Catalogue`, which never changes:
who publishes makes the next edition.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from states import calendars, yaml_files
from states.catalogue import checking
from states.catalogue.organisation import (
    Agency,
    Delegation,
    Fault,
    Field,
    Name,
    Organisation,
    Person,
    Position,
    Unit,
)
from states.catalogue.plans import Plans
from states.catalogue.procedures import (
    Component,
    ExtensionRule,
    Ground,
    Procedure,
    Stage,
    SupplementRule,
)
from states.catalogue.regimes import Regimes
from states.catalogue.rules import Rules
from states.catalogue.templates import Templates
from states.catalogue.versions import Version
from states.clock import Calendar
from states.errors import BadFile, BadInput, Unknown
from states.ledger.routing import Case, Routed, choose
from states.sentences import Sentence, any_of
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
    "Version",
    "load",
    "national",
]


def national(code: str) -> str:
    """A procedure's code without its local suffix (.000.00.00.H42), which is no part of it."""
    return ".".join(code.split(".")[:2])


Calendars = Mapping[str, tuple[tuple[str, Callable[[], Calendar]], ...]]
"""Of each name its versions, oldest first, built when they are asked for."""


@dataclass(frozen=True)
class Catalogue:
    """Everything that is in force and everything that was; the ledger's `Book`."""

    organisation: Organisation
    regimes: Regimes
    rules: Rules
    templates: Templates
    plans: Plans
    versions: Mapping[str, tuple[Version, ...]]
    calendars: Calendars
    edition: int | None = None

    # Procedures ----------------------------------------------------------------------------

    def procedure(self, code: str, version: int | None = None, on: date | None = None) -> Procedure:
        """One version of a procedure; the one in force on a day; or the last. Raises `Unknown`."""
        there = self.versions.get(national(code), ())
        if version is not None:
            found = next((each for each in there if each.number == version), None)
        elif on is not None:
            found = next((each for each in there if each.binds(on)), None)
        else:
            found = there[-1] if there else None
        if found is None:
            day = Sentence(" in force on {on:%d/%m/%Y}", on=on) if on else ""
            which = Sentence(" version {version}", version=version) if version else day
            raise Unknown(
                "there is no procedure {code}{which} in the catalogue: `hoso procedures list` shows"
                " what there is",
                code=code[:40],
                which=which,
            )
        return found.says()

    @cached_property
    def procedures(self) -> dict[str, Procedure]:
        """The last version of each, by code."""
        return {code: versions[-1].says() for code, versions in self.versions.items()}

    # Calendars and days --------------------------------------------------------------------

    def calendar(self, name: str, version: str | None = None) -> Calendar:
        """A version of a calendar; the newest when None. Raises `Unknown`."""
        for number, build in reversed(self.calendars.get(name, ())):
            if version in {None, number}:
                return build()
        which = Sentence(" of version {version}", version=version[:40]) if version else ""
        raise Unknown(
            "there is no calendar '{name}'{which}: known are {known}",
            name=name[:40],
            which=which,
            known=any_of(sorted(self.calendars)),
        )

    def calendar_of(self, agency: str) -> Calendar:
        """The calendar an agency or a unit works by. Raises `Unknown`."""
        return self.calendar(self.organisation.calendar_of(agency))

    @property
    def keeps(self) -> str:
        """The name of the centre's calendar."""
        return self.organisation.calendar

    @cached_property
    def zone(self) -> ZoneInfo:
        """Where the centre's days begin and end."""
        return self.calendar(self.keeps).zone

    def day(self, at: datetime) -> date:
        """The centre's day of a moment."""
        return at.astimezone(self.zone).date()

    # Regimes, codes and places -------------------------------------------------------------

    def regime_on(self, day: date) -> str:
        """The regime of what is received on that day. Raises `Unknown`."""
        return self.regimes.regime_on(day).code

    def code_for(self, unit: str, day: date, n: int) -> str:
        """The code of the n-th dossier of a unit and day."""
        return self.regimes.code_for(unit, day, n)

    def region_of(self, place: str | None) -> str | None:
        """The region a place lies in, if any is known."""
        return next((each.region for each in self.organisation.places if each.code == place), None)

    # People --------------------------------------------------------------------------------

    @property
    def centre(self) -> Agency:
        """The one-stop centre."""
        return self.organisation.centre

    @cached_property
    def fields(self) -> dict[str, Field]:
        """By code."""
        return {each.code: each for each in self.organisation.fields}

    @cached_property
    def agencies(self) -> dict[str, Agency]:
        """By code."""
        return {each.code: each for each in self.organisation.agencies}

    @cached_property
    def units(self) -> dict[str, Unit]:
        """By code."""
        return {each.code: each for each in self.organisation.units}

    @cached_property
    def people(self) -> dict[str, Person]:
        """By id."""
        return {each.id: each for each in self.organisation.people}

    def person(self, id: str) -> Person:  # noqa: A002 — it is what the file calls it
        """Raises `Unknown`."""
        return self.organisation.person(id)

    def may_take(self, person: str, unit: str, role: Role, on: date) -> None:
        """Refuse somebody who cannot be given a stage there. Raises `BadInput`."""
        if not any(each.id == person for each in self.organisation.holders(unit, role, on)):
            raise BadInput(
                "{person} is no {role} at {unit} on {on}: name somebody who is",
                person=person,
                role=role,
                unit=unit,
                on=on,
            )

    def routed(self, procedure: Any, stage: Any, case: Case, loads: dict[str, int]) -> Routed:
        """Who gets a dossier that enters a stage, and why."""
        staff, on = self.organisation, case.on

        def present(unit: str) -> list[str]:
            there = (each.id for each in staff.holders(unit, stage.role, on))
            return [each for each in there if staff.present(each, on)]

        def stands_in(person: str) -> str | None:
            return person if staff.present(person, on) else staff.in_place_of(person, on)

        return choose(stage, case, loads, present, stands_in)


# From files ---------------------------------------------------------------------------------


def load(folder: Path | None = None) -> Catalogue:
    """The catalogue in a folder (default: the sample in `config`); cached. Raises `BadFile`."""
    return _load(folder)


@lru_cache(maxsize=16)
def _load(folder: Path | None) -> Catalogue:
    place = folder or resources.files("config") / "sample"
    document = yaml_files.read(place / "organisation.yaml")
    organisation = yaml_files.validate(Organisation, document)
    refuse(document, checking.organisation_faults(organisation))
    if organisation.calendar not in calendars.names(folder):
        raise document.wrong(("calendar",), f"there is no calendar {organisation.calendar}")
    procedures = _procedures(place / "procedures", organisation)
    return Catalogue(
        organisation=organisation,
        regimes=_alone(Regimes, place / "regimes.yaml"),
        rules=_alone(Rules, file_of("rules", folder)),
        templates=_alone(Templates, file_of("templates", folder)),
        plans=_alone(Plans, file_of("plans", folder)),
        versions={code: (version_of(each),) for code, each in procedures.items()},
        calendars={name: (_of_file(name, folder),) for name in calendars.names(folder)},
    )


def file_of(name: str, folder: Path | None) -> Traversable:
    """The file of that name in a catalogue's folder; the sample's, where it has none of its own."""
    own = folder / f"{name}.yaml" if folder else None
    return own if own and own.exists() else resources.files("config") / "sample" / f"{name}.yaml"


F = TypeVar("F", Regimes, Rules, Templates, Plans)


def _alone(model: type[F], file: Traversable) -> F:
    """What there is one of. Raises `BadFile`."""
    document = yaml_files.read(file)
    said = yaml_files.validate(model, document)
    refuse(document, said.faults())
    return said


def version_of(said: Procedure) -> Version:
    """A version as its own dates say."""
    return Version(said.version, said.valid_from, said.valid_until, lambda: said)


def _of_file(name: str, folder: Path | None) -> tuple[str, Callable[[], Calendar]]:
    def build() -> Calendar:
        return calendars.load(name, folder)

    return build().version, build


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
        refuse(document, checking.faults(procedure, organisation, procedure.valid_from))
        procedures[procedure.code] = procedure
    return procedures


def refuse(document: Document, faults: Iterator[Fault]) -> None:
    """Raise the first fault in the file."""
    if fault := min(faults, key=lambda each: document.line_of(each[0]), default=None):
        raise document.wrong(*fault)
