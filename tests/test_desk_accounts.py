"""Signing in by a browser: cookies, other people's pages, roles, locks."""

import httpx
import pytest
import sqlalchemy as sa
from office import address, running
from sitting import FORM, HERE, Page, sitting

from states import db
from states.accounts import passwords, signing
from states.accounts.rows import account, session
from states.accounts.trying import open_trial

PASSWORD = "một mật khẩu dài"


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        await office.client.auth.token("p-reception-01")
        async with db.transaction(office.app.state.house.engine) as connection:
            kept = {"password": await passwords.hashed(PASSWORD), "password_at": sa.func.now()}
            await connection.execute(sa.update(account).values(kept))
        yield office


@pytest.fixture
async def browser(office):
    transport = httpx.ASGITransport(office.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=HERE, headers=FORM) as client:
        yield client


async def sign_in(browser, password=PASSWORD, **more):
    return await browser.post(
        "/session", data={"person": "p-reception-01", "password": password} | more
    )


async def test_who_is_not_signed_in_is_sent_to_do_it_and_comes_back(browser):
    asked = await browser.get("/account?x=1")
    assert asked.status_code == 303
    assert asked.headers["location"] == "/sign-in?next=/account%3Fx%3D1"
    page = Page(await browser.get(asked.headers["location"]))
    assert page.form("/session")["next"] == "/account?x=1"
    answer = await sign_in(browser, next="/account?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account?x=1")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    there = await browser.get("/account?x=1")
    assert there.status_code == 200
    assert there.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("next_", ["//evil.example", "/\\evil.example", "https://evil.example", ""])
async def test_nobody_is_sent_elsewhere_after_signing_in(browser, next_):
    answer = await sign_in(browser, next=next_)
    assert answer.headers["location"] in {"/", "/desk"}


async def test_a_wrong_password_is_refused_on_the_page_and_not_told_back(browser):
    answer = await sign_in(browser, password="falsch-falsch")
    assert answer.status_code == 401
    assert "falsch-falsch" not in answer.text
    assert 'value="p-reception-01"' in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": None, "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": None, "Origin": "null"},
        {"Sec-Fetch-Site": None, "Origin": None},
    ],
)
@pytest.mark.parametrize("path", ["/session", "/session/end", "/v1/accounts/sign-out"])
async def test_what_another_page_sends_is_not_heard(office, headers, path):
    async with sitting(office, "p-reception-01") as client:
        said = {name: value for name, value in (FORM | headers).items() if value is not None}
        for name in FORM:
            client.headers.pop(name)
        answer = await client.post(path, data={"person": "x", "password": "y"}, headers=said)
        assert answer.status_code == 403, answer.text
        assert (await client.get("/account")).status_code == 200


async def test_a_cookie_opens_the_api_too_and_a_header_goes_first(office):
    async with sitting(office, "p-reception-01") as client:
        assert (await client.get("/v1/accounts/me")).json()["person"] == "p-reception-01"
        wrong = {"Authorization": "Bearer hsa_wrong"}
        assert (await client.get("/v1/accounts/me", headers=wrong)).status_code == 401
        opened = await client.post(
            "/v1/accounts/sign-out", headers={"Origin": HERE, "Sec-Fetch-Site": "same-origin"}
        )
        assert opened.status_code == 204
        assert (await client.get("/account")).status_code == 303


async def test_a_session_stays_open_while_it_is_used(office, browser):
    await sign_in(browser)
    engine = office.app.state.house.engine
    mine = sa.select(session).order_by(session.c.id.desc()).limit(1)
    async with db.transaction(engine) as connection:
        kept = (await connection.execute(mine)).one()
        assert kept.refresh is None
        assert kept.ends == kept.created_at + signing.DAY
        near = {"access_until": sa.func.clock_timestamp() + signing.DESK / 2}
        await connection.execute(sa.update(session).where(session.c.id == kept.id).values(near))
    assert (await browser.get("/account")).status_code == 200
    async with db.transaction(engine) as connection:
        longer = (await connection.execute(mine)).one().access_until
        now = await connection.scalar(sa.text("SELECT clock_timestamp()"))
        assert signing.DESK - signing.STEP < longer - now <= signing.DESK
        over = {"access_until": now}
        await connection.execute(sa.update(session).where(session.c.id == kept.id).values(over))
    assert (await browser.get("/account")).status_code == 303
    answer = await browser.post("/drafts?form=receive", data={"applicant": "Ánh"})
    assert answer.status_code == 401  # and the page, which is still there, asks for the password


async def test_what_one_typed_is_not_sent_as_somebody_else(office):
    """Their page is still open in a tab, and in another one somebody else has signed in."""
    async with sitting(office, "p-reception-01") as client:
        for by, status in (("p-sci-officer-21", 401), ("p-reception-01", 204)):
            answer = await client.post(
                "/drafts?form=receive",
                data={"applicant": "Ánh"},
                headers={"Hoso-By": by, "Hoso-Sent": "1"},
            )
            assert answer.status_code == status, by


async def test_signed_out_everywhere_is_everywhere(office, browser):
    await sign_in(browser)
    async with sitting(office, "p-reception-01") as other:
        answer = await other.post("/session/end-all")
        assert answer.headers["location"] == "/sign-in"
    assert (await browser.get("/account")).status_code == 303


async def test_a_draft_is_its_writers_alone_and_is_replaced(office):
    async with sitting(office, "p-reception-01") as client:
        for typed in ("Á", "Ánh"):
            answer = await client.post(
                "/drafts?form=receive", data={"applicant": typed, "key": "k1"}
            )
            assert answer.status_code == 204, answer.text
    async with db.transaction(office.app.state.house.engine) as connection:
        rows = (await connection.execute(sa.text("SELECT person, form, typed FROM draft"))).all()
    assert rows == [("p-reception-01", "receive", {"applicant": ["Ánh"]})]


async def test_the_language_is_chosen_once(browser):
    answer = await browser.get("/language/en?next=/sign-in")
    assert answer.headers["location"] == "/sign-in"
    assert "Staff id" in (await browser.get("/sign-in")).text
    await browser.get("/language/vi")
    assert "Mã cán bộ" in (await browser.get("/sign-in")).text


async def test_no_page_holds_what_its_policy_forbids(office):
    async with sitting(office, "p-reception-01") as client:
        for path in ("/account", "/account/password"):
            assert Page(await client.get(path)).forbidden == []


async def test_for_a_trial_one_of_each_role_is_offered_and_nobody_elses_account_taken(office):
    house = office.app.state.house
    async with db.transaction(house.engine) as connection:
        book = await house.latest(connection)
        made = await open_trial(connection, book, office.at)
        again = await open_trial(connection, book, office.at)
    roles = [role for _, _, role in made.people]
    assert roles == ["postal", "officer", "leader", "control"]  # reception is somebody's already
    assert again.people == made.people
    assert again.password != made.password
    transport = httpx.ASGITransport(office.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=HERE, headers=FORM) as client:
        assert "trial" not in (await client.get("/sign-in")).text
        house.trial = again
        page = await client.get("/sign-in")
        assert again.password in page.text
        said = {"person": again.people[0][0], "password": again.password}
        assert (await client.post("/session", data=said)).status_code == 303
        before = await client.post("/session", data=said | {"password": made.password})
        assert before.status_code == 401
