"""The one secret of a deployment: what is signed or hashed here is so by a key made of it."""

import base64
import hmac
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from config.settings import BadSettings, Settings

FILE = "secret"
SHORTEST = 32  # characters


def secret(settings: Settings) -> bytes:
    """HOSO_SECRET, else that of the data folder, made at the first start; its owner alone reads it.

    Several machines need the same: there it is set. Raises `BadSettings`.
    """
    if settings.secret is not None:
        return settings.secret.get_secret_value().encode()
    path = settings.data / FILE
    if not path.exists():
        _make(path)
    found = path.read_bytes().strip()
    if len(found) < SHORTEST:
        raise BadSettings(f"{path} holds no secret: delete it, and the next start makes a new one")
    return found


def key(secret: bytes, purpose: str) -> bytes:
    """32 bytes for one purpose: who learns them learns neither the secret nor another's key."""
    return hmac.digest(secret, b"hoso " + purpose.encode(), "sha256")


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent) as new:  # its mode is 0600 from the start
        new.write(base64.urlsafe_b64encode(secrets.token_bytes(32)) + b"\n")
        new.flush()
        with suppress(FileExistsError):  # another process was first: theirs is the secret
            path.hardlink_to(new.name)
