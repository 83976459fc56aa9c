"""The wires, against real sockets that refuse, hang, drip, cut and lead astray."""

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from noticing import MAIL, MORNING, PHONE
from pydantic import SecretStr
from receivers import Post, Site, listening

from config.settings import Settings
from flows import wires
from states.errors import BadFile
from states.notices import webhooks
from states.notices.rows import Way
from states.notices.sending import Letter, NotSent, Outlet

SECRETS = ("the older secret of ours", "the newer secret of ours")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(wires, "STEP", 0.4)
    monkeypatch.setattr(wires, "WHOLE", 0.8)
    yield
    wires.RESTS.clear()


def letter(way: Way = Way.email, to: str = MAIL, **told: Any) -> Letter:
    subject = "dossier.receive" if way is Way.webhook else "Hồ sơ H42.14-240304-0001: đã tiếp nhận"
    known: dict[str, Any] = dict(
        id=7,
        key="0123456789abcdef0123456789abcdef",
        subject=subject,
        body="Kính gửi bà Nguyễn Thị Ánh,\nHồ sơ đã được tiếp nhận.",
        at=MORNING,
    )
    return Letter(way=way, recipient=to, **known | told)


def settings(**told: Any) -> Settings:
    return Settings(**told)


async def through(told: Settings, sent: Letter) -> NotSent | None:
    """What became of a letter on the only wire that is set up."""
    async with wires.opened(told) as outlets:
        (outlet,) = outlets
        try:
            await outlet.wire(sent)
        except NotSent as error:
            return error
    return None


def mailing(port: int, login: str = "") -> Settings:
    return settings(smtp=f"smtp://{login}127.0.0.1:{port}", mail_from="Một cửa <mc@example.vn>")


async def mailed(post: Post, sent: Letter | None = None, login: str = "") -> NotSent | None:
    async with listening(post) as port:
        return await through(mailing(port, login), sent or letter())


async def handed_in(site: Site, sent: Letter | None = None, **told: Any) -> NotSent | None:
    async with listening(site) as port:
        to = settings(sms_gateway=f"http://127.0.0.1:{port}/sms?key=key-of-sms", **told)
        return await through(to, sent or letter(Way.sms, PHONE))


# Set up -----------------------------------------------------------------------------------


async def test_nothing_is_set_up_unless_it_is_named() -> None:
    async with wires.opened(settings()) as outlets:
        assert outlets == []


async def test_each_way_has_its_outlet_and_each_webhook(tmp_path: Path) -> None:
    told = settings(
        smtp="smtps://u:p@mail.example.vn",
        mail_from="mc@example.vn",
        sms_gateway="https://sms.example.vn/send",
        sms_token=SecretStr("token-of-sms"),
        chat_gateway="https://chat.example.vn/send",
        webhooks=hooked(tmp_path, "http://127.0.0.1:1/a", "https://example.vn/b"),
    )
    async with wires.opened(told) as outlets:
        named = [(each.way, each.recipient) for each in outlets]
        shown = repr(outlets) + repr(told)
    assert named == [
        *((Way.email, None), (Way.sms, None), (Way.chat, None)),
        *((Way.webhook, "hook-0"), (Way.webhook, "hook-1")),
    ]
    for hidden in ("u:p@", "token-of-sms", *SECRETS, "example.vn/send"):
        assert hidden not in shown


def hooked(folder: Path, *urls: str, secrets: tuple[str, ...] = SECRETS) -> Path:
    lines = ["endpoints:"]
    for at, url in enumerate(urls):
        lines += [f"  - name: hook-{at}", f"    url: {url}", "    secrets:"]
        lines += [f"      - {secret}" for secret in secrets]
    file = folder / "webhooks.yaml"
    file.write_text("\n".join(lines))
    return file


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ftp://example.vn/x", "endpoints.0.url: must be an address such as https://example.vn"),
        ("file:///etc/passwd", "must be an address"),
        ("https:///x", "must be an address"),
        ("https://u:password-of-u@example.vn/x", "may hold no user and no password"),
    ],
)
async def test_a_webhook_goes_by_http_only(tmp_path: Path, url: str, sentence: str) -> None:
    with pytest.raises(BadFile, match=sentence) as refusal:
        async with wires.opened(settings(webhooks=hooked(tmp_path, url))):
            pass
    for hidden in (*SECRETS, "password-of-u"):
        assert hidden not in str(refusal.value)


async def test_a_short_secret_is_refused_and_not_repeated(tmp_path: Path) -> None:
    file = hooked(tmp_path, "https://example.vn", secrets=("too-short",))
    with pytest.raises(BadFile) as refusal:
        async with wires.opened(settings(webhooks=file)):
            pass
    assert "too-short" not in str(refusal.value)


# Mail -------------------------------------------------------------------------------------


