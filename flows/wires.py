"""The wires by which notices leave: SMTP, an HTTP gateway for SMS and chat, signed webhooks.

Nothing leaves that is not set up. Addresses, secrets and texts are in no log.
"""

import asyncio
import logging
import smtplib
import socket
import ssl
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import cache
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import orjson

from config.settings import Settings, settings
from states import yaml_files
from states.notices import webhooks
from states.notices.rows import Way
from states.notices.sending import Letter, NotSent, Outlet, Rest
from states.notices.webhooks import Endpoint

STEP = 10.0  # seconds for one step of a conversation
WHOLE = 20.0  # seconds for all of it: a receiver that drips holds nobody up
ANSWER = 65_536  # bytes read of an answer
BODY = 262_144  # bytes of a body
BAD = {400, 413, 422}  # the message is wrong, and stays so
AT_ONCE = 4
SUBMISSION = 587
WELCOME = 220
# Threads of our own: hung conversations take none from the rest of the process.
THREADS = ThreadPoolExecutor(2 * AT_ONCE, thread_name_prefix="smtp")
RESTS: dict[str, Rest] = {}
# It tells every address it speaks to, and a token may be part of one.
logging.getLogger("httpx").setLevel(logging.WARNING)


@asynccontextmanager
async def opened(told: Settings | None = None) -> AsyncIterator[list[Outlet]]:
    """The outlets that are set up. What was away rests on from run to run. Raises `BadFile`."""
    told = told or settings()
    wires: list[tuple[Way, Any, str | None]] = []
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
    async with httpx.AsyncClient(
        timeout=STEP, follow_redirects=False, limits=limits, headers={"User-Agent": "hoso"}
    ) as http:
        if told.smtp is not None and told.mail_from is not None:
            wires.append((Way.email, Mail(told.smtp, told.mail_from), None))
        for way in (Way.sms, Way.chat):
            if (address := getattr(told, f"{way}_gateway")) is not None:
                token = getattr(told, f"{way}_token")
                secret = token.get_secret_value() if token else None
                wires.append((way, Gateway(http, str(address), secret), None))
        if told.webhooks is not None:
            for each in webhooks.read(yaml_files.read(told.webhooks)).endpoints:
                wires.append((Way.webhook, Webhook(http, each), each.name))  # noqa: PERF401
        yield [_outlet(*wire) for wire in wires]


def _outlet(way: Way, wire: Any, recipient: str | None) -> Outlet:
    rest = RESTS.setdefault(f"{way}/{recipient or ''}", Rest())
    return Outlet(way, wire, recipient, AT_ONCE, rest)


# HTTP -------------------------------------------------------------------------------------


async def _posted(
    http: httpx.AsyncClient, url: str, body: bytes, headers: dict[str, str], who: str
) -> None:
    """Raises `NotSent` for all but a 2xx. No redirect is followed: it could lead anywhere."""
    if len(body) > BODY:
        raise NotSent(f"the message has more than {BODY:,} bytes", final=True)
    try:
        async with asyncio.timeout(WHOLE):
            kind = {"Content-Type": "application/json"}
            async with http.stream("POST", url, content=body, headers=headers | kind) as answer:
                await _drained(answer)
    except TimeoutError:
        raise NotSent(f"{who} did not answer in {WHOLE:.0f} s", away=True) from None
    except httpx.TimeoutException:
        raise NotSent(f"{who} did not answer in {STEP:.0f} s", away=True) from None
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
        raise NotSent(f"{who} could not be reached: {type(error).__name__}", away=True) from None
    if answer.is_success:
        return
    if answer.is_redirect:
        raise NotSent(f"{who} redirects ({answer.status_code}): set its address anew", away=True)
    final = answer.status_code in BAD
    raise NotSent(f"{who} answered {answer.status_code}", final=final, away=not final)


async def _drained(answer: httpx.Response) -> None:
    """Read an answer, and no more of it than anybody needs."""
    read = 0
    async for some in answer.aiter_raw():
        if (read := read + len(some)) > ANSWER:
            break


@dataclass(frozen=True)
class Gateway:
    """SMS or chat: `{"to", "text", "id"}` by POST, a bearer token, the key to know doubles by."""

    http: httpx.AsyncClient
    url: str = field(repr=False)
    token: str | None = field(repr=False)

    async def __call__(self, letter: Letter) -> None:
        headers = {"Idempotency-Key": letter.key}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        told = {"to": letter.recipient, "text": letter.body, "id": letter.key}
        await _posted(self.http, self.url, orjson.dumps(told), headers, f"the {letter.way} gateway")


