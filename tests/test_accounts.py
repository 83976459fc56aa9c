"""Accounts: lock-out, rotation, revocation, one way for every refusal, and who may write what."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from states.accounts import Identity, Scope, arrive, keeping, lockout, passwords, signing, tokens
from states.accounts.history import By
from states.accounts.refusals import (
    AccountExists,
    OutOfScope,
    PasswordDue,
    SessionEnded,
    WeakPassword,
    WrongCredentials,
    WrongPassword,
)
from states.accounts.rows import How, account, session
from states.catalogue import Catalogue, bundles
from states.db import transaction
from states.errors import BadInput, Unknown

ONE, TWO = "p-reception-01", "p-sci-officer-21"
GOOD = "bốn từ nối liền nhau"
OTHER = "năm từ khác nối liền nhau"
HAND = By("test", "a test")
NINE = datetime.fromisoformat("2024-03-04T09:00:00+07:00")
SECOND, MINUTE, HOUR, DAY = (timedelta(**{u: 1}) for u in ("seconds", "minutes", "hours", "days"))


async def opened(
    db: AsyncConnection,
    person: str = ONE,
    *,
    admin: bool = False,
    secret: keeping.Secret | None = None,
) -> int:
    book = await bundles.read(db)
    secret = secret or await _good()
    return await keeping.add(db, book, person, secret, HAND, NINE, admin=admin)


KEPT: list[keeping.Secret] = []


async def _good() -> keeping.Secret:
    """Hashed once: it takes long by intention."""
    if not KEPT:
        KEPT.append(await keeping.chosen(GOOD, ONE))
    return KEPT[0]


@pytest.fixture
async def desk(fresh: AsyncEngine) -> AsyncEngine:
    """A database in which ONE has an account."""
    async with transaction(fresh) as db:
        await opened(db)
    return fresh


async def arrival(db: AsyncConnection, token: str, at: datetime) -> Identity | None:
    return (await arrive(db, tokens.digest(token), at)).who


async def begun(db: AsyncConnection, number: int, at: datetime = NINE) -> signing.Tokens:
    return await signing.begin(db, signing.Holder(number, ONE), How.password, at, HAND)


async def row(db: AsyncConnection, person: str = ONE) -> Any:
    return (await db.execute(sa.select(account).where(account.c.person == person))).one()


# The rules, by themselves -------------------------------------------------------------------


@given(st.integers(0, 10**9))
def test_an_account_rests_longer_each_time_and_never_for_ever(failed: int) -> None:
    rest, more = lockout.rest(failed), lockout.rest(failed + 1)
    assert (rest is None) == (failed < lockout.ALLOWED)
    if rest is not None and more is not None:
        assert MINUTE <= rest <= HOUR
        assert more == min(2 * rest, HOUR)


def test_the_first_rests() -> None:
    minutes = [(lockout.rest(8 + n) or SECOND) / MINUTE for n in range(8)]
    assert minutes == [1, 2, 4, 8, 16, 32, 60, 60]


def test_tokens_are_known_for_what_they_are_and_alike_in_a_session() -> None:
    first = tokens.next_refresh()
    second = tokens.next_refresh(first)
    assert first != second
    assert tokens.family(first) == tokens.family(second)
    assert tokens.family(tokens.next_refresh()) != tokens.family(first)
    for token in (first, tokens.made(tokens.ACCESS), tokens.made(tokens.KEY)):
        assert token.startswith(("hsr_", "hsa_", "hsk_"))
        assert len(token) <= tokens.LONGEST
        assert token.isascii()


@pytest.mark.parametrize(
    "password",
    ["", "ngắn quá nhé", "p-reception-01 của tôi", "P-Reception-01!!", "abababababab", "a" * 201],
)
def test_what_is_no_password(password: str) -> None:
    if password == "ngắn quá nhé":  # twelve letters, if one is composed
        passwords.check(password, ONE)
        password = password[:-1]
    with pytest.raises(WeakPassword, match="password"):
        passwords.check(password, ONE)


async def test_a_password_is_the_same_however_its_letters_were_typed() -> None:
    import unicodedata

    kept = await passwords.hashed(unicodedata.normalize("NFD", GOOD))
    assert kept.startswith("$argon2id$")
    assert await passwords.fits(unicodedata.normalize("NFC", GOOD), kept) == (True, None)
    assert await passwords.fits(GOOD + " ", kept) == (False, None)


async def test_nobodys_hash_is_checked_as_somebodys_is_and_fits_nothing() -> None:
    somebodys = await passwords.hashed(GOOD)
    assert passwords.NOBODYS.rsplit("$", 2)[0] == somebodys.rsplit("$", 2)[0]
    assert len(passwords.NOBODYS) == len(somebodys)
    assert await passwords.fits(GOOD, None) == (False, None)


# Signing in ---------------------------------------------------------------------------------


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The hashes that were checked."""
    seen: list[str] = []
    check = passwords.HASHING.verify_and_update

    def counted(password: str, kept: str) -> Any:
        seen.append(kept)
        return check(password, kept)

    monkeypatch.setattr(passwords.HASHING, "verify_and_update", counted)
    return seen


