"""Files handed in over HTTP, as a counter does it."""

import hashlib
from urllib.parse import quote

from office import RECEPTION

BINARY = {"Content-Type": "application/octet-stream"}


def path(code, component="don", n=None, **query):
    said = "&".join(f"{name}={quote(value)}" for name, value in query.items())
    tail = "" if n is None else f"/{n}"
    return f"/v1/dossiers/{code}/components/{component}{tail}{'?' + said if said else ''}"


async def put(office, code, body, component="don", who=RECEPTION, headers=BINARY, **query):
    address = path(code, component, **query)
    return await office.client.put(address, content=body, headers=who | headers)


def sha(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
