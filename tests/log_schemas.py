"""What the published schemas of event logs ask for, in our own words: XES (IEEE 1849), OCEL 2.0."""

import re
from datetime import datetime
from typing import Any

from jsonschema import Draft7Validator
from lxml import etree

XES = "{http://www.xes-standard.org/}"
NC_NAME = re.compile(r"[A-Za-z_][\w.\-]*")
NAME = re.compile(r"[^\W\d][\w.\-:·]*|[_:][\w.\-:·]*")
VALUES = {
    "string": lambda value: True,
    "date": lambda value: datetime.fromisoformat(value).tzinfo is not None,
    "int": lambda value: -(2**63) <= int(value) < 2**63,
    "float": lambda value: float(value) is not None,
    "boolean": lambda value: value in {"true", "false"},
    "id": lambda value: True,
}
RANK = dict.fromkeys(VALUES, 3) | {"extension": 0, "global": 1, "classifier": 2}
RANK |= {"trace": 4, "event": 5}
PARTS = {
    "log": {*RANK},
    "trace": {*VALUES, "event"},
    "event": {*VALUES},
    "global": {*VALUES},
}
STANDARD = {
    "concept": {"name": "string", "instance": "string"},
    "time": {"timestamp": "date"},
    "lifecycle": {"model": "string", "transition": "string", "state": "string"},
    "org": {"resource": "string", "role": "string", "group": "string"},
}
TRANSITIONS = {
    *("schedule", "assign", "withdraw", "reassign", "start", "suspend", "resume", "complete"),
    *("autoskip", "manualskip", "pi_abort", "ate_abort", "unknown"),
}


def checked_xes(content: bytes) -> etree._Element:
    """The log, if it is one; AssertionError says what is not."""
    log = etree.fromstring(content)
    assert _tag(log) == "log"
    float(log.attrib["xes.version"])  # a decimal
    prefixes = {each.attrib["prefix"]: each.attrib for each in log.iter(f"{XES}extension")}
    for attributes in prefixes.values():
        assert set(attributes) == {"name", "prefix", "uri"}
        assert NC_NAME.fullmatch(attributes["name"])
        assert NC_NAME.fullmatch(attributes["prefix"])
    for element in log.iter():
        if (of := _tag(element)) in PARTS:
            _check_children(element, of, set(prefixes))
    declared = {
        each.attrib["scope"]: {key.attrib["key"] for key in each}
        for each in log.iter(f"{XES}global")
    }
    assert set(declared) <= {"trace", "event"}
    for scope, keys in declared.items():
        for element in log.iter(f"{XES}{scope}"):
            assert keys <= {each.attrib.get("key") for each in element}, (scope, keys)
    for each in log.iter(f"{XES}classifier"):
        assert NC_NAME.fullmatch(each.attrib["name"])
        assert set(each.attrib["keys"].split()) <= declared["event"]
    return log


def _tag(element: Any) -> str:
    assert element.tag.startswith(XES), element.tag
    return str(element.tag.removeprefix(XES))


def _check_children(element: Any, of: str, prefixes: set[str]) -> None:
    ranks, keys = [], []
    for child in element:
        tag = _tag(child)
        assert tag in PARTS[of], f"<{tag}> in <{of}>"
        ranks.append(RANK[tag])
        if tag in VALUES:
            assert set(child.attrib) == {"key", "value"}
            key = child.attrib["key"]
            assert NAME.fullmatch(key), key
            assert VALUES[tag](child.attrib["value"]), (key, child.attrib["value"])
            _check_standard(key, tag, child.attrib["value"], prefixes, of)
            keys.append(key)
    assert ranks == sorted(ranks), f"the parts of <{of}> are not in order"
    assert len(keys) == len(set(keys)), f"a key is there twice in <{of}>: {keys}"


def _check_standard(key: str, tag: str, value: str, prefixes: set[str], of: str) -> None:
    prefix, colon, name = key.partition(":")
    if not colon or prefix not in STANDARD:
        return
    assert prefix in prefixes, f"{key} is of an extension that the log does not declare"
    assert STANDARD[prefix][name] == tag, key
    if key == "lifecycle:transition" and of == "event":
        assert value in TRANSITIONS, value


STRING = {"type": "string"}
MOMENT = {"type": "string", "format": "date-time"}


def _list(required: dict[str, Any], **more: Any) -> dict[str, Any]:
    item = {"type": "object", "properties": required | more, "required": list(required)}
    return {"type": "array", "items": item}


RELATIONS = _list({"objectId": STRING, "qualifier": STRING})
TYPES = _list({"name": STRING, "attributes": _list({"name": STRING, "type": STRING})})
OCEL = {
    "type": "object",
    "properties": {
        "eventTypes": TYPES,
        "objectTypes": TYPES,
        "events": _list(
            {"id": STRING, "type": STRING, "time": MOMENT},
            attributes=_list({"name": STRING, "value": STRING}),
            relationships=RELATIONS,
        ),
        "objects": _list(
            {"id": STRING, "type": STRING},
            attributes=_list({"name": STRING, "value": STRING, "time": MOMENT}),
            relationships=RELATIONS,
        ),
    },
    "required": ["eventTypes", "objectTypes", "events", "objects"],
}
MEANT = {
    "string": lambda value: True,
    "integer": int,
    "float": float,
    "time": datetime.fromisoformat,
    "boolean": {"true": 1, "false": 1}.__getitem__,
}


def checked_ocel(log: dict[str, Any]) -> dict[str, Any]:
    """The log, if it is one, of the schema and of what the specification asks for besides."""
    Draft7Validator(OCEL).validate(log)
    objects = {each["id"]: each for each in log["objects"]}
    assert len(objects) == len(log["objects"]), "an object is there twice"
    assert len({each["id"] for each in log["events"]}) == len(log["events"]), "an event, twice"
    for things, types in ((log["objects"], "objectTypes"), (log["events"], "eventTypes")):
        names = [each["name"] for each in log[types]]
        assert len(names) == len(set(names))
        declared = {
            each["name"]: {one["name"]: one["type"] for one in each["attributes"]}
            for each in log[types]
        }
        for each in things:
            for attribute in each.get("attributes", ()):
                kind = declared[each["type"]][attribute["name"]]
                MEANT[kind](attribute["value"])
            for relation in each.get("relationships", ()):
                assert relation["objectId"] in objects, relation
                assert relation["qualifier"]
    for each in log["events"]:
        assert each["relationships"], "an event is about something"
        assert datetime.fromisoformat(each["time"]).tzinfo is not None
    return log
