"""The OpenAPI document: what integrators build on, and clients are generated from.

The framework writes most of it. Here it gets names that last, one shape of error, and of all errors
only those that an operation can answer.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api import openapi_events
from api.problems import Problem

TAGS = [
    {"name": "dossiers", "description": "Opened, moved, read: one by one, or many in one request."},
    {"name": "finding", "description": "Lists, search, and the queues of work."},
    {"name": "components", "description": "The papers of a dossier and their files."},
    {"name": "forms", "description": "A dossier's papers as PDF, and agencies' templates."},
    {"name": "consultations", "description": "Stages, and what other bodies are asked in them."},
    {"name": "live", "description": "What happens, as it happens (server-sent events)."},
    {"name": "tracking", "description": "For the public: a dossier by the proof on its slip."},
    {"name": "breaches", "description": "Deadlines that are near or were missed, and why."},
    {"name": "reports", "description": "Figures of whole agencies, as they are and as frozen."},
    {"name": "procedures", "description": "Procedures and their versions, from draft to counter."},
    {"name": "calendars", "description": "Working days, and corrections of them."},
    {"name": "changes", "description": "What moves running dossiers: previewed, then approved."},
    {"name": "organisation", "description": "Agencies, units, people, and who acts for whom."},
    {"name": "notices", "description": "What people were told, and what could not be told."},
    {"name": "imports", "description": "Files of other systems, tried before they are taken in."},
    {"name": "accounts", "description": "Sessions, accounts, service keys."},
    {"name": "operation", "description": "Of the process, for those who run it."},
]
NAMES = {  # of words that two subjects have, for which the framework writes where their class lies
    "api__papers__Form": "ReportForm",
    "states__figures__sheets__Kind": "ColumnKind",
    "states__logs__exporting__Form": "LogForm",
    "Standing-Input": "BreachStanding",
    "states__breaches__attribution__Kind": "HolderKind",
    "states__breaches__rows__Standing": "BreachStanding",
    "states__consultations__rows__Standing": "ConsultationStanding",
    "states__files__kinds__Kind": "FileKind",
}
METHODS = {"get", "put", "post", "delete", "patch"}

Document = dict[str, Any]


def operation_id(route: APIRoute) -> str:
    """The name of the handler. A test demands that no two have one name."""
    return route.name


def add_to(app: FastAPI) -> None:
    """Have the application tell its document so."""
    framework: Callable[[], Document] = app.openapi

    def openapi() -> Document:
        if app.openapi_schema is None:
            app.openapi_schema = told(framework())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def told(document: Document) -> Document:
    document = _named(document)
    document["components"]["schemas"]["Problem"] = Problem.model_json_schema()
    for path, method, operation in operations(document):
        _summarise(operation)
        _unwrap(operation)
        answers, can = operation["responses"], possible(path, method, operation)
        operation["responses"] = {
            status: answer
            for status, answer in answers.items()
            if status[0] in "23" or int(status) in can
        }
    openapi_events.spread(document)
    return document


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Path, method and operation of each."""
    for path, item in document["paths"].items():
        yield from ((path, method, item[method]) for method in METHODS & item.keys())


def possible(path: str, method: str, operation: Document) -> set[int]:
    """Which errors it can answer, by what it takes and what it does."""
    takes = [(each["in"], each["name"].lower()) for each in operation.get("parameters", ())]
    body = operation.get("requestBody", {}).get("content", {})
    signs = "security" in operation or "/accounts/" in path
    named = "/oidc/" in path or any(where == "path" for where, _ in takes)
    can = {
        **dict.fromkeys((422, 429, 500, 503), True),
        **dict.fromkeys((401, 403), signs),
        404: named or bool(body),
        409: method != "get",
        412: ("header", "if-match") in takes,
        415: bool(body.keys() - {"application/json"}),
        **dict.fromkeys((408, 413), bool(body)),
    }
    return {status for status, it_can in can.items() if it_can}


def _named(document: Document) -> Document:
    text = orjson.dumps(document).decode()
    for long, short in NAMES.items():
        text = text.replace(f'"#/components/schemas/{long}"', f'"#/components/schemas/{short}"')
    named: Document = orjson.loads(text)
    schemas = named["components"]["schemas"]
    named["components"]["schemas"] = {
        NAMES.get(name, name): schema | ({"title": NAMES[name]} if name in NAMES else {})
        for name, schema in schemas.items()
    }
    return named


def _summarise(operation: Document) -> None:
    """Its summary is the first sentence of what is said of it, and not the handler's name again."""
    said = operation.pop("description", "")
    first, *rest = re.split(r"\.\s+", said, maxsplit=1)
    operation["summary"] = " ".join(first.split()).rstrip(".") or operation["summary"]
    if rest:
        operation["description"] = rest[0]


def _unwrap(operation: Document) -> None:
    """A body that may be left out is of its shape when it is there, and not `null` instead."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        shapes = [each for each in content["schema"].get("anyOf", ()) if "$ref" in each]
        if len(shapes) == 1:
            content["schema"] = shapes[0]
