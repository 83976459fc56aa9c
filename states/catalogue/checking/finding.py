"""What the checker says of a bundle: where, why, and how to mend it."""

import re
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import NamedTuple

from states.catalogue.procedures import Procedure
from states.errors import BadFile
from states.sentences import Sentence, told
from states.yaml_files import Document, Key, dotted


class Severity(StrEnum):
    """How bad it is."""

    error = auto()  # blocks publishing
    warning = auto()  # may be meant so


class Flaw(NamedTuple):
    """What a rule finds, at a place in the data."""

    key: Key
    why: str
    mend: str
    severity: Severity = Severity.error

    def __str__(self) -> str:
        return f"{self.why}: {self.mend}"


@dataclass(frozen=True, slots=True)
class Finding:
    """The same at a place in the file. `line` is None where the file cannot be read at all."""

    severity: Severity
    line: int | None
    column: int | None
    field: str | None
    why: str
    mend: str


@dataclass(frozen=True, slots=True)
class Linted:
    """All that was found in a file, in the order of its lines; what it says, if it says anything.

    `procedure` is None for a file that is none, and for bundles of another kind.
    """

    file: str
    procedure: Procedure | None
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> bool:
        """Whether anything in it blocks publishing."""
        return any(each.severity is Severity.error for each in self.findings)


def placed(document: Document, flaw: Flaw) -> Finding:
    """A flaw where it is in the file."""
    key, why, mend, severity = flaw
    return Finding(severity, *document.place_of(key), dotted(key), why, mend)


def unread(wrong: BadFile) -> Finding:
    """A file, or a value in it, that cannot be read as what it should be."""
    found = parted(wrong.expected)
    return Finding(Severity.error, wrong.line, wrong.column, wrong.field, *found)


MEMBER = re.compile(r"<[\w.]+: ('[^']*')>")  # as a model names a member of an enumeration
MENDS = (
    ("is required and is not there", "add it with its value"),
    ("must be text", "write text, between quotes if it looks like a number"),
    ("must not be empty", "write it, or leave the whole line out if it is not required"),
    ("must be a whole number", "write digits only, without quotes, dots or units"),
    ("must be true or false", "write true or false, without quotes"),
    ("must be a date", "write year, month and day with hyphens"),
    ("must be a list", "write each entry on a line of its own, or all of them in [ ]"),
    ("must be a map", "indent the lines that belong to it by two spaces"),
    ("must be one of", "choose one of these"),
    ("calendar days are counted whole", "write a whole number, or working days (wd)"),
    (r"'^[1-9]\.[0-9]{6}$'", "write a code such as 1.004650, without its local suffix"),
    ("'^([01][0-9]|2[0-3])", "write a time such as 15:00, between quotes"),
    ("'^[a-z][a-z0-9-]", "write small letters without accents, digits and hyphens: tham-dinh"),
    ("'^[A-Z][0-9]{2}", "write the code of a body such as H42.05.01"),
    ("'^R[0-9]{4}$'", "write a regime such as R2021"),
    ("'^[0-9]{3}", "write a suffix such as 000.00.00.H42"),
    ("is not YAML", "close every bracket and quote, and indent like the lines around"),
    ("is there twice", "leave one of the two out"),
    ("plain word", "write each key as one word before a colon"),
    ("second document", "put it into a file of its own"),
    ("control character", "delete it and type the text anew"),
    ("character that no text has", "delete it and type the text anew"),
    ("nested", "take out the levels that are too many"),
    ("is empty", "write into it what the smallest procedure says"),
)


def parted(sentence: str) -> tuple[str, str]:
    """Why and how to mend it, of a sentence that may say both."""
    if MEMBER.search(sentence):
        sentence = MEMBER.sub(r"\1", sentence)
    for words, mend in MENDS:
        if words in sentence:
            return sentence, told(mend)
    if ": " in sentence:
        both = told(sentence)
        return Sentence("{both:why}", both=both), Sentence("{both:mend}", both=both)
    return sentence, Sentence("correct what is written there")
