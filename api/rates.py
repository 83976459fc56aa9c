"""How often somebody may ask: by address where nobody signed in, by token where somebody did.

Counters are this process's own and gone with it; so of n processes a caller may have n times as
much. They are a fixed number of slots, whatever is asked: two callers may share one by chance.
"""

from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from math import ceil
from time import monotonic
from typing import Any, cast

from fastapi import Request, Response
from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerMinute
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import browser
from states.errors import HosoError
from states.sentences import Sentence

MORE_SLOWLY = Sentence("ask more slowly")
SLOTS = 1 << 16  # of each rule: 16 bytes each, 1 MB in all


class TooMany(HosoError):
    """This was asked too often."""

    def __init__(self, message: str = "", /, after: int = 60, **values: Any) -> None:
        super().__init__(message, **values)
        self.after = after  # seconds until it may be asked again


@dataclass(frozen=True, slots=True)
class Rule:
    """How much of what, and what to do instead."""

    name: Sentence
    limit: RateLimitItem
    instead: Sentence = MORE_SLOWLY


TRACKING = Rule(Sentence("tracking"), RateLimitItemPerMinute(30))  # an address
SIGNING_IN = Rule(
    Sentence("signing in"), RateLimitItemPerMinute(60)
)  # an address: a whole office at 7:30
PUBLIC = Rule(Sentence("asking without signing in"), RateLimitItemPerMinute(300))  # an address
UNPROVED = Rule(
    Sentence("asking with a token that opens nothing"), RateLimitItemPerMinute(60)
)  # an address
PROVED = Rule(Sentence("asking with a token that opens"), RateLimitItemPerMinute(1, 10))  # a token
# A code: few enough for its 40 bits, and more than one address can use up for others.
WRONG = Rule(Sentence("a wrong proof for this code"), RateLimitItemPerMinute(600))
WRONG_DIGITS = Rule(  # a code: there are but 10,000 of them
    Sentence("wrong digits for this code"),
    RateLimitItemPerDay(5),
    Sentence("give the secret part on the slip, or come again tomorrow"),
)
CALLING = Sentence("asking")  # the rule of a token: how much is the deployment's to say
CALLS = 600  # a minute, unless it says otherwise
# Never refused: a process that was would be taken for dead; a page would be without its looks.
FREE = ("/health", "/ready", "/metrics", "/static/")
OPEN: tuple[tuple[str, Rule], ...] = (
    ("/v1/track/", TRACKING),
    ("/v1/accounts/sign-in", SIGNING_IN),
    ("/v1/accounts/oidc/", SIGNING_IN),
    ("/v1/accounts/refresh", PUBLIC),
    ("/track", TRACKING),
    ("/session", SIGNING_IN),
)
"""Every address that is open to anybody, with its rule. All others below /v1 want a token."""


class Slots(Storage):
    """Counters that can never be more than there are slots."""

    STORAGE_SCHEME = None

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._ends, self._counts = array("d", bytes(8 * SLOTS)), array("q", bytes(8 * SLOTS))

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        slot = self._slot(key)
        if self._ends[slot] <= (now := self._clock()):
            self._counts[slot], self._ends[slot] = 0, now + expiry
        self._counts[slot] = max(0, self._counts[slot] + amount)
        return self._counts[slot]

    def get(self, key: str) -> int:
        slot = self._slot(key)
        return self._counts[slot] if self._ends[slot] > self._clock() else 0

    def get_expiry(self, key: str) -> float:
        return self._ends[self._slot(key)]

    def begin(self, key: str, expiry: int) -> None:
        """A new window, in which it was counted once."""
        slot = self._slot(key)
        self._counts[slot], self._ends[slot] = 1, self._clock() + expiry

    def left(self, key: str) -> int:
        """Whole seconds until the count begins again."""
        return max(1, ceil(self.get_expiry(key) - self._clock()))

    def check(self) -> bool:
        return True

    def reset(self) -> int | None:
        self._counts, self._ends = array("q", bytes(8 * SLOTS)), array("d", bytes(8 * SLOTS))
        return None

    def clear(self, key: str) -> None:
        self._counts[self._slot(key)] = 0

    @staticmethod
    def _slot(key: str) -> int:
        return hash(key) % SLOTS  # keyed by the interpreter: nobody outside can aim at a slot


