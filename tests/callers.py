"""Who asks, in the test of permissions: each role, for each of two agencies."""

from collections.abc import Callable
from dataclasses import dataclass, field

from two_agencies import EDUCATION, NOWHERE, SCIENCE, Side


@dataclass(frozen=True)
class Caller:
    """Somebody in a capacity. `sees`: which dossiers, by hand and not by the predicate's code."""

    name: str
    person: str | None
    sees: Callable[[Side, str], bool]
    headers: dict[str, str] = field(default_factory=dict)
    admin: bool = False

    @property
    def said(self) -> dict[str, str]:
        return self.headers | ({} if self.person is None else {"Hoso-Person": self.person})


def everything(side: Side, name: str) -> bool:
    return side is not NOWHERE


def nothing(side: Side, name: str) -> bool:
    return False


def whole(own: Side) -> Callable[[Side, str], bool]:
    return lambda side, name: side is own


def routed(own: Side) -> Callable[[Side, str], bool]:
    """What was registered online only lies at the centre still."""
    return lambda side, name: side is own and name != "registered"


def asked_about(side: Side, name: str) -> bool:
    return side is not NOWHERE and name == "main"


NOBODY = Caller("nobody", None, nothing)
ADMINISTRATOR = Caller("administrator", "p-admin", nothing, admin=True)
CONTROL = Caller("control", "p-control-01", everything)
CALLERS = (
    NOBODY,
    Caller("reception", "p-reception-01", everything),
    *(
        Caller(f"postal {side.prefix}", "p-post-01", whole(side), {"Hoso-For": side.agency})
        for side in (SCIENCE, EDUCATION)
    ),
    *(
        Caller(f"officer {side.prefix}", side.officer, routed(side))
        for side in (SCIENCE, EDUCATION)
    ),
    Caller("elsewhere sci", "p-sci-officer-11", nothing),
    *(Caller(f"leader {side.prefix}", side.leader, whole(side)) for side in (SCIENCE, EDUCATION)),
    Caller("asked", "p-fin-officer-21", asked_about),
    Caller("centre", "p-centre-lead", everything, {"Hoso-Role": "leader"}),
    CONTROL,
    ADMINISTRATOR,
)
