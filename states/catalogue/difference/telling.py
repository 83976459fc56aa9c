"""Ways of telling a change: of a value, of a part with keys of its own, of a list."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, NamedTuple, Protocol

from states.catalogue.difference.values import fill, joined, quoted
from states.catalogue.organisation import Row
from states.catalogue.procedures import Procedure
from states.clock import Term
from states.clock.words import Words

Say = Callable[[Any, Procedure], Words]
Sentence = Callable[[Any, Any], Words]  # the one for an old and a new value


class Change(NamedTuple):
    """One thing that changed."""

    path: str
    old: Any
    new: Any
    words: Words


class Place(NamedTuple):
    """Where something stands: its path, whose it is, and the two versions it stands in."""

    path: str
    of: Words
    whole: tuple[Procedure, Procedure]

    def at(self, key: str) -> "Place":
        """The place of one of its keys."""
        return self._replace(path=f"{self.path}.{key}" if self.path else key)


class Way(Protocol):
    """How a change of one key is told."""

    def tell(self, place: Place, old: Any, new: Any) -> Iterator[Change]:
        """The changes from one value to another that does not equal it."""


Fields = Mapping[str, Way]


def compare(fields: Fields, place: Place, old: Row, new: Row) -> Iterator[Change]:
    """What changed in the keys of something, in the order of `fields`."""
    for key, way in fields.items():
        was, now = getattr(old, key), getattr(new, key)
        if was != now:
            yield from way.tell(place.at(key), was, now)


# Sentences ----------------------------------------------------------------------------------

CHANGES = ("{thing} thay đổi từ {old} thành {new}.", "{thing} changes from {old} to {new}.")
GIVEN = (
    "{thing} nay là {new}; trước đây chưa nêu.",
    "{thing} is now {new}; before, none was given.",
)
DROPPED = ("{thing} không còn được nêu; trước đây là {old}.", "{thing} is dropped; before, {old}.")
GOES = ("{thing} thay đổi từ {old} thành {new}.", "{thing} goes from {old} to {new}.")
RISES = ("{thing} tăng từ {old} lên {new}.", GOES[1])
FALLS = ("{thing} giảm từ {old} xuống còn {new}.", GOES[1])
SET = (
    "{thing} nay là {new}; trước đây không quy định.",
    "{thing} is now {new}; before, none was set.",
)
UNSET = (
    "{thing} không còn được quy định; trước đây là {old}.",
    "{thing} is no longer set; before, {old}.",
)
BEGINS = ("{thing} nay là {new}; trước đây {old}.", "{thing} is now {new}; before, {old}.")
ENDS = ("{thing} nay {new}; trước đây là {old}.", "{thing} is now {new}; before, {old}.")


def changes(old: Any, new: Any) -> Words:
    """Of what is named."""
    return GIVEN if old is None else DROPPED if new is None else CHANGES


def goes(old: Any, new: Any) -> Words:
    """Of what is measured."""
    if old is None or new is None:
        return SET if old is None else UNSET
    if not (isinstance(old, Term) and old.unit and old.unit == new.unit):
        return GOES
    return RISES if old.amount < new.amount else FALLS


def stands(old: Any, new: Any) -> Words:
    """Of what has something else in its place where it is not said."""
    return BEGINS if old is None else ENDS if new is None else CHANGES


def always(vi: str, en: str) -> Sentence:
    """The same sentence, whatever the values."""
    return lambda old, new: (vi, en)


def counted(
    begins: Words,
    ends: Words,
    changes: Words = GOES,
    rises: Words | None = None,
    falls: Words | None = None,
) -> Sentence:
    """Of a number, where 0 is not there at all."""

    def sentence(old: int, new: int) -> Words:
        if not old or not new:
            return ends if old else begins
        return (rises if old < new else falls) or changes

    return sentence


def becomes(sentences: Mapping[Any, Words]) -> Sentence:
    """By what it is now."""
    return lambda old, new: sentences[new]


# Ways ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Value:
    """A value of its own; `absent` is what stands in its place where there is none."""

    thing: Words = ("", "")
    say: Say = quoted
    sentence: Sentence = changes
    absent: Words = ("", "")

    def tell(self, place: Place, old: Any, new: Any) -> Iterator[Change]:
        was, now = (
            self.absent if each is None else self.say(each, whole)
            for each, whole in zip((old, new), place.whole, strict=True)
        )
        thing = fill(self.thing, of=place.of)
        words = fill(self.sentence(old, new), thing=thing, of=place.of, old=was, new=now)
        yield Change(place.path, old, new, words)


def flag(on: Words, off: Words) -> Value:
    """True or false."""
    return Value(sentence=becomes({True: on, False: off}))


@dataclass(frozen=True, slots=True)
class Part:
    """A part with keys of its own; `whole` tells it where it came or went altogether."""

    fields: Fields
    of: Words = ("{of}", "{of}")
    whole: Value = field(default_factory=Value)

    def tell(self, place: Place, old: Any, new: Any) -> Iterator[Change]:
        if old is None or new is None:
            return self.whole.tell(place, old, new)
        return compare(self.fields, place._replace(of=fill(self.of, of=place.of)), old, new)


Mark = tuple[Hashable, int]  # what a thing is known by, and which one of those it is
Marked = dict[Mark, tuple[int, Any]]  # with its place, in the order of the list
AFTER = ("sau {it}", "after {it}")
FIRST = ("đầu tiên", "first")
NOW = ("{item} nay xếp {where}", "{item} now {where}")


@dataclass(frozen=True, slots=True)
class Rows:
    """A list of things known by some of their `keys`, or by all they say.

    `named` is what each is called, `told` what is said of one that is new or gone. Sentences are
    filled with both, with whose list it is (`of`), and with the thing's number (`nth`) and where it
    stands (`where`, after what is `called` so). `order` is the thing that changes when some moved.
    """

    added: Words
    removed: Words
    order: Words
    named: Say = quoted
    called: Say | None = None
    told: Say = quoted
    keys: tuple[str, ...] = ()
    of: Words = ("{item}", "{item}")
    fields: Fields = field(default_factory=dict)

    def tell(self, place: Place, old: Sequence[Any], new: Sequence[Any]) -> Iterator[Change]:
        was, now = self._marked(old), self._marked(new)
        for mark, (at, item) in was.items():
            if mark not in now:
                words = self._fill(self.removed, place, old, at, place.whole[0])
                yield Change(self._path(place, mark, at), item, None, words)
        yield from self._moved(place, was, now, new)
        for mark, (at, item) in now.items():
            path = self._path(place, mark, at)
            if mark not in was:
                words = self._fill(self.added, place, new, at, place.whole[1])
                yield Change(path, None, item, words)
                continue
            of = fill(self.of, of=place.of, item=self.named(item, place.whole[1]))
            yield from compare(self.fields, place._replace(path=path, of=of), was[mark][1], item)

    def _moved(
        self, place: Place, was: Marked, now: Marked, new: Sequence[Any]
    ) -> Iterator[Change]:
        """Of those in both lists the few that do not stand in the order in which they stood."""
        before, after = [each for each in was if each in now], [each for each in now if each in was]
        if before == after:
            return
        runs = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
        stayed = {each for run in runs for each in after[run.b : run.b + run.size]}
        moved = [now[each][0] for each in after if each not in stayed]
        parts = [self._fill(NOW, place, new, at, place.whole[1]) for at in moved]
        thing = fill(self.order, of=place.of)
        words = fill(
            ("{thing} thay đổi: {parts}.", "{thing} changes: {parts}."),
            thing=thing,
            parts=joined(parts, ("; ", "; ")),
        )
        yield Change(f"{place.path}.order", self._listed(was), self._listed(now), words)

    def _listed(self, marked: Marked) -> tuple[Any, ...]:
        """What a list holds: codes and the like, or things that have none."""
        keyed = self.keys or not any(isinstance(each, Row) for _, each in marked.values())
        if keyed:
            return tuple(_label(*mark, at) for mark, (at, _) in marked.items())
        return tuple(each for _, each in marked.values())

    def _marked(self, items: Sequence[Any]) -> Marked:
        seen: Counter[Hashable] = Counter()
        marked: Marked = {}
        for at, item in enumerate(items):
            key = tuple(getattr(item, each) for each in self.keys) if self.keys else item
            seen[key] += 1
            marked[key, seen[key]] = at, item
        return marked

    def _path(self, place: Place, mark: Mark, at: int) -> str:
        return f"{place.path}[{_label(*mark, at)}]"

    def _fill(
        self, said: Words, place: Place, items: Sequence[Any], at: int, whole: Procedure
    ) -> Words:
        item, called = items[at], self.called or self.named
        return fill(
            said,
            of=place.of,
            item=self.named(item, whole),
            told=self.told(item, whole),
            nth=(f"thứ {at + 1}", f"number {at + 1}"),
            where=fill(AFTER, it=called(items[at - 1], whole)) if at else FIRST,
        )


def _label(key: Hashable, nth: int, at: int) -> str:
    """What stands for a thing in a path: its keys, or its number in the list."""
    if isinstance(key, tuple):
        label = ", ".join(str(each) for each in key if each is not None) or "any"
    else:
        label = key if isinstance(key, str) else str(at + 1)
    return label if nth == 1 else f"{label}#{nth}"
