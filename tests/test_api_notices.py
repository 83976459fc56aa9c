"""Notices over HTTP: what stands where, of dossiers that the caller may see; sent again."""

from typing import Any

import pytest
from noticing import messages, processing, queue
from office import Office, address, running, told

from api import notices
from api.app import ROUTERS
from states.notices.listing import masked
from states.notices.rows import Sending, Way

LEAD, CONTROL, OFFICER = "p-sci-lead-02", "p-control-01", "p-sci-officer-21"
STRANGER = "p-labour-lead-01"


def by(person: str) -> dict[str, str]:
    return {"Hoso-Person": person}


@pytest.fixture
async def office(fresh, tmp_path):
    async with running(address(fresh), tmp_path) as office:
        if notices.router not in ROUTERS:
            office.app.include_router(notices.router)
        yield office


@pytest.fixture
async def sent(fresh):
    """Of one dossier: two dead letters, two that wait and one that was sent; and one of none."""
    async with fresh.begin() as db:
        paper = await processing(db)
    about = {"dossier_id": paper.id}
    dead = await queue(fresh, 2, sending="dead", tries=9, error="mailbox unknown", **about)
    waits = await queue(fresh, 2, **about)
    done = await queue(
        fresh, sending="sent", sent_at=paper.moved_at, way="sms", recipient="0912345678", **about
    )
    await queue(fresh)
    return dead, waits, done


async def listed(office: Office, person: str = CONTROL, at: str = "", **asked: Any) -> Any:
    answer = await office.client.get(f"/v1/notices{at}", params=asked, headers=by(person))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_listed_by_what_is_asked(office, sent):
    dead, waits, done = sent

    async def ids(person: str = CONTROL, **asked: Any) -> list[int]:
        return [each["id"] for each in (await listed(office, person, **asked))["items"]]

    assert await ids() == [*done, *reversed(waits), *reversed(dead)]
    assert await ids(sending="dead") == dead[::-1]
    assert await ids(way="sms") == await ids(sending="sent") == done
    assert await ids(audience="staff") == await ids(code="H42.14-1") == await ids(STRANGER) == []
    [code] = {each["code"] for each in (await listed(office))["items"]}
    assert len(await ids(OFFICER, code=code)) == len(await ids(OFFICER)) == 5
    page = await listed(office, limit=3)
    rest = await listed(office, limit=3, cursor=page["next"])
    assert [e["id"] for e in [*page["items"], *rest["items"]]] == await ids()
    assert (await listed(office, STRANGER, "/counts"))["counts"] == []
    assert (await listed(office, at="/counts"))["counts"] == [
        {"way": "email", "sending": "dead", "messages": 2},
        {"way": "email", "sending": "queued", "messages": 2},
        {"way": "sms", "sending": "sent", "messages": 1},
    ]


async def test_addresses_and_texts_are_not_told(office, sent):
    answer = await office.client.get("/v1/notices", headers=by(CONTROL))
    assert {each["recipient"] for each in answer.json()["items"]} == {"a***@example.vn", "***678"}
    for secret in ("anh@example.vn", "0912345678", "tiếp nhận"):
        assert secret not in answer.text


@pytest.mark.parametrize(
    ("way", "recipient", "told_"),
    [
        (Way.email, "anh@example.vn", "a***@example.vn"),
        (Way.sms, "0912345678", "***678"),
        (Way.sms, "912345", "***"),
        (Way.chat, "u12345678", "***678"),
        (Way.webhook, "portal", "portal"),
    ],
)
def test_enough_of_an_address_to_tell_it_from_others(way, recipient, told_):
    assert masked(way, recipient) == told_


async def test_dead_letters_are_sent_again_by_a_leader_or_control(office, fresh, sent):
    dead, waits, done = sent

    async def again(person: str, number: int) -> Any:
        return await office.client.post(f"/v1/notices/{number}/again", headers=by(person))

    told(await again(OFFICER, dead[0]), 403, "not-yours")
    told(await again(STRANGER, dead[0]), 404, "unknown")
    told(await again(LEAD, 10**9), 404, "unknown")
    told(await again(LEAD, 10**19), 422, "invalid")
    told(await again(LEAD, waits[0]), 409, "not-dead")
    told(await again(LEAD, done[0]), 409, "not-dead")
    kept = await messages(fresh)
    answer = await again(LEAD, dead[0])
    assert answer.json()["sending"] == "queued", answer.text
    assert (await again(CONTROL, dead[1])).status_code == 200
    now = {row.id: row for row in await messages(fresh)}
    for row in kept:
        if row.id in dead:
            then = now[row.id]
            assert (then.sending, then.tries, then.error) == (Sending.queued, 0, None)
            assert then.next_at == office.at
        else:
            assert now[row.id] == row
    told(await again(LEAD, dead[0]), 409, "not-dead")
