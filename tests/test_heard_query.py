"""What is asked in an address is what is read: a misspelt parameter is refused and named."""

import json

import pytest
import structlog
from office import RECEPTION, address, running, told
from starlette.requests import ClientDisconnect
from test_accounts_oidc import door

from api.envelope import Envelope

__all__ = ["door"]


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


# Parameters that nobody reads -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "where", "what"),
    [
        ("/v1/dossiers?agancy=H42.03", "query.agancy", "is not asked for here: agency is"),
        ("/v1/dossiers?limit=2&Limit=3", "query.Limit", "is not asked for here: limit is"),
        ("/v1/live?second=0", "query.second", "is not asked for here: seconds is"),
        ("/v1/accounts/keys?x=", "query.x", "is not asked for here, but revoked"),
        ("/v1/accounts/me?x", "query.x", "is not asked for here, and nothing else is"),
        ("/v1/track/x?utm=1", "query.utm", "is not asked for here, but"),
        ("/v1/dossiers?%00=1", "query", "may not hold U+0000"),
    ],
)
async def test_a_parameter_that_nobody_reads_is_named_with_the_nearest(office, path, where, what):
    problem = (await office.client.get(path, headers=RECEPTION)).json()
    assert (problem["status"], problem["type"]) == (422, "/problems/invalid")
    [wrong] = problem["errors"]
    assert wrong["where"].startswith(where)
    assert wrong["what"].startswith(what)


async def test_no_route_ignores_what_it_does_not_know(office):
    """Whatever it does: before anything is looked at or written."""
    assert (await office.client.get("/v1/accounts/me", headers=RECEPTION)).status_code == 200
    paths = office.app.openapi()["paths"]
    asked = 0
    for path, methods in paths.items():
        for method in methods:
            if not path.startswith("/v1") or "/oidc/" in path:
                continue
            at = path.format_map(Filled())
            answer = await office.client.request(
                method, f"{at}?nobody-reads-this=1", headers=RECEPTION
            )
            [wrong] = told(answer, 422, "invalid")["errors"]
            assert wrong["where"] == "query.nobody-reads-this", (method, path)
            asked += 1
    assert asked > 80


class Filled(dict):
    """Something for every part of a path."""

    def __missing__(self, name):
        return {"sha256": "0" * 64}.get(name, "1")


async def test_providers_bring_along_what_they_like(door):
    """RFC 6749 §4.1.2: what is not known is ignored."""
    answer = await door.browser.get("/v1/accounts/oidc/callback?code=x&session_state=y")
    told(answer, 401, "not-vouched")


# HEAD -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/health", "/", "/openapi.json", "/v1/dossiers", "/v1/dossiers/nothing", "/static/x"]
)
async def test_head_is_get_without_a_body(office, path):
    got, asked = [
        await office.client.request(each, path, headers=RECEPTION) for each in ("GET", "HEAD")
    ]
    assert asked.content == b""
    for answer in (got, asked):
        answer.headers.pop("x-request-id")
    if got.status_code == 200:
        assert dict(asked.headers) == dict(got.headers)
    assert (asked.status_code, asked.headers["content-type"]) == (
        got.status_code,
        got.headers["content-type"],
    )


async def test_head_is_not_taken_where_get_is_not(office):
    answer = await office.client.head("/v1/moves", headers=RECEPTION)
    assert (answer.status_code, answer.content) == (405, b"")
    assert answer.headers["allow"] == "POST"
    answer = await office.client.delete("/v1/dossiers", headers=RECEPTION)
    assert told(answer, 405, "no-such-method")
    assert "HEAD" in answer.headers["allow"].split(", ") or "GET" not in answer.headers["allow"]


async def test_the_head_of_a_stream_ends(office):
    answer = await office.client.head("/v1/live", headers=RECEPTION)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")


# Who hangs up ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raised", "event"), [(ClientDisconnect(), "http.left"), (ValueError("x"), "http.failed")]
)
async def test_who_hangs_up_is_not_logged_as_a_failure(raised, event):
    sent = []

    async def app(scope, receive, send):
        raise raised

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/moves", "headers": []}
    with structlog.testing.capture_logs() as logged:
        await Envelope(app)(scope, None, send)
    assert event in [each["event"] for each in logged]
    assert ("http.failed" in json.dumps(logged)) == (event == "http.failed")
    assert bool(sent) == (event == "http.failed")
