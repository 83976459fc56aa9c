"""The move's own door answers as the framework would: the same handler is asked by both ways."""

from itertools import product
from typing import Any

import pytest
from fastapi import APIRouter
from office import CLERK, OFFICER, RECEPTION, Office, address, running

from api.doors import Door
from api.doors.straight import Straight
from api.dossiers import WRITES, move_dossier
from api.dossiers.shapes import DossierStanding

FRAMEWORK = "/v1/by-the-framework"
JSON = "application/json"
BODIES = (
    *(b"", b"null", b"{}", b"[]", b'"x"', b"0", b"{", b"\xff", b'{"a": 1, "a": 1}', b'"\\u0000"'),
    *(b'{"payload": 1}', b'{"reason": 5, "more": 1}', b'{"payload": {"produced": [1]}}'),
)
TYPES = (None, JSON, f"{JSON}; charset=utf-8", "application/merge-patch+json", "text/plain")
EVENTS = ("deliver", "dance")
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"Authorization": "Bearer wrong"},
    *({"Hoso-Role": "king"}, {"Hoso-Role": "leader"}, {"Hoso-For": "H" * 41}),
    *({"If-Match": "x"}, {"If-Match": '"9"'}, {"Idempotency-Key": "one"}),
    *({"Idempotency-Key": "a b"}, {"Accept-Language": "vi"}, {"Prefer": "return=minimal"}),
)
TAKEN = ({}, {"Prefer": "return=minimal"}, {"Idempotency-Key": "two"}, {"Accept-Language": "vi"})


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        other = APIRouter(prefix=FRAMEWORK, route_class=Door)
        path = "/{code}/events/{event}"
        other.post(path, response_model=DossierStanding, dependencies=WRITES)(move_dossier)
        office.app.include_router(other)
        yield office


async def answered(office: Office, path: str, body: bytes, headers: dict[str, str]) -> Any:
    """What is told by an answer, apart from which request it was of."""
    answer = await office.client.post(path, content=body, headers=headers)
    told = answer.json() if answer.content else None
    for name in ("instance", "request_id", "code", "slip"):
        told and told.pop(name, None)
    return answer.status_code, told, {**answer.headers, "x-request-id": "", "content-length": ""}


async def alike(office: Office, rest: str, body: bytes, headers: dict[str, str]) -> int:
    ours = await answered(office, f"/v1/dossiers/{rest}", body, headers)
    assert ours == await answered(office, f"{FRAMEWORK}/{rest}", body, headers)
    return int(ours[0])


async def test_what_is_refused_is_refused_alike(office):
    code, found, sent = await office.code(), set(), {"Content-Type": JSON}
    for body, kind, event in product(BODIES, TYPES, EVENTS):
        headers = RECEPTION | ({"Content-Type": kind} if kind else {})
        found.add(await alike(office, f"{code}/events/{event}", body, headers))
    for said, who in product(HEADERS, (RECEPTION, OFFICER, CLERK)):
        found.add(await alike(office, f"{code}/events/deliver", b"{}", sent | who | said))
    for where, event in product((code, "none", "x" * 300), ("recompute", "dance")):
        for who in (RECEPTION, {}):
            found.add(await alike(office, f"{where}/events/{event}", b"{}", sent | who))
    assert found == {401, 403, 404, 409, 412, 422}


@pytest.mark.parametrize("said", TAKEN, ids=str)
async def test_what_is_taken_is_answered_alike(office, said):
    path, found = "{}/events/digitise", []
    headers = RECEPTION | {"Content-Type": JSON} | said
    for prefix in ("/v1/dossiers", FRAMEWORK):
        one = f"{prefix}/{path.format(await office.code())}"
        found.append(await answered(office, one, b"{}", headers))
        if "Idempotency-Key" in said:
            assert await answered(office, one, b"{}", headers) == found.pop()
            headers |= {"Idempotency-Key": "another"}
    assert all(each == found[0] for each in found)


async def test_an_address_that_is_only_posted_to_says_so(office):
    for prefix in ("/v1/dossiers", FRAMEWORK):
        answer = await office.client.get(f"{prefix}/x/events/deliver", headers=RECEPTION)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


async def test_what_is_written_straight_is_in_the_shape_that_is_described(office):
    answer = await office.opened(event="register", channel="online")
    code, moves = answer.json()["code"], iter(("receive", "digitise", "route"))
    answers = [await office.move(code, event, RECEPTION) for event in moves]
    answers.append(await office.move(code, "accept", OFFICER))
    answers.append(await office.move(code, "request_payment", OFFICER, amount=1))
    answers.append(await office.move(code, "withdraw", RECEPTION, {"reason": "no longer"}))
    for each in answers:
        assert each.status_code == 200, each.text
        shape = DossierStanding.model_validate_json(each.content, strict=True)
        assert shape.model_dump_json().encode() == each.content
    assert answers[0].json()["slip"]


async def _asks_for_more(limit: int) -> None:
    """By the query."""


async def _asks_for_a_body(said: DossierStanding) -> None:
    """That must be there."""


@pytest.mark.parametrize(("asks", "what"), [(_asks_for_more, "limit"), (_asks_for_a_body, "said")])
def test_no_handler_asks_in_vain(asks, what):
    with pytest.raises(TypeError, match=f"cannot give {what}"):
        Straight("/", asks, methods=["POST"])
