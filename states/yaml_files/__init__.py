"""YAML files that say where they are wrong: every fault is a `BadFile` with line and field.

Read from libyaml's events, not from its loader, because a file of settings needs less than YAML
offers and a hostile file uses the rest: no anchors, aliases or tags, no second document, no key
twice. Plain scalars are null, true, false, whole numbers, or text; so `off`, `07:30`, `1.004194`
and `2026-01-02` arrive as they were written, and no file needs quotes to be understood.
"""

from states.yaml_files.document import (
    LOADER,
    Document,
    Key,
    Place,
    content,
    day,
    dotted,
    parse,
    read,
)
from states.yaml_files.judging import judged, validate
from states.yaml_files.part import Part

__all__ = [
    "LOADER",
    "Document",
    "Key",
    "Part",
    "Place",
    "content",
    "day",
    "dotted",
    "judged",
    "parse",
    "read",
    "validate",
]
