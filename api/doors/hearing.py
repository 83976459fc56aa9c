"""What a request says, in one form: the one place where every text that comes in is looked at.

JSON is read so that it can be read in one way only: no name twice, no number that is none, no
nesting without an end. Every text in it, in the query and in the path is composed (NFC), and holds
nothing that cannot be kept or that shows otherwise than it is kept.
"""

import asyncio
import json
import re
import unicodedata
from collections.abc import Callable, Coroutine
from itertools import groupby
from math import isfinite
from typing import Any, NoReturn

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import QueryParams

from api.problems import Invalid, Refused, TooSlow

SENDING = 30  # seconds in which a body of 1 MB comes
DEEPEST = 32  # lists and objects in one another
LONGEST = 30_000  # bytes of a query
HEAPED = 30  # marks on one letter (Unicode's stream-safe text): more take ever longer to order
JSON = re.compile(r"application/([a-z0-9.+-]+\+)?json *(;.*)?", re.ASCII | re.IGNORECASE)
# NUL and half characters cannot be kept; what turns the direction of writing shows another text.
UNKEPT = re.compile("[\0\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
NO_LATIN = re.compile(f"[\u0300-\u1dff\u1f00-\U0010ffff]{{{HEAPED + 1},}}")

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Where = tuple[str | int, ...]


class Hearing(APIRoute):
    """A route that hears what was said, and opens no transaction."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await handler(await heard(request))

        return handle


class Heard(Request):
    """A request whose texts are in one form."""

    async def json(self) -> Any:
        if not hasattr(self, "_said"):
            self._said = read(await self.body())
        return self._said

    @property
    def query_params(self) -> QueryParams:
        if not hasattr(self, "_asked"):
            if len(self.scope["query_string"]) > LONGEST:
                refuse(("query",), f"may have {LONGEST:,} characters at most")
            raw = super().query_params.multi_items()
            plain = [(text(n, ("query",)), text(v, ("query", n))) for n, v in raw]
            self._asked = QueryParams(plain)
        return self._asked


async def heard(request: Request) -> Heard:
    """A request after its body came. Raises `Invalid` and `TooSlow`."""
    whole = named(request)
    try:
        async with asyncio.timeout(SENDING):
            body = await whole.body()
    except TimeoutError:
        raise TooSlow("send the whole of it within 30 seconds") from None
    if body and JSON.fullmatch(request.headers.get("content-type", "")):
        await whole.json()
    return whole


def named(request: Request) -> Heard:
    """A request by what its address says, before its body comes. Raises `Invalid`."""
    whole = Heard(request.scope, request.receive)
    path = whole.scope.get("path_params", {})
    whole.scope["path_params"] = {n: text(value, ("path", n)) for n, value in path.items()}
    _ = whole.query_params
    return whole


def read(body: bytes) -> Any:
    """What JSON says. Raises `Invalid`."""
    try:
        said = json.loads(body.decode(), object_pairs_hook=Pairs, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        refuse(("body", error.pos), f"is not JSON: {error.msg}")
    except RecursionError:
        refuse(("body",), f"may be {DEEPEST} deep at most")
    except ValueError:  # no UTF-8, an endless number
        refuse(("body",), "is not JSON in UTF-8 with numbers that there are")
    return _plain(said, ("body",))


class Pairs(list[tuple[str, Any]]):
    """An object before it is known whether it names anything twice."""


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _plain(said: Any, where: Where) -> Any:
    if isinstance(said, str):
        return text(said, where)
    if isinstance(said, float) and not isfinite(said):
        refuse(where, "must be a number that there is")
    if not isinstance(said, list):
        return said
    if len(where) > DEEPEST:
        refuse(where[:4], f"may be {DEEPEST} deep at most")
    if not isinstance(said, Pairs):
        return [_plain(each, (*where, n)) for n, each in enumerate(said)]
    plain = dict[str, Any]()
    for name, each in said:
        name = text(name, where)
        if name in plain:
            refuse((*where, name), "is said twice")
        plain[name] = _plain(each, (*where, name))
    return plain


def text(said: str, where: Where) -> str:
    """A text as it is kept, composed. Raises `Invalid`."""
    if said.isascii() and "\0" not in said:
        return said
    if found := UNKEPT.search(said):
        refuse(where, f"may not hold U+{ord(found[0]):04X}: it cannot be kept, or shows other text")
    if any(map(_heaped, NO_LATIN.findall(said))):
        refuse(where, f"may not heap more than {HEAPED} marks on a letter")
    return unicodedata.normalize("NFC", said)


def _heaped(run: str) -> bool:
    return any(
        marks and sum(1 for _ in run) > HEAPED
        for marks, run in groupby(run, lambda each: unicodedata.combining(each) > 0)
    )


def refuse(where: Where, what: str) -> NoReturn:
    """Raises `Invalid`, told as the framework's own refusals are."""
    at = UNKEPT.sub("\N{REPLACEMENT CHARACTER}", ".".join(map(str, where)))[:200]
    raise Refused(Invalid(f"{at}: {what}"), errors=[{"where": at, "what": what}])
