"""Sentences that know how they were made: a template and its values, so they can be said again."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import reduce
from string import Formatter
from typing import Any, Self

#: How a value is said, after its format specification.
Saying = Callable[[Any, str], str]


#: How exactly a moment is told, by its format specification: {at}, {at:minutes}.
MOMENTS = {"": "auto", "minutes": "minutes"}


class Sentence(str):
    """A sentence in English, that `states.tongues.said` can say in another language.

    The template is a literal, "there is no dossier {code}"; what stands in a value is not looked
    at again. Without values the template is taken as it is, braces and all. A value may be a
    sentence itself, or a list, which is joined by commas.
    """

    __slots__ = ("template", "values")
    template: str
    values: Mapping[str, Any]

    def __new__(cls, template: str, /, **values: Any) -> Self:
        return cls.written(filled(template, values, in_english), template, values)

    @classmethod
    def written(cls, english: str, template: str, values: Mapping[str, Any]) -> Self:
        """One that reads in English as somebody else wrote it."""
        made = super().__new__(cls, english)
        made.template, made.values = template, values
        return made


def told(text: str) -> Sentence:
    """What is said of something, made a sentence where it is not one yet."""
    return text if isinstance(text, Sentence) else Sentence(text)


def said_by(error: Exception) -> str:
    """What an error says, as the sentence that it was raised with."""
    said = error.args[0] if len(error.args) == 1 else str(error)
    return said if isinstance(said, Sentence) else str(error)


def joined(parts: Iterable[Any], by: str = "; ") -> Sentence:
    """Several side by side."""
    values = {f"part{n}": part for n, part in enumerate(parts)}
    return Sentence(by.join(f"{{{name}}}" for name in values), **values)


def anded(parts: Iterable[Any]) -> Any:
    """`a and b and c`."""
    return reduce(lambda some, one: Sentence("{some} and {one}", some=some, one=one), parts)


def ored(parts: Iterable[Any]) -> Any:
    """`a or b or c`."""
    return reduce(lambda some, one: Sentence("{some} or {one}", some=some, one=one), parts)


def any_of(parts: Iterable[Any]) -> Any:
    """Several after a colon; "none" where there is nothing."""
    return list(parts) or NONE


def halved(text: str, spec: str) -> str:
    """Of "why: how to mend it" the one or the other, as the format specification says."""
    before, _, after = text.partition(": ")
    return {"why": before, "mend": after}.get(spec, text)


def filled(template: str, values: Mapping[str, Any], saying: Saying) -> str:
    return _Filling(saying).vformat(template, (), values) if values else template


def in_english(value: Any, spec: str) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(in_english(each, spec) for each in value)
    if isinstance(value, Sentence):
        return halved(value, spec)
    if isinstance(value, datetime) and spec in MOMENTS:
        return value.isoformat(timespec=MOMENTS[spec])
    return format(value, spec)


class _Filling(Formatter):
    def __init__(self, saying: Saying) -> None:
        self.saying = saying

    def format_field(self, value: Any, format_spec: str) -> str:
        return self.saying(value, format_spec)


NONE = Sentence("none")
NOTHING = Sentence("nothing")
