"""XES 2.0 (IEEE 1849), as it streams: a dossier is a trace. Pure.

The extensions concept, time, lifecycle and organizational say what everybody knows; the rest are
attributes without a prefix. In the order of the published schema: extensions, globals, classifiers,
attributes of the log, traces; in each, attributes before events.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import orjson

from states.logs.telling import CACHED, COMPLETE, Case, Chapter, Names, moments

NAMESPACE = "http://www.xes-standard.org/"
EXTENSIONS = {
    "Concept": "concept",
    "Time": "time",
    "Lifecycle": "lifecycle",
    "Organizational": "org",
}
EPOCH = "1970-01-01T00:00:00+00:00"
# What XML 1.0 cannot say, and halves of characters, which UTF-8 cannot.
UNSAYABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
MARKS = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
MARKS |= {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}
ESCAPED = str.maketrans(MARKS)
NO_NAME = re.compile(r"[^\w:.\-·]")
DATES = ("received", "due", "finished")
OF_CASE = ("agency", "procedure", "version", "field", "channel", "counter", "source")
TRANSITION = "lifecycle:transition"
OF_EVENT = frozenset({"concept:name", "time:timestamp", TRANSITION, "org:resource", "org:role"})
OF_EVENT |= {"org:group", "acts_for", "stage", "visit"}


@lru_cache(CACHED)
def quoted(text: str) -> str:
    """As the value of an attribute, without its quotes."""
    return UNSAYABLE.sub("\N{REPLACEMENT CHARACTER}", text).translate(ESCAPED)


@lru_cache(CACHED)
def named(key: str) -> str:
    """A key as an XML name, which has no spaces and begins with a letter."""
    made = NO_NAME.sub("_", key)
    return made if made[:1].isalpha() or made[:1] in {"_", ":"} else f"_{made}"


def tag(kind: str, key: str, value: str) -> str:
    return f'<{kind} key="{key}" value="{value}"/>'


class Xes:
    """A log as XES; `head`, then `chapter` for each dossier, then `tail`."""

    media = "application/xml"
    ending = "xes"

    def __init__(self, zone: Any, names: Names) -> None:
        self.moment, self.names = moments(zone), names
        self._rest = lru_cache(CACHED)(self._constant)

    def head(self) -> str:
        """Everything before the first trace."""
        lines = [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<log xes.version="2.0" xes.features="" xmlns="{NAMESPACE}">',
            *(
                f'<extension name="{name}" prefix="{prefix}" uri="{NAMESPACE}{prefix}.xesext"/>'
                for name, prefix in EXTENSIONS.items()
            ),
            f'<global scope="trace">{tag("string", "concept:name", "")}</global>',
            '<global scope="event">'
            + tag("string", "concept:name", "")
            + tag("date", "time:timestamp", EPOCH)
            + tag("string", TRANSITION, COMPLETE)
            + tag("string", "stage", "")
            + "</global>",
            '<classifier name="Activity" keys="concept:name"/>',
            '<classifier name="ActivityAndStage" keys="concept:name stage"/>',
            tag("string", "concept:name", "hoso"),
            tag("string", "lifecycle:model", "standard"),
        ]
        return "\n".join(lines) + "\n"

    def chapter(self, chapter: Chapter) -> Iterator[str]:
        """One trace."""
        case, rows = chapter
        yield f"<trace>{self._case(case)}\n"
        moment, rest = self.moment, self._rest
        for row in rows:
            (
                _,
                _,
                _,
                activity,
                transition,
                at,
                actor,
                role,
                unit,
                acts_for,
                visit,
                stage,
                _,
                extra,
            ) = row
            same = rest(activity, transition, actor, role, unit, acts_for, visit, stage)
            more = "" if extra is None else told(extra)
            yield f'<event><date key="time:timestamp" value="{moment(at)}"/>{same}{more}</event>\n'
        yield "</trace>\n"

    def tail(self) -> Iterator[str]:
        yield "</log>\n"

    def _case(self, case: Case) -> str:
        parts = [tag("string", "concept:name", quoted(case.code))]
        for key in OF_CASE:
            if (value := getattr(case, key)) not in {None, ""}:
                kind = "int" if key == "version" else "string"
                parts.append(tag(kind, key, quoted(str(value))))
        dates = ((key, getattr(case, key)) for key in DATES)
        parts += [tag("date", key, self.moment(at)) for key, at in dates if at is not None]
        ends = ((key, getattr(case, key)) for key in ("verdict", "outcome", "applicant"))
        parts += [tag("string", key, quoted(value)) for key, value in ends if value is not None]
        return "".join(parts)

    def _constant(
        self,
        activity: str,
        transition: str,
        actor: str | None,
        role: str | None,
        unit: str | None,
        acts_for: str | None,
        visit: int | None,
        stage: str | None,
    ) -> str:
        """All of an event but its moment: the same for many."""
        known = {
            "concept:name": activity,
            TRANSITION: transition,
            "org:resource": None if actor is None else self.names(actor, role),
            "org:role": role,
            "org:group": unit,
            "acts_for": acts_for,
            "stage": stage or "",
        }
        parts = [tag("string", key, quoted(v)) for key, v in known.items() if v is not None]
        if visit is not None:
            parts.append(tag("int", "visit", str(visit)))
        return "".join(parts)


@lru_cache(CACHED)
def told(extra: str) -> str:
    """What another system kept beside, each a text as it came."""
    kept = {named(key): str(value) for key, value in orjson.loads(extra).items()}
    return "".join(tag("string", k, quoted(v)) for k, v in kept.items() if k not in OF_EVENT)
