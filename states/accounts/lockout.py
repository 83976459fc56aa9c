"""After how many wrong passwords an account rests, and for how long: the rule. Pure."""

from datetime import timedelta

ALLOWED = 8  # in a row
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(hours=1)


def rest(failed: int) -> timedelta | None:
    """How long nobody may try after that many in a row; never for ever, or anyone could lock out.

    A minute, doubled by each further one, and an hour at most.
    """
    if failed < ALLOWED:
        return None
    doublings = min(failed - ALLOWED, 30)  # 2**30 minutes are more than anybody waits
    return min(SHORTEST * (1 << doublings), LONGEST)
