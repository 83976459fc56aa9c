"""Many moves in one request: each with its own result, or all of them together.

A hundred are one transaction. None is open while the request goes on from one hundred to the next,
and what was moved before something failed stays moved and is told.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from api.away import away_is_said
from api.doors import ActsFor, At, House, InRole, Signed, house, needs
from api.doors.hearing import Handler, heard
from api.doors.opening import CARRIES, by, digest, given_again, key_of, named, opened
from api.dossiers.shapes import Asked
from api.listed import PLAIN
from api.problems import DOCUMENTED, Refused, said
from api.spoken import spoken
from states import answers, people
from states.accounts.scopes import Scope
from states.answers import Kept
from states.clock.words import Lang
from states.db import transaction
from states.errors import HosoError
from states.files import attaching
from states.ledger import Act
from states.ledger.acts import by_a_change
from states.ledger.bulk import NotTogether, Told, Wanted, derived, move_each, move_together
from states.people import Caller
from states.sight import sight
from states.words import Event, Role, State

MOST = 1_000  # moves of a request
HUNDRED = 100  # of them in one transaction


# What goes in and out ---------------------------------------------------------------------


class Move(Asked):
    """One move. `seq`: of the dossier as it was seen. `key`: of this move alone."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"code": "H42.14-230103-0001", "event": "deliver"}]}
    )

    code: Annotated[str, Field(max_length=200, pattern=PLAIN)]
    event: Event
    seq: Annotated[int, Field(strict=True, ge=1, le=10**9)] | None = None
    key: Annotated[str, Field(max_length=200, pattern=r"^[\x21-\x7e]+$")] | None = None


class Moves(BaseModel):
    """Moves in the order in which they are to be made."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "moves": [
                        {"code": "H42.14-230103-0001", "event": "deliver", "seq": 9},
                        {"code": "H42.14-230103-0002", "event": "deliver"},
                    ],
                    "together": False,
                }
            ]
        },
    )

    moves: Annotated[list[Move], Field(min_length=1, max_length=MOST)]
    together: bool = Field(
        default=False,
        strict=True,
        description="All of them in one transaction, or none of them (409).",
    )


class Why(BaseModel):
    """Why a move was refused, as a problem document says it of one alone."""

    type: str
    title: str
    status: int
    detail: str


class Result(BaseModel):
    """What became of one move. `state`, `seq`: as the dossier stands after it, or stands still."""

    n: int = Field(description="Its place in the request, from 0.")
    code: str
    status: Literal["done", "refused"]
    state: State | None = Field(description="None where there is no such dossier for the caller.")
    seq: int | None
    problem: Why | None


class Results(BaseModel):
    """What became of the moves, in the order in which they were sent."""

    done: int
    refused: int
    results: list[Result]


# The route --------------------------------------------------------------------------------


class Hundreds(APIRoute):
    """A route whose work takes several transactions, of which none waits for another."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        super().__init__(path, endpoint, **(given | {"openapi_extra": {"parameters": CARRIES[:1]}}))

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            named(request)
            request = await self.hear(request)
            key = key_of(request)
            asked = digest(request, await request.body())
            async with opened(request, key) as (_, arrival):
                if key and arrival.who:
                    asked = by(arrival.who, asked)
                    if arrival.kept is not None:
                        return given_again(answers.same(arrival.kept, key, asked))
            response = await handler(request)
            if key and arrival.who and getattr(request.state, "whole", False):
                return await _keep(request, response, arrival.who.person, key, asked)
            return response

        return handle

    async def hear(self, request: Request) -> Request:
        """The request with what was sent, read once."""
        return await heard(request)


async def _keep(
    request: Request, response: Response, person: str, key: str, asked: bytes
) -> Response:
    """Keep the answer; of two at once, both get the first that was kept."""
    headers = {"content-type": response.headers["content-type"]}
    mine = Kept(asked, response.status_code, headers, bytes(response.body))
    async with opened(request) as (db, _):
        if await answers.keep(db, person, key, mine):
            return response
    async with opened(request, key) as (_, arrival):
        kept = answers.same(arrival.kept, key, asked) if arrival.kept else mine
    return given_again(kept)


