"""What a request says, in one form: the one place where every text that comes in is looked at.

JSON is read so that it can be read in one way only: no name twice, no number that is none, no
nesting without an end. Every text in it, in the query and in the path is composed (NFC), and holds
nothing that cannot be kept or that shows otherwise than it is kept.
"""

import asyncio
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from math import isfinite
from typing import Any, NoReturn, cast

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.datastructures import QueryParams

from api.problems import Invalid, Refused, TooSlow
from states import letters
from states.sentences import Sentence, told

SENDING = 30  # seconds in which a body of 1 MB comes
DEEPEST = 32  # lists and objects in one another
TOO_DEEP = Sentence("may be {deepest} deep at most", deepest=DEEPEST)
MOST = 50_000  # values in a body: a thousand moves have some ten each
LONGEST = 30_000  # bytes of a query
JSON = re.compile(r"application/([a-z0-9.+-]+\+)?json *(;.*)?", re.ASCII | re.IGNORECASE)
# NUL and half characters cannot be kept; what turns the direction of writing shows another text.
UNKEPT = re.compile(f"[\0{letters.HALF}{letters.TURNING}]")

# A string of JSON, whole or not: it matches wherever one begins, so each byte is looked at once.
STRING = re.compile(rb'"[^"\\]*(?:\\.?[^"\\]*)*(?:"|\Z)', re.DOTALL)

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Wrong(Exception):
    """What is wrong with something, and where in it."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what, self.where = told(what), list[str | int]()


class Hearing(APIRoute):
    """A route that hears what was said, and opens no transaction."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            return await handler(await heard(request))

        return handle


class Lenient(Hearing):
    """One that others send people to, who may bring along what they like."""

    strict = False


class Heard(Request):
    """A request whose texts are in one form."""

    async def json(self) -> Any:
        if not hasattr(self, "_said"):
            self._said = read(await self.body())
        return self._said

    @property
    def query_params(self) -> QueryParams:
        if not hasattr(self, "_asked"):
            with _told("query"):
                if len(self.scope["query_string"]) > LONGEST:
                    raise Wrong(
                        Sentence("may have {longest:,} characters at most", longest=LONGEST)
                    )
                self._asked = QueryParams(
                    [(text(name), _of(name, value)) for name, value in self._parts()]
                )
        return self._asked

    def _parts(self) -> list[tuple[str, str]]:
        return super().query_params.multi_items() if self.scope["query_string"] else []


async def heard(request: Request) -> Heard:
    """A request after its body came. Raises `Invalid` and `TooSlow`."""
    whole = addressed(request)
    try:
        async with asyncio.timeout(SENDING):
            body = await whole.body()
    except TimeoutError:
        raise TooSlow("send the whole of it within 30 seconds") from None
    if body and is_json(request):
        await whole.json()
    return whole


def is_json(request: Request) -> bool:
    return JSON.fullmatch(request.headers.get("content-type", "")) is not None


def addressed(request: Request) -> Heard:
    """A request by what its address says, before its body comes. Raises `Invalid`."""
    whole = Heard(request.scope, request.receive)
    with _told("path"):
        path = whole.scope.get("path_params", {})
        whole.scope["path_params"] = {name: _of(name, value) for name, value in path.items()}
    if whole.scope["query_string"] and whole.query_params:
        _check_known(whole)
    return whole


def _check_known(whole: "Heard") -> None:
    """That no parameter is misspelt: what nobody reads would be taken for having been heeded."""
    route = whole.scope["route"]
    if not getattr(route, "strict", True):
        return
    if (known := getattr(route, "asks", None)) is None:  # once for each route
        known = route.asks = frozenset(_asked(route.dependant))
    if unknown := whole.query_params.keys() - known:
        name = min(unknown)
        wrong = Wrong(_instead(name, known))
        wrong.where.append(name)
        with _told("query"):
            raise wrong


def _instead(name: str, known: Collection[str]) -> Sentence:
    if near := get_close_matches(name, known, 1):
        return Sentence("is not asked for here: {near} is", near=near[0])
    if known:
        return Sentence("is not asked for here, but {known}", known=sorted(known))
    return Sentence("is not asked for here, and nothing else is")


def _asked(dependant: Dependant) -> Iterator[str]:
    yield from (each.alias for each in dependant.query_params)
    for each in dependant.dependencies:
        yield from _asked(each)


def read(body: bytes) -> Any:
    """What JSON says. Raises `Invalid`."""
    with _told("body"):
        if _values(body) > MOST and _values(STRING.sub(b"", body)) > MOST:
            raise Wrong(Sentence("may hold {most:,} values at most", most=MOST))
        return _plain(_parsed(body), 0)


def _values(body: bytes) -> int:
    """How many there are at least, before any of them is made."""
    return sum(map(body.count, (b",", b"[", b"{")))


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body.decode(), object_pairs_hook=Pairs, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise Wrong(Sentence("is not JSON: {why} at {at}", why=error.msg, at=error.pos)) from None
    except RecursionError:
        raise Wrong(TOO_DEEP) from None
    except ValueError:  # no UTF-8, an endless number
        raise Wrong("is not JSON in UTF-8 with numbers that there are") from None


class Pairs(list[tuple[str, Any]]):
    """An object before it is known whether it names anything twice."""


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def _plain(said: Any, depth: int) -> Any:
    if isinstance(said, str):
        return text(said)
    if isinstance(said, float) and not isfinite(said):
        raise Wrong("must be a number that there is")
    if not isinstance(said, list):
        return said
    if depth == DEEPEST:
        raise Wrong(TOO_DEEP)
    if not isinstance(said, Pairs):
        return [_within(n, each, depth) for n, each in enumerate(said)]
    plain = {text(name): _within(name, each, depth) for name, each in said}
    if len(plain) < len(said):
        names = Counter(text(name) for name, _ in said)
        raise Wrong(Sentence("says {name!r} twice", name=names.most_common(1)[0][0][:60]))
    return plain


def _within(where: str | int, said: Any, depth: int) -> Any:
    try:
        return _plain(said, depth + 1)
    except Wrong as wrong:
        wrong.where.append(where)
        raise


def _of(name: str, said: str) -> str:
    return cast("str", _within(name, said, 0))


def text(said: str) -> str:
    """A text as it is kept, composed. Raises `Wrong`."""
    if said.isascii() and "\0" not in said:
        return said
    if found := UNKEPT.search(said):
        raise Wrong(
            Sentence(
                "may not hold U+{sign:04X}: it cannot be kept, or shows other text",
                sign=ord(found[0]),
            )
        )
    if letters.heaped(said):
        most = letters.HEAPED
        raise Wrong(Sentence("may not heap more than {most} marks on a letter", most=most))
    return unicodedata.normalize("NFC", said)


@contextmanager
def _told(part: str) -> Iterator[None]:
    """What is wrong as the framework's own refusals tell it. Raises `Invalid`."""
    try:
        yield
    except Wrong as wrong:
        where = wrong.where[-4:] if wrong.what == TOO_DEEP else wrong.where
        at = ".".join(map(str, (part, *reversed(where))))
        at = UNKEPT.sub("\N{REPLACEMENT CHARACTER}", at)[:200]
        said = Invalid("{at}: {what}", at=at, what=wrong.what)
        raise Refused(said, errors=[{"where": at, "what": wrong.what}]) from None
