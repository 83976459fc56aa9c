"""Errors as RFC 9457 problem documents: one shape for ours, the framework's and the unexpected."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
import structlog
from asyncpg import PostgresError
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from api.rates import TooMany
from api.spoken import TITLES, liked
from states import errors
from states.accounts.refusals import (
    AccountExists,
    NoAccount,
    NotVouched,
    OutOfScope,
    PasswordDue,
    ProviderAway,
    SessionEnded,
    WeakPassword,
    WrongCredentials,
    WrongPassword,
)
from states.breaches.explaining import NotNow
from states.catalogue.rights import NoRight, NotAllowed
from states.clock.words import Lang
from states.db import LOST, WrongSchema
from states.files.refusals import FileTooLarge, NotTaken, Spoilt, StoreAway
from states.ledger.bulk import NotTogether
from states.ledger.outbox import OtherServer
from states.notices.listing import NotDead
from states.people import NotHeld
from states.words import Event

log = structlog.get_logger()


class Unidentified(errors.HosoError):
    """It was not said, or not proved, who asks."""


class Invalid(errors.HosoError):
    """The request is not as the OpenAPI document describes it."""


class UnknownEvent(Invalid):
    """The lifecycle has no such event."""


class NoSuchAddress(errors.HosoError):
    """There is nothing at this address."""


class NoSuchMethod(errors.HosoError):
    """The address does not take this method."""


class TooLarge(errors.HosoError):
    """The body is larger than 1 MB."""


class TooSlow(errors.HosoError):
    """The body did not come in time."""


class Away(errors.HosoError):
    """The database does not answer."""


class Broken(errors.HosoError):
    """Something failed inside, and was logged under the id of this request."""


# The only place where an error has a number. Names of classes make the types: they are promises.
STATUS: dict[type[errors.HosoError], int] = {
    Unidentified: 401,
    WrongCredentials: 401,
    SessionEnded: 401,
    NotVouched: 401,
    NotHeld: 403,
    PasswordDue: 403,
    OutOfScope: 403,
    NoAccount: 403,
    NoRight: 403,
    errors.NotYours: 403,
    errors.Unknown: 404,
    NoSuchAddress: 404,
    NoSuchMethod: 405,
    TooSlow: 408,
    errors.NotOpen: 409,
    NotAllowed: 409,
    NotNow: 409,
    NotTogether: 409,
    NotDead: 409,
    AccountExists: 409,
    errors.Stale: 409,  # 412 to whoever sent If-Match
    TooLarge: 413,
    FileTooLarge: 413,
    NotTaken: 415,
    errors.BadInput: 422,
    errors.BadFile: 422,
    errors.KeyReused: 422,
    WeakPassword: 422,
    WrongPassword: 422,
    Invalid: 422,
    UnknownEvent: 422,
    TooMany: 429,
    Broken: 500,
    Spoilt: 500,
    WrongSchema: 503,
    OtherServer: 503,
    Away: 503,
    StoreAway: 503,
    ProviderAway: 503,
    errors.Outdated: 503,
}
LONGEST = 2000  # characters of a detail: it may quote what was sent
BUSY = {"08", "40", "53", "55", "57"}  # SQLSTATE classes that say: not now


class Refused(Exception):
    """A refusal together with what helps the one refused, such as the present state."""

    def __init__(self, error: errors.HosoError, **facts: Any) -> None:
        super().__init__(str(error))
        self.error, self.facts = error, facts


class Problem(BaseModel):
    """A problem document (RFC 9457); some types have further members."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "/problems/not-open",
                    "title": "The lifecycle has no such move from here",
                    "status": 409,
                    "detail": "deliver is not open: the dossier is processing",
                    "instance": "/v1/dossiers/H42.14-240304-0001/events/deliver",
                    "request_id": "3f1c9a52e07b44d8",
                }
            ]
        },
    )

    type: str = Field(description="Stable: what a program reads.")
    title: str
    status: int
    detail: str
    instance: str
    request_id: str


