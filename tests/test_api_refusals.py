"""Every refusal over HTTP: one shape, a stable type, a sentence, and nothing written."""

from dataclasses import replace

import pytest
from office import CLERK, DIRECTOR, OFFICER, RECEPTION, address, entries, running, told

from states.catalogue import load
from states.words import Event


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


# Who --------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Bearer ", "Basic eDp5", "Bearer é"])
async def test_without_the_token_nothing_opens(office, header):
    headers = {"Authorization": header.encode()} if header else {}
    for method, path in (
        ("GET", "/v1/dossiers/x"),
        ("GET", "/v1/dossiers/x/history"),
        ("GET", "/v1/dossiers/x/clock"),
        ("POST", "/v1/dossiers/x/events/receive"),
    ):
        answer = await office.client.request(method, path, headers=headers)
        told(answer, 401, "unidentified")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("headers", "status", "kind"),
    [
        ({}, 401, "unidentified"),
        ({"Hoso-Person": "p-nobody"}, 403, "not-held"),
        ({"Hoso-Person": "p-reception-01", "Hoso-Role": "leader"}, 403, "not-held"),
        ({"Hoso-Person": "p-reception-01", "Hoso-Role": "king"}, 422, "invalid"),
        ({"Hoso-Person": "p-post-01", "Hoso-For": "H" * 41}, 422, "invalid"),
        ({"Hoso-Person": "p-centre-lead"}, 422, "bad-input"),
        ({"Hoso-Person": "p-post-01"}, 422, "bad-input"),
        ({"Hoso-Person": "p-post-01", "Hoso-For": "H42.14"}, 403, "not-held"),
        ({"Hoso-Person": "p-reception-01", "Hoso-For": "H42.03"}, 422, "bad-input"),
    ],
)
async def test_who_acts_must_be_said_and_true(office, headers, status, kind):
    code = await office.code()
    told(await office.move(code, "digitise", headers), status, kind)
    told(await office.client.get(f"/v1/dossiers/{code}", headers=headers), status, kind)


async def test_a_postal_clerk_acts_only_where_delegated(office, fresh, tmp_path):
    code = await office.code()
    told(await office.move(code, "digitise", CLERK | {"Hoso-For": "H42.02"}), 404, "unknown")
    staff = load().organisation
    bare = replace(load(), organisation=staff.model_copy(update={"delegations": ()}))
    async with running(address(fresh), tmp_path, bare) as undelegated:
        told(await undelegated.move(code, "digitise", CLERK), 403, "not-held")
    assert (await office.move(code, "digitise", CLERK)).status_code == 200


async def test_wrong_role_and_wrong_unit_are_told_the_present_state(office, fresh):
    code = await office.processing()
    produced = {"produced": ["Phiếu trình giải quyết"]}
    wrong_role = told(await office.move(code, "advance", RECEPTION, **produced), 403, "not-yours")
    assert "it is for leader, officer" in wrong_role["detail"]
    assert (wrong_role["state"], wrong_role["seq"]) == ("processing", 4)
    assert wrong_role["open"] == ["withdraw"]
    wrong_unit = told(await office.move(code, "advance", DIRECTOR), 403, "not-yours")
    assert "lies in H42.03.02" in wrong_unit["detail"]
    assert wrong_unit["open"] == []
    opening = told(await office.opened(OFFICER), 403, "not-yours")
    assert "receives no dossiers" in opening["detail"]
    assert await entries(fresh) == 4


# What -------------------------------------------------------------------------------------


async def test_a_move_that_is_not_open(office):
    code = await office.code()
    problem = told(await office.move(code, "deliver", RECEPTION), 409, "not-open")
    assert (problem["state"], problem["seq"]) == ("received", 1)
    assert problem["open"] == ["digitise", "withdraw"]
    assert "a dossier that is received has no such move" in problem["detail"]


async def test_an_unknown_event_is_told_the_events(office):
    problem = told(
        await office.move(await office.code(), "teleport", RECEPTION), 422, "unknown-event"
    )
    assert problem["events"] == list(Event)


