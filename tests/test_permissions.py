"""Who may what: every route of the API, asked by everybody, about two agencies.

The pages of the desk are asked the same by tests/test_desk_rights.py; a route is in one of both.

What was seen is written down in docs/permissions.md; `HOSO_TEST_WRITE=1` writes it anew.
"""

import json
import os
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from asking import YES, Answer, Desk, Seen, contexts, documented, events, everything_asked, scopes
from callers import ADMINISTRATOR, CALLERS, CONTROL, Caller
from databases import alone, run_as_owner
from leaves import leaves
from permitted import HIDDEN, MOVE, OPEN, PERIOD, ROUTES, SCOPELESS, About, Ask
from permitted_page import mark, page
from two_agencies import EDUCATION, NOWHERE, SCIENCE, Side, World, text

from api.app import create_app
from api.tracking import printed
from config.settings import Settings
from states.accounts import keys
from states.accounts.history import COMMAND
from states.accounts.scopes import ALL, Scope

PAGE = Path(__file__).parents[1] / "docs" / "permissions.md"
BOTH = (SCIENCE, EDUCATION)
VERSION = "/v1/procedures/{code}/versions/{version}"
OTHERS = {About.public, About.operation, About.own}


@pytest.fixture(scope="module")
def addresses(server: Any, worker_id: str) -> dict[str, str]:
    """By role, of a database of its own: what is published in it stays in it."""
    name = f"permissions_{worker_id}"
    with alone(server.data):
        run_as_owner(server, f"CREATE DATABASE {name} TEMPLATE hoso")
    return {role: server.address(name, role) for role in ("hoso_app", "postgres")}


@pytest.fixture(scope="module")
async def desk(addresses: dict[str, str], tmp_path_factory: Any) -> AsyncIterator[Desk]:
    """The application as it is, but that a token may ask as often as it likes."""
    folder = tmp_path_factory.mktemp("permissions")
    app = create_app(Settings(database=addresses["hoso_app"], data=folder, calls=0))
    async with app.router.lifespan_context(app):
        desk = Desk(app)
        async with desk.client:
            await desk.sign_in()
            yield desk


@pytest.fixture(scope="module")
async def seen(desk: Desk, addresses: dict[str, str]) -> Seen:
    """Everything asked by everybody, while the two agencies come into being."""
    house = desk.app.state.house
    world = World(desk.engine, addresses["postgres"], house.settings.data, house.key("citizen"))
    await desk.signing.token("p-fin-director")
    await key(desk, "p-fin-director", {Scope.dossiers_read})
    return await everything_asked(desk, world)


async def key(desk: Desk, person: str | None, scopes: Iterable[Scope]) -> dict[str, str]:
    """What a request with a new service key brings."""
    async with desk.engine.begin() as connection:
        now = await connection.scalar(sa.select(sa.func.now()))
        _, made = await keys.make(connection, "test", str(person), scopes, COMMAND, now)
    return {"Authorization": f"Bearer {made}"}


# The table --------------------------------------------------------------------------------


async def test_every_route_is_in_the_table_and_nothing_else(desk: Desk) -> None:
    routes = documented(desk.app)
    assert routes - ROUTES.keys() == set(), "say in tests/permitted.py what these are about"
    assert ROUTES.keys() - routes == set(), "these are no routes any more"
    every = {route for route, _ in contexts(desk.app)}
    assert every - routes - leaves(desk.app).keys() == HIDDEN, "the desk's are tests/leaves.py's"
    asked = {each(SCIENCE).path["event"] for each in ROUTES[MOVE].asks}
    assert asked == events(desk.app), "say in tests/permitted.py how this event is asked for"


async def test_every_route_wants_a_scope_that_is_read_or_written(desk: Desk) -> None:
    pages = leaves(desk.app)  # a cookie opens them, which has all scopes
    for route, context in contexts(desk.app):
        if route in HIDDEN or route in OPEN or route in pages:
            continue
        found = list(scopes(context.dependant))
        if route in SCOPELESS:
            assert found == [], route
            continue
        assert len(found) == 1, f"{route} wants {found or 'no scope'}"
        if route.startswith("GET"):
            assert found[0].endswith(":read"), f"{route} is read by {found[0]}"
        elif not route.endswith("/simulate"):
            assert found[0].endswith(":write"), f"{route} writes by {found[0]}"


