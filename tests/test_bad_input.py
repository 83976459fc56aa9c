"""What nobody should send: each is refused in one sentence, with its type, and nothing is written.

What was found by drawing (tests/test_fuzz.py) stays here by name.
"""

import base64
import json
import socket
import time
import unicodedata
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from itertools import cycle
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey
from office import CLERK, LICENCE, MORNING, OFFICER, RECEPTION, address, routed, running, told
from permitted import FORM, MAP, SPRING
from serving import serving
from sqlmodel import SQLModel

from api.doors.hearing import DEEPEST, UNKEPT, Wrong, read, text
from api.problems import Refused
from states.catalogue import load
from states.letters import HEAPED

CONTROL = {"Hoso-Person": "p-control-01"}
ADMINISTRATOR = {"Hoso-Person": "p-admin"}
JSON = {"Content-Type": "application/json"}
LODGED: dict[str, Any] = {
    "event": "receive",
    "procedure": LICENCE,
    "channel": "counter",
    "applicant": "Nguyễn Thị Ánh",
}
DOCUMENT = routed().openapi()


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        for each in (RECEPTION, OFFICER, CONTROL, CLERK):
            await office.client.auth.token(each["Hoso-Person"])
        await office.client.auth.token(ADMINISTRATOR["Hoso-Person"], admin=True)
        for each in (RECEPTION, CONTROL, ADMINISTRATOR):  # tokens that are known to open something
            assert (await office.client.get("/v1/accounts/me", headers=each)).status_code == 200
        yield office


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        yield from ((method.upper(), path, operation) for method, operation in methods.items())


def of(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def bodies() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What takes JSON, and what it takes."""
    for method, path, operation in operations():
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            yield method, path, content["application/json"]["schema"]


def parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema and all that is in it."""
    schema = of(schema)
    yield schema
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    more = (schema.get(name) for name in ("items", "additionalProperties"))
    inner += [each for each in more if isinstance(each, dict)]
    for each in inner:
        yield from parts(each)


def at(path: str, **names: Any) -> str:
    """An address: what is not said is something that is not there."""
    known = {"event": "receive", "kind": "rules", "rule": "x", "name": "vn", "component": "don"}
    known |= {"code": "x", "person": "p-nobody", "queue": "x", "form": "receipt"}
    words = dict.fromkeys(("n", "number", "version", "id", "key"), 1) | {"year": 2024}
    return path.format_map(words | known | names)


@asynccontextmanager
async def nothing_written(engine) -> AsyncIterator[None]:
    """Every table is as it was."""
    before = await _rows(engine)
    yield
    assert await _rows(engine) == before


async def _rows(engine) -> dict[str, tuple[int, int]]:
    """Of each table how many rows, and how many of them were ever written over."""
    names = sorted(SQLModel.metadata.tables)
    counts = " UNION ALL ".join(
        f"SELECT '{each}', count(*), coalesce(sum(xmin::text::bigint), 0) FROM {each}"
        for each in names
    )
    async with engine.connect() as db:
        return {name: (n, sum_) for name, n, sum_ in await db.execute(sa.text(counts))}


# JSON -------------------------------------------------------------------------------------


def nested(depth: int, inner: Any = 1) -> Any:
    for _ in range(depth):
        inner = {"a": inner}
    return inner


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b'{"event": "receive", "event": "register"}', "body"),
        ('{"\u1eb9": 1, "e\u0323": 2}'.encode(), "body"),  # one name, written in two ways
        (b'{"applicant": NaN}', "body"),
        (b'{"applicant": -Infinity}', "body"),
        (b'{"applicant": 1e999}', "body.applicant"),
        (b'{"applicant": ' + b"9" * 5000 + b"}", "body"),
        (json.dumps(nested(DEEPEST + 1)).encode(), "body.a.a.a.a"),
        (json.dumps(nested(400)).encode(), "body.a.a.a.a"),
        (b"[" * 100_000, "body"),
        (b'{"a":' * 100_000, "body"),
        (b'{"applicant": "a\\u0000b"}', "body.applicant"),
        (b'{"applicant": "\\ud83d"}', "body.applicant"),
        (b'{"\\udc00": 1}', "body"),
        ('{"applicant": "nh\u202eanA"}'.encode(), "body.applicant"),
        ('{"applicant": "nh\u200fAn"}'.encode(), "body.applicant"),
        (f'{{"applicant": "a{chr(0x301) * 40}"}}'.encode(), "body.applicant"),
        (json.dumps(LODGED).encode("utf-16"), "body"),
        (b"\xef\xbb\xbf{}", "body"),
        (b'{"applicant": "\xc3\x28"}', "body"),
    ],
    ids=lambda each: repr(each[:40]) if isinstance(each, bytes) else None,
)
async def test_json_that_is_read_in_two_ways_or_not_at_all(office, fresh, body, where):
    async with nothing_written(fresh):
        answer = await office.client.post("/v1/dossiers", content=body, headers=RECEPTION | JSON)
        problem = told(answer, 422, "invalid")
    assert [each["where"] for each in problem["errors"]] == [where]
    assert len(answer.content) < 1000


