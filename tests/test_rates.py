"""How often somebody may ask: counted by address or by token, in memory that has an end."""

import asyncio
from contextlib import suppress

import pytest
from fastapi.responses import JSONResponse
from hypothesis import given
from hypothesis import strategies as st
from limits import RateLimitItemPerMinute
from office import address, running
from starlette.responses import Response

from api import rates
from api.rates import (
    CALLS,
    FREE,
    PROVED,
    PUBLIC,
    SIGNING_IN,
    TRACKING,
    UNPROVED,
    WRONG,
    WRONG_DIGITS,
    Limited,
    Rates,
    Rule,
    Slots,
    TooMany,
    party,
)

FEW = Rule("asking", RateLimitItemPerMinute(3))


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def taken(counted, rule, who):
    try:
        counted.take(rule, who)
    except TooMany:
        return False
    return True


# Counting ---------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 40), max_size=60))
def test_in_each_minute_that_begins_with_a_call_there_are_three(pauses):
    clock = Clock()
    counted = Rates(clock=clock)
    began, had = None, 0
    for pause in pauses:
        clock.now += pause
        if began is None or clock.now >= began + 60:
            began, had = clock.now, 0
        had += 1
        assert taken(counted, FEW, "a") == (had <= 3)


def test_who_is_refused_is_told_when_to_come_again():
    clock = Clock()
    counted = Rates(clock=clock)
    for _ in range(3):
        counted.take(FEW, "a")
    clock.now += 17.5
    with pytest.raises(TooMany) as refused:
        counted.take(FEW, "a")
    assert str(refused.value) == "asking is allowed 3 times in 60 s: ask more slowly"
    assert refused.value.after == 43
    clock.now += 43
    counted.take(FEW, "a")
    with pytest.raises(TooMany, match="5 times a day: give the secret part"):
        [counted.take(WRONG_DIGITS, "a") for _ in range(6)]


def test_one_does_not_ask_at_anothers_expense():
    counted = Rates(clock=Clock())
    for _ in range(3):
        counted.take(FEW, "a")
    assert not taken(counted, FEW, "a")
    assert taken(counted, FEW, "b")
    assert taken(counted, TRACKING, "a")


def test_memory_has_an_end():
    slots = Slots(Clock())
    for n in range(3 * rates.SLOTS):
        slots.incr(f"stranger {n}", 60)
    assert len(slots._counts) == len(slots._ends) == rates.SLOTS
    held = slots._counts.itemsize + slots._ends.itemsize
    assert held * rates.SLOTS == 1 << 20
    assert sum(slots._counts) == 3 * rates.SLOTS  # nobody was forgotten


def test_slots_are_counters_as_the_library_knows_them():
    clock = Clock()
    slots = Slots(clock)
    assert slots.check()
    assert (slots.get("a"), slots.incr("a", 60), slots.incr("a", 60, 5)) == (0, 1, 6)
    assert slots.get_expiry("a") == 1060
    assert slots.incr("a", 60, -9) == 0
    slots.incr("a", 60)
    slots.clear("a")
    assert slots.get("a") == 0
    slots.incr("a", 60)
    clock.now += 60
    assert (slots.get("a"), slots.incr("a", 60)) == (0, 1)
    slots.reset()
    assert slots.get("a") == 0


# Tries ------------------------------------------------------------------------------------


class Wrong(Exception):
    pass


def tries(counted):
    return counted.tries("code", WRONG_DIGITS, wrong=Wrong)


async def test_of_many_tries_at_once_no_more_are_judged_than_allowed():
    counted, judged = Rates(clock=Clock()), 0

    async def guess():
        nonlocal judged
        with counted.tries("code", WRONG, WRONG_DIGITS, wrong=Wrong):
            await asyncio.sleep(0)
            judged += 1
            raise Wrong

    told = await asyncio.gather(*(guess() for _ in range(50)), return_exceptions=True)
    assert judged == 5
    assert sum(isinstance(each, TooMany) for each in told) == 45


@pytest.mark.parametrize("failing", [None, RuntimeError, asyncio.CancelledError])
def test_only_what_was_wrong_stays_counted(failing):
    counted = Rates(clock=Clock())
    for _ in range(20):
        with suppress(RuntimeError, asyncio.CancelledError), tries(counted):
            if failing:
                raise failing
    for _ in range(5):
        with pytest.raises(Wrong), tries(counted):
            raise Wrong
    with pytest.raises(TooMany), tries(counted):
        raise AssertionError


# Who --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "whom"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_whom_an_address_stands_for(host, whom):
    assert party(host) == whom


# Round the application ----------------------------------------------------------------------


