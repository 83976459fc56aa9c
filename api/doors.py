"""What a handler may ask for: `Db`, a transaction; `Shelf`, the catalogue; `Who`, the caller; `At`.

Accounts will replace the token and the headers here, and no handler will notice.
"""

import base64
import hmac
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, cast

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from api.problems import Unidentified, away_is_said
from states import db, people
from states.catalogue import Catalogue
from states.catalogue.bundles import Latest
from states.clock.words import Lang
from states.errors import HosoError
from states.people import Caller
from states.words import Role

TOKEN = "api-token"  # noqa: S105  the name of a file
SHORTEST = 32  # characters of a token


@dataclass(frozen=True, slots=True)
class House:
    """What a process holds for all its requests."""

    engine: AsyncEngine
    latest: Latest
    token: bytes
    prefect_ui: str | None


def house(request: Request) -> House:
    return cast("House", request.app.state.house)


def token(folder: Path) -> bytes:
    """The token that opens the API, made at the first start and readable by its owner only."""
    path = folder / TOKEN
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder) as new:  # its mode is 0600 from the start
            new.write(base64.urlsafe_b64encode(secrets.token_bytes(32)) + b"\n")
            new.flush()
            with suppress(FileExistsError):  # another process was first: theirs is the token
                path.hardlink_to(new.name)
    found = path.read_bytes().strip()
    if len(found) < SHORTEST:
        raise HosoError(f"{path} holds no token: delete it, and the next start makes a new one")
    return found


# Db ---------------------------------------------------------------------------------------


async def transaction(request: Request) -> AsyncIterator[AsyncConnection]:
    """One request, one transaction."""
    with away_is_said():
        async with db.transaction(house(request).engine) as connection:
            yield connection


# Scope "function": the commit comes before the answer, so an answer is never of what was not kept.
Db = Annotated[AsyncConnection, Depends(transaction, scope="function")]


# Shelf ------------------------------------------------------------------------------------


async def catalogue(request: Request, db: Db) -> Catalogue:
    """As it is published in this very transaction."""
    return await house(request).latest(db)


Shelf = Annotated[Catalogue, Depends(catalogue)]


# At ---------------------------------------------------------------------------------------


async def now() -> datetime:
    return datetime.now(UTC)


At = Annotated[datetime, Depends(now)]


# Who --------------------------------------------------------------------------------------

bearer = HTTPBearer(auto_error=False, description=f"The token in the data folder's `{TOKEN}`.")


async def admitted(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
) -> None:
    """Only with the token."""
    if given is None:
        raise Unidentified(f"send Authorization: Bearer with the token in the file {TOKEN}")
    if not hmac.compare_digest(given.credentials.encode(), house(request).token):
        raise Unidentified(f"this is not the token: read it again in the file {TOKEN}")


async def calling(
    book: Shelf,
    at: At,
    hoso_person: Annotated[
        str | None, Header(max_length=80, description="Id of the person who acts.")
    ] = None,
    hoso_role: Annotated[
        Role | None, Header(description="In what role; needed by whoever holds several.")
    ] = None,
    hoso_for: Annotated[
        str | None, Header(max_length=40, description="The agency a postal clerk acts for.")
    ] = None,
) -> Caller:
    if hoso_person is None:
        raise Unidentified("send Hoso-Person with the id of the person who acts")
    return people.caller(book, hoso_person, hoso_role, hoso_for, book.day(at))


Who = Annotated[Caller, Depends(calling)]


# The reader's language --------------------------------------------------------------------


async def language(accept_language: Annotated[str, Header(max_length=200)] = "") -> Lang:
    """The better liked of Vietnamese and English; Vietnamese when neither is (RFC 9110 §12.5.4)."""
    liked: dict[Lang, float] = {}
    for part in accept_language.lower().split(","):
        tag, _, weight = part.partition(";q=")
        known = tag.strip().split("-")[0]
        if known in set(Lang):
            liked.setdefault(Lang(known), _weight(weight))
    return Lang.en if liked.get(Lang.en, 0) > liked.get(Lang.vi, 0) else Lang.vi


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0


Speaks = Annotated[Lang, Depends(language)]
