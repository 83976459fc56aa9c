"""The one page: what this is, and the figures, without any dossier or person in them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from api import problems
from api.away import away_is_said
from api.desk.paint import page
from api.desk.voice import Voice, chosen
from api.doors import house
from states import db
from states.errors import BadInput, HosoError
from states.figures.bieu06 import bieu06
from states.tongues import said

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
EARLIEST = date(1990, 1, 1)
LIMIT = "5s"  # anybody may ask for the figures: no question of theirs may hold the database up

From = Annotated[str, Query(alias="from", max_length=10)]
To = Annotated[str, Query(alias="to", max_length=10)]


@router.get("/")
async def home(request: Request, since: From = "", until: To = "") -> HTMLResponse:
    """The figures of the days from `from` to `to`, both included; of all days unless said."""
    voice = Voice(chosen(request))
    book, figures, refusal = None, None, None
    try:
        async with _reading(house(request).engine) as connection:
            book = await house(request).latest(connection)
            at = await _now(request, connection)
            figures = await bieu06(connection, book, *_period(since, until, at, book.zone))
    except HosoError as error:
        refusal = error
    status = problems.STATUS[problems.kind_of(refusal)] if refusal else 200
    return page(
        request,
        "home.html",
        status,
        name=lambda what: voice.say(what.name.vi, what.name.en),
        book=book,
        figures=figures,
        fault=refusal and said(refusal.sentence, voice.language),
        wrong_days=status == 422,
        since=since,
        until=until,
        as_of=book and figures and f"{figures.until.astimezone(book.zone):%d/%m/%Y %H:%M}",
        address=str(request.base_url).rstrip("/"),
        prefect_ui=house(request).prefect_ui,
    )


@asynccontextmanager
async def _reading(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    with away_is_said():
        async with db.transaction(engine) as connection:
            await connection.execute(sa.text(f"SET LOCAL statement_timeout = '{LIMIT}'"))
            yield connection


async def _now(request: Request, connection: AsyncConnection) -> datetime:
    if (clock := house(request).clock) is not None:
        return clock()
    told: datetime = (await connection.execute(sa.select(sa.func.now()))).scalar_one()
    return told


def _period(first: str, last: str, at: datetime, zone: tzinfo) -> tuple[datetime | None, datetime]:
    """Local days, both included, as a half-open period that does not reach beyond now."""
    since = _midnight(_day(first), zone) if first else None
    until = at
    if last and (day := _day(last)) < at.astimezone(zone).date():
        until = _midnight(day + timedelta(days=1), zone)
    if since is not None and since >= until:
        raise BadInput("the period ends before it begins, or has not begun yet")
    return since, until


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadInput("'{text}' is not a day: write it as in 2023-12-31", text=text) from None
    if day < EARLIEST:
        raise BadInput("no dossier is from before {earliest}", earliest=EARLIEST)
    return day


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)
