"""An address at which there is nothing: who came by a browser reads a page."""

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from api import problems
from api.desk import paint
from api.desk.leaf import SENT
from api.problems import NoSuchAddress
from states.errors import HosoError


async def on_http(request: Request, error: Exception) -> Response:
    """As `problems` has it, but for a page that is not there."""
    by_browser = "text/html" in request.headers.get("accept", "")
    lost = isinstance(error, HTTPException) and error.status_code == 404
    if lost and by_browser and not request.url.path.startswith("/v1/"):
        refusal = NoSuchAddress("nothing is at this address: check it, or begin at the first page")
        return paint.refused(request, refusal)
    return await problems.on_http(request, error)


def too_often(request: Request, error: HosoError) -> Response:
    """Said to somebody at a page as a page, and to a program as to programs."""
    by_page = "text/html" in request.headers.get("accept", "") or SENT in request.headers
    if not by_page or request.url.path.startswith("/v1/"):
        return problems.answer(request, error)
    answer = paint.refused(request, error)
    answer.headers["Retry-After"] = str(getattr(error, "after", 60))
    return answer


def add_to(app: FastAPI) -> None:
    app.add_exception_handler(HTTPException, on_http)
