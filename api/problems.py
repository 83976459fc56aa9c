"""Errors as RFC 9457 problem documents: one shape for ours, the framework's and the unexpected."""

import re
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from api.browser import FromElsewhere
from api.rates import TooMany
from api.spoken import spoken, throughout
from states import errors, tongues
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
from states.db import WrongSchema
from states.faults import fault
from states.figures.freezing import AlreadyFrozen
from states.files.refusals import FileTooLarge, NotTaken, Spoilt, StoreAway
from states.ledger.bulk import NotTogether
from states.ledger.outbox import OtherServer
from states.notices.listing import NotDead
from states.people import NotHeld
from states.sentences import joined
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
    FromElsewhere: 403,
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
    AlreadyFrozen: 409,
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


def said(error: errors.HosoError, language: Lang) -> dict[str, Any]:
    """What a problem document says of an error, whichever request it is of."""
    kind = kind_of(error)
    return {
        "type": f"/problems/{name(kind)}",
        "title": tongues.said(errors.summary(kind), language).rstrip("."),
        "status": STATUS[kind],
        "detail": tongues.said(error.sentence, language)[:LONGEST],
    }


def answer(request: Request, error: errors.HosoError, **facts: Any) -> JSONResponse:
    kind = kind_of(error)
    status = STATUS[kind]
    if kind is errors.Stale and "if-match" in request.headers:
        status = 412
    headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "2"}}.get(status, {})
    if isinstance(error, TooMany):
        headers = {"Retry-After": str(error.after)}
    language = spoken(request)
    headers["Content-Language"] = language
    problem = said(error, language) | {
        "status": status,
        "instance": quote(request.scope["path"]),
        "request_id": request.state.request_id,
    }
    problem |= throughout(facts, language)
    return JSONResponse(problem, status, headers, "application/problem+json")


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
    refusal, wrong = refusal_of(error), _wrong(error)
    if isinstance(refusal, UnknownEvent):
        return answer(request, refusal, events=list(Event))
    return answer(request, refusal, errors=wrong)


def refusal_of(error: RequestValidationError) -> Invalid:
    """What the framework found, as one of ours."""
    wrong = _wrong(error)
    if any(each["where"] == "path.event" for each in wrong):
        return UnknownEvent(
            "there is no such event: the lifecycle has {events}", events=list(Event)
        )
    return Invalid(joined(joined((each["where"], each["what"]), ": ") for each in wrong[:3]))


def _wrong(error: RequestValidationError) -> list[dict[str, Any]]:
    return [
        {"where": ".".join(map(str, each["loc"]))[:200], "what": fault(each)}
        for each in error.errors()[:20]
    ]


async def on_http(request: Request, error: Exception) -> JSONResponse:
    """What the framework refuses before a handler is asked."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        refusal: errors.HosoError = NoSuchAddress("look the address up in /openapi.json")
    elif error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "none")
        if "GET" in allowed.split(", "):
            allowed += ", HEAD"  # as `api.envelope` has it
            error.headers = {**(error.headers or {}), "Allow": allowed}
        refusal = NoSuchMethod(
            "{method} is not taken here: allowed is {allowed}",
            method=request.method,
            allowed=allowed,
        )
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
