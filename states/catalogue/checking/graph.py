"""The stages as a graph of their places in the list."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from states.catalogue.procedures import END, Procedure

Steps = Sequence[Iterable[int]]


@dataclass(frozen=True, slots=True)
class Ways:
    """For each stage by its place in the list: those that may follow it at once (`onward`) and at
    last (`after`), and whether the result may (`ends`). Codes of no stage lead nowhere.
    """

    onward: tuple[tuple[int, ...], ...]
    ends: tuple[bool, ...]
    after: tuple[frozenset[int], ...]

    @property
    def reached(self) -> frozenset[int]:
        """The stages that a dossier can come to."""
        return self.after[0] | {0} if self.after else frozenset()

    def circle(self, at: int) -> frozenset[int]:
        """The stages that a stage goes round with; none where it never comes again."""
        return frozenset(each for each in self.after[at] if at in self.after[each])


def ways(procedure: Procedure) -> Ways:
    """How one may go forward."""
    at = places(procedure)
    last = len(procedure.stages) - 1
    onward = tuple(
        tuple(named(each.next, at)) if each.next is not None else (n + 1,) * (n < last)
        for n, each in enumerate(procedure.stages)
    )
    ends = tuple(
        END in each.next if each.next is not None else n == last
        for n, each in enumerate(procedure.stages)
    )
    return Ways(onward, ends, after(onward))


def places(procedure: Procedure) -> dict[str, int]:
    """Where each code stands first."""
    return {each.code: n for n, each in reversed(list(enumerate(procedure.stages)))}


def named(codes: Iterable[str], at: dict[str, int]) -> Iterable[int]:
    """The places of some codes, each once; what is no stage has none."""
    return dict.fromkeys(at[code] for code in codes if code in at)


def after(onward: Steps) -> tuple[frozenset[int], ...]:
    """What comes after each, by one step or more."""
    return tuple(following(onward[n], onward) for n in range(len(onward)))


def following(starts: Iterable[int], onward: Steps) -> frozenset[int]:
    """These and all that follows them."""
    found = set(starts)
    ahead = list(found)
    while ahead:
        new = set(onward[ahead.pop()]) - found
        found |= new
        ahead += new
    return frozenset(found)
