"""What a form says: its fields by name as they were typed, and what is wrong with them."""

from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from fastapi import Request
from pydantic import BaseModel, ValidationError

from api.doors.hearing import Wrong, text
from api.problems import Invalid
from states.errors import BadInput
from states.faults import fault
from states.sentences import Sentence

T = TypeVar("T", bound=BaseModel)

FORM = "application/x-www-form-urlencoded"
MOST = 5_000  # fields
OURS = {"key", "draft"}  # hidden fields of every form: never part of what somebody typed
UNKEPT = {"citizen_id"}  # kept nowhere but as a hash, so no draft keeps it either


class Mistyped(BadInput):
    """Something in the form is to be mended."""


@dataclass(slots=True)
class Typed:
    """A form as it came, to be shown again with what is wrong beside each field."""

    values: dict[str, list[str]] = field(default_factory=dict)
    faults: dict[str, Sentence | str] = field(default_factory=dict)

    def get(self, name: str, otherwise: str = "") -> str:
        """The field, or the first of its values."""
        return next(iter(self.values.get(name, ())), otherwise)

    def all(self, name: str) -> list[str]:
        return self.values.get(name, [])

    def has(self, name: str, value: str) -> bool:
        """Whether a box is ticked, a choice is taken."""
        return value in self.values.get(name, ())

    def __bool__(self) -> bool:
        return bool(self.values)

    def said(self) -> dict[str, list[str]]:
        """Without the fields that are the page's own: what a draft keeps."""
        return {n: said for n, said in self.values.items() if n not in OURS | UNKEPT}


def parse(body: bytes) -> Typed:
    """A form as a browser sends it. A text that cannot be kept is a fault of its field.

    Raises `Invalid` for what no form of ours sends.
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=MOST,
            encoding="utf-8",
            errors="strict",
        )
        names = [text(name) for name, _ in pairs]
    except (ValueError, Wrong):
        raise Invalid("the form cannot be read: load the page again and send it anew") from None
    made = Typed()
    for name, (_, value) in zip(names, pairs, strict=True):
        said = value.replace("\r\n", "\n").strip()
        try:
            said = text(said)
        except Wrong as wrong:
            made.faults[name] = wrong.what
        made.values.setdefault(name, []).append(said)
    return made


def of(request: Request) -> Typed:
    """What the form of this request says; empty where none came."""
    found = getattr(request.state, "typed", None)
    return found if isinstance(found, Typed) else Typed()


def read(shape: type[T], typed: Typed, **more: Any) -> T:
    """The form as a shape: a field left empty is left out. `more`: fields that were read by hand.

    Raises `Mistyped` after what is wrong was noted beside each field.
    """
    plain: dict[str, Any] = {}
    for name, info in shape.model_fields.items():
        said = [each for each in typed.all(name) if each]
        if said:
            many = str(info.annotation).startswith(("list", "tuple"))
            plain[name] = said if many else said[0]
    if typed.faults:
        raise Mistyped("some of what was typed cannot be kept: see beside each field")
    try:
        return shape.model_validate(plain | more)
    except ValidationError as error:
        for each in error.errors(include_url=False):
            where = ".".join(map(str, each["loc"][:1])) or "form"
            typed.faults.setdefault(where, fault(each))
        raise Mistyped("some fields are to be mended: see beside each") from None
