"""OCEL 2.0 as JSON, as it streams: events first, then the objects they are about. Pure.

| object | is | related to |
|---|---|---|
| dossier | the case | – |
| visit | one stay in a stage of the procedure | its dossier, unit and person |
| component | a paper that the procedure asks for | its dossier |
| consultation | a question to another body | its dossier, the visit that asked, the unit asked |
| unit, person | who did it, and where | – |

The four parts of the document may come in any order, so the types stand last: by then it is known
which there were. Every value is a text, as the published schema has it; the types say what it is.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from states.logs.telling import CACHED, PREFIX, Case, Chapter, Kind, Names, Things, moments
from states.words import Role

CONSULTING = {Kind.asked: "asks", Kind.ended: "ends"}
OF_EVENT = ("role", "stage", "acts_for", "lifecycle")
OBJECTS: dict[str, dict[str, str]] = {
    "dossier": {
        **dict.fromkeys(("agency", "procedure", "field", "channel", "source"), "string"),
        "version": "integer",
        **dict.fromkeys(("received", "due", "finished"), "time"),
        **dict.fromkeys(("verdict", "outcome", "applicant"), "string"),
    },
    "visit": {
        **dict.fromkeys(("stage", "role", "term"), "string"),
        **dict.fromkeys(("opened", "due", "closed"), "time"),
        "used": "integer",
        "verdict": "string",
    },
    "component": {"component": "string", "files": "integer"},
    "consultation": {"standing": "string", "asked": "time", "due": "time"},
    "unit": {},
    "person": {},
}
DECLARED = "[" + ",".join(
    orjson.dumps(
        {"name": name, "attributes": [{"name": n, "type": t} for n, t in attributes.items()]}
    ).decode()
    for name, attributes in OBJECTS.items()
) + "]"  # fmt: skip
Values = Iterable[tuple[str, str | int | datetime | None, datetime]]
"""Attributes by name, each with the moment since which it is so."""


@lru_cache(CACHED)
def quoted(text: str) -> str:
    """A JSON string."""
    return orjson.dumps(text).decode()


def inner(text: str) -> str:
    """As a part of a JSON string."""
    return orjson.dumps(text).decode()[1:-1]


def relation(to: str, how: str) -> str:
    """`to` is the id of an object, a part of a JSON string already."""
    return f'{{"objectId":"{to}","qualifier":"{how}"}}'


class Ocel:
    """A log as OCEL: `head`, `chapter` for each dossier, `turn`, `objects` of the same dossiers,
    `tail`.
    """

    media = "application/json"
    ending = "json"

    def __init__(self, zone: Any, names: Names) -> None:
        self.moment, self.names = moments(zone), names
        self.activities: dict[str, None] = {}
        self.people: dict[str, None] = {}
        self.units: dict[str, None] = {}
        self._rest = lru_cache(CACHED)(self._constant)
        self._comma = ""

    def head(self) -> str:
        return '{"events":[\n'

    def chapter(self, chapter: Chapter) -> Iterator[str]:
        """The events of one dossier."""
        case, rows = chapter
        code, moment, rest = inner(case.code), self.moment, self._rest
        about = relation(f"dossier/{code}", "of")
        for row in rows:
            _, kind, n, activity, transition, at, actor, role, unit, acts_for, *which = row
            visit, stage, opened, extra = which
            told, by = rest(activity, transition, actor, role, unit, acts_for, stage)
            near = self._near(code, kind, n, visit, opened, extra)
            yield (
                f'{self._comma}{{"id":"{PREFIX[kind]}/{n}/{code}","time":"{moment(at)}",{told}'
                f'"relationships":[{about}{by}{near}]}}'
            )
            self._comma = ",\n"

    def turn(self) -> str:
        """Between the events and the objects."""
        self._comma = ""
        return '\n],"objects":[\n'

    def objects(self, cases: Iterable[Case], things: Things) -> Iterator[str]:
        """Some dossiers and what is theirs, as they stand."""
        known = {case.id: (case, inner(case.code)) for case in cases}
        for case, code in known.values():
            yield self._dossier(case, code)
        for row in things.visits:
            yield self._visit(known[row["dossier_id"]][1], row)
        for row in things.components:
            yield self._component(*known[row["dossier_id"]], row)
        for row in things.consultations:
            yield self._consultation(known[row["dossier_id"]][1], row)

    def tail(self) -> Iterator[str]:
        """Units, people, and the types there were."""
        for kind, found in (("unit", self.units), ("person", self.people)):
            for name in found:
                yield self._object(kind, f"{kind}/{inner(name)}", (), ())
        own = [{"name": each, "type": "string"} for each in OF_EVENT]
        types = [{"name": each, "attributes": own} for each in self.activities]
        yield f'\n],"eventTypes":{orjson.dumps(types).decode()},"objectTypes":{DECLARED}}}\n'

    # Events ------------------------------------------------------------------------------

    def _constant(
        self,
        activity: str,
        transition: str,
        actor: str | None,
        role: str | None,
        unit: str | None,
        acts_for: str | None,
        stage: str | None,
    ) -> tuple[str, str]:
        """What is the same for many events: type and attributes, and who and where."""
        self.activities[activity] = None
        values = dict(role=role, stage=stage, acts_for=acts_for, lifecycle=transition)
        told = ",".join(
            f'{{"name":"{name}","value":{quoted(value)}}}'
            for name, value in values.items()
            if value is not None
        )
        relations = [*self._person(actor, role, "done by"), *self._unit(unit, "done at")]
        return (
            f'"type":{quoted(activity)},"attributes":[{told}],',
            "".join(f",{each}" for each in relations),
        )

    def _near(
        self, code: str, kind: int, n: int, visit: int | None, opened: int | None, extra: str | None
    ) -> str:
        """The objects that are this dossier's alone."""
        relations = []
        if visit is not None and visit != opened:
            relations.append(relation(f"visit/{visit}/{code}", "during"))
        if opened is not None:
            relations.append(relation(f"visit/{opened}/{code}", "opens"))
        if kind in CONSULTING:
            relations.append(relation(f"consultation/{n}/{code}", CONSULTING[Kind(kind)]))
        if extra is not None and kind == Kind.line:
            brought = (f"component/{inner(each)}/{code}" for each in orjson.loads(extra))
            relations += [relation(each, "brings") for each in brought]
        return "".join(f",{each}" for each in relations)

    # Objects -----------------------------------------------------------------------------

    def _dossier(self, case: Case, code: str) -> str:
        began, known = case.registered, case.received or case.registered
        ended = case.finished or began
        since = dict.fromkeys(("received", "due"), known)
        since |= dict.fromkeys(("finished", "verdict", "outcome"), ended)
        values = (
            (name, getattr(case, name), since.get(name, began)) for name in OBJECTS["dossier"]
        )
        return self._object("dossier", f"dossier/{code}", values, ())

    def _visit(self, code: str, row: Any) -> str:
        opened, closed = row["opened_at"], row["closed_at"] or row["opened_at"]
        values = (
            ("stage", row["code"], opened),
            ("role", row["role"], opened),
            ("term", row["term"], opened),
            ("opened", opened, opened),
            ("due", row["due_at"], opened),
            ("closed", row["closed_at"], closed),
            ("used", row["used"], closed),
            ("verdict", row["verdict"], closed),
        )
        relations = [
            relation(f"dossier/{code}", "of"),
            *self._unit(row["unit"], "at"),
            *self._person(row["person"], row["role"], "held by"),
        ]
        return self._object("visit", f"visit/{row['visit']}/{code}", values, relations)

    def _component(self, case: Case, code: str, row: Any) -> str:
        name, at = row["component"], case.registered
        values = (("component", name, at), ("files", row["files"], at))
        of = (relation(f"dossier/{code}", "of"),)
        return self._object("component", f"component/{inner(name)}/{code}", values, of)

    def _consultation(self, code: str, row: Any) -> str:
        at = row["asked_at"]
        values = (("standing", row["standing"], at), ("asked", at, at), ("due", row["due_at"], at))
        relations = [relation(f"dossier/{code}", "of"), *self._unit(row["unit"], "put to")]
        if row["visit"]:
            relations.append(relation(f"visit/{row['visit']}/{code}", "asked in"))
        return self._object("consultation", f"consultation/{row['n']}/{code}", values, relations)

    def _object(self, kind: str, id_: str, values: Values, relations: Iterable[str]) -> str:
        """`id_` is a part of a JSON string already."""
        moment = self.moment
        told = []
        for name, value, since in values:
            if value is not None:
                text = f'"{moment(value)}"' if isinstance(value, datetime) else quoted(str(value))
                told.append(f'{{"name":"{name}","value":{text},"time":"{moment(since)}"}}')
        comma, self._comma = self._comma, ",\n"
        return (
            f'{comma}{{"id":"{id_}","type":"{kind}","attributes":[{",".join(told)}],'
            f'"relationships":[{",".join(relations)}]}}'
        )

    def _person(self, actor: str | None, role: str | None, how: str) -> tuple[str, ...]:
        if actor is None or role == Role.system:  # a machine is nobody
            return ()
        name = self.names(actor, role)
        self.people[name] = None
        return (relation(f"person/{inner(name)}", how),)

    def _unit(self, unit: str | None, how: str) -> tuple[str, ...]:
        if unit is None:
            return ()
        self.units[unit] = None
        return (relation(f"unit/{inner(unit)}", how),)
