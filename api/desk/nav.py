"""What leads where from every page, for whom, and by which key after `g`."""

from typing import NamedTuple

from states.figures.sheets import Both
from states.words import Role

CLERKS = frozenset({Role.reception, Role.postal, Role.officer, Role.leader})
COUNTER = frozenset({Role.reception, Role.postal})
OVERSEE = frozenset({Role.leader, Role.control})
STAFF = CLERKS | OVERSEE


class Way(NamedTuple):
    """A page of the desk. `key`: typed after `g`, it leads there."""

    path: str
    name: Both
    roles: frozenset[Role]
    key: str


WAYS = (
    Way("/today", Both("Hôm nay", "Today"), CLERKS, "t"),
    Way("/receive", Both("Tiếp nhận", "Receive"), COUNTER, "n"),
    Way("/dossiers", Both("Hồ sơ", "Dossiers"), STAFF, "h"),
    Way("/dashboard", Both("Tổng quan", "Dashboard"), OVERSEE, "d"),
    Way("/breaches", Both("Quá hạn", "Breaches"), OVERSEE, "b"),
    Way("/reports", Both("Báo cáo", "Reports"), STAFF, "r"),
    Way("/procedures", Both("Thủ tục", "Procedures"), STAFF, "p"),
    Way("/calendars", Both("Lịch", "Calendar"), STAFF, "c"),
    Way("/people", Both("Nhân sự", "People"), STAFF, "u"),
)


def ways(role: Role) -> list[Way]:
    return [each for each in WAYS if role in each.roles]


def first(role: Role | None) -> str:
    """Where somebody begins their day."""
    return next((each.path for each in WAYS if role in each.roles), "/account")
