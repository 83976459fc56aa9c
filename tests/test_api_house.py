"""What is round the dossiers: failures inside, no database, the secret, and what is promised."""

import stat

import pytest
from office import LICENCE, RECEPTION, address, running, told

from api import doors, problems
from api.rates import OPEN
from config import secret
from config.settings import BadSettings, Settings
from states.db import engine

PUBLIC = tuple(path for path, _ in OPEN)


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        yield office


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
            answer = await office.client.get(path)
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


# The secret -------------------------------------------------------------------------------


def test_the_secret_is_made_once_and_is_the_owners_alone(tmp_path):
    folder = tmp_path / "new"
    given = Settings(data=folder)
    found = secret.secret(given)
    assert len(found) == 44
    assert secret.secret(given) == found
    assert stat.S_IMODE((folder / secret.FILE).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [secret.FILE]
    assert secret.key(found, "slip") != secret.key(found, "citizen")


def test_an_empty_secret_opens_nothing(tmp_path):
    (tmp_path / secret.FILE).write_text("\n")
    with pytest.raises(BadSettings, match="holds no secret"):
        secret.secret(Settings(data=tmp_path))


def test_a_secret_that_is_given_is_taken(tmp_path):
    assert secret.secret(Settings(data=tmp_path, secret="x" * 32)) == b"x" * 32
    assert not list(tmp_path.iterdir())


# The promise ------------------------------------------------------------------------------


def test_types_are_promises():
    """Somebody's program compares these. Adding is free; renaming or removing is a new version."""
    assert {problems.name(kind): status for kind, status in problems.STATUS.items()} == {
        "unidentified": 401,
        "wrong-credentials": 401,
        "session-ended": 401,
        "not-vouched": 401,
        "password-due": 403,
        "out-of-scope": 403,
        "no-account": 403,
        "no-right": 403,
        "not-held": 403,
        "not-yours": 403,
        "unknown": 404,
        "no-such-address": 404,
        "no-such-method": 405,
        "too-slow": 408,
        "not-open": 409,
        "not-allowed": 409,
        "not-now": 409,
        "not-together": 409,
        "not-dead": 409,
        "from-elsewhere": 403,
        "already-frozen": 409,
        "account-exists": 409,
        "stale": 409,
        "too-large": 413,
        "file-too-large": 413,
        "not-taken": 415,
        "spoilt": 500,
        "store-away": 503,
        "provider-away": 503,
        "weak-password": 422,
        "wrong-password": 422,
        "too-many": 429,
        "bad-input": 422,
        "bad-file": 422,
        "key-reused": 422,
        "invalid": 422,
        "unknown-event": 422,
        "broken": 500,
        "wrong-schema": 503,
        "other-server": 503,
        "away": 503,
        "outdated": 503,
    }


async def test_a_problem_is_named_in_the_callers_language(office):
    for asked, title in (
        ("vi", "Không có đối tượng này"),
        ("en-GB,vi;q=0.5", "There is no such thing"),
        ("fr", "There is no such thing"),
    ):
        headers = RECEPTION | {"Accept-Language": asked}
        answer = await office.client.get("/v1/dossiers/x", headers=headers)
        assert told(answer, 404, "unknown")["title"] == title


async def test_the_openapi_document_tells_all_of_it(office):
    document = (await office.client.get("/openapi.json")).json()
    assert {"/health", "/ready", "/v1/dossiers/{code}/events/advance"} <= set(document["paths"])
    for path, methods in document["paths"].items():
        for told_of in methods.values():
            if path.startswith("/v1") and not path.startswith(PUBLIC):
                assert told_of["security"] == [{"HTTPBearer": []}]
                assert {"401", "403", "422", "429", "503"} <= set(told_of["responses"])
    assert LICENCE in str(document)
