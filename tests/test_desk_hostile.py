"""What nobody should type: every form and every page of the desk, with what shows otherwise, cannot
be kept, is far too long, or is no form at all. Each is answered in one sentence, beside its field.
"""

from collections.abc import Iterator
from html import escape
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
from asking import contexts
from callers import Caller
from leafing import SEND, Visits, addresses, changed, prepared, stand, visits, who
from leaves import LEAVES, Ask, asks
from sitting import FORM, Page
from two_agencies import SCIENCE

from api.doors.hearing import _asked

__all__ = ["addresses", "visits"]

SCRIPT, IMAGE = "<script>alert(1)</script>", "'\"><img src=x onerror=alert(1)>"
MARKUP = (SCRIPT, IMAGE, "{{7*7}}{% raw %}", "${7*7}", "javascript:alert(1)")
UNKEPT = ("a\0b", "\u202ecod.exe", "a" + "\u0301" * 40)
"""What cannot be kept, or shows another text: refused beside the field, whichever it is."""
LONG = ("Ă" * 200, "ạ" * 20_000)
NUMBERS = ("-1", "0", "9" * 25, str(2**63), "1e9", "٣", "NaN", "0x1", "1" * 5000)
DAYS = ("0000-01-01", "0001-01-01", "99999-01-01", "9999-12-31", "2024-02-30", "2024", "-1")
TYPED = (*MARKUP, *UNKEPT, *LONG, NUMBERS[2], NUMBERS[5], NUMBERS[8], DAYS[0], DAYS[2], DAYS[4])
PERCENT = ("%ED%A0%80", "%FF%FE", "%C3%28", "%00", "%", "%zz", "%F0%9F")
"""Half characters and what is no UTF-8."""
MOST = 40  # of one form
OURS = {"key"}
SECRET = {"password", "old", "new", "again", "citizen_id"}  # shown to nobody again
LINES = {"text", "textarea", "search", "email", "tel"}  # what somebody types freely
UNFORMED = {"POST /session/end", "POST /session/end-all", "POST /drafts/drop"}


@pytest.fixture(scope="module")
async def built(visits):
    """The agency whose forms these are."""
    world = visits.world()
    await world.common()
    await world.build(SCIENCE)


def forms() -> Iterator[tuple[str, Ask]]:
    """Every form of an agency; of a route with several, each."""
    yield from asks(SCIENCE, method="POST")


async def send(
    visits: Visits, reader: Caller, ask: Ask, body: bytes, lang: str = "en", **headers: str
) -> Any:
    sent = {"Content-Type": SEND, **visits.brought(reader, lang), **FORM, **headers}
    return await visits.send("POST", ask.at, sent, body)


def check(answer: Any, *where: Any) -> Page:
    """Answered, and none of what was sent is markup there."""
    assert answer.status_code < 500, (*where, answer.text[:1500])
    page = Page(answer)
    for each in ("<script>alert", "<img src=x"):
        assert each not in answer.text, where
    assert [each for each in page.links if each.lower().startswith("javascript")] == [], where
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        assert page.forbidden == [], (where, page.forbidden)
    return page


# Forms ------------------------------------------------------------------------------------


async def _kinds(visits: Visits, reader: Caller, ask: Ask) -> dict[str, str]:
    """The fields that a form has, each with its kind; those of no page as they are named."""
    kinds = dict.fromkeys(ask.said, "unseen")
    if ask.on is not None:
        page = Page(await visits.send("GET", ask.on, visits.brought(reader)))
        path = ask.at.partition("?")[0]
        form = next(e for e in page.forms if e["action"] == path or path in e["sends"])
        kinds |= form["kinds"]
    return {name: kind for name, kind in kinds.items() if name not in OURS}


def _tried(kinds: dict[str, str], n: int) -> Iterator[tuple[str, str]]:
    """A field with what is typed into it: of a long form's, each with some of it in turn."""
    pairs = [(name, value) for name in kinds for value in TYPED]
    stride = len(pairs) // MOST + 1
    while stride > 1 and len(TYPED) % stride == 0:
        stride += 1  # or a field would get the same always
    yield from pairs[n % stride :: stride]


