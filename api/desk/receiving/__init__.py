"""Receiving at a counter: the procedure, the form, and what is given to the citizen."""

from fastapi import APIRouter

from api.desk.receiving import choosing, filling, received

router = APIRouter()
for part in (choosing.router, filling.known, filling.router, received.router):
    router.include_router(part)