@dataclass(frozen=True)
class Webhook:
    """The body as it is kept, signed at the moment it goes."""

    http: httpx.AsyncClient
    endpoint: Endpoint

    async def __call__(self, letter: Letter) -> None:
        body = letter.body.encode()
        headers = {
            webhooks.HEADER: webhooks.signature(self.endpoint.secrets, body, letter.at),
            "Hoso-Event": letter.subject,
            "Idempotency-Key": letter.key,
        }
        who = f"the webhook {self.endpoint.name}"
        await _posted(self.http, self.endpoint.url, body, headers, who)


# Mail -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mail:
    """One conversation a letter, in a thread. `smtp://`, `smtps://` or `smtp+starttls://`."""

    address: str = field(repr=False)
    sender: str

    async def __call__(self, letter: Letter) -> None:
        mail = composed(letter, self.sender)
        talk = Talk(self.address)
        running = asyncio.get_running_loop().run_in_executor(
            THREADS, talk.send, mail, self.sender, letter.recipient
        )
        try:
            await asyncio.wait_for(asyncio.shield(running), WHOLE)
        except TimeoutError:
            talk.hang_up()
            running.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise NotSent(f"the mail server did not answer in {WHOLE:.0f} s", away=True) from None


def composed(letter: Letter, sender: str) -> EmailMessage:
    """The mail. Raises `NotSent` for what can be no address."""
    name, address = parseaddr(sender)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(name, addr_spec=address)
    try:
        mail["To"] = Address(addr_spec=letter.recipient)
        mail["Subject"] = letter.subject
    except Exception:  # noqa: BLE001  the parser of addresses raises whatever it trips over
        raise NotSent("that is no address of a mailbox", final=True) from None
    mail["Date"] = format_datetime(letter.at)
    mail["Message-ID"] = f"<{letter.key}@{address.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(letter.body, charset="utf-8", cte="base64")
    return mail


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


class Talk:
    """One conversation with the mail server."""

    def __init__(self, address: str) -> None:
        self._parts = urlsplit(address)
        self._smtp: smtplib.SMTP | None = None

    def send(self, mail: EmailMessage, sender: str, recipient: str) -> None:
        """Raises `NotSent`."""
        try:
            smtp = self._smtp = self._made()
            self._greet(smtp)
            smtp.send_message(mail, parseaddr(sender)[1], [recipient])
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            raise _refused(code, "the mailbox") from None
        except smtplib.SMTPNotSupportedError:
            raise NotSent("the mail server cannot do what this mail needs", final=True) from None
        except smtplib.SMTPDataError as error:
            raise _refused(error.smtp_code, "the mail") from None
        except smtplib.SMTPResponseException as error:
            why = f"the mail server answered {error.smtp_code} to our greeting or sender"
            raise NotSent(why, away=True) from None
        except (smtplib.SMTPException, OSError) as error:
            why = f"the mail server could not be reached: {type(error).__name__}"
            raise NotSent(why, away=True) from None

        else:
            with suppress(
                smtplib.SMTPException, OSError
            ):  # it was taken: a bad good-bye is nothing
                smtp.quit()
        finally:
            if self._smtp is not None:
                self._smtp.close()

    def hang_up(self) -> None:
        """End it from outside: its thread wakes."""
        if self._smtp is not None and (line := self._smtp.sock) is not None:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _made(self) -> smtplib.SMTP:
        """Not connected yet: whoever hangs up must find it."""
        if self._parts.scheme == "smtps":
            made: smtplib.SMTP = smtplib.SMTP_SSL(timeout=STEP, context=_trust())
        else:
            made = smtplib.SMTP(timeout=STEP)
        made._host = self._parts.hostname  # type: ignore[attr-defined]  # noqa: SLF001  TLS checks it
        return made

    def _greet(self, smtp: smtplib.SMTP) -> None:
        usual = smtplib.SMTP_SSL_PORT if self._parts.scheme == "smtps" else SUBMISSION
        code, said = smtp.connect(self._parts.hostname or "", self._parts.port or usual)
        if code != WELCOME:
            raise smtplib.SMTPConnectError(code, said)
        if self._parts.scheme == "smtp+starttls":
            smtp.starttls(context=_trust())
        if self._parts.username is not None:
            smtp.login(unquote(self._parts.username), unquote(self._parts.password or ""))


def _refused(code: int, what: str) -> NotSent:
    """5xx stays so, 4xx may pass; 421 is the server's good-bye to everybody."""
    return NotSent(f"the mail server refused {what} ({code})", final=code >= 500, away=code == 421)