async def test_whatever_is_typed_into_a_field_is_answered_beside_it(visits, built):
    asked = 0
    for n, (route, ask) in enumerate(forms()):
        async with visits.desk.undone() as db:
            await prepared(visits, route, SCIENCE)
            reader = who(ask.by, SCIENCE)
            fields = await visits.filled(reader, ask)
            kinds = await _kinds(visits, reader, ask)
            whole = await stand(db)
            for m, (name, value) in enumerate(_tried(kinds, n)):
                async with db.begin_nested() as part:
                    body = urlencode(fields | {name: value}, doseq=True).encode()
                    answer = await send(visits, reader, ask, body, ("vi", "en")[(n + m) % 2])
                    where = (route, ask.at, name, value[:30])
                    page = check(answer, *where)
                    if answer.status_code < 400:
                        await part.rollback()
                    else:
                        _is_told(answer, page, name, kinds[name], value, where)
                asked += 1
            after = await stand(db)
            assert after == whole, (route, ask.at, changed(whole, after))
    assert asked > 800


def _is_told(answer: Any, page: Page, name: str, kind: str, value: str, where: Any) -> None:
    """In a sentence, and what was typed is there to be mended."""
    assert answer.status_code in {401, 403, 404, 409, 422}, (where, answer.status_code)
    assert answer.headers["Content-Type"].startswith("text/html"), where
    assert page.text.strip(), where
    if kind not in LINES or name in SECRET or answer.status_code != 422:
        return
    text = answer.text
    assert f'id="e-{name}"' in text or 'class="fault"' in text or 'role="alert"' in text, where
    if "\0" not in value:
        kept = value.strip()
        assert str(escape(kept)) in text or _markup(kept) in text, (where, "is gone")


def _markup(value: str) -> str:
    """As templates write it."""
    return escape(value).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")


async def test_what_is_no_form_of_ours_is_refused_whole(visits, built):
    """Too many fields, no UTF-8, another type, a field twice, nothing at all."""
    many = "&".join(f"f{n}=1" for n in range(5_001)).encode()
    part = 'Content-Disposition: form-data; name="reason"'
    multi = f"--x\r\n{part}\r\n\r\n{SCRIPT}\r\n--x--\r\n".encode()
    types = {
        "multipart/form-data; boundary=x": multi,
        "text/plain": b"reason=<script>alert(1)</script>",
        "application/json": b'{"reason": "<script>alert(1)</script>"}',
        "application/json;x": b'{"reason": ',
        f"{SEND}; charset=utf-16": "reason=a".encode("utf-16"),
        "": b"reason=a",
    }
    for n, (route, ask) in enumerate(forms()):
        async with visits.desk.undone() as db:
            await prepared(visits, route, SCIENCE)
            reader = who(ask.by, SCIENCE)
            fields = await visits.filled(reader, ask)
            names = [*fields] or ["reason"]
            whole = await stand(db)
            bodies = [many, b"\xff\xfe=\xff", b"=" * 2_000, b"&" * 2_000]
            bodies += [f"{quote_plus(names[0])}={each}".encode() for each in PERCENT]
            bodies += [f"{each}=1".encode() for each in PERCENT]
            for body in bodies[:3] + bodies[3 + n % 3 :: 3]:
                async with db.begin_nested() as part:
                    answer = await send(visits, reader, ask, body)
                    check(answer, route, body[:60])
                    if body is many and route not in UNFORMED:
                        assert answer.status_code == 422, (route, answer.status_code)
                    if answer.status_code < 400:
                        await part.rollback()
            assert await stand(db) == whole, route
            for kind, body in types.items():
                async with db.begin_nested() as part:
                    sent = {"Content-Type": kind} if kind else {}
                    headers = visits.brought(reader) | FORM | sent
                    check(await visits.send("POST", ask.at, headers, body), route, kind)
                    await part.rollback()
            twice = urlencode([(n, v) for n in names for v in (str(fields.get(n, "")), SCRIPT)])
            for body in (b"", twice.encode()):
                async with db.begin_nested() as part:
                    check(await send(visits, reader, ask, body), route, body[:60])
                    await part.rollback()