router = APIRouter(
    prefix="/v1/moves", tags=["dossiers"], route_class=Hundreds, responses=DOCUMENTED
)


@router.post("", dependencies=[needs(Scope.dossiers_write)])
async def move_dossiers(
    request: Request,
    asked: Moves,
    signed: Signed,
    at: At,
    hoso_role: InRole = None,
    hoso_for: ActsFor = None,
) -> Results:
    """Move up to 1,000 dossiers, in the order in which they are named, by the rules for one.

    Each move has its own result, and a refusal is no hindrance to the others; a hundred are one
    transaction. Where the database fails midway, the rest is refused with `/problems/away`: send
    the same again with the same `Idempotency-Key`, and what was done is not done twice.
    """
    key = request.headers.get("idempotency-key")
    bulk = Bulk(house(request), signed.person, hoso_role, hoso_for, at, key, spoken(request))
    if asked.together:
        told = await bulk.together(asked.moves)
    else:
        told = await bulk.by_hundreds(asked.moves)
    request.state.whole = bulk.whole
    results = [_result(n, each, bulk.language) for n, each in enumerate(told)]
    done = sum(each.status == "done" for each in results)
    return Results(done=done, refused=len(results) - done, results=results)


@dataclass(slots=True)
class Bulk:
    """Who asks, and by what key."""

    house: House
    person: str
    role: Role | None
    acts_for: str | None
    at: datetime
    key: str | None
    language: Lang
    whole: bool = True  # whether all moves were judged

    async def by_hundreds(self, moves: Sequence[Move]) -> list[Told]:
        """What was done stays done when something fails later: the rest is told why."""
        told: list[Told] = []
        for start in range(0, len(moves), HUNDRED):
            try:
                told += (await self._told(moves[start : start + HUNDRED], start))[0]
            except HosoError as error:
                if not start:
                    raise
                self.whole = False
                return told + [Told(each.code, refused=error) for each in moves[start:]]
        return told

    async def together(self, moves: Sequence[Move]) -> list[Told]:
        """Raises `NotTogether`, with all that was refused."""
        told, made = await self._told(moves, together=True)
        if made:
            return told
        refused = [
            _result(n, each, self.language)
            for n, each in enumerate(told)
            if each.refused is not None
        ]
        raise Refused(
            NotTogether(
                "{refused} of {told} moves are refused, so none was made",
                refused=len(refused),
                told=len(told),
            ),
            results=[each.model_dump(mode="json") for each in refused],
        )

    async def _told(
        self, moves: Sequence[Move], start: int = 0, *, together: bool = False
    ) -> tuple[list[Told], bool]:
        """One transaction; who asks and what they may see is asked in it anew."""
        with away_is_said():
            async with transaction(self.house.engine) as db:
                book = await self.house.latest(db)
                who = people.caller(book, self.person, self.role, self.acts_for, book.day(self.at))
                wanted = [
                    Wanted(each.code, self._act(who, each, n))
                    for n, each in enumerate(moves, start)
                ]

                def why_not(paper: Any, event: Event) -> str | None:
                    right = people.may(book, who, paper.agency, paper.unit, paper.field)
                    return right or by_a_change(event)

                seen, bringing = sight(book, who).where(), None
                if any(attaching.takes_files(each.act) for each in wanted):
                    bringing = partial(attaching.bringing, db, book)
                if together:
                    return await move_together(db, book, wanted, why_not, seen, bringing)
                return await move_each(db, book, wanted, why_not, seen, bringing), True

    def _act(self, who: Caller, move: Move, n: int) -> Act:
        return Act(
            event=move.event,
            actor=who.person.id,
            role=who.role,
            at=self.at,
            payload=move.payload,
            on_behalf_of=who.acts_for,
            reason=move.reason,
            ground=move.ground,
            key=move.key or (derived(self.key, n) if self.key else None),
            seq=move.seq,
        )


def _result(n: int, told: Told, language: Lang) -> Result:
    refused, paper = told.refused, told.paper
    return Result(
        n=n,
        code=told.code,
        status="done" if refused is None else "refused",
        state=paper and paper.state,
        seq=paper and paper.seq,
        problem=None if refused is None else Why.model_validate(said(refused, language)),
    )