async def test_who_signs_in_arrives(desk: AsyncEngine) -> None:
    new = await signing.sign_in(desk, ONE, GOOD, NINE, HAND)
    assert (new.person, new.must_change) == (ONE, False)
    assert new.access not in repr(new)
    assert str(new.refresh) not in repr(new)
    async with desk.begin() as db:
        who = await arrival(db, new.access, NINE)
        assert who is not None
        assert (who.person, who.admin, who.how) == (ONE, False, How.password)
        assert who.scopes == frozenset(Scope)
        kept = (await db.execute(sa.select(session))).one()
        assert new.access.encode() not in tuple(kept)
        assert await arrival(db, new.access, NINE + signing.ACCESS) is None
        assert await arrival(db, str(new.refresh), NINE) is None
        assert await arrival(db, "hsa_" + "A" * 43, NINE) is None
        assert (await arrive(db, None, NINE)).who is None


async def test_every_refusal_takes_the_same_way(desk: AsyncEngine, checks: list[str]) -> None:
    """One check of a hash, the same statements, the same words: whatever was wrong."""
    async with transaction(desk) as db:
        book = await bundles.read(db)
        await keeping.add(db, book, TWO, keeping.NONE, HAND, NINE)
        await opened(db, "p-post-01")
        await keeping.close(db, "p-post-01", HAND, NINE)
        await opened(db, "p-sci-lead-02")
        resting = sa.update(account).where(account.c.person == "p-sci-lead-02")
        await db.execute(resting.values(failed=8, locked_until=NINE + MINUTE))
        await keeping.add(db, book, "p-sci-director", await keeping.one_time(), HAND, NINE)
    cases = {
        "a wrong password": (ONE, OTHER, NINE),
        "no account": ("nobody", GOOD, NINE),
        "no password": (TWO, GOOD, NINE),
        "closed": ("p-post-01", GOOD, NINE),
        "resting, with the right one": ("p-sci-lead-02", GOOD, NINE),
        "a one-time one, a week later": ("p-sci-director", GOOD, NINE + 7 * DAY),
    }
    statements: list[str] = []
    ways = {}

    def noted(*asked: Any) -> None:
        statements.append(asked[2].split(" ")[0])

    sa.event.listen(desk.sync_engine, "before_cursor_execute", noted)
    for case, (person, password, at) in cases.items():
        statements.clear()
        checks.clear()
        with pytest.raises(WrongCredentials) as refused:
            await signing.sign_in(desk, person, password, at, HAND)
        ways[case] = (len(checks), tuple(statements), str(refused.value))
    sa.event.remove(desk.sync_engine, "before_cursor_execute", noted)
    assert len(set(ways.values())) == 1, ways
    assert ways["no account"][0] == 1


