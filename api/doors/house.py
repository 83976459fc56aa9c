"""What a process holds for all its requests."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncEngine

from config import secret
from config.settings import Settings
from states.accounts.trying import Trial
from states.catalogue.bundles import Latest


@dataclass(slots=True)
class House:
    """Made at the start, gone at the stop."""

    settings: Settings
    engine: AsyncEngine
    latest: Latest
    secret: bytes
    prefect_ui: str | None = None
    trial: Trial | None = None  # who is offered at the sign-in page; nobody but for a trial
    clock: Callable[[], datetime] | None = None  # None: the database's
    held: dict[str, Any] = field(default_factory=dict)  # what a subject keeps for all requests

    def key(self, purpose: str) -> bytes:
        return secret.key(self.secret, purpose)


def house(request: Request) -> House:
    return cast("House", request.app.state.house)
