"""The hash chain: SHA-256 over a canonical form of each entry, which holds the hash before it.

Written by the database (`sql`), so that every way of writing shares one expression; derived again
by Python (`derive`) when `hoso verify` checks it. The canonical form is the JSON array of the
fields below, as Postgres's `json_build_array` and Python's `json.dumps` both write it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

FIELDS: dict[str, str] = {
    "dossier_id": "bigint",
    "seq": "integer",
    "event": "text",
    "source": "text",
    "dest": "text",
    "role": "text",
    "actor": "text",
    "on_behalf_of": "text",
    "at": "timestamptz",
    "recorded_at": "timestamptz",
    "payload": "text",
    "reason": "text",
    "ground": "text",
    "key": "text",
    "prev": "bytea",
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def sql(values: Mapping[str, str]) -> str:
    """The hash as an SQL expression over one expression per field."""
    return (
        "sha256(convert_to(json_build_array("
        + ", ".join(_plain(f"({values[name]})::{kind}", kind) for name, kind in FIELDS.items())
        + ")::text, 'UTF8'))"
    )


def _plain(value: str, kind: str) -> str:
    """Moments as microseconds since 1970, bytes as hex; the rest as it is."""
    if kind == "timestamptz":
        return f"(extract(epoch from {value}) * 1000000)::bigint"
    return f"encode({value}, 'hex')" if kind == "bytea" else value


def canonical(entry: Mapping[str, Any]) -> str:
    """The text of an entry that is hashed."""
    return json.dumps([_value(entry[name]) for name in FIELDS], ensure_ascii=False)


def derive(entry: Mapping[str, Any]) -> bytes:
    """The hash an entry must have."""
    return hashlib.sha256(canonical(entry).encode()).digest()


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        since = value - EPOCH
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return value.hex() if isinstance(value, bytes) else value


TOLD = ("n", "name", "at", "person", "unit", "data")  # of an activity


def digest(activities: Sequence[Mapping[str, Any]]) -> str | None:
    """One hash over a history another system told, in hex; None when it told none."""
    if not activities:
        return None
    rows = [[_value(row[name]) for name in TOLD] for row in activities]
    text = json.dumps(rows, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
