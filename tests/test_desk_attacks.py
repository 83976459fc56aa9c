"""Who means harm, and bad luck: sessions that are not theirs, other people's pages, all at once."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest
import sqlalchemy as sa
from handing_in import path
from office import LICENCE, address, running
from samples import pdf
from sitting import HERE, Page, sitting

from api import browser
from api.rates import Limited
from states import db
from states.accounts import passwords, signing, tokens
from states.accounts.rows import account, service_key, session
from states.accounts.scopes import Scope

PASSWORD = "một mật khẩu dài"
CLERK, OTHER = "p-reception-01", "p-sci-officer-21"
TWO_ROLES = "p-centre-lead"  # leader and reception
SLIP = "slip"


@pytest.fixture
async def office(apart, tmp_path):
    async with running(address(apart), tmp_path) as office:
        yield office


@asynccontextmanager
async def browsing(office, base=HERE, **cookies):
    transport = httpx.ASGITransport(office.app, raise_app_exceptions=False)
    headers = {"Origin": base, "Sec-Fetch-Site": "same-origin"}
    async with httpx.AsyncClient(
        transport=transport, base_url=base, headers=headers, cookies={"hoso-lang": "en"} | cookies
    ) as client:
        yield client


async def with_password(office, person):
    await office.client.auth.token(person)
    kept = {"password": await passwords.hashed(PASSWORD), "password_at": sa.func.now()}
    mine = account.c.person == person
    async with db.transaction(office.app.state.house.engine) as connection:
        await connection.execute(sa.update(account).where(mine).values(kept))


async def sign_in(client, person=CLERK):
    answer = await client.post("/session", data={"person": person, "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return answer


async def stands(office, token):
    """A session by its token."""
    asked = sa.select(session).where(session.c.access == tokens.digest(token))
    async with db.transaction(office.app.state.house.engine) as connection:
        return (await connection.execute(asked)).one()


async def nearly_over(office, token, **more):
    soon = {"access_until": sa.func.clock_timestamp() + signing.DESK / 2} | more
    mine = session.c.access == tokens.digest(token)
    async with db.transaction(office.app.state.house.engine) as connection:
        await connection.execute(sa.update(session).where(mine).values(soon))
    return (await stands(office, token)).access_until


# Sessions ---------------------------------------------------------------------------------


async def test_a_service_key_is_no_session_of_a_browser(office):
    await office.client.auth.token(CLERK)
    engine, key = office.app.state.house.engine, tokens.made(tokens.KEY)
    async with db.transaction(engine) as connection:
        mine = sa.select(account.c.id).where(account.c.person == CLERK)
        now = await connection.scalar(sa.select(sa.func.now()))
        row = {"account_id": await connection.scalar(mine), "hash": tokens.digest(key)}
        row |= {"name": "x", "scopes": list(Scope), "created_at": now, "created_by": CLERK}
        row |= {"expires_at": now + timedelta(days=1), "lasts": timedelta(days=1)}
        await connection.execute(sa.insert(service_key).values(row))
    async with browsing(office, hoso=key) as client:
        assert (await client.get("/account")).status_code == 303
        assert (await client.get("/v1/accounts/me")).status_code == 401
        assert (await client.post("/drafts?form=x", data={"a": "b"})).status_code == 401
        said = {"Authorization": f"Bearer {key}"}
        assert (await client.get("/v1/accounts/me", headers=said)).status_code == 200


async def test_a_programs_session_is_not_kept_open_by_pages(office):
    """It has no end but its own: pages would have kept it for ever."""
    token = await office.client.auth.token(CLERK)
    until = await nearly_over(office, token)
    async with browsing(office, hoso=token) as client:
        assert (await client.get("/account")).status_code == 200
        client.cookies.delete("hoso")
        said = {"Authorization": f"Bearer {token}"}
        assert (await client.get("/account", headers=said)).status_code == 200
    assert (await stands(office, token)).access_until == until


async def test_what_a_page_asks_of_itself_keeps_no_session_open(office):
    """A dossier that is left open asks for news; its clerk went home."""
    await with_password(office, CLERK)
    code = await office.code()
    async with browsing(office) as client:
        await sign_in(client)
        token = client.cookies["hoso"]
        until = await nearly_over(office, token)
        assert (await client.get(f"/dossiers/{code}/changes?seen=1")).status_code == 200
        assert (await stands(office, token)).access_until == until
        assert (await client.get(f"/dossiers/{code}")).status_code == 200
        assert (await stands(office, token)).access_until > until


async def test_a_browser_that_begins_a_session_ends_the_one_before(office):
    """Whoever took the cookie, or left theirs in this browser, has none from then on."""
    await with_password(office, CLERK)
    async with browsing(office) as client:
        await sign_in(client)
        first = client.cookies["hoso"]
        await sign_in(client)
        assert client.cookies["hoso"] != first
        assert (await client.get("/account")).status_code == 200
    async with browsing(office, hoso=first) as thief:
        assert (await thief.get("/account")).status_code == 303
    async with browsing(office) as wrong:  # and who fails to begin one ends none
        await sign_in(wrong)
        await wrong.post("/session", data={"person": CLERK, "password": "falsch"})
        assert (await wrong.get("/account")).status_code == 200


async def test_over_tls_only_the_cookie_that_nobody_else_can_set_is_heard(office):
    mine, planted = [await office.client.auth.token(each) for each in (CLERK, OTHER)]
    secure = "https://office"
    async with browsing(office, secure, hoso=planted) as client:
        assert (await client.get("/account")).status_code == 303
        client.cookies.set("__Host-hoso", mine)
        assert CLERK in (await client.get("/account")).text
    async with browsing(office, hoso=planted) as plain:
        assert OTHER in (await plain.get("/account")).text


@pytest.mark.parametrize(
    "said", ["a=b c; {}", '{{"a": "b, c"}}=x; {}', "=; ;; {}", "hoso-role=<x>; {}", "é=ü; {}"]
)
async def test_no_other_cookie_hides_the_session(office, said):
    """Nor from the rates, which would count a clerk as a stranger of their office."""
    token = await office.client.auth.token(CLERK)
    header = said.format(f"hoso={token}").encode("latin-1")
    async with browsing(office) as client:
        answer = await client.get("/account", headers=[(b"cookie", header)])
        assert answer.status_code == 200
    scope = {"type": "http", "path": "/account", "headers": [(b"cookie", header)]}
    scope |= {"scheme": "http", "server": ("office", 80), "query_string": b""}
    assert browser.token_of(scope) == token
    assert Limited._token(scope) == f"bearer {token}"


@pytest.mark.parametrize("change", ["closed", "revoked"])
async def test_an_account_that_is_closed_has_no_page_open(office, change):
    token = await office.client.auth.token(CLERK)
    async with browsing(office, hoso=token) as client:
        assert (await client.get("/account")).status_code == 200
        async with db.transaction(office.app.state.house.engine) as connection:
            if change == "closed":
                over = sa.update(account).where(account.c.person == CLERK)
                await connection.execute(over.values(closed_at=sa.func.now()))
            else:
                await connection.execute(sa.update(session).values(revoked_at=sa.func.now()))
        assert (await client.get("/account")).status_code == 303
        assert (await client.post("/drafts?form=x", data={"a": "b"})).status_code == 401
        assert (await client.get("/v1/live?seconds=0")).status_code == 401


@pytest.mark.parametrize(
    "given",
    [
        "/%0d%0aSet-Cookie:x=y",
        "/foo\nSet-Cookie: x=y",
        "/\tevil.example",
        "/\\evil.example",
        "///evil.example",
        "\u2044\u2044evil.example",
        "/\u2028evil",
        "javascript:alert(1)",
        "/a b",
    ],
)
async def test_no_address_to_go_on_at_is_more_than_one_of_ours(office, given):
    await with_password(office, CLERK)
    async with browsing(office) as client:
        sent = {"person": CLERK, "password": PASSWORD, "next": given}
        for answer in (
            await client.post("/session", data=sent),
            await client.get("/language/en", params={"next": given}),
        ):
            where = httpx.URL(HERE).join(answer.headers["location"])
            assert where.host == "office"
            assert answer.headers.get_list("set-cookie")[1:] == []


# Other people's pages ---------------------------------------------------------------------

ELSEWHERE = [
    {"Sec-Fetch-Site": "same-site", "Origin": "http://other.office"},
    {"Sec-Fetch-Site": "cross-site", "Origin": HERE},
]


@pytest.mark.parametrize("headers", ELSEWHERE)
async def test_no_page_of_another_address_hands_in_a_file_or_tries_passwords(office, headers):
    await with_password(office, CLERK)
    code = await office.code(components={})
    async with browsing(office) as client:
        await sign_in(client)
        sent = headers | {"Content-Type": "application/pdf", "Hoso-Role": "reception"}
        answer = await client.put(path(code, "don", name="a.pdf"), content=pdf("a"), headers=sent)
        assert answer.status_code == 403, answer.text
        for _ in range(10):
            tried = {"old": "falsch", "new": "một mật khẩu khác"}
            answer = await client.post("/v1/accounts/password", json=tried, headers=headers)
            assert answer.status_code == 403, answer.text
        await sign_in(client)  # nothing was counted: the account does not rest


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", ""])
async def test_only_a_form_is_a_form(office, kind):
    """A type that a page elsewhere may send unasked says nothing here, whatever it holds."""
    token = await office.client.auth.token(CLERK)
    async with browsing(office, hoso=token) as client:
        body = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\na\r\n--x--\r\n'
        for content in (b"name=a&query=state%3Dreceived", body):
            answer = await client.post(
                "/dossiers/filters", content=content, headers={"Content-Type": kind}
            )
            assert answer.status_code == 422, answer.text
        assert 'filters/drop"' not in (await client.get("/dossiers")).text


# Two at once, in one browser ----------------------------------------------------------------


async def test_a_file_is_not_handed_in_as_somebody_else(office):
    """Their page is still open in a tab, and in another one somebody else has signed in."""
    code = await office.code(components={})
    async with sitting(office, CLERK) as client:
        for by, status in ((OTHER, 401), (CLERK, 201)):
            headers = {"Content-Type": "application/pdf", "Hoso-Role": "reception", "Hoso-By": by}
            address_ = path(code, "don", name="a.pdf")
            answer = await client.put(address_, content=pdf("a"), headers=headers)
            assert answer.status_code == status, answer.text


async def test_what_one_opened_in_one_role_is_sent_in_it(office):
    """In another tab they have become another: what is typed here is still by whom it was."""
    async with sitting(office, TWO_ROLES) as client:
        answer = await client.post("/account/role", data={"role": "leader", "key": "r"})
        assert answer.status_code == 303
        client.cookies.set("hoso-role", "leader")
        assert 'data-role="leader"' in (await client.get("/account")).text
        kept = await client.get("/account", headers={"Hoso-Role": "reception"})
        assert 'data-role="reception"' in kept.text
        for strange in ("admin", "control", "<b>", "\u00ff"):  # and no header makes it more
            headers = [(b"hoso-role", strange.encode("latin-1"))]
            there = await client.get("/account", headers=headers)
            assert 'data-role="leader"' in there.text or 'data-role="reception"' in there.text


# All at once --------------------------------------------------------------------------------


async def test_a_citizen_who_presses_twenty_times_has_said_it_once(office):
    from states.tracking import secret_part

    code = await office.code()
    secret = secret_part(office.app.state.house.key(SLIP), code)
    said = {"code": code, "secret": secret, "stars": "5", "words": "tốt"}
    async with browsing(office) as phone:
        answers = await asyncio.gather(*(phone.post("/track/say", data=said) for _ in range(20)))
        assert {each.status_code for each in answers} == {200}
        assert Page(await phone.get(f"/track/{code}/{secret}")).text.count("tốt") == 1


async def test_many_who_move_one_dossier_at_once_move_it_once(office):
    code = await office.code()
    async with sitting(office, CLERK) as client:
        form = Page(await client.get(f"/dossiers/{code}/do/withdraw"))
        fields = form.form(f"/dossiers/{code}/do/withdraw") | {"reason": "xin rút"}
        answers = await asyncio.gather(
            *(
                client.post(f"/dossiers/{code}/do/withdraw", data=fields | {"key": f"k{n}"})
                for n in range(12)
            )
        )
    assert sorted(each.status_code for each in answers) == [303] + [409] * 11


async def test_one_draft_sent_from_many_tabs_is_one_dossier(office):
    async with sitting(office, CLERK) as client:
        where = (await client.get(f"/receive/form?procedure={LICENCE}")).headers["location"]
        number = where.rpartition("draft=")[2]
        fields = {"procedure": LICENCE, "channel": "counter", "applicant": "Ánh", "draft": number}
        fields |= {"said": "anyway", "reason": "thiếu"}
        answers = await asyncio.gather(
            *(client.post("/receive/form", data=fields | {"key": f"k{n}"}) for n in range(12))
        )
        assert {each.status_code for each in answers} == {303}
        assert len({each.headers["location"] for each in answers}) == 1


# Leaks --------------------------------------------------------------------------------------


async def test_a_slip_that_proves_nothing_is_kept_by_no_browser_and_no_search(office):
    async with browsing(office) as phone:
        answer = await phone.get("/track/H42.14-240304-9999/AAAA-AAAA")
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert "AAAA-AAAA" not in answer.text


UNLIKE = {"x-request-id", "content-length"}  # the code that was typed is told again


async def test_a_wrong_secret_is_told_as_no_dossier_is(office):
    code = await office.code()
    there, none = [code, code[:-4] + "9999"]
    async with browsing(office) as phone:
        told = []
        for each in (there, none):
            answer = await phone.post("/track", data={"code": each, "secret": "AAAA-AAAA"})
            plain = {n: v for n, v in answer.headers.items() if n not in UNLIKE}
            told.append((answer.status_code, plain, _without(answer.text, there, none)))
    assert told[0] == told[1]


def _without(text, *codes):
    for each in codes:
        text = text.replace(each, "…")
    return text


async def test_a_drafts_names_count_as_what_it_says(office):
    async with sitting(office, CLERK) as client:
        answer = await client.post(
            "/drafts?form=x", data={"n" * 1000 + str(n): "" for n in range(250)}
        )
        assert answer.status_code == 422
        assert "200,000 characters" in answer.text


# Who publishes ------------------------------------------------------------------------------


async def test_nobody_publishes_a_text_that_they_have_not_read(office):
    """Between reading and deciding its author wrote it again, and had it checked again."""
    async with sitting(office, "p-sci-lead-02") as author:
        edit = f"/procedures/{LICENCE}/edit"
        fields = _fields(await author.get(edit), edit)
        one = await author.post(edit, data=fields | {"key": "a"})
        assert one.status_code == 303, _refusal(one)
        there = one.headers["location"]
        checked = await author.post(f"{there}/check", data={"key": "b"})
        assert checked.status_code == 303
    async with sitting(office, "p-control-01") as second:
        read = Page(await second.get(there)).form(f"{there}/publish")
        async with sitting(office, "p-sci-lead-02") as author:
            fields = _fields(await author.get(edit), edit)
            more = {"text": fields["text"] + "\n# đổi", "key": "c"}
            assert (await author.post(edit, data=fields | more)).status_code == 303
            assert (await author.post(f"{there}/check", data={"key": "d"})).status_code == 303
        said = {"document": "QĐ 1/2024", "key": "e"}
        unread = await second.post(f"{there}/publish", data=read | said)
        assert unread.status_code == 409, _refusal(unread)
        assert "changed meanwhile" in unread.text
        now = Page(unread).form(f"{there}/publish")  # which shows what it is now
        assert now["read"] != read["read"]
        done = await second.post(f"{there}/publish", data=now | said | {"key": "f"})
        assert done.status_code == 303, _refusal(done)


def _refusal(answer):
    return answer.text.partition('class="refusal"')[2][:500]


def _fields(answer, action):
    assert answer.status_code == 200, answer.text
    form = next(each for each in Page(answer).forms if each["action"] == action)
    said = {name: value for name, value in form["whole"].items() if value is not None}
    return said | {"view": "yaml"}


# Cost ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "components:\n" + "- {code: a}\n" * 15_000,
        "".join(f"k{n}: {n}\n" for n in range(14_000)),
        "a: &a [x, x]\nb: [*a, *a]\n",
        "[" * 50_000,
        "- " * 20_000 + "a",
        "x: " + "9" * 100_000,
    ],
)
async def test_no_text_costs_more_than_a_long_page(office, text):
    async with sitting(office, "p-sci-lead-02") as client:
        edit = f"/procedures/{LICENCE}/edit"
        for view in ("yaml", "form"):
            found = await client.post(f"{edit}/check", data={"text": text, "view": view})
            assert len(found.content) < 400_000, view
            assert found.text.count("<li class=") <= 200
            act = {"text": text, "view": "yaml", "act": "view:form"}
            whole = await client.post(f"{edit}/turn", data=act)
            assert len(whole.content) < 1_000_000


async def test_a_text_that_is_too_long_is_not_even_read(office):
    async with sitting(office, "p-sci-lead-02") as client:
        long = {"text": "# " + "x" * 200_000, "view": "yaml"}
        answer = await client.post(f"/procedures/{LICENCE}/edit/turn", data=long)
        assert answer.status_code == 422
        assert "190,000 characters" in answer.text


# Bad luck -----------------------------------------------------------------------------------


async def test_a_page_without_its_database_says_what_to_do_in_words_for_people(office, monkeypatch):
    async def away(*_given, **_more):
        raise ConnectionRefusedError

    monkeypatch.setattr("api.doors.opening.arrive", away)
    async with sitting(office, CLERK) as client:
        sent = {"applicant": "Ánh", "key": "k"}
        for answer in (
            await client.get("/today"),
            await client.get("/track"),
            await client.post("/receive/form", data=sent),
        ):
            assert answer.status_code == 503
            assert "nothing that was typed is lost" in answer.text
            assert "Idempotency-Key" not in answer.text
        assert "Ánh" in answer.text


async def test_who_asks_too_often_reads_it_on_a_page(office):
    async with browsing(office) as phone:
        page = {"Accept": "text/html"}
        for _ in range(31):
            answer = await phone.get("/track", headers=page)
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
        assert "ask more slowly" in Page(answer).text
        plain = await phone.get("/track")
        assert plain.headers["content-type"] == "application/problem+json"