PROBLEM = "#/components/schemas/Problem"
DOCUMENTED: dict[int | str, dict[str, Any]] = {
    status: {
        "description": HTTPStatus(status).phrase,
        "content": {"application/problem+json": {"schema": {"$ref": PROBLEM}}},
    }
    for status in sorted({*STATUS.values(), 412})
}


def name(kind: type[errors.HosoError]) -> str:
    """`NotOpen` is `not-open`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind.__name__).lower()


def kind_of(error: errors.HosoError) -> type[errors.HosoError]:
    """The nearest kind that has a number."""
    return next((kind for kind in type(error).__mro__ if kind in STATUS), Broken)


def said(error: errors.HosoError) -> dict[str, Any]:
    """What a problem document says of an error, whichever request it is of."""
    kind = kind_of(error)
    return {
        "type": f"/problems/{name(kind)}",
        "title": (kind.__doc__ or "").partition("\n")[0].rstrip("."),
        "status": STATUS[kind],
        "detail": str(error)[:LONGEST],
    }


def answer(request: Request, error: errors.HosoError, **facts: Any) -> JSONResponse:
    kind = kind_of(error)
    status = STATUS[kind]
    if kind is errors.Stale and "if-match" in request.headers:
        status = 412
    headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "2"}}.get(status, {})
    if isinstance(error, TooMany):
        headers = {"Retry-After": str(error.after)}
    problem = said(error) | {
        "status": status,
        "instance": quote(request.scope["path"]),
        "request_id": request.state.request_id,
    }
    if liked(request.headers.get("accept-language", "")) is Lang.vi:
        problem["title"] = TITLES[name(kind)]
    return JSONResponse(problem | facts, status, headers, "application/problem+json")


@contextmanager
def away_is_said() -> Iterator[None]:
    """Turn what the driver raises when the database is out of reach into `Away`."""
    try:
        yield
    except LOST as error:
        if not _is_away(error):
            raise
        log.warning("database.away", why=type(error).__name__, said=first_line(error))
        raise Away(
            "the database does not answer: try again soon, and send the same Idempotency-Key, for"
            " what was asked may have been written"
        ) from error


def _is_away(error: Exception) -> bool:
    if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
        return True
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    if isinstance(error, PostgresError | sa.exc.DBAPIError):
        return str(state)[:2] in BUSY
    return True


def first_line(error: Exception) -> str:
    """Without the statement's parameters, which may be about a person."""
    lines = str(getattr(error, "orig", error)).splitlines()
    return lines[0][:200] if lines else ""


# Handlers ---------------------------------------------------------------------------------


async def on_ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.HosoError)
    return answer(request, error)


async def on_refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    return answer(request, error.error, **error.facts)


async def on_invalid(request: Request, error: Exception) -> JSONResponse:
    """Where it was wrong and what was expected; what was sent is not sent back."""
    assert isinstance(error, RequestValidationError)
    wrong = [
        {"where": ".".join(str(part) for part in each["loc"])[:200], "what": each["msg"]}
        for each in error.errors()[:20]
    ]
    if any(each["where"] == "path.event" for each in wrong):
        events = list(Event)
        said = f"there is no such event: the lifecycle has {', '.join(events)}"
        return answer(request, UnknownEvent(said), events=events)
    said = "; ".join(f"{each['where']}: {each['what']}" for each in wrong[:3])
    return answer(request, Invalid(said), errors=wrong)


async def on_http(request: Request, error: Exception) -> JSONResponse:
    """What the framework refuses before a handler is asked."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        refusal: errors.HosoError = NoSuchAddress("look the address up in /openapi.json")
    elif error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "none")
        refusal = NoSuchMethod(f"{request.method} is not taken here: allowed is {allowed}")
    elif error.status_code == 413:
        refusal = TooLarge()
    else:
        refusal = Invalid(str(error.detail))
    response = answer(request, refusal)
    response.headers.update(error.headers or {})
    return response


def add_to(app: FastAPI) -> None:
    app.add_exception_handler(errors.HosoError, on_ours)
    app.add_exception_handler(Refused, on_refused)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
