"""The log as CSV: a line an event, with what is said of its dossier on each. Pure.

For programs: UTF-8 without a mark, moments in ISO 8601. A text that a spreadsheet would take for a
formula is told to be one by an apostrophe before it.
"""

import csv
import io
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from states.figures.sheets import plain
from states.logs.telling import CACHED, Case, Chapter, Names, moments

OF_CASE = ("agency", "procedure", "version", "field", "channel", "source")
COLUMNS = (
    *("case", "activity", "timestamp", "lifecycle", "resource", "role", "unit", "acts_for"),
    *("stage", "visit", *OF_CASE, "received", "due", "finished", "verdict", "outcome"),
)
PEOPLE = ("applicant", "data")


@lru_cache(CACHED)
def text(value: str | None) -> str:
    return "" if value is None else plain(value)


class Delimited:
    """A log as CSV; `head`, then `chapter` for each dossier, then `tail`."""

    media = "text/csv; charset=utf-8"
    ending = "csv"

    def __init__(self, zone: Any, names: Names, *, people: bool) -> None:
        self.moment, self.names, self.people = moments(zone), names, people
        self._rest = lru_cache(CACHED)(self._constant)

    def head(self) -> str:
        return _lines([[*COLUMNS, *(PEOPLE if self.people else ())]])

    def chapter(self, chapter: Chapter) -> Iterator[str]:
        """The lines of one dossier."""
        case, rows = chapter
        code, ends = text(case.code), self._case(case)
        lines = []
        for _, _, _, activity, *which, extra in rows:
            transition, at, actor, role, unit, acts_for, visit, stage, _ = which
            same = self._rest(transition, actor, role, unit, acts_for, stage, visit)
            line = [code, text(activity), self.moment(at), *same, *ends]
            lines.append([*line, text(extra)] if self.people else line)
        yield _lines(lines)

    def tail(self) -> Iterator[str]:
        return iter(())

    def _case(self, case: Case) -> list[Any]:
        dates = (case.received, case.due, case.finished)
        cells: list[Any] = [_cell(getattr(case, key)) for key in OF_CASE]
        cells += ["" if at is None else self.moment(at) for at in dates]
        cells += [text(case.verdict), text(case.outcome)]
        return [*cells, text(case.applicant)] if self.people else cells

    def _constant(
        self,
        transition: str,
        actor: str | None,
        role: str | None,
        unit: str | None,
        acts_for: str | None,
        stage: str | None,
        visit: int | None,
    ) -> list[Any]:
        """What is the same for many events: from `lifecycle` to `visit`."""
        resource = None if actor is None else self.names(actor, role)
        return [*map(text, (transition, resource, role, unit, acts_for, stage)), visit]


def _cell(value: Any) -> Any:
    return text(value) if isinstance(value, str | None) else value


def _lines(rows: list[list[Any]]) -> str:
    to = io.StringIO()
    csv.writer(to, lineterminator="\r\n").writerows(rows)
    return to.getvalue()
