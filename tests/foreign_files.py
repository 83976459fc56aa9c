"""What the tests of `states.intake` share: a small map, and a file read to its end."""

from pathlib import Path
from typing import Any

from states import yaml_files
from states.intake import Limits, Map, Record, Refused, read
from states.intake.mapping import TO_FILL

TABLE = {"kind": "dossiers", "zone": "Asia/Ho_Chi_Minh", "code": "Mã", "received": "Nhận"}


def mapped(**parts: Any) -> Map:
    return yaml_files.validate(Map, yaml_files.Document("map.yaml", TABLE | parts))


def filled(suggested: str) -> str:
    """What a person writes into a map that was suggested."""
    return suggested.replace(f'"{TO_FILL}"', "H42.05")


def read_all(path: Path, by: Map, **limits: int) -> tuple[list[Record], list[Refused]]:
    items = list(read(path, by, Limits(**limits)))
    return (
        [each for each in items if isinstance(each, Record)],
        [each for each in items if isinstance(each, Refused)],
    )


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path
