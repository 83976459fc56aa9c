"""Passwords: which will do, and how they are kept and checked (argon2id).

A hash takes 19 MiB and up to a tenth of a second, so two at most are worked on at once, in threads
of their own: many who sign in, or try to, wait for one another and not the counter for them.
"""

import asyncio
import base64
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from states.accounts.refusals import WeakPassword

T = TypeVar("T")
SHORTEST, LONGEST, DIFFERENT = 12, 200, 5  # characters
MEMORY, PASSES, LANES = 19_456, 3, 1  # KiB; one pass more than OWASP's least
HASHING = PasswordHash((Argon2Hasher(time_cost=PASSES, memory_cost=MEMORY, parallelism=LANES),))
AT_ONCE = ThreadPoolExecutor(2, "argon2")


def _plain(size: int) -> str:
    return base64.b64encode(bytes(size)).decode().rstrip("=")


#: What nobody's password hashes to, and takes as long to check as somebody's.
NOBODYS = f"$argon2id$v=19$m={MEMORY},t={PASSES},p={LANES}${_plain(16)}${_plain(32)}"


def one_time() -> str:
    """A password to be changed at once: 96 bits."""
    return secrets.token_urlsafe(12)


def check(password: str, person: str) -> None:
    """Raises `WeakPassword`."""
    password = _normal(password)
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword(
            "a password has {shortest} to {longest} characters: choose another, such as four words",
            shortest=SHORTEST,
            longest=LONGEST,
        )
    if person.casefold() in password.casefold():
        raise WeakPassword(
            "a password does not hold the person's id, {person}: choose another", person=person
        )
    if len(set(password)) < DIFFERENT:
        raise WeakPassword(
            "a password has {different} different characters or more", different=DIFFERENT
        )


async def hashed(password: str) -> str:
    """As it is kept."""
    return await _aside(HASHING.hash, _normal(password))


async def fits(password: str, kept: str | None) -> tuple[bool, str | None]:
    """Whether it is the one that is kept, and a new hash of it where that is out of date.

    None kept takes as long as any. No password is longer than one may be.
    """
    right, renewed = await _aside(
        HASHING.verify_and_update, _normal(password[: LONGEST + 1]), kept or NOBODYS
    )
    return right and kept is not None, renewed


def same(one: str, other: str) -> bool:
    """Whether two are one password."""
    return _normal(one) == _normal(other)


async def _aside(work: Callable[..., T], *values: str) -> T:
    return await asyncio.get_running_loop().run_in_executor(AT_ONCE, work, *values)


def _normal(password: str) -> str:
    """However its letters were typed: keyboards compose Vietnamese ones in two ways."""
    return unicodedata.normalize("NFC", password)