class Behind:
    """An application that knows one token, and how often it was asked."""

    def __init__(self, **given):
        self.asked = 0
        self.clock = Clock()
        refuse = lambda request, error: JSONResponse(str(error), 429)  # noqa: E731
        self.limited = Limited(self.answer, Rates(clock=self.clock, **given), refuse)

    async def answer(self, scope, receive, send):
        self.asked += 1
        token = dict(scope["headers"]).get(b"authorization", b"")
        open_ = not scope["path"].startswith("/v1/dossiers") or token.startswith(b"good")
        await Response(status_code=200 if open_ else 401)(scope, receive, send)

    async def ask(self, path="/v1/dossiers", token="", host="198.51.100.7"):
        statuses = []

        async def send(message):
            statuses.append(message.get("status"))

        headers = [(b"authorization", token.encode())] if token else []
        scope = {"type": "http", "path": path, "headers": headers, "client": (host, 1)}
        await self.limited(scope, None, send)
        return statuses[0]

    async def times(self, many, **how):
        statuses = [await self.ask(**how) for _ in range(many)]
        return {status: statuses.count(status) for status in statuses}


async def test_a_token_asks_so_often_from_wherever_it_is():
    behind = Behind()
    half = CALLS // 2
    assert await behind.times(half, token="good 1") == {200: half}
    assert await behind.times(half + 9, token="good 1", host="203.0.113.9") == {200: half, 429: 9}
    assert behind.asked == CALLS  # what is refused costs nothing behind
    assert await behind.times(1, token="good 2") == {200: 1}
    behind.clock.now += 60
    assert await behind.times(1, token="good 1") == {200: 1}


async def test_how_much_a_token_may_ask_is_the_deployments_to_say():
    assert await Behind(calls=7).times(9, token="good") == {200: 7, 429: 2}
    assert await Behind(calls=0).times(CALLS + 9, token="good") == {200: CALLS + 9}


async def test_guessing_tokens_ends_and_shuts_out_nobody_who_has_one():
    behind = Behind()
    assert await behind.times(1, token="good") == {200: 1}
    guesses = [await behind.ask(token=f"guess {n}") for n in range(80)]
    allowed = UNPROVED.limit.amount
    assert guesses == [401] * allowed + [429] * (80 - allowed)
    assert await behind.times(50, token="good") == {200: 50}
    assert await behind.times(1, token="good too") == {429: 1}  # not known yet: a minute
    assert await behind.times(1, token="good too", host="203.0.113.9") == {200: 1}
    assert await behind.times(50, token="good too") == {200: 50}


async def test_a_token_that_was_made_now_is_known_at_an_address_full_of_guesses():
    """Who signs in, or goes on, behind an address at which others guess."""
    behind = Behind()
    await behind.times(UNPROVED.limit.amount, token="guess")
    assert await behind.times(1, token="good new") == {429: 1}
    behind.limited.rates.prove("good new")
    assert await behind.times(9, token="good new") == {200: 9}


async def test_a_token_that_is_used_stays_known_however_long():
    behind = Behind()
    assert await behind.times(1, token="good") == {200: 1}
    for _ in range(9):
        behind.clock.now += PROVED.limit.get_expiry() * 0.7
        await behind.times(UNPROVED.limit.amount + 1, token="guess")
        assert await behind.times(1, token="good") == {200: 1}
    behind.clock.now += PROVED.limit.get_expiry()
    await behind.times(UNPROVED.limit.amount + 1, token="guess")
    assert await behind.times(1, token="good") == {429: 1}  # it was not used meanwhile


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("/v1/track/x", TRACKING),
        ("/v1/accounts/sign-in", SIGNING_IN),
        ("/", PUBLIC),
        ("/openapi.json", PUBLIC),
        ("/v1/nowhere", PUBLIC),
    ],
)
async def test_without_a_token_an_address_is_counted(path, rule):
    behind, allowed = Behind(), rule.limit.amount
    hosts = {"host": "2001:db8:1:2::1"}, {"host": "2001:db8:1:2::2"}
    assert await behind.times(allowed, path=path, **hosts[0]) == {200: allowed}
    assert await behind.times(2, path=path, **hosts[1]) == {429: 2}
    assert await behind.times(1, path=path, host="2001:db8:1:3::1") == {200: 1}


@pytest.mark.parametrize(("path", "rule"), [("/v1/track/x", TRACKING), ("/", PUBLIC)])
async def test_where_no_token_is_asked_for_none_helps(path, rule):
    behind, allowed = Behind(), rule.limit.amount
    asked = [await behind.ask(path, token=f"guess {n}") for n in range(allowed + 1)]
    assert asked == [200] * allowed + [429]
    # Nor has any of them been seen to open anything.
    await behind.times(UNPROVED.limit.amount, token="wrong")
    assert await behind.times(1, token="guess 1") == {429: 1}


@pytest.mark.parametrize("free", FREE)
async def test_probes_and_looks_are_never_refused(free):
    assert await Behind().times(1000, path=free) == {200: 1000}


async def test_every_open_address_is_known_to_be_open(fresh, tmp_path):
    """One that is not would let a token of nobody's pass for one that opens."""
    async with running(address(fresh), tmp_path) as office:
        document = office.app.openapi()
    paths = {
        path
        for path, methods in document["paths"].items()
        if path.startswith("/v1/") and any("security" not in told for told in methods.values())
    }
    assert "/v1/track/{code}" in paths
    known = tuple(start for start, _ in rates.OPEN)
    assert {path for path in paths if not path.startswith(known)} == set()
