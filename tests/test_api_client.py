"""A stranger's client, generated from the OpenAPI document, does a counter's work with it."""

import importlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_type_hints

import httpx
import pytest
from office import FILE, LICENCE, Office, address, running

from states.files.rows import Medium

NAME = "hoso_client"
CONFIG = {
    "post_hooks": [],  # no formatter
    # The generator takes files of this type alone: the others are sent and got in the same way.
    "content_type_overrides": dict.fromkeys(Medium, "application/octet-stream"),
}


@pytest.fixture
async def office(fresh: Any, tmp_path: Path) -> AsyncIterator[Office]:
    async with running(address(fresh), tmp_path) as office:
        yield office


def generate(document: bytes, folder: Path) -> None:
    """Whatever the generator warns of is a failure."""
    (folder / "openapi.json").write_bytes(document)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning"]
    command += ["--path", "openapi.json", "--config", "config.json", "--meta", "none"]
    command += ["--output-path", NAME]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    assert "WARNING" not in told.upper(), told


@pytest.fixture
async def generated(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[set[tuple[str, str]]]:
    """The operations of the client that was generated, each with its tag."""
    generate((await office.client.get("/openapi.json")).content, tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    found = {(each.parent.name, each.stem) for each in (tmp_path / NAME).glob("api/*/*.py")}
    yield {each for each in found if each[1] != "__init__"}
    for module in [each for each in sys.modules if each.split(".")[0] == NAME]:
        del sys.modules[module]


def part(path: str) -> ModuleType:
    return importlib.import_module(f"{NAME}.{path}")


def operations(document: Any) -> Iterator[tuple[str, str]]:
    """The tag and the name of each."""
    for item in document["paths"].values():
        yield from ((each["tags"][0], each["operationId"]) for each in item.values())


async def test_every_operation_and_every_shape_is_there(
    office: Office, generated: set[tuple[str, str]]
) -> None:
    document = office.app.openapi()
    assert generated == set(operations(document))
    models = part("models")
    for name in document["components"]["schemas"]:
        assert hasattr(models, name), name


async def test_it_opens_moves_and_reads_a_dossier(office: Office, generated: Any) -> None:
    client, models = part("client"), part("models")
    names = "open_dossier", "digitise_dossier", "withdraw_dossier", "read_dossier", "read_history"
    opening, digitising, withdrawing, reading, told = (part(f"api.dossiers.{n}") for n in names)
    typed = get_type_hints(reading.asyncio)["return"]
    assert typed == models.WholeDossier | models.Problem | None
    caller = client.AuthenticatedClient(
        base_url="http://office",
        token=await office.client.auth.token("p-reception-01"),
        raise_on_unexpected_status=True,
        httpx_args={"transport": httpx.ASGITransport(office.app)},
    )
    async with caller:
        files = models.LodgedComponents.from_dict({"don": FILE})
        lodged = models.Lodged(
            event=models.LodgedEvent.RECEIVE,
            procedure=LICENCE,
            channel=models.Channel.COUNTER,
            applicant="Nguyễn Thị Ánh",
            components=files,
        )
        opened = await opening.asyncio(client=caller, body=lodged, idempotency_key="counter-3")
        assert isinstance(opened, models.DossierStanding)
        assert (opened.state, opened.seq, opened.missing) == (models.State.RECEIVED, 1, 2)
        assert opened.open_ == [models.Event.WITHDRAW]
        assert opened.dates.due is not None
        assert opened.dates.due.utcoffset() is not None

        refused = await digitising.asyncio(opened.code, client=caller)
        assert isinstance(refused, models.Problem)
        assert (refused.type_, refused.status) == ("/problems/not-open", 409)
        assert refused["state"] == "received"

        rest = models.DigitiseBodyPayloadComponents.from_dict(
            dict.fromkeys(("dang-ky-kinh-doanh", "phuong-an"), FILE)
        )
        brings = models.DigitiseBody(payload=models.DigitiseBodyPayload(components=rest))
        moved = await digitising.asyncio(opened.code, client=caller, if_match='"1"', body=brings)
        assert isinstance(moved, models.DossierStanding)
        assert (moved.state, moved.seq) == (models.State.DIGITISED, 2)
        assert moved.closed["deliver"]

        read = await reading.asyncio(opened.code, client=caller)
        assert isinstance(read, models.WholeDossier)
        assert (read.applicant, read.seq) == ("Nguyễn Thị Ánh", 2)
        history = await told.asyncio(opened.code, client=caller)
        assert isinstance(history, models.History)
        events = [models.Event.RECEIVE, models.Event.DIGITISE]
        assert [each.event for each in history.entries] == events

        with pytest.raises(TypeError, match="reason"):
            models.WithdrawBody()
        why = models.WithdrawBody(reason="Công dân xin rút hồ sơ")
        gone = await withdrawing.asyncio(opened.code, client=caller, body=why)
        assert isinstance(gone, models.DossierStanding)
        assert gone.state == models.State.WITHDRAWN


async def test_what_an_event_brings_is_typed(generated: Any) -> None:
    models, moving = part("models"), part("api.dossiers.return_result_dossier")
    assert get_type_hints(moving.asyncio)["body"] == models.ReturnResultBody
    typed = get_type_hints(models.ReturnResultBodyPayload)
    assert typed["outcome"] == models.Outcome
    assert part("types").Unset in get_args(typed["produced"])
