"""The look of every page in one place: each class and macro at work, for who builds a page."""

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from api.accounts.signed import arrived
from api.desk.leaf import Open
from api.desk.paint import page
from api.desk.typed import Typed
from states.sentences import Sentence

router = APIRouter(
    route_class=Open,
    dependencies=[Depends(arrived)],
    include_in_schema=False,
    default_response_class=HTMLResponse,
)


@router.get("/design")
async def design(request: Request) -> Response:
    """Of nobody's data, so anybody may look."""
    form = Typed(
        {"applicant": ["Nguyễn Thị Ánh Nguyệt"], "citizen": ["0350123"], "ways": ["post"]},
        {"citizen": Sentence("wrong digits for this code")},
    )
    return page(request, "desk/design.html", form=form)
