"""A file of another system tried by its map: what an import would read of it. Writes nothing."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from states.errors import BadFile
from states.intake import readers
from states.intake.agencies import Admits, admitting
from states.intake.mapping import Map
from states.intake.reading import read
from states.intake.records import Note, Record, Refused
from states.intake.source import Break, Cut, Limits, Source, chunks, kind
from states.intake.suggest import suggest

MOST = 10_000  # dossiers that are read: a trial answers while somebody waits
TOLD = 200  # faults and notes that are told one by one; all of them are counted
# One file at a trial, whatever it turns out to be.
CLOSE = Limits(
    unpacked=64 << 20, workbook=64 << 20, cells=1_000_000, dossier=1_000_000, row=100_000
)
NO_AGENCY = "it names no agency: map a column to `agency`, or give it a default"


@dataclass(slots=True)
class Trial:
    """What was read. `whole`: to the end of the file, and it does not break."""

    dossiers: int = 0
    events: int = 0
    refused: int = 0
    faults: list[Refused] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    noted: Counter[str] = field(default_factory=Counter)
    agencies: Counter[str] = field(default_factory=Counter)
    whole: bool = True


def tried(
    path: Path,
    by: Map,
    agencies: Collection[str],
    limits: Limits = CLOSE,
    most: int = MOST,
    own: Admits = lambda item: item,
) -> Trial:
    """Read a file as an import would, where there are these agencies, for whom `own` admits.

    Raises `BadFile` for one that cannot be begun, `BadInput` for a map whose agency is none.
    """
    admit = admitting(by, agencies)
    told, items = Trial(), iter(read(path, by, limits))
    for item in islice(items, most):
        if isinstance(item, Record) and item.agency is not None:
            told.agencies[item.agency] += 1
        item = own(admit(item))
        if isinstance(item, Record) and item.agency is None:
            item = Refused(item.row, item.code, NO_AGENCY)  # as the import refuses it
        if isinstance(item, Refused):
            _refuse(told, item)
        else:
            _count(told, item)
    told.whole = told.whole and next(items, None) is None
    return told


def suggested(path: Path, limits: Limits = CLOSE) -> str:
    """A first map, of a file that is no larger than one on trial may be. Raises `BadFile`."""
    source = Source(path, limits=limits)
    if kind(path) == "workbook":
        first = next(readers.rows(source), None)  # it is weighed before it is opened
        if isinstance(first, Break):
            raise BadFile(str(path), first.line, None, first.why)
        return suggest(path)
    try:
        for _ in chunks(source):
            pass
    except Cut as cut:
        raise BadFile(str(path), cut.line, None, cut.why) from None
    return suggest(path)


def _refuse(told: Trial, item: Refused) -> None:
    told.refused += 1
    told.whole = told.whole and not item.ends
    if len(told.faults) < TOLD:
        told.faults.append(item)


def _count(told: Trial, record: Record) -> None:
    told.dossiers += 1
    told.events += len(record.activities)
    told.noted.update(note.what for note in record.mended)
    _keep(told, record.mended)


def _keep(told: Trial, notes: Iterable[Note]) -> None:
    told.notes += islice(notes, TOLD - len(told.notes))
