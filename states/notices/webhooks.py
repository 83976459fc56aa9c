"""Webhooks: to whom everything is told, and the signature by which they know that it is us."""

import hmac
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints

from states import yaml_files
from states.catalogue.organisation import Fault, Row, Word
from states.yaml_files import Document

HEADER = "Hoso-Signature"
AGE = timedelta(
    minutes=5
)  # of a signature that is still believed: clocks differ, replays come late


def _http(address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an address such as https://example.vn/hoso")
    if parts.username or parts.password:
        raise ValueError("may hold no user and no password: the signature says who we are")
    return address


Url = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_http)]
Secret = Annotated[str, StringConstraints(min_length=16, max_length=200)]


class Endpoint(Row):
    """One receiver. While a secret is exchanged for another, both sign."""

    name: Word
    url: Url = Field(repr=False)
    secrets: tuple[Secret, ...] = Field(repr=False)


class Endpoints(Row):
    """The file of webhooks."""

    endpoints: tuple[Endpoint, ...]

    def faults(self) -> Iterator[Fault]:
        """What contradicts itself."""
        seen: set[str] = set()
        for at, each in enumerate(self.endpoints):
            place: Any = ("endpoints", at)
            if each.name in seen:
                yield (*place, "name"), f"{each.name} is there twice"
            seen.add(each.name)
            if not each.secrets:
                yield (*place, "secrets"), "must hold at least one secret"


def read(document: Document) -> Endpoints:
    """Raises `BadFile`; no secret is repeated in it."""
    endpoints = yaml_files.validate(Endpoints, document)
    for path, expected in endpoints.faults():
        raise document.wrong(path, expected)
    return endpoints


def signature(secrets: tuple[str, ...], body: bytes, at: datetime) -> str:
    """`t=…,v1=…`: HMAC-SHA256 over the moment, a dot and the body, once for each secret."""
    t = int(at.timestamp())
    return ",".join((f"t={t}", *(f"v1={_hmac(each, t, body)}" for each in secrets)))


def is_signed(header: str, secret: str, body: bytes, at: datetime) -> bool:
    """Whether a body came from who has the secret, and lately: for receivers written in Python."""
    parts = [part.partition("=")[::2] for part in header.split(",")]
    moments = [value for name, value in parts if name == "t"]
    if len(moments) != 1 or not (moments[0].isascii() and moments[0].isdecimal()):
        return False
    t = int(moments[0][:15])
    if abs(t - at.timestamp()) > AGE.total_seconds():
        return False
    own = _hmac(secret, t, body).encode()
    told = [value.encode() for name, value in parts if name == "v1"]
    return any(hmac.compare_digest(own, each) for each in told)


def _hmac(secret: str, t: int, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{t}.".encode() + body, sha256).hexdigest()
