"""Exceptions put into a calendar's text and taken out of it, every other byte left alone.

A text is edited by lines, not written anew from what it says: comments, blank lines, order and
style are the agency's. What comes out is read again, and refused unless it says what was meant.
"""

import codecs
import json
from dataclasses import dataclass, replace
from datetime import date

import yaml

from states.calendars.files import CalendarFile, Override, parse
from states.errors import BadInput
from states.sentences import Sentence
from states.yaml_files import LOADER

BREAKS = ("\r\n", "\n", "\r")
INDENT = 2


def with_exception(raw: bytes, day: date, exception: Override, *, overrule: bool = False) -> bytes:
    """The text with that day decided, at the end of its `overrides`.

    A day that is decided already is refused, or with `overrule` decided anew in the same place.
    """
    was = parse(raw)
    text = _Text.of(raw)
    if old := was.overrides.get(day):
        if not overrule:
            raise BadInput(
                "{day} is decided already, by {source}: say that the new decision overrules it"
                " (--overrule)",
                day=day,
                source=old.source,
            )
        begin, end = text.place(_position(was, day))
        text.lines[begin:end] = text.item(day, exception)
    elif was.overrides:
        end = text.end_of_list()
        text.lines[end:end] = text.item(day, exception)
    else:
        text.begin_list(text.item(day, exception))
    return text.saying(replace(was, overrides={**was.overrides, day: exception}))


def without_exception(raw: bytes, day: date) -> bytes:
    """The text with that day no longer decided. Comments between decisions stay.

    With the last exception goes the key `overrides`, unless a comment hangs on it.
    """
    was = parse(raw)
    text = _Text.of(raw)
    if day not in was.overrides:
        raise BadInput(
            "{day} is not decided in calendar {name}: there is nothing to withdraw",
            day=day,
            name=was.name,
        )
    begin, end = text.place(_position(was, day))
    if len(was.overrides) > 1:
        del text.lines[begin:end]
    else:
        text.end_list(begin, end)
    rest = {each: exception for each, exception in was.overrides.items() if each != day}
    return text.saying(replace(was, overrides=rest))


def _position(file: CalendarFile, day: date) -> int:
    return list(file.overrides).index(day)


def _written(day: date, exception: Override) -> dict[str, str]:
    """An exception as YAML by key, in the order of the sample."""
    said = {"date": day.isoformat(), "day": "work" if exception.works else "off"}
    if exception.replaces:
        said["replaces"] = exception.replaces.isoformat()
    if exception.sessions:
        spans = [f"{a:%H:%M}-{b:%H:%M}" for a, b in exception.sessions]
        said["sessions"] = f"[{', '.join(spans)}]"
    said["reason"] = f"{{vi: {_quoted(exception.vi)}, en: {_quoted(exception.en)}}}"
    said["source"] = _quoted(exception.source)
    if exception.issued:
        said["issued"] = exception.issued.isoformat()
    if exception.recorded:
        said["recorded"] = exception.recorded.isoformat()
    return {**said, "verified": json.dumps(exception.verified)}


def _quoted(text: str) -> str:
    """In double quotes, escaped whatever cannot be seen: some of it would break the line."""
    return "".join(
        each if each.isprintable() else f"\\U{ord(each):08x}"
        for each in json.dumps(text, ensure_ascii=False)
    )


# The text by lines ---------------------------------------------------------------------------


