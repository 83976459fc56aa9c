"""What a service key may be used for. A session has all of it; roles are asked in addition."""

from collections.abc import Iterable
from enum import StrEnum


class Scope(StrEnum):
    """What is asked for, and whether it is read or written. To write is not to read."""

    dossiers_read = "dossiers:read"  # with their history, clock, files, work queues and stream
    dossiers_write = "dossiers:write"
    catalogue_read = "catalogue:read"  # procedures, calendars, regimes, rules, change sets
    catalogue_write = "catalogue:write"
    organisation_read = "organisation:read"
    organisation_write = "organisation:write"  # delegations and absences
    breaches_read = "breaches:read"  # with alerts
    breaches_write = "breaches:write"
    reports_read = "reports:read"
    reports_write = "reports:write"  # freezes and restates
    imports_read = "imports:read"
    imports_write = "imports:write"
    notices_read = "notices:read"
    notices_write = "notices:write"  # dead letters are sent again
    reads_read = "reads:read"  # who looked at what
    metrics_read = "metrics:read"
    accounts_read = "accounts:read"
    accounts_write = "accounts:write"  # resets passwords: in the end, all of it


ALL = frozenset(Scope)


def known(words: Iterable[str]) -> frozenset[Scope]:
    """A scope that is no more grants nothing."""
    return frozenset(Scope(word) for word in words if word in set(Scope))
