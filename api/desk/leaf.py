"""A page: a route as any other, for who comes by a browser.

What is refused is told as a page. Who is not signed in is sent to do that and comes back to where
they were. What a form sends is read here, in the one form every text has, and its hidden `key`
makes that it is done once, however often it is clicked.
"""

import re
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from api import browser
from api.desk import paint
from api.doors.hearing import Handler, Hearing, heard
from api.doors.opening import WRITES, Door, check_who_typed, named, once
from api.problems import Away, Refused, Unidentified, refusal_of
from states.accounts.refusals import PasswordDue
from states.accounts.signing import keep_open
from states.errors import HosoError
from states.sentences import Sentence

SENT = "hoso-sent"  # by our script, which sees no redirect: only what is there
LATER = Sentence(
    "the database does not answer: nothing that was typed is lost, send it again in a minute"
)
LOCAL = re.compile(r"/(?![/\\])[\x21-\x7e]*", re.ASCII)


class Leaf(Door):
    """A page, in a transaction of its own. Others send people here with what they like in the
    address, so what is not known there is not refused.
    """

    strict = False
    keyed = True
    public = False
    touched = True  # asked for by somebody who is there, not by a page of itself

    def get_route_handler(self) -> Handler:
        handler = self.answering()

        async def at_work(request: Request) -> Response:
            arrival = request.state.arrival
            check_who_typed(request, arrival)
            response = await handler(request)
            who = arrival.who if self.touched else None
            if who is not None and who.session and who.until:
                await keep_open(request.state.db, who.session, who.until, arrival.at)
            return response

        async def work(request: Request) -> Response:
            request = await heard(request)
            if self.public:
                check_ours(request)
            else:
                named(request)
            await paint.read_form(request, keyed=self.keyed)
            return await once(request, at_work, await request.body())

        return told_as_pages(work)


class Again(Leaf):
    """What a form sends on its way, as often as it likes: its key is for when it is sent."""

    keyed = False


class Meanwhile(Leaf):
    """What a page asks for of itself, again and again: nobody is known to sit before it."""

    touched = False


class Public(Leaf):
    """A page for anybody, whose forms prove what they must by what is typed into them."""

    public = True


class Open(Hearing):
    """A page that opens no transaction: while a password is checked, none waits."""

    strict = False

    def get_route_handler(self) -> Handler:
        handler = APIRoute.get_route_handler(self)

        async def work(request: Request) -> Response:
            request = await heard(request)
            check_ours(request)
            await paint.read_form(request, keyed=False)
            return await handler(request)

        return told_as_pages(work)


def check_ours(request: Request) -> None:
    """What is written by a form comes from one of ours. Raises `FromElsewhere`."""
    if request.method in WRITES:
        browser.check_ours(request)


def told_as_pages(work: Handler) -> Handler:
    """The same, with what it raises told as a page."""

    async def handle(request: Request) -> Response:
        try:
            return _by_script(request, await work(request))
        except PasswordDue:
            return RedirectResponse("/account/password", 303)
        except Unidentified:
            return to_sign_in(request)
        except (HosoError, Refused, RequestValidationError) as error:
            return paint.refused(request, _for_people(error))

    return handle


def _for_people(error: HosoError | Refused | RequestValidationError) -> HosoError:
    """The refusal, in words for who has typed into a page and not called an address."""
    if isinstance(error, RequestValidationError):
        return refusal_of(error)
    if isinstance(error, Away):
        return Away(LATER)
    return error.error if isinstance(error, Refused) else error


def _by_script(request: Request, response: Response) -> Response:
    """Where to go on, told so that a script can read it."""
    if SENT in request.headers and response.status_code == 303:
        said = Response(status_code=204, headers={"hoso-go": response.headers["location"]})
        said.raw_headers += [each for each in response.raw_headers if each[0] == b"set-cookie"]
        return said
    return response


def to_sign_in(request: Request) -> Response:
    """Who was typing stays where they are: the page asks for the password, and sends again."""
    if request.method != "GET" or {"hx-request", SENT} & set(request.headers):
        return Response(status_code=401, headers={"hx-reswap": "none"})
    where = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(where)}", 303)


def local(address: str | None) -> str:
    """Where to go on: at an address of ours, whatever was asked."""
    return address if address and LOCAL.fullmatch(address) else "/"