async def test_a_mail_arrives_as_it_was_meant() -> None:
    post = Post()
    assert await mailed(post, login="mc%40example.vn:p%3Aw@") is None
    (mail,) = post.mails
    assert mail["To"] == MAIL
    assert mail["From"] == "Một cửa <mc@example.vn>"
    assert mail["Subject"] == letter().subject
    assert mail["Message-ID"] == "<0123456789abcdef0123456789abcdef@example.vn>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime == MORNING
    assert mail.get_content().replace("\r\n", "\n").strip() == letter().body
    assert post.logins == [b"\0mc@example.vn\0p:w"]
    assert post.recipients == [f"rcpt TO:<{MAIL}>"]


@pytest.mark.parametrize(
    ("post", "final", "away"),
    [
        (Post({"RCPT": "550 no such mailbox"}), True, False),
        (Post({"RCPT": "451 come again"}), False, False),
        (Post({"RCPT": "421 closing"}), False, True),
        (Post({"DATA": "554 spam"}), True, False),
        (Post({"END": "452 full"}), False, False),
        (Post({"MAIL": "550 who are you"}), False, True),
        (Post({"CONNECT": "554 no"}), False, True),
        (Post(cuts="RCPT"), False, True),
        (Post(cuts="END"), False, True),
        (Post(hangs="CONNECT"), False, True),
        (Post(hangs="RCPT"), False, True),
        (Post(drips=True), False, True),
    ],
)
async def test_whose_fault_it_is(post: Post, final: bool, away: bool) -> None:
    since = time.monotonic()
    failed = await mailed(post)
    assert failed is not None
    assert (failed.final, failed.away) == (final, away)
    assert str(failed)
    assert MAIL not in str(failed)
    assert post.mails == []
    assert time.monotonic() - since < 2.5


async def test_a_wrong_password_is_no_message_s_fault_and_not_repeated() -> None:
    failed = await mailed(Post({"AUTH": "535 no"}), login="mc:secret@")
    assert failed is not None
    assert (failed.final, failed.away) == (False, True)
    assert "secret" not in str(failed)


async def test_a_mail_that_was_taken_is_sent_whatever_comes_then() -> None:
    for post in (Post({"QUIT": "500 what"}), Post(cuts="QUIT"), Post(hangs="QUIT")):
        assert await mailed(post) is None
        assert len(post.mails) == 1


async def test_nobody_listens() -> None:
    async with listening(Post()) as port:
        pass
    failed = await through(mailing(port), letter())
    assert failed is not None
    assert failed.away
    assert str(failed) == "the mail server could not be reached: ConnectionRefusedError"


async def test_a_server_without_starttls_gets_nothing() -> None:
    post = Post()
    async with listening(post) as port:
        told = settings(smtp=f"smtp+starttls://127.0.0.1:{port}", mail_from="mc@example.vn")
        failed = await through(told, letter())
    assert failed is not None
    assert post.recipients == []
    assert post.mails == []


@pytest.mark.parametrize(
    "to",
    [
        "a@b.vn\r\nBcc: c@d.vn",
        "a@b.vn\nRCPT TO:<c@d.vn>",
        "a@b.vn, c@d.vn",
        "<a@b.vn>",
        "a b@c.vn",
        "none",
        "",
    ],
)
async def test_an_address_is_one_and_nothing_else(to: str) -> None:
    post = Post()
    failed = await mailed(post, letter(to=to))
    assert failed is not None
    assert failed.final
    assert post.recipients == []


async def test_no_subject_makes_a_header() -> None:
    post = Post()
    failed = await mailed(post, letter(subject="Hồ sơ\r\nBcc: all@example.vn\r\n\r\nbody"))
    assert failed is not None
    assert failed.final
    assert post.mails == []


async def test_a_body_with_a_dot_of_its_own_and_foreign_letters() -> None:
    post, body = Post(), "một\n.\nhai\r\nשלום עולם\ne\u0301 👩\u200d⚖️"
    assert await mailed(post, letter(body=body)) is None
    (mail,) = post.mails
    assert mail.get_content().replace("\r\n", "\n").strip() == body.replace("\r\n", "\n")


# Gateways ---------------------------------------------------------------------------------


async def test_an_sms_is_handed_in() -> None:
    site = Site()
    assert await handed_in(site, sms_token=SecretStr("token-of-sms")) is None
    ((headers, body),) = site.requests
    assert headers[":first"] == "POST /sms?key=key-of-sms HTTP/1.1"
    assert headers["authorization"] == "Bearer token-of-sms"
    assert headers["idempotency-key"] == letter().key
    assert json.loads(body) == {"to": PHONE, "text": letter().body, "id": letter().key}


