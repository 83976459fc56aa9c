"""What the form of a receipt says, field by field."""

import re
from enum import StrEnum, auto
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from states.ledger.acts import EMAIL, LONG, PHONE, SHORT
from states.ledger.acts import Name as Line
from states.receiving.lodging import How
from states.sentences import Sentence
from states.words import Channel

PARTED = re.compile(r"[\s.\-()]+")


class Said(StrEnum):
    """Which button was pressed."""

    receive = auto()
    anyway = auto()  # although something required is lacking
    register = auto()
    ask = auto()
    decline = auto()

    @property
    def how(self) -> How:
        return How.receive if self is Said.anyway else How(self.value)


def _dialled(value: object) -> object:
    return PARTED.sub("", value) if isinstance(value, str) else value


def _phone(value: str) -> str:
    if not PHONE.fullmatch(value):
        raise ValueError(Sentence("must be 8 to 15 digits, with + before them or not"))
    return value


def _mailbox(value: str) -> str:
    if not EMAIL.fullmatch(value):
        raise ValueError(Sentence("must be an address such as anh@example.vn"))
    return value


def _number(value: str) -> str:
    """Of a card, also where the code printed on it was scanned, which tells more than that."""
    return value.partition("|")[0].strip()


class Filled(BaseModel):
    """A receipt as it was filled in. `handed`: the codes of the components that are there."""

    procedure: str = Field(max_length=40)
    channel: Channel
    applicant: Line
    citizen_id: Annotated[str, AfterValidator(_number)] | None = Field(None, max_length=400)
    phone: Annotated[str, BeforeValidator(_dialled), AfterValidator(_phone)] | None = None
    email: Annotated[str, AfterValidator(_mailbox)] | None = Field(None, max_length=SHORT)
    place: Line | None = None
    handed: list[str] = Field(default_factory=list, max_length=200)
    said: Said = Said.receive
    reason: str | None = Field(None, max_length=LONG)
