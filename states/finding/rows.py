"""What dossiers are found by, beside them: no move touches it, so no move pays for its index."""

from enum import StrEnum, auto
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from states.columns import only, word

LONGEST = 100  # letters of a term: an index takes no more than it can compare
WORDS = 12  # of a name, from each of which on it is found


class Kind(StrEnum):
    """What a term is."""

    code = auto()  # in capitals
    procedure = auto()
    applicant = auto()  # a name, folded, from one of its words on
    phone = auto()  # as it is dialled here
    citizen = auto()  # HMAC of the number of an identity card


TERM: Any = sa.String(collation="C")  # compared byte by byte, so that its index finds beginnings


class Sought(SQLModel, table=True):
    """One term by which a dossier is found. The ledger writes them all with its first line."""

    __table_args__ = (only("kind", Kind), sa.Index("sought_dossier_idx", "dossier_id", "kind"))

    kind: Kind = Field(primary_key=True, sa_type=word(Kind))
    term: str = Field(primary_key=True, sa_type=TERM)
    dossier_id: int = Field(foreign_key="dossier.id", primary_key=True, sa_type=sa.BigInteger)
