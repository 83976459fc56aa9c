"""The API as one application: what it holds, what it answers, what is round each answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib.resources import files
from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import Receive, Scope, Send

from api import (
    accounts,
    alerts,
    breach_audit,
    breaches,
    bulk,
    components,
    consultations,
    dossiers,
    finding,
    forms,
    home,
    imports,
    live,
    logs,
    metrics,
    notices,
    openapi,
    problems,
    reporting,
    reports,
    suspicions,
    tracking,
)
from api.away import away_is_said
from api.catalogue import calendars, organisation, procedures
from api.desk import every as desk
from api.desk import lost
from api.doors import House, house
from api.dossiers import proofs
from api.envelope import Envelope
from api.rates import Limited, Rates
from config import log
from config.secret import secret
from config.settings import Settings
from config.settings import settings as from_environment
from states import db
from states.accounts.trying import Trial
from states.catalogue import Catalogue
from states.catalogue.bundles import Latest
from states.db import WrongSchema
from states.errors import HosoError
from states.ledger import outbox
from states.sentences import NONE

PATIENCE = 3  # seconds in which a database that is there answers

DESCRIPTION = """
Dossiers of one-stop public-service counters: opened, moved along their lifecycle, and read with the
working of each deadline.

Whose token or key it is acts; `Hoso-Role` says in what capacity where they hold several,
`Hoso-For` for which agency a postal clerk does. A write may carry an `Idempotency-Key`, and a move
`If-Match` with the `ETag` that was seen: send both whenever an answer could be lost or somebody
else could be first. Every error is a problem document (RFC 9457) whose `type` is stable.
"""


ROUTERS = (
    finding.router,  # before the dossiers: "search" is no code
    dossiers.router,
    proofs.router,
    forms.router,
    accounts.router,
    procedures.router,
    calendars.router,
    organisation.router,
    components.router,
    consultations.router,
    bulk.router,
    breach_audit.router,  # before them: "groups" is no code
    breaches.router,
    suspicions.router,
    alerts.router,
    notices.router,
    logs.router,  # before the reports: "log" is none of their names
    reports.router,  # before any report: "frozen" is none
    reporting.router,
    imports.router,
    live.router,
    tracking.router,
    *desk.ROUTERS,
    home.router,
)


class Packed(GZipMiddleware):
    """Pages and what they are made of go compressed; no page holds a secret that one could guess
    by how well it packs. What programs ask for goes as it is: they have the bandwidth.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith("/v1"):
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send)


class Assets(StaticFiles):
    """What pages are made of. An address that says which version it wants is good for ever."""

    def file_response(self, *given: Any, **more: Any) -> Response:
        response, scope = super().file_response(*given, **more), given[2]
        if scope["query_string"].startswith(b"v="):
            response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


class Health(BaseModel):
    """That it is there."""

    status: str = "ok"


def create_app(
    settings: Settings | None = None,
    book: Catalogue | None = None,
    *,
    prefect_ui: str | None = None,
    trial: Trial | None = None,
) -> FastAPI:
    """The application. Migrations are not its business. `prefect_ui` is an address to show,
    `trial` who may come in for a trial.

    Without arguments it reads the environment, which is how `uvicorn --factory` starts several.
    """
    if settings is None:  # nobody has set up what is logged, either
        settings = from_environment()
        log.configure(settings.log_format)
    if settings.database is None:
        raise HosoError("the API needs a database: set HOSO_DATABASE, or start it by `hoso up`")
    given, database = settings, settings.database

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.house = House(
            settings=given,
            engine=db.engine(database),
            latest=Latest(book),
            secret=secret(given),
            prefect_ui=prefect_ui or None,
            trial=trial,
        )
        try:
            async with live.open_to_listeners(app.state.house):
                yield
        finally:
            await app.state.house.engine.dispose()

    app = FastAPI(
        title="Hồ Sơ",
        version="1",
        description=DESCRIPTION,
        openapi_tags=openapi.TAGS,
        generate_unique_id_function=openapi.operation_id,
        lifespan=lifespan,
        docs_url=None,  # both pages load their scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # it would send callers to whatever host they named
    )
    app.add_middleware(Packed, minimum_size=600, compresslevel=5)
    app.add_middleware(Limited, rates=Rates(settings.calls), refuse=lost.too_often)
    app.add_middleware(Envelope)
    metrics.add_to(app)
    problems.add_to(app)
    lost.add_to(app)
    openapi.add_to(app)
    app.router.routes.extend(dossiers.moving.routes)  # as it is: in a router it is looked for twice
    for each in ROUTERS:
        app.include_router(each)
    app.mount("/static", Assets(packages=[("api", "static")]), name="static")
    app.get("/health", tags=["operation"])(health)
    app.get("/ready", tags=["operation"], responses={503: problems.DOCUMENTED[503]})(ready)
    return app


async def health() -> Health:
    """The process is up."""
    return Health()


async def ready(request: Request) -> Health:
    """The database answers and has the schema that this version knows."""
    with away_is_said():
        async with asyncio.timeout(PATIENCE), db.transaction(house(request).engine) as conn:
            found = None
            if await conn.scalar(sa.text("SELECT to_regclass('alembic_version')")) is not None:
                found = await conn.scalar(sa.text("SELECT version_num FROM alembic_version"))
            if found == (known := await asyncio.to_thread(newest)):
                await outbox.counted_on(conn)
                return Health()
    raise WrongSchema(
        "the database has schema {found}, not {known}: see `hoso migrate`",
        found=found or NONE,
        known=known,
    )


@cache
def newest() -> str | None:
    """The schema's revision that this version knows."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(files("states") / "migrations")).get_current_head()
