"""Events in the OpenAPI document: what is written of each is what the ledger takes, and no less."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from office import routed
from pydantic import ValidationError

from api.dossiers.shapes import Asked
from api.openapi_events import BY_HAND, EXAMPLES, SHARED, TICKS, by_hand
from states import people
from states.catalogue import load
from states.errors import BadInput
from states.ledger import Act
from states.ledger.acts import OF_CHANGES, Brings, keepable
from states.lifecycle import NEW, ROWS, moves
from states.people import Caller
from states.words import Clock, Event, Role

DOCUMENT = routed().openapi()
EVENTS = by_hand()
AT = datetime(2024, 3, 4, 8, tzinfo=UTC)
MANY = 3  # members of a list that is drawn
each_event = pytest.mark.parametrize("event", EVENTS)


def operation(event: Event) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][f"/v1/dossiers/{{code}}/events/{event}"]["post"]
    return found


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def body(event: Event) -> dict[str, Any]:
    return resolved(operation(event)["requestBody"]["content"]["application/json"]["schema"])


def check(event: Event) -> Draft202012Validator:
    return Draft202012Validator({"components": DOCUMENT["components"], **body(event)})


def brought(event: Event, said: Any) -> Brings:
    """As the route reads it. Raises `ValidationError` or `BadInput`."""
    asked = Asked.model_validate(said)
    return Act(event=event, actor="a", role=Role.officer, at=AT, **asked.model_dump()).brings()


# Which there are ----------------------------------------------------------------------------


def test_there_is_an_address_for_each_that_a_person_may_fire_and_for_no_other() -> None:
    before = SHARED.partition("{event}")[0]
    paths = [path for path in DOCUMENT["paths"] if path.startswith(before)]
    assert paths == [before + event for event in EVENTS]
    nobodys = {Event.register, Event.adopt, Event.lapse, *OF_CHANGES}
    assert set(EVENTS) == set(Event) - nobodys
    for event in EVENTS:
        assert operation(event)["operationId"] == f"{event}_dossier"
        names = {each["name"].lower() for each in operation(event)["parameters"]}
        assert names >= {"code", "if-match", "idempotency-key", "prefer"}
        assert "event" not in names


@pytest.mark.parametrize("role", Role)
def test_people_move_dossiers_in_these_roles_alone(role: Role) -> None:
    book = load()
    who = Caller(book.organisation.people[0], role, date(2024, 3, 4))
    why = people.may(book, who, "H42.03", "H42.03.02") or ""
    assert why.endswith("moves no dossier") == (role not in BY_HAND)


def test_each_is_told_in_words() -> None:
    assert set(TICKS) == set(Clock)
    for event in EVENTS:
        told = operation(event)["description"]
        rows = [row for row in moves(event) if row.source != NEW]
        for word in {row.source for row in rows} | {row.dest for row in rows}:
            assert word.replace("_", " ") in told + "stays so", (event, word)
        assert {role for role in Role if f" {role}" in told.partition("\n\n")[0]} >= {
            role for row in rows for role in row.by & BY_HAND
        }
        assert all(TICKS[row.clock] in told for row in rows), event
    said = operation(Event.request_supplement)
    assert (
        said["summary"]
        == "Request supplement: from registered or processing to awaiting supplement"
    )
    assert (
        "- processing: then awaiting supplement, by leader or officer; the clock is held; closed"
        in (said["description"])
    )
    assert operation(Event.withdraw)["summary"] == "Withdraw: from any of 7 states to withdrawn"
    assert {row.clock for row in ROWS} <= set(TICKS)


# What they take -----------------------------------------------------------------------------


def drawn(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Whatever a schema allows, of what these bodies are made of; what it does not know, fails.

    A text says something and can be kept: a schema cannot say so.
    """
    schema = resolved(schema)
    if "anyOf" in schema:
        return st.one_of(*map(drawn, schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return KINDS[schema["type"]](schema)


def _object(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "properties" not in schema and (value := schema["additionalProperties"]):
        names = drawn({"type": "string"} | schema["propertyNames"])
        return st.dictionaries(names, drawn(value), max_size=MANY)
    parts = {name: drawn(each) for name, each in schema.get("properties", {}).items()}
    needed = {name: parts.pop(name) for name in schema.get("required", ())}
    return st.fixed_dictionaries(needed, optional=parts)


def _string(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if "pattern" in schema and schema["pattern"] != r"\S":
        return st.from_regex(schema["pattern"].replace("$", r"\Z"))
    texts = st.text(min_size=least, max_size=most).filter(keepable)
    return texts.filter(str.strip) if least else texts


def _integer(schema: dict[str, Any]) -> st.SearchStrategy[int]:
    above = schema.get("exclusiveMinimum")
    least = schema.get("minimum") if above is None else above + 1
    return st.integers(least, schema.get("maximum", 10**12))


KINDS = {
    "object": _object,
    "string": _string,
    "integer": _integer,
    "null": lambda schema: st.none(),
    "array": lambda schema: st.lists(drawn(schema["items"]), max_size=MANY),
}


@each_event
@given(data=st.data())
def test_what_is_valid_is_taken_and_nothing_more_is(event: Event, data: st.DataObject) -> None:
    said = data.draw(drawn(body(event)))
    check(event).validate(said)
    brought(event, said)
    more = data.draw(st.text(min_size=1).filter(keepable))
    if more not in Asked.model_fields:
        assert not check(event).is_valid(said | {more: 1})
        with pytest.raises(ValidationError):
            brought(event, said | {more: 1})
    payload = said.get("payload", {})
    known = body(event)["properties"].get("payload", {}).get("properties", {})
    if more not in known:
        said = said | {"payload": payload | {more: 1}}
        assert not check(event).is_valid(said)
        with pytest.raises(BadInput, match="Extra inputs"):
            brought(event, said)


@each_event
def test_the_example_is_taken(event: Event) -> None:
    assert set(EXAMPLES) == set(EVENTS)
    check(event).validate(EXAMPLES[event])
    assert body(event)["examples"] == [EXAMPLES[event]]
    brought(event, EXAMPLES[event])


@each_event
def test_what_is_required_is_required(event: Event) -> None:
    """And a body may be left out where the ledger wants nothing."""
    example, required = EXAMPLES[event], body(event).get("required", [])
    assert operation(event)["requestBody"].get("required", False) == bool(required)
    for name in Asked.model_fields:
        less = {key: value for key, value in example.items() if key != name}
        assert check(event).is_valid(less) == (name not in required)
        if name in required:
            with pytest.raises(BadInput):
                brought(event, less)
        else:
            brought(event, less)
    for name in {"reason", "ground"} & set(required):
        for blank in ("", " \n"):
            assert not check(event).is_valid(example | {name: blank})
            with pytest.raises(BadInput, match="needs"):
                brought(event, example | {name: blank})


@each_event
def test_a_number_is_a_number_and_nothing_else(event: Event) -> None:
    payload = body(event)["properties"].get("payload", {})
    for name, schema in payload.get("properties", {}).items():
        kinds = {each.get("type") for each in schema.get("anyOf", [schema])}
        if "integer" in kinds:
            for wrong in (True, "1", 1.5):
                said = EXAMPLES[event]
                said = said | {"payload": said["payload"] | {name: wrong}}
                assert not check(event).is_valid(said)
                with pytest.raises(BadInput, match=f"{event}: {name}"):
                    brought(event, said)


@pytest.mark.parametrize("term", ["none", "0wd", "0.0wd", "1.5cd", "2", "wd", "36501wd", "x", ""])
def test_what_extends_nothing_is_no_term(term: str) -> None:
    said = EXAMPLES[Event.extend] | {"payload": {"term": term}}
    assert not check(Event.extend).is_valid(said)
    with pytest.raises(BadInput):
        brought(Event.extend, said)


@pytest.mark.parametrize(
    "term", ["2wd", "10cd", "8wh", "0.5wd", "1.25wh", "sameday", "sameday@14:30"]
)
def test_terms_as_the_law_writes_them_are_taken(term: str) -> None:
    said = EXAMPLES[Event.extend] | {"payload": {"term": term}}
    check(Event.extend).validate(said)
    brought(Event.extend, said)
