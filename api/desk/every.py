"""Every part of the desk. A new one is a module with a `router`, and a line here."""

from api.desk import accounts, drafting

ROUTERS = (accounts.router, accounts.checking, drafting.router)