async def test_unknown_codes_procedures_and_addresses(office):
    told(await office.move("H42.14-240304-9999", "digitise", RECEPTION), 404, "unknown")
    told(await office.opened(procedure="9.999999"), 404, "unknown")
    told(await office.client.get("/v2/dossiers"), 404, "no-such-address")
    told(await office.client.get("/docs"), 404, "no-such-address")
    told(await office.client.get("/static/nothing.css"), 404, "no-such-address")
    told(await office.client.get("/static/%2e%2e/app.py"), 404, "no-such-address")
    answer = await office.client.delete("/v1/dossiers/x", headers=RECEPTION)
    told(answer, 405, "no-such-method")
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("event", "who", "body", "said"),
    [
        ("request_supplement", OFFICER, {}, "needs a reason"),
        ("request_supplement", OFFICER, {"reason": "x" * 2001}, "2,000 characters"),
        ("advance", OFFICER, {"payload": {"produced": ["x" * 201]}}, "produced.0"),
        ("advance", OFFICER, {"payload": {"person": 7}}, "person"),
        ("advance", OFFICER, {"payload": {"surprise": 1}}, "surprise"),
        ("advance", OFFICER, {"payload": {}}, "must produce"),
        ("request_payment", OFFICER, {"payload": {"amount": -1}}, "amount"),
        ("request_payment", OFFICER, {"payload": {"amount": 10**30}}, "amount"),
    ],
)
async def test_what_a_move_brings_is_checked(office, fresh, event, who, body, said):
    code = await office.processing()
    problem = told(await office.move(code, event, who, body), 422, "bad-input")
    assert said in problem["detail"]
    assert await entries(fresh) == 4


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"applicant": ""}, "body.applicant"),
        ({"applicant": "a\0b"}, "body.applicant"),
        ({"applicant": 5}, "body.applicant"),
        ({"channel": "pigeon"}, "body.channel"),
        ({"event": "deliver"}, "body.event"),
        ({"components": {"don": "short"}}, "body.components.don"),
        ({"state": "delivered"}, "body.state"),
    ],
)
async def test_a_lodging_is_checked_and_not_sent_back(office, fresh, body, where):
    answer = await office.opened(**body)
    problem = told(answer, 422, "invalid")
    assert [each["where"] for each in problem["errors"]] == [where]
    assert "Nguyễn" not in answer.text
    assert await entries(fresh) == 0


async def test_what_the_procedure_does_not_take(office, fresh):
    strange = told(await office.opened(components={"x": "0" * 64}), 422, "bad-input")
    assert "has no component x" in strange["detail"]
    counters = next(each for each in load().procedures.values() if "post" not in each.channels.come)
    by_post = await office.opened(procedure=counters.code, channel="post", components={})
    assert "does not take dossiers by post" in told(by_post, 422, "bad-input")["detail"]
    assert await entries(fresh) == 0


async def test_a_refusal_quotes_no_megabyte(office):
    code = await office.processing()
    surprise = await office.move(code, "advance", OFFICER, {"payload": {"x" * 500_000: 1}})
    assert len(told(surprise, 422, "bad-input")["detail"]) <= 2000
    extra = await office.opened(**{"y" * 500_000: 1})
    assert len(told(extra, 422, "invalid")["detail"]) <= 2000
    assert len(extra.content) < 4000


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"payload": NaN}',
        b"1" * 9999,
    ],
    ids=lambda content: repr(content[:9]),
)
async def test_bodies_that_are_no_lodging(office, fresh, content):
    headers = RECEPTION | {"Content-Type": "application/json"}
    told(await office.client.post("/v1/dossiers", content=content, headers=headers), 422, "invalid")
    assert await entries(fresh) == 0


async def test_two_megabytes_are_not_read(office, fresh):
    code = await office.code()
    path = f"/v1/dossiers/{code}/events/digitise"
    headers = RECEPTION | {"Content-Type": "application/json"}
    huge = b'{"reason": "' + b"x" * 2_000_000 + b'"}'
    told(await office.client.post(path, content=huge, headers=headers), 413, "too-large")

    async def in_pieces():
        for start in range(0, len(huge), 65_536):
            yield huge[start : start + 65_536]

    told(await office.client.post(path, content=in_pieces(), headers=headers), 413, "too-large")
    assert await entries(fresh) == 1


@pytest.mark.parametrize("code", ["%00", "a%00b", "%0A", "x" * 201, "%7F"])
async def test_codes_that_nothing_can_have(office, code):
    told(await office.client.get(f"/v1/dossiers/{code}", headers=RECEPTION), 422, "invalid")


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 201, b"\xe9"])
async def test_keys_that_cannot_be(office, fresh, key):
    told(await office.opened(RECEPTION | {"Idempotency-Key": key}), 422, "invalid")
    assert await entries(fresh) == 0
