"""The environment, and the log's two shapes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import BadSettings, Settings, data_folder, settings


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    """Whatever the machine that tests has set."""
    for name in os.environ:
        if name.upper().startswith("HOSO_"):
            monkeypatch.delenv(name)
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_without_any_variable_it_is_all_on_this_machine():
    assert settings().model_dump() == {
        "database": None,
        "database_owner": None,
        "data": data_folder(),
        "catalogue": None,
        "host": "127.0.0.1",
        "port": 8600,
        "prefect_api": None,
        "log_format": "auto",
        "cors": (),
        "calls": 600,
        "streams": 8,
        "largest_file": 100_000_000,
        **dict.fromkeys(("secret", "url", "files", "oidc_issuer", "oidc_client", "oidc_secret")),
        **dict.fromkeys(("smtp", "mail_from", "sms_gateway", "sms_token")),
        **dict.fromkeys(("chat_gateway", "chat_token", "webhooks")),
    }


def test_migrations_go_to_the_same_database_unless_told(monkeypatch):
    monkeypatch.setenv("HOSO_DATABASE", "postgresql://app:pw@db:5432/hoso")
    assert Settings().database_owner == "postgresql+asyncpg://app:pw@db:5432/hoso"
    monkeypatch.setenv("HOSO_DATABASE_OWNER", "postgresql://owner@db/hoso")
    assert Settings().database == "postgresql+asyncpg://app:pw@db:5432/hoso"
    assert Settings().database_owner == "postgresql+asyncpg://owner@db/hoso"


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+asyncpg://hoso_app@/hoso?host=/a%20folder/postgres&port=5432",
        "postgresql+asyncpg:///hoso?host=/run/postgresql",
        "postgresql+asyncpg://u:p%40ss@first,second:5433/hoso?ssl=require",
    ],
)
def test_addresses_come_through_as_they_are(monkeypatch, address):
    monkeypatch.setenv("HOSO_DATABASE", address)
    assert Settings().database == address


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("HOSO_DATABASE", "mysql://u:secret@h/d", "write postgresql://"),
        ("HOSO_DATABASE", "secret", "write postgresql://"),
        ("HOSO_DATABASE", "postgresql://u:secret@h/", "names no database"),
        ("HOSO_DATABASE", "postgresql://u:secret@h/d?sslmode=require", "ssl=require"),
        ("HOSO_DATABASE", "postgresql://[secret/d", "HOSO_DATABASE"),
        ("HOSO_PORT", "0", "greater than or equal to 1"),
        ("HOSO_PORT", "65535", "less than or equal to 65534"),
        ("HOSO_PORT", "http", "valid integer"),
        ("HOSO_PREFECT_API", "prefect", "valid URL"),
        ("HOSO_LOG_FORMAT", "xml", "'auto', 'console' or 'json'"),
    ],
)
def test_a_wrong_value_is_told_by_name_and_never_repeated(monkeypatch, name, value, sentence):
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings) as refusal:
        settings()
    assert name in str(refusal.value)
    assert sentence in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_every_wrong_value_is_told_at_once(monkeypatch):
    monkeypatch.setenv("HOSO_PORT", "x")
    monkeypatch.setenv("HOSO_LOG_FORMAT", "x")
    with pytest.raises(BadSettings) as refusal:
        settings()
    assert len(str(refusal.value).splitlines()) == 2


def test_a_misspelt_variable_is_refused(monkeypatch):
    monkeypatch.setenv("HOSO_DATABSE", "postgresql://h/d")
    with pytest.raises(BadSettings, match="HOSO_DATABSE is no setting: did you mean HOSO_DATABASE"):
        settings()


def test_an_unknown_variable_is_refused_with_the_known_ones(monkeypatch):
    monkeypatch.setenv("HOSO_XYZZY", "1")
    with pytest.raises(BadSettings, match=r"there are HOSO_DATABASE, .*HOSO_LOG_FORMAT"):
        settings()


def test_an_empty_variable_is_none(monkeypatch):
    monkeypatch.setenv("HOSO_DATABASE", "")
    monkeypatch.setenv("HOSO_PORT", "")
    assert (Settings().database, Settings().port) == (None, 8600)


def test_the_folder_may_be_relative_or_at_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HOSO_DATA", "~/hoso")
    assert Settings().data == tmp_path / "hoso"
    monkeypatch.setenv("HOSO_DATA", "here")
    assert Settings().data == Path.cwd() / "here"


def test_settings_do_not_change_and_show_no_password(monkeypatch):
    monkeypatch.setenv("HOSO_DATABASE", "postgresql://u:secret@h/d")
    with pytest.raises(ValueError, match="frozen"):
        Settings().port = 1
    assert "secret" not in repr(Settings())


SPEAK = """
import logging, sys
import structlog
from config.log import configure
configure(sys.argv[1])
structlog.get_logger("hoso").info("dossier.moved", code="H42", note="Hồ sơ")
logging.getLogger("sqlalchemy").warning("pool %s", "full", extra={"size": 3})
logging.getLogger("transitions.core").info("not this")
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger().exception("flow.failed")
if "prefect" in sys.argv:
    import prefect
    from prefect.logging import get_logger
    get_logger("flow_runs").warning("from prefect")
    structlog.get_logger().info("still.ours")
"""


def spoken(*arguments: str, home: Path) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", SPEAK, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PREFECT_HOME": str(home)},
    )
    return done.stdout, done.stderr


def test_json_has_one_object_a_line_whoever_speaks(tmp_path):
    out, err = spoken("json", home=tmp_path)
    assert out == ""
    ours, theirs, failed = [json.loads(line) for line in err.splitlines()]
    assert (ours["event"], ours["code"], ours["note"]) == ("dossier.moved", "H42", "Hồ sơ")
    assert ours["timestamp"].endswith("Z")
    assert (theirs["event"], theirs["size"], theirs["level"]) == ("pool full", 3, "warning")
    assert theirs["logger"] == "sqlalchemy"
    assert "ZeroDivisionError" in failed["exception"]


QUIETLY = """
import logging
import structlog
from config.log import configure
configure("json")
logging.getLogger("states").setLevel(logging.WARNING)
log = structlog.get_logger("states.ledger.write")
log.info("not.this")
log.warning("this", half="\\ud800", large=1 << 70)
"""


def test_ours_are_silenced_by_name_and_whatever_they_hold_is_told():
    done = subprocess.run(
        [sys.executable, "-c", QUIETLY], capture_output=True, text=True, check=True
    )
    (line,) = [json.loads(line) for line in done.stderr.splitlines()]
    assert (line["event"], line["logger"]) == ("this", "states.ledger.write")
    assert (line["half"], line["large"]) == ("\ud800", 1 << 70)


def test_without_a_terminal_it_is_json(tmp_path):
    _, err = spoken("auto", home=tmp_path)
    assert json.loads(err.splitlines()[0])["event"] == "dossier.moved"


def test_the_console_is_for_people(tmp_path):
    _, err = spoken("console", home=tmp_path)
    assert "dossier.moved" in err
    assert "note='Hồ sơ'" in err or "note=Hồ sơ" in err
    assert "not this" not in err
    assert not err.startswith("{")


def test_prefect_speaks_through_our_log(tmp_path):
    _, err = spoken("json", "prefect", home=tmp_path)
    events = [json.loads(line)["event"] for line in err.splitlines()]
    assert events[-2:] == ["from prefect", "still.ours"]