class Rates:
    """What was asked, by rule and by whom. `calls`: of a token a minute; 0 is no limit."""

    def __init__(self, calls: int = CALLS, clock: Callable[[], float] = monotonic) -> None:
        self.calling = Rule(CALLING, RateLimitItemPerMinute(calls)) if calls else None
        self._clock = clock
        self._limiters: dict[str, tuple[Slots, FixedWindowRateLimiter]] = {}

    def take(self, rule: Rule, who: str) -> None:
        """Count it. Raises `TooMany`."""
        slots, limiter = self._of(rule)
        if not limiter.hit(rule.limit, who):
            raise _too_many(rule, slots.left(rule.limit.key_for(who)))

    def note(self, rule: Rule, who: str, cost: int = 1) -> None:
        """Count it, however often it was."""
        self._of(rule)[1].hit(rule.limit, who, cost=cost)

    def check(self, rule: Rule, who: str) -> None:
        """Whether there is any left, without counting. Raises `TooMany`."""
        slots, limiter = self._of(rule)
        if not limiter.test(rule.limit, who):
            raise _too_many(rule, slots.left(rule.limit.key_for(who)))

    def prove(self, token: str) -> None:
        """A token opens something: it is known from here on."""
        rule = PROVED.limit
        self._of(PROVED)[0].begin(rule.key_for(token), rule.get_expiry())

    def known(self, token: str) -> tuple[bool, bool]:
        """Whether a token was seen to open something, and whether that was lately."""
        slots, key = self._of(PROVED)[0], PROVED.limit.key_for(token)
        if not slots.get(key):
            return False, False
        return True, slots.left(key) > PROVED.limit.get_expiry() // 2

    @contextmanager
    def tries(self, who: str, *rules: Rule, wrong: type[Exception]) -> Iterator[None]:
        """Something that may be tried so often: only what was wrong stays counted.

        Each try is counted before it is judged, so of many at once no more than allowed are judged.
        """
        for rule in rules:
            self.take(rule, who)
        try:
            yield
        except wrong:
            raise
        except BaseException:
            self._give_all_back(who, rules)
            raise
        self._give_all_back(who, rules)

    def _give_all_back(self, who: str, rules: tuple[Rule, ...]) -> None:
        for rule in rules:
            self.note(rule, who, cost=-1)

    def _of(self, rule: Rule) -> tuple[Slots, FixedWindowRateLimiter]:
        if rule.name not in self._limiters:
            slots = Slots(self._clock)
            self._limiters[rule.name] = slots, FixedWindowRateLimiter(slots)
        return self._limiters[rule.name]


def _too_many(rule: Rule, after: int) -> TooMany:
    amount, seconds = rule.limit.amount, rule.limit.get_expiry()
    span = Sentence("a day")
    if seconds != 86_400:
        span = Sentence("in {seconds} s", seconds=seconds)
    return TooMany(
        "{what} is allowed {amount} times {span}: {instead}",
        after,
        what=rule.name,
        amount=amount,
        span=span,
        instead=rule.instead,
    )


def of(request: Request) -> Rates:
    """The process's own."""
    return cast("Rates", request.state.rates)


@lru_cache(4096)
def party(host: str) -> str:
    """Whom an address stands for: of IPv6 everybody has a whole /64."""
    try:
        address = ip_address(host)
    except ValueError:  # a socket's, or a test's
        return host
    if not isinstance(address, IPv6Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> 64 << 64))


class Limited:
    """Just inside the envelope, so that what is too much costs next to nothing."""

    def __init__(
        self, app: ASGIApp, rates: Rates, refuse: Callable[[Request, HosoError], Response]
    ) -> None:
        self.app, self.rates, self.refuse = app, rates, refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope.setdefault("state", {})["rates"] = self.rates
        who, token = party((scope.get("client") or ("",))[0]), self._token(scope)
        known, lately = self.rates.known(token) if token else (False, False)
        try:
            self._count(scope["path"], who, token, known=known)
        except TooMany as error:
            await self.refuse(Request(scope), error)(scope, receive, send)
            return
        judged = token and not lately
        watched = self._watched(send, who, token, known=known) if judged else send
        await self.app(scope, receive, watched)

    @staticmethod
    def _token(scope: Scope) -> str:
        """What opens the addresses that are not open to anybody; empty for those that are."""
        path = scope["path"]
        if any(path.startswith(start) for start, _ in OPEN):
            return ""
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if not given and (token := browser.token_of(scope)):
            return f"bearer {token}"
        if not path.startswith("/v1/"):
            return ""
        # However it is spelt: in other capitals, or with more blanks, it is the same token.
        scheme, _, token = (given or [b""])[0].decode("latin-1").strip().partition(" ")
        return f"{scheme.lower()} {token.strip()}".strip()

    def _count(self, path: str, who: str, token: str, *, known: bool) -> None:
        """Raises `TooMany`."""
        if path.startswith(FREE):
            return
        if not token:
            rule = next((rule for start, rule in OPEN if path.startswith(start)), PUBLIC)
            self.rates.take(rule, who)
            return
        # Many sit behind one address: what somebody guesses there shuts out no token that opens.
        # Counted before it is known to open nothing: of many at once no more than that are heard.
        if not known:
            self.rates.take(UNPROVED, who)
        if self.rates.calling is not None:
            self.rates.take(self.rates.calling, token)

    def _watched(self, send: Send, who: str, token: str, *, known: bool) -> Send:
        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] < 400:
                    self.rates.prove(token)
                if not known and not 400 <= message["status"] < 500:
                    self.rates.note(UNPROVED, who, cost=-1)
            await send(message)

        return watched