@dataclass(slots=True)
class _Text:
    """A calendar's lines, and the nodes that say where in them its `overrides` stand.

    Between `of` and `saying` also the last line has a break.
    """

    raw: bytes
    lines: list[str]
    root: yaml.MappingNode
    key: yaml.ScalarNode | None = None
    listed: yaml.SequenceNode | None = None

    @classmethod
    def of(cls, raw: bytes) -> "_Text":
        """Of a text that parses: in such a one YAML breaks lines where Python does."""
        text = raw.decode("utf-8-sig")
        root = yaml.compose(text, Loader=LOADER)
        assert isinstance(root, yaml.MappingNode)
        made = cls(raw, text.splitlines(keepends=True), root)
        made.lines[-1] = _unbroken(made.lines[-1]) + made.line_break
        for key, node in root.value:
            if key.value == "overrides":
                made.key, made.listed = key, node
        made.check_lines()
        return made

    def check_lines(self) -> None:
        """Raises `BadInput` for the forms of YAML into which no line can be put."""
        for what, each in ((Sentence("the calendar"), self.root), ("'overrides'", self.listed)):
            if each and each.flow_style and (each.value or _spread(each)):
                raise BadInput(
                    "{what} stands in brackets on line {line}: write it on lines of its own to"
                    " have its days edited",
                    what=what,
                    line=each.start_mark.line + 1,
                )
        if self.key and self.lines[self.key.start_mark.line][: self.key.start_mark.column].strip():
            raise BadInput(
                "'overrides' stands behind a '?' on line {line}: begin the line with it to have"
                " its days edited",
                line=self.key.start_mark.line + 1,
            )

    def saying(self, meant: CalendarFile) -> bytes:
        """The text as bytes again, if it says what is meant and nothing else."""
        text = "".join(self.lines)
        if not self.raw.endswith((b"\n", b"\r")):
            text = _unbroken(text)
        raw = (codecs.BOM_UTF8 if self.raw.startswith(codecs.BOM_UTF8) else b"") + text.encode()
        if parse(raw) != meant:
            raise BadInput("this calendar's text cannot be edited here: change it by hand")
        return raw

    @property
    def line_break(self) -> str:
        return next((each for each in BREAKS if self.lines[0].endswith(each)), "\n")

    @property
    def dash(self) -> int:
        """The column of the dashes."""
        if self.listed and self.listed.value:
            return int(self.listed.start_mark.column)
        return int(self.root.start_mark.column) + INDENT

    def item(self, day: date, exception: Override) -> list[str]:
        """An exception as lines, indented as the list is."""
        first = self.listed.value[0] if self.listed and self.listed.value else None
        column = self.dash + INDENT
        if first and not first.flow_style and first.start_mark.column > self.dash:
            column = first.start_mark.column
        begins = (" " * self.dash + "-").ljust(column)
        said = [f"{key}: {value}" for key, value in _written(day, exception).items()]
        begun = [begins + said[0], *(" " * column + each for each in said[1:])]
        return [line + self.line_break for line in begun]

    def place(self, at: int) -> tuple[int, int]:
        """The lines of one exception, from its dash to its last word."""
        assert self.listed
        node, dash = self.listed.value[at], " " * self.dash + "-"
        above = range(node.start_mark.line, -1, -1)  # the dash may have a line to itself
        begin = next((n for n in above if self.lines[n].startswith(dash)), above[0])
        return begin, self.after(node)

    def after(self, node: yaml.Node) -> int:
        """The line after a value. Where a block collection ends YAML does not know; its last
        value does, but for the blank lines after a text in a block.
        """
        while isinstance(node, yaml.CollectionNode) and not node.flow_style:
            last = node.value[-1]
            node = last[1] if isinstance(node, yaml.MappingNode) else last
        end, style = node.end_mark, getattr(node, "style", None)
        if style not in {"|", ">"}:
            return int(end.line) + 1
        after = end.line + (end.column > 0)
        kept = "+" in self.lines[node.start_mark.line][node.start_mark.column :].partition("#")[0]
        while not kept and not self.lines[after - 1].strip():
            after -= 1
        return int(after)

    def end_of_list(self) -> int:
        """The line after the last exception and the comment that adjoins it."""
        assert self.listed
        _, after = self.place(len(self.listed.value) - 1)
        if self.dash > self.root.start_mark.column:  # else it may be the next key's
            comment = " " * self.dash
            while self.line(after).startswith(comment) and _is_comment(self.line(after)):
                after += 1
        return after

    def line(self, at: int) -> str:
        return self.lines[at] if at < len(self.lines) else ""

    def begin_list(self, item: list[str]) -> None:
        """Where there is no exception yet: at an empty `overrides`, or at the end of all."""
        if self.key and self.listed:
            begins, ends = self.listed.start_mark, self.listed.end_mark
            line = self.lines[begins.line]
            self.lines[begins.line] = line[: begins.column].rstrip(" ") + line[ends.column :]
            after = self.after(self.listed)
            self.lines[after:after] = item
            return
        after = self.after(self.root)
        while self.line(after) and (not self.line(after).strip() or _is_comment(self.line(after))):
            after += 1
        key = " " * self.root.start_mark.column + "overrides:" + self.line_break
        self.lines[after:after] = [key, *item]

    def end_list(self, begin: int, end: int) -> None:
        """Take out the last exception: with its key, or leaving an empty list."""
        assert self.key
        at, column = self.key.end_mark.line, self.key.end_mark.column
        if at + 1 == begin and self.lines[at][column:].strip() == ":":
            begin = at
        else:
            head, colon, rest = self.lines[at][column:].partition(":")
            self.lines[at] = f"{self.lines[at][:column]}{head}{colon} []{rest}"
        del self.lines[begin:end]


def _spread(node: yaml.Node) -> bool:
    """Over more than one line."""
    return bool(node.start_mark.line < node.end_mark.line)


def _is_comment(line: str) -> bool:
    return line.lstrip(" ").startswith("#")


def _unbroken(text: str) -> str:
    """Without the last line break."""
    return text.removesuffix(next((each for each in BREAKS if text.endswith(each)), ""))
