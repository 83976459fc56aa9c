"""Letters and the marks on them: what of a text cannot be kept, and texts compared. Pure."""

import re
import unicodedata
from itertools import groupby

HALF = "\ud800-\udfff"  # of a pair: no sign by itself
TURNING = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""Signs that turn the direction of writing, and so show other text than is kept."""
HEAPED = 30  # marks on one letter (Unicode's stream-safe text): more take ever longer to order
NO_LATIN = re.compile(f"[\u0300-\u1dff\u1f00-\U0010ffff]{{{HEAPED + 1},}}")


def heaped(text: str) -> bool:
    """Whether more marks than `HEAPED` are on one of its letters."""
    return any(map(_run, NO_LATIN.findall(text)))


def _run(run: str) -> bool:
    return any(
        marks and sum(1 for _ in each) > HEAPED
        for marks, each in groupby(run, lambda sign: unicodedata.combining(sign) > 0)
    )


def plain(text: str) -> str:
    """Letters a to z and digits, without accents or case, one space between words.

    `Đăng ký: cấp lại` is `dang ky cap lai`.
    """
    parts = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    bare = "".join(each for each in parts if not unicodedata.combining(each))
    return " ".join(re.findall(r"[a-z0-9]+", bare.casefold()))
