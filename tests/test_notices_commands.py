"""`hoso notices`, and the flow that tells: with a real gateway and a real mail server."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from cli import Answer, hoso
from noticing import MAIL, MORNING, messages, move, processing, queue
from receivers import Post, Site, listening
from sqlalchemy.ext.asyncio import AsyncEngine

from api import cli
from config.settings import settings
from flows import wires
from flows.notify import notify
from flows.opening import close
from states.db import transaction
from states.notices import queued
from states.notices.rows import Sending
from states.words import Event, Role


@pytest.fixture
def here(fresh: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncEngine:
    """Commands and flows find this database."""
    monkeypatch.setitem(cli.SUBJECTS, "notices", {"notices"})
    address = fresh.url.render_as_string(hide_password=False)
    for name, value in {"DATABASE": address, "DATA": str(tmp_path)}.items():
        monkeypatch.setenv(f"HOSO_{name}", value)
    settings.cache_clear()
    wires.RESTS.clear()
    return fresh


def one_line(answer: Answer) -> str:
    return " ".join(answer.sentence.split())


async def test_what_was_given_up_is_seen_and_sent_again(here: AsyncEngine) -> None:
    one, two, three = await queue(here, 3)
    async with here.connect() as db:
        for number in (one, two):
            await queued.record(db, number, Sending.dead, MORNING, "the mailbox was refused (550)")
    answer = await hoso("notices", "list", "--dead", "--json")
    assert answer.code == 0
    assert [each["id"] for each in answer.json["messages"]] == [two, one]
    assert answer.json["messages"][0]["error"] == "the mailbox was refused (550)"
    assert answer.json["counts"] == [
        {"way": "email", "sending": "dead", "messages": 2},
        {"way": "email", "sending": "queued", "messages": 1},
    ]
    assert "550" in (await hoso("notices", "list", "--dead")).out
    assert MAIL in (await hoso("notices", "list")).out

    assert (await hoso("notices", "resend", one, "--json")).json == {"queued": 1}
    refused = await hoso("notices", "resend", one)
    assert refused.code == 1
    assert one_line(refused) == f"message {one} is queued: only dead letters are sent again"
    refused = await hoso("notices", "resend", three, 999)
    assert one_line(refused) == "there is no message 999: see `hoso notices list --dead`"
    assert "1 queued again" in (await hoso("notices", "resend", "--all", "--way", "email")).out
    assert {each.sending for each in await messages(here)} == {Sending.queued}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("resend",), "name the messages by their numbers, or all dead letters by --all"),
        (("resend", "1", "--all"), "name the messages by their numbers, or all dead letters by"),
        (("resend", "1", "--way", "sms"), "--way narrows --all"),
        (("resend", "--all", "--way", "dove"), "'dove' is no way: there are email, sms, chat"),
        (("try", "dove", "x"), "'dove' is no way: there are email, sms, chat, webhook"),
        (("try", "sms", "0912345678"), "no sms is set up: set HOSO_SMS_GATEWAY"),
        (("try", "email", MAIL), "no email is set up: set HOSO_SMTP and HOSO_MAIL_FROM"),
        (("try", "webhook", "x"), "set HOSO_WEBHOOKS, or it has no webhook x"),
    ],
)
async def test_a_sentence_for_each_refusal(
    here: AsyncEngine, words: tuple[str, ...], sentence: str
) -> None:
    answer = await hoso("notices", *words)
    assert answer.code == 1
    assert sentence in one_line(answer)


async def test_a_trial_of_each_way(here: AsyncEngine, tmp_path: Path) -> None:
    post, sms, hook = Post(), Site(), Site()
    async with listening(post) as a, listening(sms) as b, listening(hook) as c:
        file = tmp_path / "hooks.yaml"
        secret = "a secret of sixteen"
        file.write_text(
            f"endpoints:\n  - name: portal\n    url: http://127.0.0.1:{c}/\n"
            f"    secrets: [{secret}]\n"
        )
        told = {
            "HOSO_SMTP": f"smtp://127.0.0.1:{a}",
            "HOSO_MAIL_FROM": "mc@example.vn",
            "HOSO_SMS_GATEWAY": f"http://127.0.0.1:{b}/",
            "HOSO_WEBHOOKS": str(file),
        }
        for way, to in (("email", MAIL), ("sms", "0912345678"), ("webhook", "portal")):
            answer = await hoso("notices", "try", way, to, "--json", **told)
            assert answer.json == {"way": way, "to": to, "sent": True}
        sms.status = 400
        answer = await hoso("notices", "try", "sms", "0", **told)
        assert answer.code == 1
        assert one_line(answer) == "the sms gateway answered 400"
    assert post.mails[0]["Subject"] == "Tin thử / Trial message"
    assert json.loads(hook.requests[0][1]) == {"trial": True}
    assert await messages(here) == []


async def test_settings_that_are_wrong_are_told(here: AsyncEngine) -> None:
    for wrong, sentence in (
        ({"HOSO_SMTP": "smtp://u:secret@mail.example.vn"}, "HOSO_SMTP needs HOSO_MAIL_FROM"),
        ({"HOSO_SMTP": "mail.example.vn:secret"}, "HOSO_SMTP: Value error, write smtp+starttls"),
        ({"HOSO_SMTP": "smtp://x:secret", "HOSO_MAIL_FROM": "a@b.vn"}, "write smtp+starttls"),
        ({"HOSO_MAIL_FROM": "a b <c"}, "write noreply@example.vn or"),
        ({"HOSO_SMS_GATEWAY": "ftp://secret"}, "HOSO_SMS_GATEWAY: URL scheme should be 'http'"),
    ):
        answer = await hoso("notices", "list", **wrong)
        assert answer.code == 1
        assert sentence in one_line(answer)
        assert "secret" not in answer.err


async def test_the_flow_makes_and_sends(here: AsyncEngine, monkeypatch: Any) -> None:
    async with transaction(here) as db:
        paper = await processing(db)
        await move(db, paper, Event.withdraw, Role.citizen, MORNING)
    post, sms = Post(), Site()
    async with listening(post) as a, listening(sms) as b:
        monkeypatch.setenv("HOSO_SMTP", f"smtp://127.0.0.1:{a}")
        monkeypatch.setenv("HOSO_MAIL_FROM", "Một cửa <mc@example.vn>")
        monkeypatch.setenv("HOSO_SMS_GATEWAY", f"http://127.0.0.1:{b}/")
        settings.cache_clear()
        told: dict[str, int] = {}
        async with asyncio.timeout(60):  # readers wait for slow transactions of other tests
            while told.get("sent", 0) < 7:
                for name, count in (await notify.fn(MORNING)).items():
                    told[name] = told.get(name, 0) + count
        assert await notify.fn(MORNING) == {"made": 0}
        await close()
    settings.cache_clear()
    assert told == {"made": 7, "sent": 7}
    assert [str(each["To"]) for each in post.mails] == [MAIL] * 5
    assert len({each["Message-ID"] for each in post.mails}) == 5
    assert len(sms.requests) == 2
    assert {each.sending for each in await messages(here)} == {Sending.sent}
