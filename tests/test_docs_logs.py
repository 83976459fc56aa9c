"""docs/logs.md, run: its commands are given in order, and what it says is answered is."""

import re
import shlex
from pathlib import Path

import pytest
from cli import hoso
from office import Office
from sqlalchemy.ext.asyncio import AsyncEngine
from test_logs_doors import here, office  # noqa: F401  fixtures

PAGE = (Path(__file__).parents[1] / "docs" / "logs.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```\n```\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_page_has_commands_and_each_an_answer() -> None:
    assert len(BLOCKS) == PAGE.count("```sh") == 5


async def test_the_page(
    here: Path,  # noqa: F811
    office: Office,  # noqa: F811
    fresh: AsyncEngine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(3):
        await office.processing()
    monkeypatch.chdir(here)
    for commands, answer in BLOCKS:
        said = ""
        for command in commands.splitlines():
            got = await hoso(*shlex.split(command)[1:])
            assert (got.code, got.err) == (0, ""), command
            said += got.out
        assert [line for line in answer.splitlines() if line not in said] == [], said
