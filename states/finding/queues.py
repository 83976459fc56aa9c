"""The queues of work: what waits for whom. One table; pages, counts and words are read from it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from states.catalogue import Catalogue
from states.finding import fairness
from states.finding.only import UNFINISHED, overdue
from states.finding.paging import Order
from states.ledger.statements import d, dossier, visit
from states.lifecycle import HELD
from states.people import Caller
from states.words import Role, State

SOON = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Desk:
    """Who sits there, and when. `units`: theirs, and those these took over from; `bodies`: with
    their agencies, in whose queues lies what no rule caught.
    """

    person: str
    role: Role
    units: frozenset[str]
    bodies: frozenset[str]
    at: datetime


def desk(book: Catalogue, who: Caller, at: datetime) -> Desk:
    """The desk of a caller."""
    staff = book.organisation
    held = (each for each in who.person.positions if each.role is who.role)
    units = {each.unit for each in held if each.stands(who.on)}
    bodies = units | {staff.agency_of(unit) for unit in units}

    def lines(codes: set[str]) -> frozenset[str]:
        return frozenset(each for code in codes for each in staff.line(code))

    return Desk(who.person.id, who.role, lines(units), lines(bodies), at)


# Which ------------------------------------------------------------------------------------

present = visit.alias("present")  # not `visit` itself: what asks of others has a name of its own
p = present.c
LOST = (d.state == State.routed) & (d.unit == d.agency)  # no rule caught it
ASSIGNED = d.facts.op("->>")("assigned")  # to whom the routing sent it


def _to_take_in(of: Desk) -> Any:
    mine = sa.func.coalesce(ASSIGNED, of.person) == of.person
    return (d.state == State.routed) & d.unit.in_(sorted(of.bodies)) & mine


def _in_hands(of: Desk) -> Any:
    return (d.state == State.processing) & (p.role == of.role) & (p.person == of.person)


def _in_tray(of: Desk) -> Any:
    there = (d.state == State.processing) & d.unit.in_(sorted(of.units))
    return there & (p.role == of.role) & p.person.is_(None)


def _to_sign(of: Desk) -> Any:
    there = (d.state == State.processing) & d.unit.in_(sorted(of.units)) & (p.role == Role.leader)
    return there & (sa.func.coalesce(p.person, of.person) == of.person)


def _due_soon(of: Desk) -> Any:
    return UNFINISHED & (d.due_at > of.at - SOON) & (d.due_at < of.at + SOON) & (d.late_at > of.at)


def _in(*states: State) -> Callable[[Desk], Any]:
    return lambda of: d.state.in_(sorted(states))


_held, _returned = _in(*HELD), _in(State.result_returned)


# In which order ---------------------------------------------------------------------------

PRESENT = dossier.join(
    present, (p.dossier_id == d.id) & (p.visit == d.visit) & p.closed_at.is_(None)
)
ROUTED = (fairness.column(d.moved_at, d.due_at), dossier)
STAGED = (fairness.column(d.moved_at, d.due_at, p.due_at), PRESENT)
WAITING = (d.moved_at, dossier)
LAPSING = (d.lapse_at, dossier)
DUE = (d.due_at, dossier)


class Queue(NamedTuple):
    """What waits, its name in Vietnamese and English, for whom, and how it is sorted."""

    name: str
    vi: str
    en: str
    roles: frozenset[Role]
    where: Callable[[Desk], Any]
    by: tuple[Any, Any]  # the key, and what it is a column of

    @property
    def turn(self) -> bool:
        """Whether the next hand is theirs."""
        return self.name not in OTHERS

    @property
    def order(self) -> Order:
        """What its pages go by."""
        key, of = self.by
        return Order(f"work.{self.name}", key, of)


COUNTER = frozenset({Role.reception, Role.postal})
OTHERS = frozenset({"to_hand_over", "waiting", "due_soon", "overdue", "no_rule"})
"""In which they wait for somebody else, or look on."""
OFFICER, LEADER, CONTROL = (frozenset({r}) for r in (Role.officer, Role.leader, Role.control))
# fmt: off
QUEUES: dict[str, Queue] = {
    each.name: each
    for each in (
        Queue("to_receive", "Chờ tiếp nhận", "To receive", COUNTER, _in(State.registered), WAITING),
        Queue("to_digitise", "Chờ số hóa", "To digitise", COUNTER, _in(State.received), ROUTED),
        Queue("to_route", "Chờ chuyển xử lý", "To route", COUNTER, _in(State.digitised), ROUTED),
        Queue("to_hand_over", "Chờ trả", "To hand over", COUNTER, _returned, WAITING),
        Queue("waiting", "Chờ công dân", "Waiting for the citizen", COUNTER, _held, LAPSING),
        Queue("to_sign", "Chờ ký", "To sign", LEADER, _to_sign, STAGED),
        Queue("in_hands", "Đang xử lý", "In my hands", OFFICER, _in_hands, STAGED),
        Queue("in_tray", "Chờ trong phòng", "In my unit's tray", OFFICER, _in_tray, STAGED),
        Queue("to_take_in", "Chờ nhận xử lý", "To take in", OFFICER | LEADER, _to_take_in, ROUTED),
        Queue("due_soon", "Sắp đến hạn", "Due soon", LEADER | CONTROL, _due_soon, DUE),
        Queue("overdue", "Quá hạn", "Overdue", LEADER | CONTROL, lambda of: overdue(of.at), DUE),
        Queue("no_rule", "Chưa có quy tắc", "Caught by no rule", CONTROL, lambda of: LOST, WAITING),
    )
}
# fmt: on
