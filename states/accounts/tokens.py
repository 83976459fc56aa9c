"""Tokens: made at random, shown once, kept as their hash. Pure but for the randomness."""

import hashlib
import secrets

ACCESS, REFRESH, KEY = "hsa_", "hsr_", "hsk_"  # so that a leaked one is known for what it is
LONGEST = 200  # characters; none of ours is as long


def made(kind: str) -> str:
    """A new one: 256 bits."""
    return kind + secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """What is kept of it. A plain hash is enough: nobody guesses 256 bits."""
    return hashlib.sha256(token.encode()).digest()


def next_refresh(token: str | None = None) -> str:
    """A refresh token: the first of a new session, or the one after this.

    Those of a session begin alike (`family`), which only its holders have ever seen.
    """
    first = made(REFRESH) if token is None else family(token)
    return f"{first}.{secrets.token_urlsafe(32)}"


def family(refresh: str) -> str:
    """What it has in common with the others of its session."""
    return refresh.partition(".")[0]
