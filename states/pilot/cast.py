"""Who acts in the year: the staff, whoever stands at the counter, and invented applicants."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from random import Random
from typing import NamedTuple

from states.catalogue import Catalogue
from states.pilot.plan import Plan, counter_role
from states.words import Role


class Hand(NamedTuple):
    """Who acts, in what capacity, and for which agency."""

    actor: str
    role: Role
    on_behalf_of: str | None = None


@dataclass(frozen=True)
class Centre:
    """Where the year is lived: the catalogue and the plan, with who is where."""

    catalogue: Catalogue
    plan: Plan

    @cached_property
    def staff(self) -> dict[tuple[str, Role], list[str]]:
        """By unit and role. Built once: it is asked for every stage of every dossier."""
        staff: dict[tuple[str, Role], list[str]] = defaultdict(list)
        for person in self.catalogue.people.values():
            for position in person.positions:
                staff[position.unit, position.role].append(person.id)
        return staff

    def at_counter(self, day: date, agency: str) -> Hand:
        """Whoever receives and returns that day, for the agency."""
        who = self.plan.counter.on(day)
        role = counter_role(self.catalogue, who)
        assert role is not None
        return Hand(who, role, agency)


def invented(plan: Plan, rng: Random) -> str:
    """A name for an applicant: a person, or a body of some kind."""
    names = plan.names
    begins = rng.choice(names.family if rng.random() < 0.5 else names.bodies)
    return f"{begins} {rng.choice(names.middle)} {rng.choice(names.given)}"