@pytest.mark.parametrize(
    ("site", "final", "away", "sentence"),
    [
        (Site(500), False, True, "answered 500"),
        (Site(503, body=b"x" * 1_000_000), False, True, "answered 503"),
        (Site(429), False, True, "answered 429"),
        (Site(401), False, True, "answered 401"),
        (Site(400), True, False, "answered 400"),
        (Site(422), True, False, "answered 422"),
        (Site(302, "Location: http://169.254.169.254/\r\n"), False, True, "redirects"),
        (Site(307, "Location: /elsewhere\r\n"), False, True, "redirects"),
        (Site(hangs=True), False, True, "did not answer in"),
        (Site(drips=True), False, True, "did not answer in"),
        (Site(cuts=True), False, True, "could not be reached"),
    ],
)
async def test_a_gateway_in_bad_weather(site: Site, final: bool, away: bool, sentence: str) -> None:
    since = time.monotonic()
    failed = await handed_in(site, sms_token=SecretStr("token-of-sms"))
    assert failed is not None
    assert (failed.final, failed.away) == (final, away)
    assert sentence in str(failed)
    assert "token" not in str(failed)
    assert len(site.requests) == 1  # no redirect is followed, and nothing tried twice
    assert time.monotonic() - since < 2


async def test_what_a_gateway_answers_at_length_is_not_kept() -> None:
    assert await handed_in(Site(body=b"x" * 5_000_000)) is None


async def test_too_long_a_message_is_not_even_begun() -> None:
    site = Site()
    failed = await handed_in(site, letter(Way.sms, PHONE, body="x" * wires.BODY))
    assert failed is not None
    assert failed.final
    assert site.requests == []


async def test_what_was_away_rests_on_in_the_next_run() -> None:
    told = settings(sms_gateway="http://127.0.0.1:9/")
    async with wires.opened(told) as (first,):
        first.rest.failed(MORNING)
    async with wires.opened(told) as (second,):
        assert second.rest.failures == 1


# Webhooks ---------------------------------------------------------------------------------


async def test_a_webhook_is_signed_so_that_anybody_can_check(tmp_path: Path) -> None:
    site, body = Site(), '{"code":"H42.14-240304-0001","seq":3,"reason":"thiếu bản đồ"}'
    async with listening(site) as port:
        file = hooked(tmp_path, f"http://127.0.0.1:{port}/hoso")
        sent = letter(Way.webhook, "hook-0", subject="dossier.receive", body=body)
        assert await through(settings(webhooks=file), sent) is None
    ((headers, got),) = site.requests
    assert got == body.encode()
    assert headers["hoso-event"] == "dossier.receive"
    assert headers["idempotency-key"] == letter().key
    t, *signatures = headers["hoso-signature"].split(",")
    assert t == f"t={int(MORNING.timestamp())}"
    for secret, told in zip(SECRETS, signatures, strict=True):  # by hand, with none of our code
        own = hmac.new(secret.encode(), t[2:].encode() + b"." + got, hashlib.sha256).hexdigest()
        assert told == f"v1={own}"


def test_a_signature_holds_for_its_secret_body_and_time_only() -> None:
    body = b'{"code":"x"}'
    header = webhooks.signature(SECRETS, body, MORNING)
    for secret in SECRETS:
        assert webhooks.is_signed(header, secret, body, MORNING)
        assert webhooks.is_signed(header, secret, body, MORNING + timedelta(minutes=4))
    late = MORNING + timedelta(minutes=6)
    renewed = header.replace(f"t={int(MORNING.timestamp())}", f"t={int(late.timestamp())}")
    for wrong in (
        (header, "another secret", body, MORNING),
        (header, SECRETS[0], body + b" ", MORNING),
        (header, SECRETS[0], body, late),
        (header, SECRETS[0], body, MORNING - timedelta(minutes=6)),
        (header.replace("t=", "t=9"), SECRETS[0], body, MORNING),
        (renewed, SECRETS[0], body, late),
        (f"{header},t=1", SECRETS[0], body, MORNING),
        ("", SECRETS[0], body, MORNING),
        ("t=x,v1=é", SECRETS[0], body, MORNING),
    ):
        assert not webhooks.is_signed(*wrong)


async def test_one_that_hangs_holds_no_other_up(tmp_path: Path) -> None:
    slow, quick = Site(hangs=True), Site()
    async with listening(slow) as first, listening(quick) as second:
        file = hooked(tmp_path, f"http://127.0.0.1:{first}/", f"http://127.0.0.1:{second}/")
        async with wires.opened(settings(webhooks=file)) as outlets:
            hung = asyncio.create_task(_sent(outlets[0]))
            since = time.monotonic()
            assert await _sent(outlets[1]) is None
            assert time.monotonic() - since < 0.3
            failed = await hung
    assert failed is not None
    assert failed.away


async def _sent(outlet: Outlet) -> NotSent | None:
    try:
        await outlet.wire(letter(outlet.way, outlet.recipient or "", body="{}"))
    except NotSent as error:
        return error
    return None


async def test_no_log_tells_a_secret(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    site = Site(500)
    async with listening(site) as port:
        file = hooked(tmp_path, f"http://127.0.0.1:{port}/hoso")
        await through(settings(webhooks=file), letter(Way.webhook, "hook-0", body="{}"))
    await handed_in(Site(), sms_token=SecretStr("token-of-sms"))
    await mailed(Post(), login="mc:secret-of-mail@")
    for hidden in (*SECRETS, "token-of-sms", "key-of-sms", "secret-of-mail", "Ánh"):
        assert hidden not in caplog.text
