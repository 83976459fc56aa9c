"""The small catalogue of `book`, with rules of what is watched and the sample's organisation."""

from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from importlib import resources
from typing import Any

import book
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from states import catalogue, yaml_files
from states.catalogue.organisation import Organisation
from states.catalogue.rules import Rules
from states.clock import Term
from states.deadlines.rows import Alert

FILE = resources.files("config") / "sample" / "rules.yaml"
RULES = yaml_files.validate(Rules, yaml_files.read(FILE))


def only(*codes: str) -> Rules:
    """Some of the sample's rules."""
    return Rules(rules=tuple(each for each in RULES.rules if each.code in codes))


def rules(**said: tuple[str, str, str]) -> Rules:
    """Rules by code: what is watched, when, and what it is."""
    made = []
    for name, (on, when, what) in said.items():
        code = name.replace("_", "-")
        times = {"on": on, "when": when, "what": what}
        made.append({"code": code, "name": {"vi": code, "en": code}, "tell": ["holder"], **times})
    return Rules.model_validate({"rules": made}, strict=False)


@dataclass(frozen=True, slots=True)
class Supplement(book.Supplement):
    notice: Term | None = None


@dataclass(frozen=True, slots=True)
class Extension(book.Extension):
    before: Term | None = None


@dataclass(frozen=True, slots=True)
class Procedure(book.Procedure):
    transfer_by: str | None = None


def known(of: Any) -> dict[str, Any]:
    return {each.name: getattr(of, each.name) for each in fields(of)}


def watched(of: book.Procedure, **changed: Any) -> Procedure:
    """The same procedure, with what the law's duties ask of one."""
    asked = {
        "supplement": Supplement(**known(of.supplement)),
        "extension": Extension(**known(of.extension)),
    }
    return Procedure(**{**known(of), **asked, **changed})


PROCEDURES = tuple(watched(each) for each in book.BOOK.procedures)


@dataclass(frozen=True)
class Desk(book.Shelf):
    procedures: tuple[Procedure, ...] = PROCEDURES
    rules: Rules = RULES

    @cached_property
    def organisation(self) -> Organisation:
        return catalogue.load().organisation


TERM = Desk(rules=only("term-near", "term-late"))

Told = tuple[str, int, int, datetime]


async def told(engine: AsyncEngine) -> list[Told]:
    """Rule, visit, version and moment of each alert, by dossier and moment."""
    c = Alert.__table__.c
    asked = sa.select(c.rule, c.visit, c.deadline, c.at)
    async with engine.connect() as db:
        rows = await db.execute(asked.order_by(c.dossier_id, c.at, c.rule))
    return [tuple(row) for row in rows]
