"""The door for what is asked all day: it gives a handler what that asks for without the framework.

To find out anew with each request what a handler asks for takes the framework a tenth of a move.
Here it is found out once. The OpenAPI document is the framework's still, and so are the fields that
read the path and the body, with what they say of a fault.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from starlette.types import Receive, Scope, Send

from api.doors.hearing import Handler, is_json
from api.doors.opening import Door


class Straight(Door):
    """A route whose handler asks for the request, for parts of the path, for a body that may be
    left out, and for what wants nothing but the request itself; it gives a whole `Response`.
    """

    def __init__(self, path: str, *given: Any, **more: Any) -> None:
        super().__init__(path, *given, **more)
        self.handler = self.get_route_handler()

    def answering(self) -> Handler:
        return _straight(self.dependant)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What is raised is answered where the application answers all that is."""
        if scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        response = await self.handler(Request(scope, receive, send))
        await response(scope, receive, send)


def _straight(of: Dependant) -> Handler:
    """Raises `TypeError` for a handler that asks for more than it would be given here."""
    if beyond := sorted(_beyond(of)):
        raise TypeError(f"a straight route cannot give {', '.join(beyond)}: make it a Door")
    call: Any = of.call
    asks: list[tuple[str | None, Any]] = [(each.name, each.call) for each in of.dependencies]

    async def handle(request: Request) -> Response:
        given: dict[str, Any] = {}
        for name, ask in asks:
            found = await ask(request)
            if name is not None:
                given[name] = found
        given |= await _read(request, of)
        if of.request_param_name is not None:
            given[of.request_param_name] = request
        response: Response = await call(**given)
        return response

    return handle


async def _read(request: Request, of: Dependant) -> dict[str, Any]:
    """What the path and the body say. Raises `RequestValidationError`, of both at once."""
    given, wrong = dict[str, Any](), list[Any]()
    for field in of.path_params:
        loc = ("path", field.alias)
        given[field.name], found = field.validate(request.path_params[field.alias], loc=loc)
        wrong += found
    body = await request.body()
    said = await request.json() if body and is_json(request) else body or None
    for field in of.body_params:
        if said is None:
            given[field.name] = field.default
            continue
        given[field.name], found = field.validate(said, loc=("body",))
        wrong += found
    if wrong:
        raise RequestValidationError(wrong)
    return given


def _beyond(of: Dependant) -> Iterator[str]:
    """What would be asked for in vain."""
    for each in (of, *of.dependencies):
        yield from (f.alias for f in (*each.query_params, *each.header_params, *each.cookie_params))
    for each in of.dependencies:
        yield from (f.alias for f in (*each.path_params, *each.body_params))
        yield from (str(inner.name) for inner in each.dependencies)
    yield from (f.alias for f in of.body_params[1:])
    yield from (f.alias for f in of.body_params if f.field_info.is_required())
    yield from filter(None, (of.response_param_name, of.background_tasks_param_name))
