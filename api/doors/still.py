"""The door for answers that several statements read: all of them see one moment of the database."""

import sqlalchemy as sa
from fastapi import Request, Response

from api.doors.hearing import Handler
from api.doors.opening import Door
from api.problems import Away

UNLIKE = "40001"  # what the transaction writes, another wrote since its moment


class Still(Door):
    """A route that only reads, in a transaction at REPEATABLE READ: what is committed meanwhile
    changes nothing of the answer.
    """

    still = True

    def get_route_handler(self) -> Handler:
        return _again(super().get_route_handler())


def _again(handler: Handler) -> Handler:
    """That a key is in use is written once a day: of two requests then, one begins anew."""

    async def handle(request: Request) -> Response:
        try:
            return await handler(request)
        except Away as away:
            if not _unlike(away.__cause__):
                raise
        return await handler(request)

    return handle


def _unlike(error: BaseException | None) -> bool:
    return isinstance(error, sa.exc.DBAPIError) and (
        getattr(error.orig, "sqlstate", None) == UNLIKE
    )
