"""The one page: what this is, and the figures, without any dossier or person in them."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from api import problems
from api.doors import At, House, Language, Shelf, Speaks, house
from api.problems import Away, away_is_said
from states import db
from states.catalogue import Catalogue
from states.errors import BadInput, HosoError
from states.figures.bieu06 import Bieu06, Row, bieu06

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
pages = Environment(
    loader=PackageLoader("api"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
EARLIEST = date(1990, 1, 1)
LIMIT = "5s"  # anybody may ask for the figures: no question of theirs may hold the database up