async def test_after_eight_failures_it_rests_and_then_does_not(desk: AsyncEngine) -> None:
    for n in range(lockout.ALLOWED):
        with pytest.raises(WrongCredentials):
            await signing.sign_in(desk, ONE, OTHER, NINE + n * SECOND, HAND)
    last = NINE + (lockout.ALLOWED - 1) * SECOND
    for wait in (SECOND, MINUTE - SECOND):  # asked meanwhile, it rests no longer
        with pytest.raises(WrongCredentials):
            await signing.sign_in(desk, ONE, GOOD, last + wait, HAND)
    async with desk.begin() as db:
        assert (await row(db)).locked_until == last + MINUTE
    assert (await signing.sign_in(desk, ONE, GOOD, last + MINUTE, HAND)).person == ONE
    async with desk.begin() as db:
        now = await row(db)
        assert (now.failed, now.locked_until) == (0, None)


async def test_a_ninth_failure_rests_for_two_minutes(desk: AsyncEngine) -> None:
    async with transaction(desk) as db:
        await db.execute(sa.update(account).values(failed=8, locked_until=NINE))
    with pytest.raises(WrongCredentials):
        await signing.sign_in(desk, ONE, OTHER, NINE, HAND)
    async with desk.begin() as db:
        assert (await row(db)).locked_until == NINE + 2 * MINUTE


async def test_many_at_once_are_counted_before_they_are_checked(
    desk: AsyncEngine, checks: list[str]
) -> None:
    tries = (signing.sign_in(desk, ONE, f"{OTHER} {n}", NINE, HAND) for n in range(20))
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(each) for each in answers] == [WrongCredentials] * 20
    real = [kept for kept in checks if kept != passwords.NOBODYS]
    assert len(checks) == 20
    assert len(real) == lockout.ALLOWED
    async with desk.begin() as db:
        assert (await row(db)).failed == lockout.ALLOWED


async def test_an_old_hash_is_renewed_at_sign_in(desk: AsyncEngine) -> None:
    from pwdlib.hashers.argon2 import Argon2Hasher

    weak = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1).hash(GOOD)
    async with transaction(desk) as db:
        await db.execute(sa.update(account).values(password=weak))
    await signing.sign_in(desk, ONE, GOOD, NINE, HAND)
    async with desk.begin() as db:
        assert f"m={passwords.MEMORY}," in (await row(db)).password


async def test_a_password_changed_while_it_is_checked_lets_nobody_in(
    desk: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits = passwords.fits

    async def meanwhile(password: str, kept: str | None) -> tuple[bool, str | None]:
        async with transaction(desk) as db:
            await keeping.reset(db, ONE, await keeping.one_time(), HAND, NINE)
        return await fits(password, kept)

    monkeypatch.setattr(passwords, "fits", meanwhile)
    with pytest.raises(WrongCredentials):
        await signing.sign_in(desk, ONE, GOOD, NINE, HAND)
    async with desk.begin() as db:
        assert await db.scalar(sa.select(sa.func.count()).select_from(session)) == 0


# Going on, and out ---------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["refresh", "reuse", "forge", "sign out", "wait"]),
        st.integers(0, 5),
        st.sampled_from([SECOND, 5 * MINUTE, 20 * MINUTE, 6 * HOUR, 13 * HOUR, 9 * DAY]),
    ),
    max_size=12,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
@example([("wait", 0, 13 * HOUR), ("refresh", 0, SECOND)])
@example([("refresh", 0, SECOND), ("refresh", 0, SECOND), ("reuse", 0, SECOND)])
async def test_whatever_is_done_one_access_and_one_refresh_token_are_good_at_most(
    db: AsyncConnection, steps: list[tuple[str, int, timedelta]]
) -> None:
    """Against a model that knows the last tokens, when they end, and whether all ended."""
    inner = await db.begin_nested()
    number, at, over = await opened(db, secret=keeping.NONE), NINE, False
    last = await begun(db, number)
    used: list[signing.Tokens] = []
    for step, which, wait in steps:
        good = not over and at < (last.refresh_until or at)
        if step == "wait":
            at += wait
        elif step == "sign out":
            ident = await db.scalar(sa.select(session.c.id))
            await signing.sign_out(db, ident, at)
            over = True
        elif step == "forge":
            guess = tokens.next_refresh()
            assert await signing.refresh(db, guess, at, HAND) is None
        elif step == "refresh":
            new = await signing.refresh(db, str(last.refresh), at, HAND)
            assert (new is not None) == good
            if new is not None:
                used.append(last)
                last = new
        elif used:
            assert await signing.refresh(db, str(used[which % len(used)].refresh), at, HAND) is None
            over = True
        who = await arrival(db, last.access, at)
        assert (who is not None) == (not over and at < last.access_until)
        assert last.access_until <= (last.refresh_until or at) <= NINE + signing.LONGEST
        for each in used:
            assert await arrival(db, each.access, at) is None
    await inner.rollback()


