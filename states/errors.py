"""What may be answered instead of a move. HTTP and exit codes are none of its business."""


class HosoError(Exception):
    """Something was asked that cannot be done. The message is a sentence for the one who asked."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__doc__)


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
        self.file, self.line, self.field, self.expected = file, line, field, expected
        self.column = column
        super().__init__(f"{spot(file, line, column, field)}: {expected}")


def spot(file: str, line: int | None, column: int | None, field: str | None) -> str:
    """A place in a file, as sentences begin with it."""
    parts = (file, line and f"line {line}", column and f"column {column}", field)
    return ", ".join(str(each) for each in parts if each)
