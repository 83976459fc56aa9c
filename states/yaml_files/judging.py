"""What a document says, held against a model."""

import json
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from states.errors import BadFile
from states.faults import fault as told_of
from states.sentences import Sentence, said_by
from states.yaml_files.document import EXPECTED, Document

if TYPE_CHECKING:  # 0.1 s to import: only `validate` needs it, and `hoso clock` never does
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

M = TypeVar("M", bound="BaseModel")

MOST = 200  # faults: the next are told when these are mended


def validate(model: type[M], document: Document) -> M:
    """The file as a model; the first fault in the file is raised as `BadFile`."""
    said, faults = _held(model, document)
    if said is None:
        raise _wrong(document, faults[0])  # the others, a hundred thousand perhaps, are not worded
    return said


def judged(model: type[M], document: Document) -> tuple[M | None, list[BadFile]]:
    """The file as a model, or all that keeps it from being one: by line, but what is missing last,
    as a misspelled key is also a missing one. Of very many no more than `MOST` are told.
    """
    said, faults = _held(model, document)
    return said, [_wrong(document, each) for each in faults[:MOST]]


def _held(model: type[M], document: Document) -> tuple[M | None, list["ErrorDetails"]]:
    from pydantic import ValidationError

    # As JSON: there a strict model takes a list for a tuple, a word for a member and `2026-01-02`
    # for a date, and still no `"5"` for a number.
    try:
        return model.model_validate_json(json.dumps(document.data)), []
    except ValidationError as wrong:
        faults = wrong.errors(include_url=False)
    faults.sort(key=lambda each: (each["type"] == "missing", document.line_of(each["loc"])))
    return None, faults


def _wrong(document: Document, fault: "ErrorDetails") -> BadFile:
    return document.wrong(fault["loc"], _sentence(fault))


BOUNDS = {
    "less_than_equal": (partial(Sentence, "must be at most {bound:,}"), "le"),
    "less_than": (partial(Sentence, "must be below {bound:,}"), "lt"),
    "greater_than_equal": (partial(Sentence, "must be at least {bound:,}"), "ge"),
    "greater_than": (partial(Sentence, "must be above {bound:,}"), "gt"),
}


def _sentence(fault: "ErrorDetails") -> str:
    context = fault.get("ctx", {})
    if fault["type"] in {"literal_error", "enum"}:
        return Sentence("must be one of: {known}", known=context["expected"])
    if fault["type"] in BOUNDS:
        words, key = BOUNDS[fault["type"]]
        return words(bound=context[key])
    if fault["type"] == "value_error":
        return said_by(context["error"])
    return EXPECTED.get(fault["type"]) or told_of(fault)
