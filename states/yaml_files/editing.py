"""Values put into a text and taken out of it, every other letter left alone.

Comments, order and style are their writer's. What comes out is read again, and refused unless it
says what was meant and nothing else.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

from states.errors import BadInput
from states.yaml_files.document import Key, dotted, parse
from states.yaml_files.marked import Marked

Change = Callable[[Any], None]


def plain(text: str) -> Any:
    """What a text says, without its comments. Raises `BadFile`."""
    return parse("text", text.encode()).data


def at(data: Any, path: Key) -> Any:
    """The value at a path; None where there is none."""
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def put(text: str, path: Key, value: Any, order: Sequence[str] = ()) -> str:
    """The value at that place, in the style of the one before it.

    A key that is not there follows the last of those that stand before it in `order`.
    """
    *above, last = path

    def change(data: Any) -> None:
        at(data, tuple(above))[last] = value

    there = at(plain(text), tuple(above))
    if there is None and above:
        return put(text, tuple(above), {last: value}, order)
    marked = Marked.of(text)
    if isinstance(there, dict) and last not in there:
        return _meant(text, marked.inserted(tuple(above), str(last), value, order), path, change)
    return _meant(text, marked.replaced(path, value), path, change)


def drop(text: str, path: Key) -> str:
    """Without the key, or the item of a list. Comments that stand above it stay."""

    def change(data: Any) -> None:
        del at(data, path[:-1])[path[-1]]

    there = at(plain(text), path[:-1])
    if isinstance(there, list) and len(there) == 1:
        return put(text, path[:-1], [])
    return _meant(text, Marked.of(text).without(path), path, change)


def append(text: str, path: Key, item: Any, order: Sequence[str] = ()) -> str:
    """One more at the end of a list, which begins with it where there is none."""

    def change(data: Any) -> None:
        at(data, path).append(item)

    if at(plain(text), path) is None:
        return put(text, path, [item], order)
    return _meant(text, Marked.of(text).appended(path, item), path, change)


def move(text: str, path: Key, by: int) -> str:
    """An item of a list a place up (-1) or down (1), with the comments that stand above it."""
    *above, last = path
    assert isinstance(last, int)
    first, second = sorted((last, last + by))

    def change(data: Any) -> None:
        listed = at(data, tuple(above))
        listed[first], listed[second] = listed[second], listed[first]

    if first < 0 or second >= len(at(plain(text), tuple(above)) or ()):
        return text
    return _meant(text, Marked.of(text).swapped(tuple(above), first), path, change)


def _meant(before: str, after: str, path: Key, change: Change) -> str:
    """The text after, if it says what the text before did but for the change."""
    meant = deepcopy(plain(before))
    change(meant)
    if plain(after) != meant:
        raise BadInput(
            "{path} is written in a way that no form can change: edit the text itself",
            path=dotted(path),
        )
    return after
