"""Breaches and alerts over HTTP: seen by whom they concern, explained, assigned, closed."""

from typing import Any

import pytest
from office import Office, address, running, told
from test_breaches import (
    AGENCY,
    COLLEAGUE,
    CONTROL,
    LATE,
    LEAD,
    OFFICER,
    SIGNS,
    STRANGER,
    UNIT,
    april,
    four_cases,
    licence,
)

from api import alerts, breaches
from api.app import ROUTERS
from states.breaches.recording import record
from states.catalogue import bundles
from states.catalogue.rules import On

RECEPTION = "p-reception-01"


def by(person: str) -> dict[str, str]:
    return {"Hoso-Person": person}


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        for each in (breaches.router, alerts.router):
            if each not in ROUTERS:
                office.app.include_router(each)
        office.at = april(8)
        yield office


@pytest.fixture
async def book(fresh):
    async with fresh.begin() as db:
        return await bundles.read(db)


@pytest.fixture
async def four(fresh, book):
    """Late and ended; late with an apology; late still, by two rules; stopped while late."""
    return [each.paper.code for each in await four_cases(fresh, book)]


async def listed(office: Office, who: str = CONTROL, at: str = "breaches", **asked: Any) -> Any:
    answer = await office.client.get(f"/v1/{at}", params=asked, headers=by(who))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def act(office: Office, person: str, code: str, step: str, **body: Any) -> Any:
    path = f"/v1/breaches/{code}/term-late/{step}"
    return await office.client.post(path, json=body, headers=by(person))


async def test_listed_by_what_is_asked(office, four):
    async def codes(**asked: Any) -> list[str]:
        return [each["code"] for each in (await listed(office, **asked))["items"]]

    assert await codes() == [four[0], four[1], four[2], four[2], four[3]]
    assert await codes(without_apology=True) == [four[0], four[2]]
    assert await codes(rule="stage-late", unit=SIGNS) == [four[2]]
    assert len(await codes(agency=AGENCY, procedure="1.003659", person=OFFICER)) == 5
    assert await codes(agency="H42.05") == await codes(person=COLLEAGUE) == []
    assert await codes(procedure="1.000459") == await codes(cause="system") == []
    assert await codes(since="2024-04-03T17:00:01+07:00") == []
    assert len(await codes(since="2024-04-03T17:00:00+07:00", until="2024-04-04T00:00:00Z")) == 5
    assert len(await codes(standing="open")) == 5
    first = (await listed(office))["items"][0]
    assert (first["minutes"], first["ended_at"]) == (690, "2024-04-05T11:00:00+07:00")


async def test_pages_go_on_where_they_were_while_rows_are_written(office, fresh, book, four):
    seen, cursor = [], None
    for n in range(6):
        asked = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = await listed(office, **asked)
        seen += [(each["code"], each["rule"]) for each in page["items"]]
        if (cursor := page["next"]) is None:
            break
        early = await licence(fresh, book)  # due before all that were told
        await early.missed("stage-late", watched=On.stage, due_at=april(1 + n), unit=UNIT)
        await record(fresh, book, april(8))
    assert len(seen) == len(set(seen)) == 5


async def test_seen_by_whose_dossier_it_is(office, four):
    counts = {}
    for person in (CONTROL, RECEPTION, OFFICER, LEAD, "p-sci-director", STRANGER, "p-edu-lead-01"):
        counts[person] = len((await listed(office, person))["items"])
        answer = await office.client.get(f"/v1/breaches/{four[0]}", headers=by(person))
        assert answer.status_code == (200 if counts[person] else 404)
        causes = await listed(office, person, "breaches/causes")
        assert sum(each["breaches"] for each in causes["causes"]) == counts[person]
        assert len((await listed(office, person, "alerts"))["items"]) == counts[person]
        if not counts[person]:
            body = {"cause": "workload", "explanation": "Nhiều hồ sơ"}
            told(await act(office, person, four[0], "explain", **body), 404, "unknown")
    assert counts == {
        CONTROL: 5, RECEPTION: 5, OFFICER: 5, LEAD: 5, "p-sci-director": 5, STRANGER: 0,
        "p-edu-lead-01": 0,
    }  # fmt: skip


