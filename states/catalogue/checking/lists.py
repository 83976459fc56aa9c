"""Lists of codes."""

from collections.abc import Iterable, Iterator

from states.catalogue.checking.finding import Flaw
from states.catalogue.organisation import Fault
from states.sentences import Sentence
from states.yaml_files import Key


def twice(where: str, codes: Iterable[str], *taken: str) -> Iterator[Fault]:
    """The codes of a list that are there more than once, or are taken already."""
    for at, why in _twice(codes, *taken):
        yield (where, at), why


def repeated(where: Key, codes: Iterable[str]) -> Iterator[Flaw]:
    """The same of a list anywhere."""
    for at, why in _twice(codes):
        yield Flaw((*where, at), why, "leave one of the two out, or correct it")


def _twice(codes: Iterable[str], *taken: str) -> Iterator[tuple[int, str]]:
    seen = set(taken)
    for at, code in enumerate(codes):
        if code in seen:
            yield at, Sentence("{code} is there twice", code=code)
        seen.add(code)
