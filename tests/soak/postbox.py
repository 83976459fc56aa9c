"""Where mail and SMS arrive, in a process of its own: it takes them, refuses them, or hangs."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from machines import APART
from receivers import Post, Site, listening

REFUSALS = ({"RCPT": "450 later"}, {"CONNECT": "421 not now"}, {"END": "452 full"})


class Arrived(NamedTuple):
    """The keys of what was taken, as often as it came."""

    mails: list[str]
    texts: list[str]


class Postbox:
    """The near end of it."""

    def __init__(self, line: Connection) -> None:
        self._line = line
        smtp, http = line.recv()
        self.environment = {
            "HOSO_SMTP": f"smtp://127.0.0.1:{smtp}",
            "HOSO_MAIL_FROM": "noreply@example.vn",
            "HOSO_SMS_GATEWAY": f"http://127.0.0.1:{http}/sms",
        }

    def weather(self, *, refuses: int | None = None, hangs: bool = False) -> None:
        """From now on. `refuses`: in which of several ways."""
        self._asked("weather", {} if refuses is None else REFUSALS[refuses % len(REFUSALS)], hangs)

    def arrived(self) -> Arrived:
        return Arrived(*self._asked("arrived"))

    def empty(self) -> None:
        self._asked("empty")

    def _asked(self, *what: Any) -> Any:
        self._line.send(what)
        return self._line.recv()


@contextmanager
def opened() -> Iterator[Postbox]:
    ours, theirs = APART.Pipe()
    process = APART.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    with ours:
        try:
            yield Postbox(ours)
        finally:
            ours.send(None)
            process.join()


def _serve(line: Connection) -> None:
    asyncio.run(_listen(line))


async def _listen(line: Connection) -> None:
    post, site = Post(), Site()
    async with listening(post) as smtp, listening(site) as http:
        line.send((smtp, http))
        while (asked := await asyncio.to_thread(line.recv)) is not None:
            what, *facts = asked
            if what == "weather":
                post.answers, site.hangs = facts
                line.send(None)
            elif what == "empty":
                post.mails.clear()
                site.requests.clear()
                line.send(None)
            else:
                line.send((_mails(post), _texts(site)))


def _mails(post: Post) -> list[str]:
    return [str(mail["Message-ID"]).strip("<>").partition("@")[0] for mail in post.mails]


def _texts(site: Site) -> list[str]:
    """One that was never answered counts: who hangs may have taken it."""
    return [headers["idempotency-key"] for headers, _ in site.requests]