async def test_a_token_is_wanted_and_a_key_made_for_it(desk: Desk, seen: Seen) -> None:
    """No token, one that is none, a key for all else, a key that only reads."""
    made = dict(contexts(desk.app))
    bearer = await _keys(desk)
    for route, entry in ROUTES.items():
        ask = entry.asks[0](SCIENCE)
        for headers in ({}, {"Authorization": "Bearer hsa_nobody"}):
            got = await desk.ask(route, ask, headers)
            assert (got.kind == "unidentified") == (route not in OPEN), (route, got.body)
        for scope in () if route in OPEN else scopes(made[route].dependant):
            got = await desk.ask(route, ask, bearer[f"all but {scope}"])
            assert (got.status, got.kind, got.unchanged) == (403, "out-of-scope", True), route
            got = await desk.ask(route, ask, bearer[scope])
            assert got.kind != "out-of-scope", (route, got.body)
            if scope.endswith(":write"):
                got = await desk.ask(route, ask, bearer["reads"])
                assert (got.kind, got.unchanged) == ("out-of-scope", True), route


async def _keys(desk: Desk) -> dict[str, dict[str, str]]:
    """By name, what a request with each of them brings."""
    wanted: dict[str, set[Scope]] = {f"all but {each}": {*ALL} - {each} for each in ALL}
    wanted |= {each: {each} for each in ALL}
    wanted["reads"] = {each for each in ALL if each.endswith(":read")}
    brought = {}
    for name, scopes_ in wanted.items():
        brought[name] = await key(desk, CONTROL.person, scopes_)
        got = await desk.ask("GET /v1/accounts/me", Ask(), brought[name])
        assert got.status == 200, got.body
    await desk.note()
    return brought


# What is seen -----------------------------------------------------------------------------


def asked(*about: About) -> Iterator[tuple[str, Caller, Side]]:
    for route, entry in ROUTES.items():
        if entry.about in about:
            for caller in CALLERS:
                yield from ((route, caller, side) for side in BOTH)


async def test_who_does_not_see_a_dossier_is_told_what_is_told_of_none(seen: Seen) -> None:
    checked = 0
    for route, caller, side in asked(About.dossier):
        of_none = seen.of(route, caller, NOWHERE)
        for got, none in zip(seen.of(route, caller, side), of_none, strict=True):
            if route == "POST /v1/moves" and got.status in {200, 409}:
                checked += many(caller, side, got)
            elif not caller.sees(side, got.ask.of):
                assert got.about(side) == none.plain, (route, caller.name)
                assert got.status in {401, 403, 404}, (route, caller.name, got.body)
                checked += 1
            else:
                assert got.status != 404, (route, caller.name, got.body)
    assert checked > 300


def many(caller: Caller, side: Side, got: Answer) -> int:
    """Of several moves, those that are told as of no dossier."""
    unseen = {code for name, code in side.codes.items() if not caller.sees(side, name)}
    results = json.loads(got.body)["results"]
    whys = {each["code"]: (each["problem"] or {}).get("type") for each in results}
    unknown = {code for code, why in whys.items() if why == "/problems/unknown"}
    assert unknown == unseen & whys.keys(), (caller.name, got.body)
    assert all(each["state"] is None for each in results if each["code"] in unseen)
    return len(unknown)


async def test_no_list_or_count_follows_from_what_the_caller_does_not_see(seen: Seen) -> None:
    """Whatever another agency does, everything that is told stays as it was, to the letter."""
    for route, caller, side in asked(About.listing):
        if ROUTES[route].token is None and not any(caller.sees(side, each) for each in side.codes):
            assert seen.changed(route, caller, side) == [], (route, caller.name, side.agency)


async def test_every_list_and_count_tells_those_who_see(seen: Seen) -> None:
    """Or the test above would be one of silence."""
    for route, _, side in asked(About.listing):
        told = {each.name for each in CALLERS if mark(seen, route, each.name, side) == YES}
        assert told, (route, side.agency)


async def test_nothing_is_told_anywhere_of_what_the_caller_does_not_see(seen: Seen) -> None:
    for route, caller, side in asked(*About):
        for name in side.codes:
            if not caller.sees(side, name):
                for got in seen.of(route, caller, side):
                    said = [each for each in side.secrets(name) if got.said(each)]
                    assert said == [], (route, caller.name, name)


async def test_what_is_refused_writes_nothing(seen: Seen) -> None:
    refused = [each for answers in seen.last.values() for each in answers if each.status >= 400]
    wrote = {each.route for each in refused if not each.unchanged}
    assert wrote <= OPEN, "but for failed sign-ins, which are counted"
    assert len([each for each in refused if not each.route.startswith("GET")]) > 500


async def test_accounts_are_the_administrators_and_nothing_else_is(seen: Seen) -> None:
    """Who manages accounts sees no dossier for it; who holds a role manages no accounts."""
    for route, caller, side in asked(*About):
        about = ROUTES[route].about
        for got in seen.of(route, caller, side):
            if about is About.administration:
                assert (got.mark == YES) == (caller is ADMINISTRATOR), (route, caller.name)
            elif caller is ADMINISTRATOR and about not in OTHERS:
                assert got.status == 403, (route, got.body)


