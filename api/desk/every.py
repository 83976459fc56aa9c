"""Every part of the desk. A new one is a module with a `router`, and a line here."""

from api.desk import (
    accounts,
    breaches,
    bulk,
    calendars,
    citizen,
    dashboard,
    design,
    digitising,
    drafting,
    finding,
    palette,
    people,
    procedures,
    receiving,
    reports,
    today,
)
from api.desk.dossier import consulting, pages

ROUTERS = (
    today.router,
    finding.router,
    bulk.router,
    bulk.moving,
    palette.router,
    *procedures.ROUTERS,
    *calendars.ROUTERS,
    *people.ROUTERS,
    receiving.router,
    digitising.router,
    citizen.router,
    accounts.router,
    accounts.checking,
    drafting.router,
    design.router,
    dashboard.router,
    *breaches.ROUTERS,
    *reports.ROUTERS,
    pages.router,
    consulting.router,
)