async def test_assigned_explained_and_closed(office, four):
    code = four[0]
    told(await act(office, OFFICER, code, "assign", to=COLLEAGUE), 403, "not-held")
    told(await act(office, LEAD, code, "assign", to=STRANGER), 403, "not-held")
    answer = await act(office, LEAD, code, "assign", to=OFFICER)
    assert answer.json()["breaches"][0]["standing"] == "assigned", answer.text
    why = {"cause": "workload", "explanation": "Nhiều hồ sơ"}
    told(await act(office, CONTROL, code, "close", finding="a"), 409, "not-now")
    answer = await act(office, OFFICER, code, "explain", **why)
    assert answer.json()["breaches"][0]["explanation"] == "Nhiều hồ sơ"
    told(await act(office, LEAD, code, "close", finding="a"), 403, "not-held")
    assert (await act(office, CONTROL, code, "close", finding="Phù hợp")).status_code == 200
    told(await act(office, OFFICER, code, "explain", **why), 409, "not-now")
    answer = await office.client.get(f"/v1/breaches/{code}", headers=by(LEAD))
    [breach] = answer.json()["breaches"]
    assert [(each["step"], each["actor"]) for each in breach["lines"]] == [
        ("assign", LEAD), ("explain", OFFICER), ("close", CONTROL),
    ]  # fmt: skip
    assert breach["lines"][0]["at"] == "2024-04-08T09:00:00+07:00"
    assert sum(each["late_minutes"] for each in breach["attribution"]) == breach["minutes"] == 690
    [count] = [c for c in (await listed(office, at="breaches/causes"))["causes"] if c["cause"]]
    assert (count["cause"], count["minutes"], count["unexplained"]) == ("workload", 690, 0)


@pytest.mark.parametrize(
    ("step", "body", "status", "kind"),
    [
        ("assign", {}, 422, "invalid"),
        ("assign", {"to": "p-nobody"}, 404, "unknown"),
        ("explain", {"cause": "rain", "explanation": "a"}, 422, "invalid"),
        ("explain", {"cause": "other", "explanation": " "}, 422, "bad-input"),
        ("explain", {"cause": "other", "explanation": "a" * 2001}, 422, "invalid"),
        ("explain", {"cause": "other", "explanation": "a\0"}, 422, "invalid"),
        ("close", {"finding": "a", "visit": 7}, 404, "unknown"),
        ("close", {}, 422, "invalid"),
        ("close", {"finding": " "}, 422, "bad-input"),
        ("reopen", {"reason": "a", "visit": 7}, 404, "unknown"),
        ("close", {"more": 1}, 422, "invalid"),
        ("burn", {}, 404, "no-such-address"),
    ],
)
async def test_bad_input_changes_nothing(office, four, step, body, status, kind):
    told(await act(office, CONTROL if step != "explain" else OFFICER, four[0], step, **body),
         status, kind)  # fmt: skip
    answer = await office.client.get(f"/v1/breaches/{four[0]}", headers=by(CONTROL))
    assert answer.json()["breaches"][0]["lines"] == []


@pytest.mark.parametrize(
    ("at", "asked"),
    [
        ("breaches", {"since": "0001-01-01T00:00:00+14:00"}),
        ("breaches", {"until": "2024-04-03"}),
        ("breaches", {"standing": "done"}),
        ("breaches", {"unit": "a\0"}),
        ("breaches", {"limit": 201}),
        ("breaches", {"cursor": "x"}),
        ("breaches", {"cursor": "WzFd"}),
        ("alerts", {"until": "9999-12-31T23:59:59-14:00"}),
        ("alerts", {"what": "nothing"}),
        ("alerts", {"cursor": "W10"}),
        ("breaches/causes", {"since": "yesterday"}),
    ],
)
async def test_what_cannot_be_asked_is_told(office, at, asked):
    answer = await office.client.get(f"/v1/{at}", params=asked, headers=by(CONTROL))
    assert answer.status_code == 422
    assert answer.json()["detail"]


async def test_alerts_by_what_is_asked(office, four):
    async def rules(**asked: Any) -> list[tuple[str, str]]:
        found = (await listed(office, at="alerts", **asked))["items"]
        return [(each["code"], each["rule"]) for each in found]

    late_ = [(code, "term-late") for code in four]
    stage = (four[2], "stage-late")
    assert await rules() == [late_[3], stage, late_[2], late_[1], late_[0]]
    assert await rules(code=four[2]) == [stage, late_[2]]
    assert await rules(watched="stage") == await rules(unit=SIGNS) == [stage]
    assert await rules(what="alert") == await rules(agency="H42.05") == []
    assert len(await rules(what="breach", rule="term-late", person=OFFICER, agency=AGENCY)) == 4
    page = await listed(office, at="alerts", limit=3)
    rest = await listed(office, at="alerts", limit=3, cursor=page["next"])
    assert (len(page["items"]), len(rest["items"]), rest["next"]) == (3, 2, None)
    assert page["items"][0]["at"] == LATE.isoformat()
    assert page["items"][0]["recorded_at"].endswith("+07:00")
