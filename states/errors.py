"""What may be answered instead of a move. HTTP and exit codes are none of its business."""

from typing import Any

from states.sentences import Sentence, joined, told


class HosoError(Exception):
    """Something was asked that cannot be done. The message is a sentence for the one who asked.

    It is a template, "there is no dossier {code}", and the values are what fills it: so it can be
    said in the language of the one who asked, by `states.tongues.said(error.sentence, language)`.
    """

    sentence: Sentence

    def __init__(self, message: str = "", /, **values: Any) -> None:
        if isinstance(message, Sentence):
            self.sentence = message
        else:
            self.sentence = Sentence(message or summary(type(self)), **values)
        super().__init__(self.sentence)


def summary(kind: type[HosoError]) -> str:
    """What an error of that kind says when nothing else is said."""
    return (kind.__doc__ or "").partition("\n\n")[0]


class Unknown(HosoError):
    """There is no such thing."""


class BadInput(HosoError):
    """What was sent cannot be understood."""


class NotOpen(HosoError):
    """The lifecycle has no such move from here."""


class NotYours(NotOpen):
    """The move is open, but not to this role."""


class Stale(HosoError):
    """Somebody moved the dossier first."""


class Outdated(HosoError):
    """The catalogue has changed since it was read: read it again and repeat."""


class KeyReused(HosoError):
    """The idempotency key was used before for something else."""


class BadFile(BadInput):
    """A file of ours or of a user's is wrong: where, and what was expected.

    `line` and `column` count from 1.
    """

    def __init__(
        self,
        file: str,
        line: int | None,
        field: str | None,
        expected: str,
        column: int | None = None,
    ) -> None:
        why = told(expected)
        self.file, self.line, self.field, self.expected = file, line, field, why
        self.column = column
        super().__init__("{spot}: {expected}", spot=spot(file, line, column, field), expected=why)


def spot(file: str, line: int | None, column: int | None, field: str | None) -> Sentence:
    """A place in a file, as sentences begin with it."""
    lines = line and Sentence("line {line}", line=line)
    columns = column and Sentence("column {column}", column=column)
    return joined((each for each in (file, lines, columns, field) if each), ", ")