async def test_a_session_that_is_always_gone_on_with_ends_all_the_same(
    db: AsyncConnection,
) -> None:
    last, at = await begun(db, await opened(db)), NINE
    for _ in range(100):
        if (new := await signing.refresh(db, str(last.refresh), at, HAND)) is None:
            break
        last, at = new, at + 11 * HOUR
    assert NINE + signing.LONGEST <= at < NINE + signing.LONGEST + 11 * HOUR
    assert last.refresh_until == NINE + signing.LONGEST


async def test_of_two_who_refresh_at_once_one_wins_and_then_nobody(desk: AsyncEngine) -> None:
    new = await signing.sign_in(desk, ONE, GOOD, NINE, HAND)

    async def refreshed() -> signing.Tokens | None:
        async with transaction(desk) as db:
            return await signing.refresh(db, str(new.refresh), NINE + MINUTE, HAND)

    answers = await asyncio.gather(*(refreshed() for _ in range(4)))
    [won] = [each for each in answers if each is not None]
    async with desk.begin() as db:
        assert await arrival(db, won.access, NINE + MINUTE) is None


async def test_signed_out_everywhere_is_nowhere_and_nobody_elses(db: AsyncConnection) -> None:
    one, two = await opened(db), await opened(db, TWO)
    mine = [await begun(db, one) for _ in range(3)]
    other = await begun(db, two)
    assert await signing.sign_out_everywhere(db, one, HAND, NINE) == 3
    assert [await arrival(db, each.access, NINE) for each in mine] == [None] * 3
    assert [await signing.refresh(db, str(each.refresh), NINE, HAND) for each in mine] == [None] * 3
    assert await arrival(db, other.access, NINE) is not None
    assert await signing.sign_out_everywhere(db, one, HAND, NINE) == 0


async def test_a_session_of_a_command_is_short_and_does_not_go_on(db: AsyncConnection) -> None:
    holder = signing.Holder(await opened(db), ONE)
    new = await signing.begin(db, holder, How.command, NINE, HAND)
    assert new.refresh is None
    assert await arrival(db, new.access, NINE + HOUR - SECOND) is not None
    assert await arrival(db, new.access, NINE + HOUR) is None


async def test_sessions_that_are_over_are_forgotten(db: AsyncConnection) -> None:
    number = await opened(db)
    await begun(db, number)
    signed_out = await begun(db, number, NINE + DAY)
    who = await arrival(db, signed_out.access, NINE + DAY)
    assert who is not None
    assert who.session is not None
    await signing.sign_out(db, who.session, NINE + DAY)
    await signing.begin(db, signing.Holder(number, ONE), How.command, NINE + 2 * DAY, HAND)
    assert await signing.forget(db, NINE + 12 * HOUR) == 0
    assert await signing.forget(db, NINE + 12 * HOUR + SECOND) == 1
    assert await signing.forget(db, NINE + DAY + SECOND) == 1
    assert await signing.forget(db, NINE + 2 * DAY + HOUR) == 0
    assert await signing.forget(db, NINE + 2 * DAY + HOUR + SECOND) == 1


# Kept ---------------------------------------------------------------------------------------


async def test_a_one_time_password_is_for_changing_it(desk: AsyncEngine) -> None:
    async with transaction(desk) as db:
        secret = await keeping.one_time()
        await keeping.reset(db, ONE, secret, HAND, NINE)
    new = await signing.sign_in(desk, ONE, str(secret.one_time), NINE, HAND)
    assert new.must_change
    async with desk.begin() as db:
        who = await arrival(db, new.access, NINE)
        assert who is not None
        with pytest.raises(PasswordDue):
            who.may(Scope.dossiers_read)
    await keeping.change_password(desk, who, str(secret.one_time), GOOD, NINE, HAND)
    async with desk.begin() as db:
        after = await arrival(db, new.access, NINE)
        assert after is not None
        after.may(Scope.dossiers_read)
    with pytest.raises(WrongCredentials):
        await signing.sign_in(desk, ONE, str(secret.one_time), NINE, HAND)


