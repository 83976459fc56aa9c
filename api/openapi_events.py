"""Events in the OpenAPI document: an address of its own for each that may be fired over HTTP.

One route serves them all. What each takes is read from what the ledger demands of it, and who may
fire it from where to where from the lifecycle: nothing of either is said here again.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model
from pydantic.json_schema import models_json_schema

from api.dossiers.shapes import Asked
from states.ledger.acts import BRINGS, GROUNDED, LONG, REASONED, Brings, by_a_change
from states.lifecycle import COUNTER, NEW, UNIT, Move, moves, taken_in
from states.words import Clock, Event

SHARED = "/v1/dossiers/{code}/events/{event}"
BY_HAND = frozenset(COUNTER | UNIT)  # roles in which people move dossiers
OF_FLOWS = {taken_in}  # guards that close nothing to people
FEW = 3  # states that a summary names
GROUND = Asked.model_fields["ground"].description
REF = "#/components/schemas/{model}"
TICKS = {
    Clock.starts: "the clock starts",
    Clock.holds: "the clock is held",
    Clock.runs: "the clock goes on",
    Clock.restarts: "the clock begins anew",
    Clock.extends: "the promised date is put off",
    Clock.reckons: "the clock is read anew by other rules",
    Clock.stops: "the clock stops",
    Clock.nothing: "the clock is not touched",
}
FILE = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
LATE = "khoản 9 Điều 19 Nghị định 61/2018/NĐ-CP"
EXAMPLES: dict[Event, dict[str, Any]] = {
    Event.receive: {"payload": {"components": {"don": FILE}}},
    Event.decline: {"reason": "Hồ sơ không thuộc thẩm quyền giải quyết của cơ quan"},
    Event.digitise: {"payload": {"components": {"don": FILE}}},
    Event.route: {"reason": "Chuyển cùng hồ sơ giấy trong chuyến 10 giờ"},
    Event.accept: {"payload": {"unit": "H42.03.02"}},
    Event.advance: {"payload": {"produced": ["Phiếu trình giải quyết"]}},
    Event.send_back: {"payload": {"stage": 0}, "reason": "Phiếu trình thiếu ý kiến thẩm định"},
    Event.request_supplement: {
        "reason": "Thiếu bản sao chứng thực giấy đăng ký kinh doanh",
        "ground": "Điều 17 Nghị định 61/2018/NĐ-CP",
    },
    Event.supplement: {"payload": {"components": {"dang-ky-kinh-doanh": FILE}}},
    Event.request_payment: {"payload": {"amount": 200_000}},
    Event.pay: {"payload": {"amount": 200_000}},
    Event.extend: {
        "payload": {"term": "2wd"},
        "reason": "Cần xác minh thêm tại thực địa",
        "ground": LATE,
    },
    Event.return_result: {"payload": {"outcome": "approved", "produced": ["Kết quả giải quyết"]}},
    Event.deliver: {
        "payload": {"channel": "post"},
        "reason": "Người được ủy quyền nhận thay, có giấy ủy quyền",
    },
    Event.withdraw: {"reason": "Công dân xin rút hồ sơ để nộp lại"},
    Event.stop: {
        "reason": "Dừng giải quyết theo quyết định của cơ quan có thẩm quyền",
        "ground": "Điều 19 Nghị định 61/2018/NĐ-CP",
    },
    Event.reopen: {
        "reason": "Kết quả ghi sai ngày sinh",
        "ground": "Điều 21 Nghị định 61/2018/NĐ-CP",
    },
}

Document = dict[str, Any]
Said = Annotated[str, StringConstraints(min_length=1, max_length=LONG, pattern=r"\S")]
Sayable = Annotated[str, StringConstraints(max_length=LONG)]


def spread(document: Document) -> None:
    """Put each event in the place of the route that they share."""
    shared = document["paths"][SHARED]["post"]
    paths = {SHARED.format(code="{code}", event=each): _path(each, shared) for each in by_hand()}
    document["paths"] = dict(
        part
        for path, item in document["paths"].items()
        for part in (paths.items() if path == SHARED else [(path, item)])
    )
    del document["components"]["schemas"][Asked.__name__]
    document["components"]["schemas"] |= _schemas()


def by_hand() -> tuple[Event, ...]:
    """What a person may fire on a dossier that there is."""
    return tuple(each for each in Event if any(_rows(each)) and not by_a_change(each))


@cache
def body(event: Event) -> type[BaseModel]:
    """What the event takes."""
    brings = BRINGS.get(event, Brings)
    needed = any(each.is_required() for each in brings.model_fields.values())
    fields: dict[str, Any] = {
        "payload": (brings, ...) if needed else (brings, brings.model_construct()),
        "reason": (Said, ...) if event in REASONED else (Sayable | None, None),
        "ground": (Said, Field(description=GROUND))
        if event in GROUNDED
        else (Sayable | None, Field(default=None, description=GROUND)),
    }
    if not brings.model_fields:
        del fields["payload"]
    config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLES[event]]})
    name = event.title().replace("_", "") + "Body"
    return create_model(name, __config__=config, __doc__=f"What `{event}` takes.", **fields)


def _schemas() -> Document:
    """The bodies, each with its payload in it: `Result` is another word elsewhere."""
    bodies = [body(event) for event in by_hand()]
    _, told = models_json_schema([(each, "validation") for each in bodies], ref_template=REF)
    defs = told["$defs"]
    payloads = {brings.__name__ for brings in BRINGS.values()}
    for each in bodies:
        if payload := defs[each.__name__]["properties"].get("payload"):
            whole = defs[payload["$ref"].rpartition("/")[2]]
            within = {key: value for key, value in whole.items() if key != "title"}
            defs[each.__name__]["properties"]["payload"] = within
    return {name: schema for name, schema in defs.items() if name not in payloads}


def _path(event: Event, shared: Document) -> Document:
    schema = {"$ref": REF.format(model=body(event).__name__)}
    asks: Document = {"content": {"application/json": {"schema": schema}}}
    if any(each.is_required() for each in body(event).model_fields.values()):
        asks["required"] = True
    return {
        "post": shared
        | {
            "operationId": f"{event}_dossier",
            "summary": _summary(event),
            "description": "\n".join([*_lines(event), "", shared["description"]]),
            "parameters": [each for each in shared["parameters"] if each["name"] != "event"],
            "requestBody": asks,
        }
    }


# In words ---------------------------------------------------------------------------------


def _rows(event: Event) -> Iterator[Move]:
    """Those that lead from a state that a dossier may be in, and are made by people."""
    return (row for row in moves(event) if row.source != NEW and row.by & BY_HAND)


def _summary(event: Event) -> str:
    sources = list(dict.fromkeys(row.source for row in _rows(event)))
    dests = dict.fromkeys(row.dest for row in _rows(event) if row.dest != row.source)
    came = _either(sources) if len(sources) <= FEW else f"any of {len(sources)} states"
    went = f"from {came} to {_either(dests)}" if dests else f"stays in {came}"
    return f"{_plain(event).capitalize()}: {went}"


def _lines(event: Event) -> Iterator[str]:
    """From where to where, by whom, the clock, and when not. Rows that differ in no more than
    where they come from are told together.
    """
    alike: dict[str, list[str]] = {}
    for row in _rows(event):
        closed = f"; closed when {row.guard.__doc__}" if row.guard not in {None, *OF_FLOWS} else ""
        then = "stays so" if row.dest == row.source else f"then {_plain(row.dest)}"
        rest = f"{then}, by {_either(sorted(row.by & BY_HAND))}; {TICKS[row.clock]}{closed}"
        alike.setdefault(rest, []).append(row.source)
    for rest, sources in alike.items():
        yield f"- {_either(sources)}: {rest}"


def _plain(word: str) -> str:
    return word.replace("_", " ")


def _either(words: Iterable[str]) -> str:
    *others, last = map(_plain, words)
    return f"{', '.join(others)} or {last}" if others else last
