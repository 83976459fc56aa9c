"""Public tracking: the one address that tells a dossier to somebody who has not signed in."""

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Path, Query, Request, Response

from api import rates
from api.doors import At, Db, Door, House, Shelf, Speaks, house
from api.listed import PLAIN
from api.problems import DOCUMENTED
from states import tracking
from states.clock.words import Lang
from states.errors import BadInput, Unknown
from states.tracking import Claim, Tracked

router = APIRouter(tags=["tracking"], route_class=Door, responses=DOCUMENTED)
SLIPS = "slip"  # what the key is for
LIMIT = "5s"  # anybody may ask: no question of theirs may hold the database up, or write
BOUNDED = sa.text(
    "SELECT set_config('transaction_read_only', 'on', true),"
    f" set_config('statement_timeout', '{LIMIT}', true)"
)

Code = Annotated[
    str,
    Path(
        max_length=200,
        pattern=PLAIN,
        description="As it is on the slip.",
        examples=["H42.14-240304-0001"],
    ),
]
Secret = Annotated[
    str | None,
    Query(
        max_length=20,
        description="The secret part on the slip; case and dashes say nothing.",
        examples=["7K3M-9QXD"],
    ),
]
Phone = Annotated[
    str | None,
    Query(
        pattern="^[0-9]{4}$",
        description="Instead of it, the last four digits of the telephone that was left.",
        examples=["4567"],
    ),
]
Language = Annotated[Lang | None, Query(description="Before what `Accept-Language` says.")]


def printed(of: House, code: str) -> str:
    """The secret part of a code, as the slip has it."""
    return tracking.grouped(tracking.secret_part(of.key(SLIPS), code))


async def proved(request: Request, db: Db, claim: Claim) -> int:
    """The id of the dossier that is claimed. Wrong proofs are counted against the code, whichever
    door they come by. Raises `Unknown` and `TooMany`.
    """
    tried = rates.WRONG if claim.digits is None else rates.WRONG_DIGITS
    with rates.of(request).tries(claim.code, tried, wrong=Unknown):
        return await tracking.prove(db, claim, house(request).key(SLIPS))


@router.get("/v1/track/{code}")
async def track_dossier(
    code: Code,
    request: Request,
    response: Response,
    book: Shelf,
    at: At,
    speaks: Speaks,
    db: Db,
    secret: Secret = None,
    phone: Phone = None,
    lang: Language = None,
) -> Tracked:
    """A dossier as its applicant is told of it: with the secret part on the slip, or the telephone.

    Whatever is wrong is answered in one way. Wrong digits of a code are few a day.
    """
    if (secret is None) == (phone is None):
        raise BadInput("send either secret or phone: one of them proves that the dossier is yours")
    await db.execute(BOUNDED)
    number = await proved(request, db, Claim(tracking.written(code), secret, phone))
    language = lang or speaks
    response.headers["Content-Language"] = language
    response.headers["X-Robots-Tag"] = "noindex"
    return await tracking.track(db, book, number, at, language)
