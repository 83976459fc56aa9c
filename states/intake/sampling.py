"""The first rows of an unknown file, seen column by column."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from pathlib import Path

from states.errors import BadFile
from states.intake import readers
from states.intake.cells import NULLS, moment
from states.intake.guesses import DATES
from states.intake.source import Break, Header, Row, Source, kind

LOOKED_AT = 2_000  # rows
TRIED = 200  # different values of a column are tried as dates
DATED = 0.8  # of them are dates in a column of dates
TITLES = 12  # rows above the header, at most
ENCODINGS = ("windows-1258", "utf-16-le")


class Column:
    """What was seen of one column or attribute."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.values: Counter[str] = Counter()

    def see(self, text: str) -> None:
        value = text.strip()[:100]
        if value and value not in NULLS:
            self.values[value] += 1

    @property
    def unique(self) -> bool:
        return bool(self.values) and self.values.total() == len(self.values)

    @property
    def dated(self) -> bool:
        return bool(self.formats)

    @cached_property
    def formats(self) -> tuple[str, ...]:
        """The date formats its values need, "" for ISO 8601; none if they are not dates. One that
        reads all of them goes before several: 03/04/2023 alone does not tell which is the month.
        """
        left = list(islice(self.values, TRIED))
        most = len(left)
        chosen: list[str] = []
        while left:
            fits = {form: [each for each in left if _dated(each, form)] for form in ("", *DATES)}
            best = max(fits, key=lambda form: len(fits[form]))
            if not fits[best]:
                break
            chosen.append(best)
            left = [each for each in left if each not in fits[best]]
        return tuple(chosen) if most and len(left) <= (1 - DATED) * most else ()

    @cached_property
    def offsets(self) -> set[int]:
        """Seconds from UTC that its moments carry."""
        if "" not in self.formats:
            return set()
        texts = [each for each in islice(self.values, TRIED) if _dated(each, "")]
        found = [datetime.fromisoformat(each).utcoffset() for each in texts]
        return {int(offset.total_seconds()) for offset in found if offset is not None}


def _dated(text: str, form: str) -> bool:
    try:
        moment(text, (form,) if form else (), UTC)
    except ValueError:
        return False
    # Twelve digits may be a code as well as a moment: only written-out dates convince.
    return not text.isdigit()


@dataclass(slots=True)
class Seen:
    """The columns of a file: a dossier's own, and its events', which in a table are the same."""

    source: Source
    nested: bool
    own: dict[str, Column] = field(default_factory=dict)
    its: dict[str, Column] = field(default_factory=dict)
    rows: int = 0
    broken: Break | None = None


def look(path: Path) -> Seen:
    """The first rows of a file, in the first encoding that reads them. BadFile if none does."""
    source = Source(path)
    which = kind(path)
    if which != "xes":
        source = replace(source, header=_header(source))
    seen = _seen(source)
    if seen.broken and which == "text":
        others = (_seen(replace(source, encoding=encoding)) for encoding in ENCODINGS)
        seen = next((each for each in others if not each.broken), seen)
    if not seen.rows:
        why = seen.broken.why if seen.broken else "holds no dossier to guess from"
        raise BadFile(str(path), seen.broken.line if seen.broken else None, None, why)
    return seen


def _seen(source: Source) -> Seen:
    seen = Seen(source, nested=kind(source.path) == "xes")
    if not seen.nested:
        seen.its = seen.own
    for item in readers.rows(source):
        if isinstance(item, Break):
            seen.broken = item
        elif isinstance(item, Header) and not seen.nested:
            names = [name for name in item.names if name and item.names.count(name) == 1]
            seen.own.update((name, Column(name)) for name in names if name.isprintable())
        elif isinstance(item, Row) and not item.fault:
            seen.rows += 1
            _add(seen.own, item.cells, new=seen.nested)
            for event in item.events:
                _add(seen.its, event, new=True)
        if seen.rows >= LOOKED_AT:
            break
    return seen


def _add(columns: dict[str, Column], cells: Mapping[str, str], *, new: bool) -> None:
    for name, text in cells.items():
        if new and name not in columns and name.isprintable() and len(columns) < 1000:
            columns[name] = Column(name)
        if name in columns:
            columns[name].see(text)


def _header(source: Source) -> int:
    """The row with the names: the first, unless it holds fewer than three and a row below more, as
    where a report begins with its title.
    """

    def names(number: int) -> int:
        first = next(readers.rows(replace(source, header=number)), None)
        return sum(map(bool, first.names)) if isinstance(first, Header) else 0

    if names(1) >= 3:
        return 1
    return max(range(1, TITLES + 1), key=names)
