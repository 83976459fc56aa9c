"""The secret part of a code, printed on the slip. Pure.

It is derived and nowhere kept: 40 bits that prove that the slip of this dossier was seen. Letters
and digits are Crockford's base 32, which has no I, L, O and U, so that nothing printed is misread.
"""

import hmac
import re
import unicodedata

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 8  # of 5 bits each
NATIONAL = re.compile(r"[hg][0-9.]+-[0-9]{6}-[0-9]{4,}", re.ASCII)  # but for its letter
READ = str.maketrans("ILO", "110", "- ")  # as misread, as typed in groups


def written(code: str) -> str:
    """A code as it is kept, however it was typed: a national one in small letters too."""
    code = unicodedata.normalize("NFC", code.strip())
    return code.upper() if NATIONAL.fullmatch(code) else code


def secret_part(key: bytes, code: str) -> str:
    """The secret part of a dossier's code; `key` is the deployment's, made for slips alone."""
    bits = int.from_bytes(hmac.digest(key, code.encode(), "sha256")[:5], "big")
    return "".join(ALPHABET[bits >> 5 * place & 31] for place in reversed(range(LENGTH)))


def grouped(part: str) -> str:
    """As it is printed: `7K3M-9QXD`."""
    return f"{part[:4]}-{part[4:]}"


def same(expected: str, given: str) -> bool:
    """Whether what was typed is the secret part; case, dashes and spaces say nothing."""
    return equal(expected, given.upper().translate(READ))


def equal(expected: str, given: str) -> bool:
    """In a time that tells nothing of where they differ."""
    return hmac.compare_digest(expected.encode(), given.encode())
