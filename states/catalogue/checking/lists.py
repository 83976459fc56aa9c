"""Lists of codes."""

from collections.abc import Iterable, Iterator

from states.catalogue.organisation import Fault


def twice(where: str, codes: Iterable[str], *taken: str) -> Iterator[Fault]:
    """The codes of a list that are there more than once, or are taken already."""
    seen = set(taken)
    for at, code in enumerate(codes):
        if code in seen:
            yield (where, at), f"{code} is there twice"
        seen.add(code)
