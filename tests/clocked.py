"""The application at another time than now: `uvicorn --factory clocked:create_app`.

Its clock begins at HOSO_TEST_AT and goes on from there as clocks do.
"""

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from fastapi import FastAPI

from api import app as ours


def create_app() -> FastAPI:
    begun, at = time.monotonic(), datetime.fromisoformat(os.environ["HOSO_TEST_AT"])
    app = ours.create_app()
    starts = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with starts(app):
            app.state.house.clock = lambda: at + timedelta(seconds=time.monotonic() - begun)
            yield

    app.router.lifespan_context = lifespan
    return app
