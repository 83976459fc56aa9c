"""Every report there is, by its name. A new one is a module of this package and a line here."""

from states.errors import Unknown
from states.figures import (
    apologies,
    breach_causes,
    channels,
    decision766,
    digitisation,
    duties,
    holders,
    indices,
    load,
    pace,
    procedures,
    register,
    rework,
    stages,
    suspicions,
    targets,
    trend,
    variants,
    waiting,
)
from states.figures.bieu06 import report as bieu06
from states.figures.reporting import Report

MODULES = (
    bieu06,
    channels,
    procedures,
    trend,
    pace,
    stages,
    load,
    indices,
    digitisation,
    decision766,
    targets,
    duties,
    holders,
    register,
    breach_causes,
    apologies,
    suspicions,
    variants,
    rework,
    waiting,
)
REPORTS: dict[str, Report] = {each.REPORT.name: each.REPORT for each in MODULES}


def find(name: str) -> Report:
    """Raises `Unknown`."""
    if name not in REPORTS:
        there = ", ".join(REPORTS)
        raise Unknown("there is no report '{name}': there are {there}", name=name[:80], there=there)
    return REPORTS[name]
