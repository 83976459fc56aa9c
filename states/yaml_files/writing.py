"""Values as YAML says them: plainly where that is read as the same, else in double quotes."""

import json
from functools import lru_cache
from typing import Any

from states.errors import BadFile
from states.yaml_files.document import parse

INDENT = 2


def written(value: Any, *, quoted: bool = False) -> str:
    """On one line, so that it may stand anywhere."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case list() | tuple():
            return f"[{', '.join(written(each) for each in value)}]"
        case dict():
            return f"{{{', '.join(f'{written(k)}: {written(v)}' for k, v in value.items())}}}"
    return str(value) if not quoted and _plainly(str(value)) else _quoted(str(value))


def lines(value: Any, column: int, begins: str = "") -> list[str]:
    """A value on lines of its own after `begins`, which is a key with its colon or a dash.

    A list of maps has a line for each key of each.
    """
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        rows = [begins]
        for each in value:
            rows += item(each, column + INDENT)
        return rows
    return [f"{begins} {written(value)}"]


def item(value: Any, dash: int, column: int | None = None) -> list[str]:
    """One item of a list, its dash and its keys in their columns."""
    within = dash + INDENT if column is None else column
    begins = (" " * dash + "-").ljust(within)
    if not isinstance(value, dict) or not value:
        return [begins + written(value)]
    said = [
        row
        for key, each in value.items()
        for row in lines(each, within, " " * within + f"{written(key)}:")
    ]
    return [begins + said[0][within:], *said[1:]]


@lru_cache(maxsize=4096)
def _plainly(text: str) -> bool:
    """Whether it needs no quotes, be it in brackets or on a line."""
    if not text or text != text.strip() or "\n" in text:
        return False
    try:
        said = [parse("text", f.encode()).data for f in (f"{{k: {text}}}", f"k: {text}")]
        listed = parse("text", f"[{text}]".encode()).data
    except BadFile:
        return False
    return said == [{"k": text}] * 2 and listed == [text]


def _quoted(text: str) -> str:
    """Escaped whatever cannot be seen: some of it would break the line."""
    return "".join(
        each if each.isprintable() else f"\\U{ord(each):08x}"
        for each in json.dumps(text, ensure_ascii=False)
    )
