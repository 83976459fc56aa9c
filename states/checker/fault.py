"""What does not hold, and how it is found."""

import json
from typing import Any, NamedTuple, NoReturn


class Fault(NamedTuple):
    """Where a proof does not hold, and how."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class Fails(Exception):
    """Something does not hold. Its arguments are a fault's."""


def legible(text: str) -> str:
    """A text of the document's as it may be shown: what is no sign of a line is spelt out."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def fail(where: str, what: str) -> NoReturn:
    raise Fails(where, what)


def same(where: str, said: Any, should: Any) -> None:
    """Also of one kind: JSON's true is no 1."""
    if json.dumps(said, sort_keys=True) != json.dumps(should, sort_keys=True):
        fail(where, f"the proof says {_brief(said)}, and it should be {_brief(should)}")


def _brief(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:200]
