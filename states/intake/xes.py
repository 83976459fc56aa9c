"""XES event logs (IEEE 1849): one row per trace, with its events.

Parsed as it streams, into no tree: what is not a trace costs nothing and a trace is forgotten once
told, so memory does not follow the file. A DOCTYPE is refused where it opens, before any entity of
it is declared; entities and network are off besides.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

from states.intake.cells import tidy
from states.intake.source import Break, Cut, Header, Row, Source, chunks

DEEPEST = 100
ATTRIBUTES = ("string", "date", "int", "float", "boolean", "id")
NAMES = 1000  # of attributes a log may declare
OVERHEAD = 64  # a pair of empty strings is not free


class _Log:
    """The parser tells it every tag; it keeps the whole traces. Depths: log 1, trace 2, its
    attributes and events 3, an event's attributes 4. Deeper ones are about attributes: left out.
    """

    def __init__(self, limit: int) -> None:
        self.ready: deque[Header | Row] = deque()
        self.whole = self.tags = 0
        self._limit = limit
        self._depth = self._size = 0
        self._inside = ""
        self._loose = False
        self._declared: dict[str, None] | None = {}
        self._cells: dict[str, str] = {}
        self._at = self._cells  # where the next attribute belongs
        self._events: list[dict[str, str]] = []

    def doctype(self, *_: str | None) -> None:
        raise Cut("it has a DOCTYPE, which an event log never needs; remove it")

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = tag.rpartition("}")[2]
        self._depth += 1
        self.tags += 1
        if self._depth > DEEPEST:  # the parser keeps every tag that is open
            raise Cut(f"its tags are nested more than {DEEPEST} deep, which no log's are")
        if self._depth == 1 and name != "log":
            raise Cut(f"not an XES log: it begins with <{name[:40]}>, not <log>")
        if self._depth == 2:
            self._inside = name
            self._open(name)
        elif self._inside == "trace":
            self._add(name, attributes)
        elif self._inside == "global" and self._depth == 3:
            self._declare(tidy(attributes.get("key", "")[:200]))

    def end(self, tag: str) -> None:
        self._depth -= 1
        if self._depth == 1 and self._inside == "trace":
            self.whole += 1
            self.ready.append(self._row())
        elif self._depth == 2:
            self._at = self._cells

    def close(self) -> None:
        """The parser's goodbye; the end of the file says nothing new."""

    def _declare(self, name: str) -> None:
        if self._declared is not None and len(self._declared) < NAMES:
            self._declared[name] = None

    def _open(self, name: str) -> None:
        if name == "trace":
            if self._declared is not None:
                self.ready.append(Header(tuple(self._declared)))
                self._declared = None
            self._cells, self._events, self._size = {}, [], 0
            self._at = self._cells
        elif name == "event" and not self._loose:
            self._loose = True
            fault = "an event stands outside any trace, so its dossier is unknown"
            self.ready.append(Row(self.whole + 1, {}, fault=fault))

    def _add(self, name: str, attributes: Mapping[str, str]) -> None:
        key, value = tidy(attributes.get("key", "")), attributes.get("value", "")
        self._size += OVERHEAD + len(key) + len(value)
        if self._size > self._limit:  # read on to the end of the trace, but keep no more of it
            return
        if name == "event" and self._depth == 3:
            self._at = {}
            self._events.append(self._at)
        elif name in ATTRIBUTES and self._depth == (3 if self._at is self._cells else 4):
            self._at.setdefault(key, value)

    def _row(self) -> Row:
        if self._size > self._limit:
            return Row(self.whole, {}, fault=f"the trace is larger than {self._limit:,} characters")
        return Row(self.whole, self._cells, tuple(self._events))


def _syntax(error: etree.XMLSyntaxError, line: int) -> Cut:
    why, _, column = tidy(error.msg or "no XML in it").partition(", line ")
    at = f" at column {column.partition(' column ')[2]}" if column else ""
    return Cut(f"the XML is broken{at}: {why[:200].strip()}", error.lineno or line)


def rows(source: Source) -> Iterator[Header | Row | Break]:
    """The traces of a log in the order of the file, after one Header with the names its <global>
    elements declare.
    """
    log = _Log(source.limits.dossier)
    target: Any = log  # lxml calls the methods it finds; its stubs ask for all there could be
    parser = etree.XMLParser(
        target=target, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    broken: Cut | None = None
    line, silent, tags = 1, 0, 0
    try:
        for chunk in chunks(source):
            parser.feed(chunk)
            line += chunk.count(b"\n")
            while log.ready:
                yield log.ready.popleft()
            # The parser keeps a tag that does not end; nobody else would stop it.
            silent, tags = (silent + len(chunk) if tags == log.tags else 0), log.tags
            if silent > source.limits.dossier:
                raise Cut(f"no tag in {silent:,} bytes")  # noqa: TRY301 told where all breaks are
        parser.close()
    except Cut as cut:
        broken = Cut(cut.why, cut.line or line)
    except etree.XMLSyntaxError as error:
        broken = _syntax(error, line)
    yield from log.ready
    if broken:
        yield Break(log.whole + 1, broken.why, broken.line)
