"""A foreign file as a stream of dossiers, by a map.

A dossier comes whole or not at all: one cell of it that cannot be read refuses it, so that it can
be put right and imported later. What can be read but is odd is kept as it is and told, because
an imported date is a fact:
- an event before the receipt or after the end: people do work on a dossier then;
- a due date before the receipt: a promise already broken when it was made still counts as one;
- an end before the receipt on the same local date: systems write midnight for a date, so the time
  of day says nothing. On an earlier date one of the two is wrong, and the dossier is refused.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from difflib import get_close_matches
from itertools import chain
from pathlib import Path

from states.errors import BadFile
from states.intake import readers
from states.intake.cells import Unreadable, tidy
from states.intake.dossier import Telling
from states.intake.grouping import Codes, by_dossier
from states.intake.mapping import Map
from states.intake.records import Record, Refused
from states.intake.source import Break, Header, Limits, Row, Source, kind, nobody
from states.sentences import Sentence, anded

GENEROUS = Limits()


def read(
    path: Path, by: Map, limits: Limits = GENEROUS, watch: Callable[[int], None] = nobody
) -> Iterator[Record | Refused]:
    """The dossiers of a file in its order, each as a Record or as Refused with the reason.

    BadFile at once for a file that cannot be begun: not there, empty, of no kind we read, broken
    before its first row, without a column that the map names. A file that breaks later gives all
    that was whole before, then one Refused that `ends`. `watch` hears the bytes read so far.
    """
    source = by.source(path, limits, watch)
    rows = readers.rows(source)
    header, first = next(rows, None), next(rows, None)
    for item in (header, first):
        if isinstance(item, Break):
            raise BadFile(str(path), item.line, None, item.why)
    if kind(path) == "xes":
        _check_attributes(source, by)
    elif isinstance(header, Header):
        _check_columns(path, header, by)
    rest: Iterator[Row | Break] = (
        item for item in chain([first], rows) if isinstance(item, Row | Break)
    )
    if by.kind == "log" and by.event and kind(path) != "xes":
        wanted = tuple(dict.fromkeys((*by.columns, *by.event.columns)))
        rest = by_dossier(rest, by.code, wanted, by.columns, limits.dossier)
    return _records(rest, by, limits)


def _records(rows: Iterator[Row | Break], by: Map, limits: Limits) -> Iterator[Record | Refused]:
    with closing(Codes()) as codes:
        for row in rows:
            if isinstance(row, Break):
                where = f"line {row.line}: " if row.line else ""
                why = f"{where}{row.why}. Nothing from here on was imported."
                yield Refused(row.number, None, why, ends=True)
                return
            yield _record(row, by, limits, codes)


def _record(row: Row, by: Map, limits: Limits, codes: Codes) -> Record | Refused:
    code: str | None = None
    try:
        telling = Telling(row, by, limits.cell)
        code = telling.code()
        record = telling.record()
    except Unreadable as error:
        return Refused(row.number, code, str(error))
    if (before := codes.first(record.code, row.number)) != row.number:
        return Refused(row.number, code, f"the code stands in row {before} already")
    return record


def _check_columns(path: Path, header: Header, by: Map) -> None:
    """Each column the map names is there, once. Repeated names that it does not need do no harm."""
    wanted = (*by.columns, *(by.event.columns if by.event else ()))
    for name in wanted:
        places = [str(at) for at, each in enumerate(header.names, 1) if each == name]
        if not places:
            there = [each for each in header.names if each]
            raise BadFile(str(path), by.header, name, f"no such column; {_there(name, there)}")
        if len(places) > 1:
            raise BadFile(
                str(path),
                by.header,
                name,
                Sentence("columns {places} share it; rename one", places=anded(places)),
            )


def _check_attributes(source: Source, by: Map) -> None:
    """Each attribute the map names is declared by the log or found in it: a name spelt wrong would
    otherwise read as absent in every dossier. Reads on only until all were seen.
    """
    own, its = set(by.columns), set(by.event.columns if by.event else ())
    seen: dict[str, None] = {}
    for item in readers.rows(Source(source.path, limits=source.limits)):
        if isinstance(item, Break):  # it will be told in its place
            return
        if isinstance(item, Header):
            names = [tuple(item.names)] * 2
        else:
            names = [tuple(item.cells), tuple(name for event in item.events for name in event)]
        own.difference_update(names[0])
        its.difference_update(names[1])
        if len(seen) < 1000:
            seen.update(dict.fromkeys(chain(*names)))
        if not own and not its:
            return
    for missing, of in ((own, "dossier"), (its, "event")):
        if seen and missing:
            name = min(missing)
            why = f"no {of} has such an attribute; {_there(name, list(seen))}"
            raise BadFile(str(source.path), None, name, why)


def _there(name: str, names: list[str]) -> str:
    close = get_close_matches(name, names, 1)
    meant = f"did you mean {close[0]}? There are: " if close else "there are: "
    return f"{meant}{', '.join(tidy(each)[:60] for each in names[:40])}"