async def test_every_door_reads_json_in_that_way(office, fresh):
    wrong = b'{"a": 1, "a": 1}', json.dumps(nested(400)).encode(), b'{"a": "\\u0000"}'
    async with nothing_written(fresh):
        for method, path, _ in bodies():
            for body in wrong:
                headers = JSON | who_may(path)
                answer = await office.client.request(
                    method, at(path), content=body, headers=headers
                )
                assert told(answer, 422, "invalid")["errors"][0]["where"].startswith("body")
                if "/accounts/" not in path:  # of a stranger nothing is read
                    answer = await office.client.request(
                        method, at(path), content=body, headers=JSON
                    )
                    told(answer, 401, "unidentified")


async def test_a_payload_that_has_no_end_is_refused(office, fresh):
    """Found by hand: what was read was written again, and that failed at a depth of 255."""
    code = await office.code()
    async with nothing_written(fresh):
        answer = await office.move(code, "digitise", RECEPTION, {"payload": nested(300)})
        assert "deep" in told(answer, 422, "invalid")["detail"]
        together = {"moves": [{"code": code, "event": "digitise", "payload": nested(300)}]}
        answer = await office.client.post("/v1/moves", json=together, headers=RECEPTION)
        told(answer, 422, "invalid")


@given(st.recursive(st.text() | st.integers() | st.none(), lambda of: st.lists(of, max_size=3)))
def test_what_is_read_is_what_was_said_composed(said):
    try:
        found = read(json.dumps(said).encode())
    except Refused:
        assert UNKEPT.search("".join(texts(said))) or depth(said) > DEEPEST
        return
    assert list(texts(found)) == [unicodedata.normalize("NFC", each) for each in texts(said)]
    assert read(json.dumps(found).encode()) == found


def texts(said: Any) -> Iterator[str]:
    if isinstance(said, str):
        yield said
    for each in said if isinstance(said, list) else ():
        yield from texts(each)


def depth(said: Any) -> int:
    return 1 + max(map(depth, said), default=0) if isinstance(said, list) else 0


