"""Where a command works: the database, and a Prefect server if one answers.

HOSO_DATABASE names the database, else it is the embedded one of the data folder. `hoso up` leaves a
note of its addresses in that folder, so that commands given beside it show in the same Prefect.
"""

import asyncio
import http.client
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import sqlalchemy as sa
import typer
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from config import log
from config.settings import BadSettings, Settings, settings
from states.db import LOST, engine, migrate, revision_fits, transaction
from states.errors import HosoError

NOTE = "up.json"

Data = Annotated[
    Path | None,
    typer.Option("--data", help="Folder of the embedded database. Default: HOSO_DATA, or yours."),
]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


class NothingHere(HosoError):
    """There is no data yet: start with `hoso up` or `hoso demo`."""


@dataclass(frozen=True, slots=True)
class Place:
    """Addresses of the databases, and the folder beside them."""

    data: Path
    database: str
    owner: str
    prefect_database: str | None  # None: Prefect is not ours to run


@contextmanager
def placed(data: Path | None, *, make: bool = False) -> Iterator[Place]:
    """The place of this command. `make`: begin one where there is none, and bring it up to date.

    Raises `NothingHere`, or what the embedded database raises for a folder that is not ours.
    """
    from states import embedded

    if data is not None:
        _turn_to(HOSO_DATA=str(data.expanduser().absolute()))
    told = _told()
    folder = told.data
    log.configure(told.log_format)
    if told.database is not None:
        yield _prepared(_named(folder, told), make=make)
        return
    if not make and not (folder / "postgres").exists():
        raise NothingHere(f"there is no data in {folder} yet: start with `hoso up` or `hoso demo`")
    with embedded.running(folder) as server:
        _turn_to(HOSO_DATABASE=server.application)
        place = Place(folder, server.application, server.owner, server.prefect)
        try:
            yield _prepared(place, make=make)
        finally:  # the server may end with us: who comes next in this process begins it again
            del os.environ["HOSO_DATABASE"]
            settings.cache_clear()


class NoAnswer(HosoError):
    """The database does not let us in."""


class Misset(HosoError):
    """A setting is wrong."""


def _told() -> Settings:
    """The settings. Raises `Misset`, a sentence for each that is wrong."""
    try:
        return settings()
    except BadSettings as error:
        raise Misset(str(error)) from None


def key_for(purpose: str) -> bytes:
    """The deployment's key for one purpose. Raises `Misset`."""
    from config.secret import key, secret

    try:
        return key(secret(_told()), purpose)
    except BadSettings as error:
        raise Misset(str(error)) from None


def _turn_to(**variables: str) -> None:
    """Settle a setting for this process and those it starts."""
    os.environ.update(variables)
    settings.cache_clear()


def _named(folder: Path, told: Settings) -> Place:
    assert told.database is not None and told.database_owner is not None  # noqa: PT018  one fact
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Place(folder, told.database, told.database_owner, None)


def _prepared(place: Place, *, make: bool) -> Place:
    """Made to fit, or found to. Raises `NoAnswer`, `WrongSchema` and `OtherServer`."""
    prepare, address = (migrate, place.owner) if make else (revision_fits, place.database)
    try:
        prepare(address)
        asyncio.run((_seeded if make else _counted_on)(place.database))
    except LOST as error:
        where = make_url(address).render_as_string(hide_password=True)
        why = str(error).partition("\n")[0]
        raise NoAnswer(f"the database {where} does not let us in: {why}") from None
    return place


async def _seeded(address: str) -> None:
    """Publish the catalogue of a new database: the folder that is set, or the sample."""
    from states.catalogue import bundles

    async with transacted(address) as db:
        await bundles.seed(db, datetime.now(UTC), _told().catalogue)


async def _counted_on(address: str) -> None:
    """Raises `OtherServer`."""
    from states.ledger import outbox

    async with transacted(address) as db:
        await outbox.counted_on(db)


@asynccontextmanager
async def transacted(address: str, *, still: bool = False) -> AsyncIterator[AsyncConnection]:
    """One transaction, and no connection left behind however it ends.

    `still`: all its statements see the same, whatever others write meanwhile.
    """
    connections = engine(address, 1)
    try:
        async with transaction(connections) as db:
            if still:
                await db.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            yield db
    finally:
        await connections.dispose()


@contextmanager
def noted(place: Place, addresses: dict[str, str]) -> Iterator[None]:
    """Leave word of our addresses while we run."""
    note = place.data / NOTE
    note.write_text(json.dumps(addresses))
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def prefect_here(place: Place, *, waiting: bool = False) -> bool:
    """Turn this process to the Prefect server that runs for this place, if one answers; whether so.

    Without one a flow's work is done all the same, and leaves no run to look at. `waiting`: to one
    that does not answer yet, too, for who will ask it again and again.
    """
    from flows.server import environment

    if (api := _prefect_of(place)) is None:
        return False
    there = _answers(api)
    if there or waiting:
        os.environ.update(environment(api, place.data / "prefect"))
    return there


def _prefect_of(place: Place) -> str | None:
    """The address of its Prefect server: the one that is set, else that of `hoso up`."""
    if (named := settings().prefect_api) is not None:
        return str(named)
    try:
        return str(json.loads((place.data / NOTE).read_text())["prefect"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _answers(api: str) -> bool:
    """Whether a server is there; a stranger at its address, who speaks otherwise, is none."""
    where = urlsplit(api)
    secure = where.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    asking = kind(where.hostname or "", where.port, timeout=2)
    try:
        asking.request("GET", f"{where.path.rstrip('/')}/health")
        return asking.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asking.close()
