"""What a document says, asked by hand: where a model would cost the start-up."""

from dataclasses import dataclass
from datetime import date

from states.errors import BadFile
from states.sentences import Sentence
from states.yaml_files.document import EXPECTED, Document, Key, day


@dataclass(frozen=True, slots=True)
class Part:
    """A value of a document with its place; each method is what it must be, or raises."""

    document: Document
    path: Key
    value: object

    def wrong(self, expected: str) -> BadFile:
        return self.document.wrong(self.path, expected)

    def map(self, required: str, optional: str = "") -> "dict[str, Part]":
        """Its parts by key: all the required keys, and no others than the optional ones."""
        if not isinstance(self.value, dict):
            raise self.wrong(EXPECTED["dict_type"])
        known = {*required.split(), *optional.split()}
        for key in self.value:
            if key not in known:
                raise self.document.wrong((*self.path, key), EXPECTED["extra_forbidden"])
        for key in required.split():
            if key not in self.value:
                raise self.document.wrong((*self.path, key), EXPECTED["missing"])
        return {key: Part(self.document, (*self.path, key), self.value[key]) for key in self.value}

    def list(self) -> "list[Part]":
        if not isinstance(self.value, list):
            raise self.wrong(EXPECTED["tuple_type"])
        return [Part(self.document, (*self.path, at), each) for at, each in enumerate(self.value)]

    def text(self) -> str:
        if not isinstance(self.value, str) or not self.value:
            raise self.wrong(EXPECTED["string_type"])
        return self.value

    def word(self, *known: str) -> str:
        if self.value not in known:
            raise self.wrong(Sentence("must be one of: {known}", known=known))
        return str(self.value)

    def whole(self, least: int, most: int) -> int:
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self.wrong(EXPECTED["int_type"])
        if not least <= self.value <= most:
            raise self.wrong(
                Sentence("must lie between {least} and {most}", least=least, most=most)
            )
        return self.value

    def truth(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.wrong(EXPECTED["bool_type"])
        return self.value

    def day(self) -> date:
        try:
            return day(self.value)
        except ValueError as wrong:
            raise self.wrong(wrong.args[0]) from wrong