@pytest.mark.parametrize("marks", ["\u0301\u0315", "\u0344", "\u0300"])
def test_marks_are_heaped_on_no_letter(marks):
    """To compose a letter takes as long as the square of its marks: seconds for some thousands."""
    assert text("ệ\u0301" * 5000 + "a" + marks * (HEAPED // len(marks)))
    began = time.perf_counter()
    with pytest.raises(Wrong, match="marks on a letter"):
        text("a" + marks * 200_000)
    assert time.perf_counter() - began < 5  # and not an hour


# Fields -----------------------------------------------------------------------------------


FREE = "Payload"
"""The event's own: what it takes is read by `states.ledger.acts`, which refuses what it does not
know."""


def test_no_request_holds_what_nobody_reads():
    for _, path, schema in bodies():
        for part in parts(schema):
            if "properties" in part:
                assert part.get("additionalProperties") is False, (path, part)
            elif part.get("type") == "object" and part.get("title") != FREE:
                typed = part.get("patternProperties") or part.get("additionalProperties")
                assert isinstance(typed, dict), (path, part)  # names are its own to choose


async def test_what_nobody_reads_is_refused(office, fresh):
    async with nothing_written(fresh):
        for method, path, _ in bodies():
            answer = await office.client.request(
                method, at(path), json={"surprise": 1}, headers=who_may(path)
            )
            wrong = [each["where"] for each in told(answer, 422, "invalid")["errors"]]
            assert "body.surprise" in wrong, (path, wrong)


WRONG = {"integer": (True, "1", 1.5), "boolean": ("yes", 1, "true")}


def wrong_types() -> Iterator[tuple[str, str, str, Any]]:
    """Each number and each yes or no of each request as something that is none.

    A payload is read when the dossier is found: tests/test_api_refusals.py.
    """
    for method, path, schema in bodies():
        inside = of(schema)["properties"].get("moves", {}).get("items")
        for part in (schema, *([inside] if inside else [])):
            for name, kind in of(part)["properties"].items():
                for value in (e for k in kind.get("anyOf", [kind]) for e in wrong(k)):
                    body = {name: value} if part is schema else {"moves": [{name: value}]}
                    yield method, path, name, body


def wrong(kind: dict[str, Any]) -> tuple[Any, ...]:
    return WRONG.get(kind.get("type", ""), ())


async def test_a_number_is_a_number_and_nothing_else(office, fresh):
    """`true` is not 1, `"yes"` is not true, and a text is no number."""
    asked = [*wrong_types()]
    assert len(asked) > 30
    async with nothing_written(fresh):
        for method, path, name, body in asked:
            answer = await office.client.request(method, at(path), json=body, headers=who_may(path))
            where = [each["where"] for each in told(answer, 422, "invalid")["errors"]]
            assert any(each.endswith(f".{name}") for each in where), (path, body, where)


def who_may(path: str) -> dict[str, str]:
    return ADMINISTRATOR if "/accounts" in path else CONTROL


# Texts ------------------------------------------------------------------------------------


async def test_texts_are_kept_composed_and_found_in_any_form(office):
    apart = {form: unicodedata.normalize(form, "Nguyễn Thị Ánh") for form in ("NFD", "NFC")}
    assert apart["NFD"] != apart["NFC"]
    place = unicodedata.normalize("NFD", "Phủ Lý")
    code = await office.code(applicant=apart["NFD"], place=place)
    whole = await office.read(code)
    assert (whole["applicant"], whole["place"]) == ("Nguyễn Thị Ánh", "Phủ Lý")
    why = unicodedata.normalize("NFD", "Thiếu bản sao chứng thực")
    moved = await office.move(code, "withdraw", RECEPTION, {"reason": why})
    assert moved.status_code == 200, moved.text
    line = (await office.read(code, "/history"))["entries"][-1]
    assert line["reason"] == "Thiếu bản sao chứng thực"
    for name in apart.values():
        asked = {"name": name, "full": "true"}
        found = await office.client.get("/v1/dossiers/search", params=asked, headers=RECEPTION)
        assert [each["code"] for each in found.json()["items"]] == [code]


async def test_a_path_is_read_composed(office):
    for form in ("NFC", "NFD"):
        code = quote(unicodedata.normalize(form, "hồ-sơ"))
        answer = await office.client.get(f"/v1/dossiers/{code}", headers=RECEPTION)
        assert "hồ-sơ" in told(answer, 404, "unknown")["detail"]


@pytest.mark.parametrize("value", ["a\0b", "\u202eb", "a" + "\u0301" * 40])
async def test_what_cannot_be_kept_is_asked_of_nothing(office, fresh, value):
    async with nothing_written(fresh):
        for method, path, operation in operations():
            for each in operation.get("parameters", ()):
                if each["in"] == "query" and each["schema"].get("type") != "integer":
                    asked = {each["name"]: value}
                    headers = {} if method == "GET" else who_may(path)
                    got = await office.client.request(
                        method, at(path), params=asked, headers=headers
                    )
                    assert got.status_code == 422, (path, got.text)
                    assert got.json()["type"] == "/problems/invalid"
        for path in ("/v1/dossiers/{}", "/v1/procedures/{}", "/v1/breaches/{}", "/v1/track/{}"):
            got = await office.client.get(path.format(quote(value)), headers=RECEPTION)
            told(got, 422, "invalid")


# Moments ----------------------------------------------------------------------------------

MOMENTS = (
    *("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"),
    *("9999-12-31T23:59:59.999999Z", "1899-12-31T23:59:59Z", "2201-01-01T00:00:00Z"),
    *("2024-03-04T08:00:00", "2024-03-04", "2024-02-30T08:00:00Z", "2024-03-04T08:00:60Z"),
    *("2024", "0", "-1", "1709514000", "1e10", "now", "", "２０２４-03-04T08:00:00Z"),
)
DATES = ("0001-01-01", "9999-12-31", "1899-12-31", "2201-01-01", "2024-02-30", "0", "20240304", "")
DATES += ("2024-03-04T00:00:00Z",)
SOUND = "2024-03-04T08:00:00Z"


def timed() -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """Every parameter that is a moment or a date, and what cannot be left out beside it."""
    for _, path, operation in operations():
        needed = required(operation)
        for each in operation.get("parameters", ()):
            for part in parts(each["schema"]):
                if part.get("format") in {"date-time", "date"}:
                    yield path, each["name"], part["format"], needed


def required(operation: dict[str, Any]) -> dict[str, str]:
    """The parameters of a query that cannot be left out: moments and days, and others."""
    asked = operation.get("parameters", ())
    needed = {e["name"]: e["schema"] for e in asked if e["in"] == "query" and e.get("required")}
    sound = {"date-time": SOUND, "date": SOUND[:10]}
    return {name: sound.get(schema.get("format", ""), "x") for name, schema in needed.items()}


def test_there_are_moments_to_ask_for():
    assert len({name for _, name, *_ in timed()}) > 10


async def test_no_moment_is_beyond_the_calendars_or_a_number(office):
    asking = cycle((CONTROL, RECEPTION))  # it is more than one may ask in a minute
    for path, name, kind, needed in timed():
        for value in MOMENTS if kind == "date-time" else DATES:
            asked = needed | {name: value}
            answer = await office.client.get(at(path), params=asked, headers=next(asking))
            problem = told(without_query(answer), 422, "invalid")
            assert {each["where"] for each in problem["errors"]} == {f"query.{name}"}


def without_query(answer):
    answer.request.url = answer.request.url.copy_with(query=None)  # an instance is told without it
    return answer


async def test_no_day_is_beyond_the_calendars(office, fresh):
    said = {"reason": "vì thế", "document": "QĐ 12"}
    days, simulate = "/v1/calendars/vn/changes", f"/v1/procedures/{LICENCE}/versions/1/simulate"
    async with nothing_written(fresh):
        for day in (*DATES, 0, -1, 1.5, 1_709_514_000, True, [], {}):
            bodies = [said | {name: [day]} for name in ("off", "work", "withdraw")]
            bodies += [said | {"off": ["2024-12-24"], name: day} for name in ("replaces", "issued")]
            for body in bodies:
                told(await office.client.post(days, json=body, headers=CONTROL), 422, "invalid")
            period = {"since": day, "until": "2024-03-04"}
            told(await office.client.post(simulate, json=period, headers=CONTROL), 422, "invalid")


# Numbers ----------------------------------------------------------------------------------

NUMBERS = (-1, 0, -(10**30), 2**31, 2**63, 10**30, 10**4000, "1e3", "٣", "0x1", "1.5", "")


def numbered() -> Iterator[tuple[str, str, str]]:
    """Every number in an address."""
    for method, path, operation in operations():
        for each in operation.get("parameters", ()):
            if each["in"] == "path" and each["schema"].get("type") == "integer":
                yield method, path, each["name"]


async def test_numbers_that_no_row_has(office, fresh):
    async with nothing_written(fresh):
        for method, path, name in numbered():
            for value in NUMBERS:
                where = at(path, **{name: quote(str(value))})
                answer = await office.client.request(method, where, json={}, headers=who_may(path))
                assert answer.status_code in {404, 405, 422}, (where, answer.text)
                assert answer.json()["type"].startswith("/problems/")


# Cursors ----------------------------------------------------------------------------------


def cursor(told: Any) -> str:
    raw = told if isinstance(told, bytes) else json.dumps(told).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


CURSORS = (
    *("x", "é", "=", "e30", "WzEsMl0", "a" * 500, cursor(b"[" * 300), cursor(b"[NaN]")),
    *(cursor([10**30]), cursor(["0001-01-01T00:00:00+14:00", 1]), cursor(["a\0b"]), cursor([None])),
    *(cursor([["x"], {}]), cursor(b"came:1:1"), cursor(b"came::-1"), cursor(b"\xff\xfe")),
    cursor(b"due:" + b"9" * 18 + b":1"),
)


def paged() -> Iterator[str]:
    for _, path, operation in operations():
        if any(each["name"] == "cursor" for each in operation.get("parameters", ())):
            yield path


BESIDE = {  # a cursor, what cannot be left out
    "/v1/dossiers/search": {"q": "Nguyễn"},
    "/v1/suspicions/{rule}": SPRING,
    "/v1/reports/{name}/dossiers": {"figure": "late"},
}


async def test_a_cursor_that_was_made_by_hand_leads_nowhere(office):
    asked = await office.client.post("/v1/imports", json=FORM | {"map": MAP}, headers=CONTROL)
    there = {"queue": "overdue", "rule": "outside-hours", "name": "bieu06"}
    there["id"] = asked.json()["id"]
    for path in paged():
        for made in CURSORS:
            params = {"cursor": made} | BESIDE.get(path, {})
            answer = await office.client.get(
                at(path, **there), params=params, headers=who_may(path)
            )
            told(without_query(answer), 422, "bad-input")


async def test_a_cursor_that_was_altered_shows_no_more(office):
    codes = [await office.code(), await office.code(), await office.code()]
    whole = {"headers": RECEPTION}
    first = (await office.client.get("/v1/dossiers", params={"limit": "1"}, **whole)).json()
    for n in range(len(first["next"])):
        changed = first["next"][:n] + "Q" + first["next"][n + 1 :]
        answer = await office.client.get("/v1/dossiers", params={"cursor": changed}, **whole)
        assert answer.status_code in {200, 422}, answer.text
        found = [each["code"] for each in answer.json().get("items", ())]
        assert set(found) <= set(codes)


# Headers, queries and who they say they are of -----------------------------------------------


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
async def test_a_method_is_what_it_is(office, fresh, name):
    code = await office.code()
    async with nothing_written(fresh):
        path = f"/v1/dossiers/{code}/components/don"
        told(
            await office.client.post(path, headers=RECEPTION | {name: "PUT"}), 405, "no-such-method"
        )
        answer = await office.client.get("/v1/dossiers", headers=RECEPTION | {name: "POST"})
        assert answer.status_code == 200
        answer = await office.client.get("/v1/dossiers?_method=POST", headers=RECEPTION)
        told(without_query(answer), 422, "invalid")


async def test_nobody_is_sent_to_the_host_they_named(office):
    """Found: an address with a slash too many was answered by one at their `Host`."""
    for path in ("/v1/dossiers/", "/v1/alerts/", "/health/", "/static"):
        answer = await office.client.get(path, headers=RECEPTION | {"Host": "evil.example"})
        assert (answer.status_code, answer.headers.get("Location")) == (404, None), path


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x=1", "a\nX: y", "é", "x" * 65, "a b", ""])
async def test_no_header_of_ours_holds_a_text_of_theirs(office, value):
    headers = RECEPTION | {"X-Request-Id": value.encode()}
    answer = await office.client.get("/v1/work", headers=headers)
    assert answer.headers["X-Request-Id"] != value
    assert "Set-Cookie" not in answer.headers
    code = await office.code(components={})
    path = f"/v1/dossiers/{code}/components/don"
    name = quote(f"a{value}\r\nSet-Cookie: x=1.pdf")
    answer = await office.client.put(
        f"{path}?name={name}", content=b"%PDF-1.7\n%%EOF\n", headers=RECEPTION
    )
    assert answer.status_code == 422, answer.text
    assert "Set-Cookie" not in answer.headers


async def test_a_thousand_parameters_are_no_hindrance_and_a_million_are_refused(office):
    few = "&".join(f"p{n}={n}" for n in range(2000))
    answer = await office.client.get(f"/v1/work?{few}", headers=RECEPTION)
    assert "nothing else is" in told(without_query(answer), 422, "invalid")["detail"]
    few = "&".join(["queues=true"] * 2000)
    answer = await office.client.get(f"/v1/live?seconds=0&{few}", headers=RECEPTION)
    assert answer.status_code == 200
    long = "&".join(["state=received"] * 4_000)
    answer = await office.client.get(f"/v1/dossiers?{long}", headers=RECEPTION)
    assert "characters at most" in told(without_query(answer), 422, "invalid")["detail"]
    words = "&".join(["agency=H42.03"] * 51)
    answer = await office.client.get(f"/v1/dossiers?{words}", headers=RECEPTION)
    told(without_query(answer), 422, "invalid")


async def test_a_token_of_another_issuer_opens_nothing(office, fresh):
    key = OctKey.import_key(b"k" * 32)
    claims = {"iss": "https://id.example.vn", "sub": "p-control-01", "exp": 4_102_444_800}
    signed = jwt.encode({"alg": "HS256"}, claims, key)
    bare = f"{cursor({'alg': 'none'})}.{cursor(claims)}."
    stranger = "hsa_" + "A" * 43
    async with nothing_written(fresh):
        for token in (signed, bare, stranger, f"{stranger} ", f"{stranger}, {stranger}"):
            headers = {"Authorization": f"Bearer {token}"}
            told(await office.client.get("/v1/work", headers=headers), 401, "unidentified")
            told(
                await office.client.post("/v1/dossiers", json=LODGED, headers=headers),
                401,
                "unidentified",
            )


async def test_a_delegation_that_has_ended_opens_nothing(office, fresh, tmp_path):
    code, book = await office.code(), load()
    ended = tuple(
        each.model_copy(update={"until": date(2024, 3, 3)})
        for each in book.organisation.delegations
    )
    staff = book.organisation.model_copy(update={"delegations": ended})
    async with running(address(fresh), tmp_path, replace(book, organisation=staff)) as after:
        after.client.auth.of = office.client.auth.of
        async with nothing_written(fresh):
            told(await after.move(code, "digitise", CLERK), 403, "not-held")
            told(await after.client.get(f"/v1/dossiers/{code}", headers=CLERK), 403, "not-held")


# A gigabyte -------------------------------------------------------------------------------

ENOUGH = 20_000_000  # bytes: whoever was not refused by then would send a gigabyte


def test_a_gigabyte_is_refused_before_it_has_come(server, database, tmp_path):
    """Announced, or in chunks of which nobody said how many there will be."""
    ours = server.address(database, "hoso_app")
    with serving(ours, tmp_path) as (where, _):
        port = int(where.rpartition(":")[2])
        head = b"POST /v1/dossiers HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        head += b"Authorization: Bearer x\r\n"
        sent, answer = _send(port, head + b"Content-Length: 1073741824\r\n\r\n", b"")
        assert (sent, answer[9:12]) == (0, b"413")
        chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
        sent, answer = _send(port, head + b"Transfer-Encoding: chunked\r\n\r\n", chunk)
        assert answer[9:12] == b"413"
        assert sent < ENOUGH
        assert b"/problems/too-large" in answer


def _send(port: int, head: bytes, chunk: bytes) -> tuple[int, bytes]:
    """How much was taken until an answer came, and the answer."""
    sent = 0
    with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
        wire.sendall(head)
        try:
            while chunk and sent < ENOUGH:
                wire.setblocking(False)
                try:
                    wire.recv(1, socket.MSG_PEEK)
                    break
                except BlockingIOError:
                    wire.settimeout(20)
                    wire.sendall(chunk)
                    sent += len(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass
        wire.settimeout(20)
        answer = b""
        while b"\r\n\r\n" not in answer or b"}" not in answer:
            if not (piece := wire.recv(65_536)):
                break
            answer += piece
        return sent, answer


# Found by drawing -------------------------------------------------------------------------


async def test_nothing_is_taken_back_while_another_of_the_same_is_open(office, fresh):
    """Found: the index that allows one at a time was asked, and answered for us."""
    said = {"reason": "Rút ngắn", "ground": "QĐ 12", "says": {}, "kind": "version"}
    said |= {"subject": LICENCE, "proposed_by": "p-control-01", "proposed_at": MORNING}
    decided = {"decided_by": "p-sci-director", "decided_at": MORNING}
    table = SQLModel.metadata.tables["change"]
    async with fresh.begin() as db:
        await db.execute(sa.insert(table).values(said | decided | {"status": "applied"}))
        await db.execute(sa.insert(table).values(said | {"status": "proposed"}))
    async with nothing_written(fresh):
        answer = await office.client.post("/v1/changes/1/undo", headers=CONTROL)
        assert "is still open" in told(answer, 409, "not-allowed")["detail"]


async def test_the_answer_without_a_body_is_in_the_document(office):
    """Found: 204 was answered where only 200 was told of."""
    for method, path, operation in operations():
        if any(each["name"] == "Prefer" for each in operation.get("parameters", ())):
            assert {"201", "204"} & operation["responses"].keys(), f"{method} {path}"
    code = await office.processing()
    brief = OFFICER | {"Prefer": "return=minimal"}
    made = {"produced": ["Phiếu trình giải quyết"]}
    assert (await office.move(code, "advance", brief, **made)).status_code == 204
