"""Accounts: who may come in and by what proof. What they may do then is their roles' to say.

Tokens are random and opaque; only their SHA-256 is kept, so there is nothing to forge, and what is
revoked is so at once. Nothing here commits but what says so.
"""

from states.accounts.arriving import Arrival, Identity, arrive
from states.accounts.scopes import Scope

__all__ = ["Arrival", "Identity", "Scope", "arrive"]
