"""The OpenAPI document: names that last and are told apart, examples that are right."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from office import routed

from api import openapi, problems

DOCUMENT = routed().openapi()
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = {each[2]["operationId"]: each for each in openapi.operations(DOCUMENT)}
BODIES = [name for name, (_, _, each) in OPERATIONS.items() if "requestBody" in each]


def inside(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member of a part of the document, however deep."""
    if isinstance(value, dict):
        yield from value.items()
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, dict | list):
            yield from inside(each)


def test_every_operation_has_a_name_of_its_own() -> None:
    every = list(openapi.operations(DOCUMENT))
    assert len(OPERATIONS) == len(every) > 80
    assert all(re.fullmatch(r"[a-z]+(_[a-z0-9]+){0,3}", name) for name in OPERATIONS)


def test_every_operation_says_what_it_does() -> None:
    for name, (_, _, each) in OPERATIONS.items():
        assert " " in each["summary"], name
        assert len(each["summary"]) <= 120, name
        assert not each["summary"].endswith("."), name
        assert each["summary"].lower().replace(" ", "_") != name
        assert not each.get("description", "x").startswith(each["summary"]), name
        assert "deprecated" not in each, "docs/api.md says that nothing is"


def test_every_tag_is_described_and_used() -> None:
    used = {tag for _, _, each in OPERATIONS.values() for tag in each["tags"]}
    assert {each["name"] for each in DOCUMENT["tags"]} == used
    assert all(each["description"].endswith(".") for each in DOCUMENT["tags"])


def test_shapes_are_called_by_what_they_are() -> None:
    assert all(re.fullmatch(r"[A-Z][A-Za-z0-9]*", name) for name in SCHEMAS), sorted(SCHEMAS)
    for name, shape in SCHEMAS.items():
        assert shape["title"] == name
    refs = {value for key, value in inside(DOCUMENT) if key == "$ref"}
    assert {f"#/components/schemas/{name}" for name in SCHEMAS} == refs


@pytest.mark.parametrize("name", BODIES)
def test_every_body_shows_an_example_that_is_one(name: str) -> None:
    content = OPERATIONS[name][2]["requestBody"]["content"]
    if (schema := content.get("application/json", {}).get("schema")) is None:
        assert all(each["schema"]["format"] == "binary" for each in content.values())
        return
    shape = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    examples = shape.get("examples") or [
        {
            key: value["examples"][0]
            for key, value in shape["properties"].items()
            if "examples" in value
        }
    ]
    check = Draft202012Validator({"components": DOCUMENT["components"], **schema})
    for each in examples:
        check.validate(each)
    assert any(examples)
    assert shape["additionalProperties"] is False


def test_only_errors_that_can_be_are_documented() -> None:
    for name, (_, method, each) in OPERATIONS.items():
        found = {int(status) for status in each["responses"]}
        takes = {part["name"].lower() for part in each.get("parameters", ())}
        assert (412 in found) == ("if-match" in takes), name
        assert ({408, 413} & found == {408, 413}) == ("requestBody" in each), name
        assert not (409 in found and method == "get"), name
        assert (415 in found) == (name in {"hand_in_component", "hand_in_import_file"}), name
        assert 405 not in found, name
        assert found & {200, 201, 204, 303}, name
        if "security" in each:
            assert {401, 403} <= found, name


def test_every_error_is_one_shape() -> None:
    for _, _, each in OPERATIONS.values():
        for status, answer in each["responses"].items():
            if int(status) >= 400:
                assert answer["content"] == {
                    "application/problem+json": {"schema": {"$ref": problems.PROBLEM}}
                }
    for example in SCHEMAS["Problem"]["examples"]:
        kinds = {f"/problems/{problems.name(kind)}": kind for kind in problems.STATUS}
        assert problems.STATUS[kinds[example["type"]]] == example["status"]
        assert (kinds[example["type"]].__doc__ or "").startswith(example["title"])