async def test_what_is_open_to_anybody_names_nobody(desk: Desk, seen: Seen) -> None:
    code = SCIENCE.codes["closed"]  # the other's was guessed at too often by now
    ask = Ask(path={"code": code}, query={"secret": printed(desk.app.state.house, code)})
    told = await desk.ask("GET /v1/track/{code}", ask, {})
    assert told.status == 200, told.body
    answers = [told] + [await desk.ask(route, Ask(), {}) for route in sorted(HIDDEN)]
    for got in answers:
        for side in BOTH:
            for each in side.codes:
                assert not [secret for secret in side.secrets(each) if got.said(secret)], got.route
    scraped = await desk.ask("GET /metrics", Ask(), {})
    assert scraped.status == 401, "it is for who asks on the machine itself, or brings a key"


# By the back door -------------------------------------------------------------------------


async def test_a_draft_opens_no_dossiers_of_the_agency_whose_procedure_it_names(
    desk: Desk, seen: Seen
) -> None:
    """A draft says itself whose it is: on the dossiers of others nothing is tried."""
    said = text(SCIENCE.procedure, 4, **{SCIENCE.agency: EDUCATION.agency})
    path = {"code": SCIENCE.procedure, "version": 4}
    async with desk.undone():
        by = {"Hoso-Person": "p-reception-01"}
        drafted = await desk.ask("POST /v1/procedures", Ask(body={"text": said}), by)
        assert drafted.status == 201, drafted.body
        trying = f"POST {VERSION}/simulate", Ask(path=path, body=PERIOD)
        theirs, ours = [
            await desk.ask(*trying, by) for by in ({"Hoso-Person": EDUCATION.leader}, CONTROL.said)
        ]
        assert (theirs.status, ours.status) == (200, 200), theirs.body
        assert not [code for code in SCIENCE.codes.values() if theirs.said(code)]
        assert [code for code in SCIENCE.codes.values() if ours.said(code)]


async def test_nobody_takes_over_the_procedure_of_another_agency(desk: Desk, seen: Seen) -> None:
    """Drafted by the centre and checked, it is still for the other agency to give away."""
    said = text(SCIENCE.procedure, 4, **{SCIENCE.agency: EDUCATION.agency, "thong-tin": "van-hoa"})
    path, by = {"code": SCIENCE.procedure, "version": 4}, {"Hoso-Person": EDUCATION.leader}
    draft = Ask(body={"text": said})
    async with desk.undone():
        refused = await desk.ask("POST /v1/procedures", draft, by)
        assert (refused.status, refused.kind) == (403, "no-right"), refused.body
        drafted = await desk.ask("POST /v1/procedures", draft, {"Hoso-Person": "p-reception-01"})
        assert drafted.status == 201, drafted.body
        checked = await desk.ask(f"POST {VERSION}/check", Ask(path=path), CONTROL.said)
        assert json.loads(checked.body)["status"] == "checked", checked.body
        publish = Ask(path=path, body={"document": "QĐ 12"})
        refused = await desk.ask(f"POST {VERSION}/publish", publish, by)
        assert (refused.status, refused.kind) == (403, "no-right"), refused.body
        published = await desk.ask(f"POST {VERSION}/publish", publish, CONTROL.said)
        assert published.status == 200, published.body


async def test_a_change_set_is_counted_for_who_sees_what_it_moves(desk: Desk, seen: Seen) -> None:
    """Of a calendar that all share, each agency is told of its own; the centre of all."""
    said = {"off": ["2024-04-09"], "reason": "vì thế", "document": "QĐ 12"}
    days = Ask(path={"name": "vn"}, body=said)
    told = {}
    async with desk.undone():
        made = await desk.ask("POST /v1/calendars/{name}/changes", days, CONTROL.said)
        assert made.status == 201, made.body
        change = Ask(path={"number": json.loads(made.body)["change"]})
        for caller in CALLERS[1:-1]:
            got = await desk.ask("GET /v1/changes/{number}", change, caller.said)
            told[caller.name] = sum(json.loads(got.body)["counts"].values())
    assert told["control"] == told["centre"] == told["reception"] > 0
    assert told["leader sci"] + told["leader edu"] == told["control"]
    assert 0 < told["leader sci"] < told["control"]
    assert told["elsewhere sci"] == 0


# Written down -----------------------------------------------------------------------------


def test_the_page_says_what_was_seen(seen: Seen) -> None:
    """`HOSO_TEST_WRITE=1 pytest tests/test_permissions.py` writes it."""
    told = page(seen)
    if os.environ.get("HOSO_TEST_WRITE"):
        PAGE.write_text(told)
    assert PAGE.read_text() == told