async def test_a_changed_password_ends_the_other_sessions(desk: AsyncEngine) -> None:
    here, there = [await signing.sign_in(desk, ONE, GOOD, NINE, HAND) for _ in range(2)]
    async with desk.begin() as db:
        who = await arrival(db, here.access, NINE)
    assert who is not None
    with pytest.raises(WeakPassword, match="the old one"):
        await keeping.change_password(desk, who, GOOD, GOOD, NINE, HAND)
    with pytest.raises(WeakPassword, match="12 to 200"):
        await keeping.change_password(desk, who, GOOD, "ngắn", NINE, HAND)
    await keeping.change_password(desk, who, GOOD, OTHER, NINE, HAND)
    async with desk.begin() as db:
        assert await arrival(db, here.access, NINE) is not None
        assert await arrival(db, there.access, NINE) is None
    assert (await signing.sign_in(desk, ONE, OTHER, NINE, HAND)).person == ONE


async def test_who_guesses_the_old_password_is_counted(desk: AsyncEngine) -> None:
    new = await signing.sign_in(desk, ONE, GOOD, NINE, HAND)
    async with desk.begin() as db:
        who = await arrival(db, new.access, NINE)
    assert who is not None
    for n in range(lockout.ALLOWED):
        with pytest.raises(WrongPassword):
            await keeping.change_password(desk, who, f"{OTHER} {n}", OTHER, NINE, HAND)
    with pytest.raises(WrongPassword):  # it is right, and rests
        await keeping.change_password(desk, who, GOOD, OTHER, NINE, HAND)


async def test_an_account_is_of_somebody_and_there_is_one(db: AsyncConnection) -> None:
    book: Catalogue = await bundles.read(db)
    with pytest.raises(Unknown, match="no person nobody"):
        await keeping.add(db, book, "nobody", keeping.NONE, HAND, NINE)
    await opened(db)
    with pytest.raises(AccountExists, match="already"):
        await opened(db)


async def test_a_closed_account_is_opened_anew_with_nothing_it_had(db: AsyncConnection) -> None:
    number = await opened(db, admin=True)
    before = await begun(db, number)
    await keeping.link(db, ONE, "https://id.example.vn/", "1", HAND, NINE)
    await keeping.close(db, ONE, HAND, NINE)
    assert await arrival(db, before.access, NINE) is None
    assert await signing.refresh(db, str(before.refresh), NINE, HAND) is None
    with pytest.raises(SessionEnded, match="closed"):
        await begun(db, number)
    with pytest.raises(Unknown):
        await keeping.reset(db, ONE, keeping.NONE, HAND, NINE)
    assert await opened(db) == number
    now = await row(db)
    assert (now.admin, now.issuer, now.closed_at) == (False, None, None)
    assert await arrival(db, before.access, NINE) is None


async def test_an_identity_is_one_persons(db: AsyncConnection) -> None:
    await opened(db)
    await opened(db, TWO)
    await keeping.link(db, ONE, "https://id.example.vn/", "1", HAND, NINE)
    assert (await keeping.one(db, ONE)).issuer == "https://id.example.vn"
    with pytest.raises(AccountExists, match=ONE):
        await keeping.link(db, TWO, "https://id.example.vn", "1", HAND, NINE)


async def test_a_key_changes_no_password(desk: AsyncEngine) -> None:
    who = Identity(1, ONE, admin=False, must_change=False, scopes=frozenset(), key=1)
    with pytest.raises(BadInput, match="not by a key"):
        await keeping.change_password(desk, who, GOOD, OTHER, NINE, HAND)
    with pytest.raises(OutOfScope, match="dossiers:read"):
        who.may(Scope.dossiers_read)
