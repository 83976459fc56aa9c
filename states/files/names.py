"""The name a file is shown by. It is never a path, and nothing is decided by it."""

import unicodedata

from states.errors import BadInput
from states.files.kinds import ENDINGS, Kind

LONGEST = 200  # characters
LINES = {"Zl", "Zp"}


def shown(name: str) -> str:
    """The name as it is kept, composed (NFC). Raises `BadInput`."""
    name = unicodedata.normalize("NFC", name).strip()
    if not name or len(name) > LONGEST:
        raise BadInput("name must have 1 to {longest} characters", longest=LONGEST)
    if "/" in name or "\\" in name or name in {".", ".."}:
        raise BadInput("name must be a file's name alone: leave the folders out")
    # Among these are marks that turn the direction of writing, and so disguise an ending.
    strange = (unicodedata.category(each) for each in name)
    if any(each[0] == "C" or each in LINES for each in strange):
        raise BadInput("name may hold visible characters only")
    return name


def given(name: str, kind: Kind) -> str:
    """The name under which it is handed out: it ends as what it is, whatever it is called."""
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    return name if ending in ENDINGS[kind] else f"{name}.{ENDINGS[kind][0]}"
