"""A text with the places of all its values, and the cuts by which it is edited."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from states.errors import BadInput
from states.yaml_files.document import LOADER, Key, dotted
from states.yaml_files.writing import INDENT, item, lines, written

BLOCK = {"|", ">"}


@dataclass(frozen=True, slots=True)
class Spot:
    """A value, the key before it if it stands in a map, and where among its like."""

    parent: Any
    n: int
    key: Any
    value: Any

    @property
    def begins(self) -> Any:
        """The mark where it begins, its key included."""
        return (self.key or self.value).start_mark


@dataclass(frozen=True, slots=True)
class Marked:
    """A text that parses: in such a one YAML breaks lines where Python does."""

    text: str
    rows: list[str]
    starts: list[int]
    root: Any

    @classmethod
    def of(cls, text: str) -> "Marked":
        """The last line gets a break, if it has none."""
        text = text.removeprefix("\ufeff")
        text = text if text.endswith(("\n", "\r")) else text + "\n"
        rows, starts = text.splitlines(keepends=True), [0]
        for row in rows:
            starts.append(starts[-1] + len(row))
        return cls(text, rows, starts, yaml.compose(text, Loader=LOADER))

    # Where ------------------------------------------------------------------------------------

    def node(self, path: Key) -> Any:
        return self.spot(path).value if path else self.root

    def spot(self, path: Key) -> Spot:
        """Raises `BadInput` where nothing is."""
        parent, last = self.node(path[:-1]), path[-1]
        if isinstance(parent, yaml.MappingNode):
            for n, (key, value) in enumerate(parent.value):
                if key.value == last:
                    return Spot(parent, n, key, value)
        elif isinstance(last, int) and 0 <= last < len(parent.value):
            return Spot(parent, last, None, parent.value[last])
        raise BadInput("there is nothing at {path}", path=dotted(path))

    def offset(self, mark: Any) -> int:
        return int(self.starts[min(mark.line, len(self.rows))] + mark.column)

    def row_after(self, node: Any) -> int:
        """The line after a value. Where a block collection ends YAML does not know; its last
        value does, but for the blank lines after a text in a block.
        """
        while isinstance(node, yaml.CollectionNode) and not node.flow_style:
            last = node.value[-1]
            node = last[1] if isinstance(node, yaml.MappingNode) else last
        end = node.end_mark
        if getattr(node, "style", None) not in BLOCK:
            return int(end.line) + 1
        after: int = int(end.line) + (end.column > 0)
        head = self.rows[node.start_mark.line][node.start_mark.column :].partition("#")[0]
        while "+" not in head and not self.rows[after - 1].strip():
            after -= 1
        return after

    def dash(self, listed: Any, n: int) -> int:
        """The line of an item's dash: it may have a line to itself."""
        sign = " " * listed.start_mark.column + "-"
        above = range(listed.value[n].start_mark.line, -1, -1)
        return next((row for row in above if self.rows[row].startswith(sign)), above[0])

    def commented(self, row: int) -> int:
        """The first of the comments that adjoin a line from above."""
        while row > 0 and self.rows[row - 1].lstrip(" ").startswith("#"):
            row -= 1
        return row

    # Cuts -------------------------------------------------------------------------------------

    def cut(self, begin: int, end: int, instead: str = "") -> str:
        return self.text[:begin] + instead + self.text[end:]

    def with_rows(self, row: int, new: Sequence[str]) -> str:
        end = "\r\n" if self.rows[0].endswith("\r\n") else "\n"
        start = self.starts[row]
        return self.cut(start, start, "".join(each + end for each in new))

    def replaced(self, path: Key, value: Any) -> str:
        """Another value in the place of one; it stands behind its key."""
        spot = self.spot(path)
        node = spot.value
        style = getattr(node, "style", None)
        spread = isinstance(node, yaml.CollectionNode) and not node.flow_style
        if not spread and style not in BLOCK:
            begin, end = self.offset(node.start_mark), self.offset(node.end_mark)
            said = written(value, quoted=style in {"'", '"'})
            apart = " " if begin and self.text[begin - 1] not in " [{" else ""
            return self.cut(begin, end, apart + said)
        if spot.key is None:
            raise BadInput("{path} is edited in its text only", path=dotted(path))
        colon = self.text.index(":", self.offset(spot.key.end_mark)) + 1
        last = self.starts[self.row_after(node)]
        end = last - len(self.text[:last]) + len(self.text[:last].rstrip("\r\n"))
        return self.cut(colon, end, " " + written(value))

    def inserted(self, above: Key, key: str, value: Any, order: Sequence[str]) -> str:
        """One more key in a map."""
        parent = self.node(above)
        if parent.flow_style:
            return self._in_brackets(parent, f"{key}: {written(value)}")
        there = [each.value for each, _ in parent.value]
        wanted = order[: order.index(key)] if key in order else ()
        before = [n for n, each in enumerate(there) if each in wanted]
        _, last = parent.value[before[-1] if before else -1]
        column = parent.start_mark.column
        new = lines(value, column, " " * column + f"{key}:")
        return self.with_rows(self.row_after(last), new)

    def _in_brackets(self, parent: Any, said: str) -> str:
        if not parent.value:
            begin = self.offset(parent.start_mark) + 1
            return self.cut(begin, begin, said)
        last = parent.value[-1]
        node = last[1] if isinstance(parent, yaml.MappingNode) else last
        end = self.offset(node.end_mark)
        return self.cut(end, end, f", {said}")

    def appended(self, path: Key, value: Any) -> str:
        """One more item in a list."""
        spot = self.spot(path)
        listed = spot.value
        if not listed.flow_style:
            first, dash = listed.value[0], int(listed.start_mark.column)
            within = first.start_mark.column
            column = within if not first.flow_style and within > dash else dash + INDENT
            return self.with_rows(self.row_after(listed), item(value, dash, column))
        if listed.value or spot.parent.flow_style or not isinstance(value, dict):
            return self._in_brackets(listed, written(value))
        column = int(spot.key.start_mark.column) + INDENT
        begin, end = self.offset(listed.start_mark), self.offset(listed.end_mark)
        bare = Marked.of(self.text[:begin].rstrip(" ") + self.text[end:])
        return bare.with_rows(listed.end_mark.line + 1, item(value, column))

    def without(self, path: Key) -> str:
        """One key, or one of several items, less."""
        spot = self.spot(path)
        begin = self.offset(spot.begins)
        last = spot.n == len(spot.parent.value) - 1
        if spot.parent.flow_style:
            if not last:
                return self.cut(begin, self.offset(self._nth(spot.parent, spot.n + 1).begins))
            if spot.n:
                before = self._nth(spot.parent, spot.n - 1).value
                begin = self.offset(before.end_mark)
            return self.cut(begin, self.offset(spot.value.end_mark))
        row = spot.begins.line
        if spot.key is None:
            row = self.dash(spot.parent, spot.n)
        elif self.rows[row][: spot.begins.column].strip():  # behind a dash: the next moves up
            after = self._nth(spot.parent, 1) if not last else spot
            return self.cut(begin, self.offset(after.begins))
        return self.cut(self.starts[row], self.starts[self.row_after(spot.value)])

    def _nth(self, parent: Any, n: int) -> Spot:
        each = parent.value[n]
        key, value = each if isinstance(parent, yaml.MappingNode) else (None, each)
        return Spot(parent, n, key, value)

    def swapped(self, above: Key, n: int) -> str:
        """An item of a list and the one after it, each in the other's place."""
        listed = self.node(above)
        one, other = self._span(listed, n), self._span(listed, n + 1)
        between = self.text[one[1] : other[0]]
        both = self.text[slice(*other)] + between + self.text[slice(*one)]
        return self.cut(one[0], other[1], both)

    def _span(self, listed: Any, n: int) -> tuple[int, int]:
        if listed.flow_style:
            node = listed.value[n]
            return self.offset(node.start_mark), self.offset(node.end_mark)
        begin = self.commented(self.dash(listed, n))
        return self.starts[begin], self.starts[self.row_after(listed.value[n])]