KEYS = ("", " ", "ключ", "a b", "x" * 201, "a\0", SCRIPT + " ")


async def test_a_key_that_is_none_is_no_hindrance_to_the_server(visits, built):
    for n, (route, ask) in enumerate(forms()):
        async with visits.desk.undone():
            for key in (KEYS[n % len(KEYS)], KEYS[(n + 3) % len(KEYS)]):
                body = urlencode({**ask.said, "key": key}, doseq=True).encode()
                answer = await send(visits, who(ask.by, SCIENCE), ask, body)
                check(answer, route, key)


# Addresses --------------------------------------------------------------------------------

OTHER = ("", " ", "W10", "eyJhIjoxfQ", "a=b=c", "../../etc")
QUERIES = (*MARKUP, *UNKEPT, "a" * 300, *NUMBERS, *DAYS, *OTHER)


def _names(visits: Visits) -> dict[str, set[str]]:
    """What each page asks its address for, by name; some of what is read by hand."""
    byhand = {"cursor", "agency", "period", "from", "to", "year", "part", "by", "each", "with"}
    byhand |= {"policy", "figure", "where", "rule", "standing", "over", "cause", "late", "of-unit"}
    byhand |= {"state", "order", "q", "due_since", "full", "number", "unit", "before", "after"}
    pages = {route: each for route, each in contexts(visits.desk.app) if route in LEAVES}
    return {route: set(_asked(each.dependant)) or byhand for route, each in pages.items()}


async def test_whatever_an_address_asks_is_answered(visits, built):
    names, asked, done = _names(visits), 0, set[str]()
    for route, ask in asks(SCIENCE, method="GET"):
        path = ask.at.partition("?")[0]
        if path in done:
            continue
        done.add(path)
        reader = who(ask.by, SCIENCE)
        async with visits.desk.undone():
            for n, name in enumerate(sorted(names[route]), len(done)):
                for m in (0, 11):
                    value = QUERIES[(n * 5 + m) % len(QUERIES)]
                    said = f"{path}?{urlencode({name: value})}"
                    await _got(visits, reader, said, ("vi", "en")[n % 2])
                    asked += 1
            each = PERCENT[len(done) % len(PERCENT)]
            await _got(visits, reader, f"{path}?{min(names[route])}={each}")
            few = "&".join(f"a{n}={n}" for n in range(1500))
            await _got(visits, reader, f"{path}?{few}")
    assert asked > 1_000


async def _got(visits: Visits, reader: Caller, address: str, lang: str = "en") -> None:
    headers = visits.brought(reader, lang)
    visits.count += 1
    visits.desk.transport.client = (f"203.0.113.{visits.count // 20 % 256}", 1)
    answer = await visits.client.get(address, headers=headers)
    page = check(answer, address[:200])
    if answer.status_code >= 400 and answer.headers["Content-Type"].startswith("text/html"):
        assert page.text.strip(), address[:200]


async def test_whatever_stands_in_a_path_is_answered(visits, built):
    """In the place of a code, a number, a day, a name."""
    values = (*MARKUP[:3], *UNKEPT, "a" * 300, *NUMBERS, *DAYS, "..", "%2e%2e", " ", "x")
    for route, entry in LEAVES.items():
        method, _, pattern = route.partition(" ")
        if "{" not in pattern:
            continue
        [ask, *_] = entry.asks(SCIENCE)
        reader = who(ask.by, SCIENCE)
        given = ask.at.partition("?")[0].split("/")
        places = [n for n, part in enumerate(pattern.split("/")) if part.startswith("{")]
        async with visits.desk.undone():
            for place in places:
                for value in values[(place + len(route)) % 3 :: 3]:
                    parts = [*given]
                    parts[place] = quote(value, safe="")
                    where = "/".join(parts)
                    headers = {"Content-Type": SEND} | visits.brought(reader) | FORM
                    answer = await visits.client.request(method, where, headers=headers)
                    check(answer, route, where[:120])
