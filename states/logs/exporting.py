"""A log written down as it is read: one piece of bytes after another, whatever its size."""

import asyncio
from array import array
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum, auto
from itertools import islice
from typing import Any, TypeVar

from states.logs.delimited import Delimited
from states.logs.ocel import Ocel
from states.logs.reading import Source
from states.logs.telling import Names
from states.logs.xes import Xes

T = TypeVar("T")
MANY = 300  # texts: some milliseconds of work


class Form(StrEnum):
    """What a log may be written as."""

    xes = auto()
    ocel = auto()
    csv = auto()


@dataclass(slots=True)
class Export:
    """A log that is to be written. `zone`: the office's, whose clocks the moments are told by.

    `dossiers`, `events`: how many were told, in the end.
    """

    source: Source
    form: Form
    names: Names
    zone: Any
    dossiers: int = 0
    events: int = 0

    def writer(self) -> Xes | Delimited | Ocel:
        if self.form is Form.csv:
            return Delimited(self.zone, self.names, people=self.source.people)
        return (Xes if self.form is Form.xes else Ocel)(self.zone, self.names)


MEDIA = {Form.xes: Xes.media, Form.ocel: Ocel.media, Form.csv: Delimited.media}
ENDINGS = {Form.xes: Xes.ending, Form.ocel: Ocel.ending, Form.csv: Delimited.ending}


async def pieces(export: Export) -> AsyncGenerator[bytes]:
    """The whole of it. While one batch is written down, the next is read."""
    writer = export.writer()
    yield writer.head().encode()
    told = array("q")  # which dossiers: OCEL tells of them twice
    objects = isinstance(writer, Ocel)
    async with aclosing(ahead(export.source.chapters(components=objects))) as batches:
        async for chapters in batches:
            export.dossiers += len(chapters)
            export.events += sum(len(rows) for _, rows in chapters)
            async for piece in gathered(text for each in chapters for text in writer.chapter(each)):
                yield piece
            if objects:
                told.extend(case.id for case, _ in chapters)
    if isinstance(writer, Ocel):
        yield writer.turn().encode()
        async with aclosing(ahead(export.source.things(told))) as found:
            async for cases, things in found:
                async for piece in gathered(writer.objects(cases, things)):
                    yield piece
    async for piece in gathered(writer.tail()):
        yield piece


async def gathered(texts: Iterator[str]) -> AsyncGenerator[bytes]:
    """Many small texts as few large ones; whoever else has something to do is let in between."""
    while some := list(islice(texts, MANY)):
        yield "".join(some).encode()
        await asyncio.sleep(0)


async def ahead(items: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """The same, the next one asked for while the present one is worked on."""

    async def next_one() -> T | None:
        return await anext(items, None)

    task = asyncio.create_task(next_one())
    try:
        while (item := await task) is not None:
            task = asyncio.create_task(next_one())
            yield item
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await items.aclose()
