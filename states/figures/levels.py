"""Figures by the level at which a procedure is done: the province's, a district's, a commune's.

No column of a dossier says it: the catalogue does, of the procedure. So figures are counted by
procedure and put together; what was imported under a procedure of nobody's has no level.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from states.catalogue import Catalogue
from states.figures.sheets import Both
from states.ledger.statements import d

LEVEL = "level"
HEAD = Both("Cấp", "Level")
NAMES = {"province": "tỉnh", "district": "huyện", "commune": "xã"}


def columns(by: Sequence[str]) -> tuple[str, ...]:
    """The columns by which to count, for what is to be told apart."""
    return tuple(dict.fromkeys("procedure" if key == LEVEL else key for key in by))


def levelled(book: Catalogue, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows by procedure, each with its level."""
    of = {code: each.level for code, each in book.procedures.items()}
    return [{**row, LEVEL: of.get(row["procedure"])} for row in rows]


def at(book: Catalogue, level: str) -> sa.ColumnElement[bool]:
    """Whether a dossier's procedure is done at that level; an empty one: at none that is known."""
    known = [code for code, each in book.procedures.items() if level in {"", each.level}]
    return d.procedure.in_(known) if level else d.procedure.not_in(known)
