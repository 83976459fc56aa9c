"""Every refusal over HTTP: one shape, a stable type, a sentence, and nothing written."""

import stat

import pytest
import sqlalchemy as sa
from office import CLERK, LICENCE, OFFICER, RECEPTION, address, running

from api import doors, problems
from states.catalogue import load
from states.db import engine
from states.errors import HosoError
from states.words import Event


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


def told(answer, status: int, kind: str) -> dict:
    """The problem document, after what all of them have in common was checked."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"/problems/{kind}"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["instance"] == answer.request.url.path
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    return problem


async def entries(fresh) -> int:
    async with fresh.connect() as db:
        return int(await db.scalar(sa.text("SELECT count(*) FROM entry")))


# Who --------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Bearer ", "Basic eDp5", "Bearer é"])
async def test_without_the_token_nothing_opens(office, header):
    del office.client.headers["Authorization"]
    headers = RECEPTION | ({"Authorization": header.encode()} if header else {})
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
    other = told(
        await office.move(code, "digitise", CLERK | {"Hoso-For": "H42.02"}), 403, "not-yours"
    )
    assert "p-post-01 acts for H42.02" in other["detail"]
    bare = load().model_copy(update={"delegations": ()})
    async with running(address(fresh), tmp_path, bare) as undelegated:
        told(await undelegated.move(code, "digitise", CLERK), 403, "not-held")
    assert (await office.move(code, "digitise", CLERK)).status_code == 200


async def test_wrong_role_and_wrong_unit_are_told_the_present_state(office, fresh):
    code = await office.processing()
    wrong_role = told(await office.move(code, "advance", RECEPTION), 403, "not-yours")
    assert "it is for leader, officer" in wrong_role["detail"]
    assert (wrong_role["state"], wrong_role["seq"]) == ("processing", 4)
    assert wrong_role["open"] == ["withdraw"]
    elsewhere = {"Hoso-Person": "p-edu-officer-11"}
    wrong_unit = told(await office.move(code, "advance", elsewhere), 403, "not-yours")
    assert "lies in H42.03.02" in wrong_unit["detail"]
    assert wrong_unit["open"] == []
    opening = told(await office.opened(OFFICER), 403, "not-yours")
    assert "p-sci-officer-21 may not open it" in opening["detail"]
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
        ("request_supplement", OFFICER, {"reason": "a\0b"}, "without NUL"),
        ("request_supplement", OFFICER, {"reason": "x" * 2001}, "2,000 characters"),
        ("advance", OFFICER, {"payload": {"produced": ["a\0b"]}}, "produced.0"),
        ("advance", OFFICER, {"payload": {"produced": ["\ud800"]}}, "produced.0"),
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
    answer = (
        await office.opened(applicant="Nguyễn Thị Kín") if False else await office.opened(**body)
    )
    problem = told(answer, 422, "invalid")
    assert [each["where"] for each in problem["errors"]] == [where]
    assert "Nguyễn" not in answer.text
    assert await entries(fresh) == 0


@pytest.mark.parametrize(
    "body", [{"channel": "post", "procedure": "1.005092"}, {"components": {"x": "0" * 64}}]
)
async def test_what_the_procedure_does_not_take(office, body):
    answer = await office.opened(**body)
    assert answer.status_code in {201, 422}
    if "components" in body:
        assert "has no component x" in told(answer, 422, "bad-input")["detail"]


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


@pytest.mark.parametrize("code", ["%00", "a%00b", "%0a", "x" * 201, "%7F"])
async def test_codes_that_nothing_can_have(office, code):
    told(await office.client.get(f"/v1/dossiers/{code}", headers=RECEPTION), 422, "invalid")


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 201, b"\xe9"])
async def test_keys_that_cannot_be(office, fresh, key):
    told(await office.opened(RECEPTION | {"Idempotency-Key": key}), 422, "invalid")
    assert await entries(fresh) == 0


# Inside -----------------------------------------------------------------------------------


async def test_what_fails_inside_is_told_nobody(office):
    async def breaks():
        raise RuntimeError("the secret of the house")

    office.app.dependency_overrides[doors.catalogue] = breaks
    answer = await office.client.get("/v1/dossiers/x", headers=RECEPTION)
    told(answer, 500, "broken")
    assert "secret" not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_without_a_database_it_lives_and_says_so(tmp_path):
    nowhere = f"postgresql+asyncpg://hoso_app@/hoso?host={tmp_path}"
    async with running(nowhere, tmp_path) as office:
        assert (await office.client.get("/health")).json() == {"status": "ok"}
        for path in ("/ready", "/v1/dossiers/x"):
            answer = await office.client.get(path, headers=RECEPTION)
            problem = told(answer, 503, "away")
            assert "does not answer" in problem["detail"]
            assert answer.headers["Retry-After"]
        page = await office.client.get("/")
        assert page.status_code == 503
        assert "Không có số liệu" in page.text


async def test_ready_means_our_schema(office, server, tmp_path):
    assert (await office.client.get("/ready")).json() == {"status": "ok"}
    empty = engine(server.address("postgres", "postgres"), size=1)
    async with running(address(empty), tmp_path) as elsewhere:
        told(await elsewhere.client.get("/ready"), 503, "wrong-schema")
    await empty.dispose()


async def test_a_request_carries_one_id(office):
    given = await office.client.get("/health", headers={"X-Request-Id": "from-the-proxy.7"})
    assert given.headers["X-Request-Id"] == "from-the-proxy.7"
    forged = await office.client.get("/health", headers={"X-Request-Id": "two words"})
    assert forged.headers["X-Request-Id"] not in {"", "two words"}


# The token --------------------------------------------------------------------------------


def test_the_token_is_made_once_and_is_the_owners_alone(tmp_path):
    folder = tmp_path / "new"
    token = doors.token(folder)
    assert len(token) == 44
    assert doors.token(folder) == token
    assert stat.S_IMODE((folder / doors.TOKEN).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [doors.TOKEN]


def test_an_empty_token_opens_nothing(tmp_path):
    (tmp_path / doors.TOKEN).write_text("\n")
    with pytest.raises(HosoError, match="holds no token"):
        doors.token(tmp_path)


# The promise ------------------------------------------------------------------------------


def test_types_are_promises():
    """Somebody's program compares these. Adding is free; renaming or removing is a new version."""
    assert {problems.name(kind): status for kind, status in problems.STATUS.items()} == {
        "unidentified": 401,
        "not-held": 403,
        "not-yours": 403,
        "unknown": 404,
        "no-such-address": 404,
        "no-such-method": 405,
        "not-open": 409,
        "stale": 409,
        "too-large": 413,
        "bad-input": 422,
        "key-reused": 422,
        "invalid": 422,
        "unknown-event": 422,
        "broken": 500,
        "wrong-schema": 503,
        "away": 503,
    }


async def test_the_openapi_document_tells_all_of_it(office):
    document = (await office.client.get("/openapi.json")).json()
    assert {"/health", "/ready", "/v1/dossiers/{code}/events/{event}"} <= set(document["paths"])
    for path, methods in document["paths"].items():
        for told_of in methods.values():
            if path.startswith("/v1"):
                assert told_of["security"] == [{"HTTPBearer": []}]
                assert {"401", "403", "404", "409", "412", "413", "422", "503"} <= set(
                    told_of["responses"]
                )
    assert LICENCE in str(document)
