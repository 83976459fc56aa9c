"""docs/api.md, run: its commands are given to a real server, in the order in which they stand.

Below a command stands what is answered, shortened. Members, headers and rows that are left out are
free; `…` stands for what is left out of a text; `$NAME` is whatever is answered there, kept under
that name for what follows; a moment is any moment with that offset.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from horizon import settled
from office import address
from samples import pdf
from serving import serving

from api import problems, rates
from states import deadlines, ledger
from states.accounts.scopes import Scope
from states.breaches.recording import record
from states.catalogue import bundles
from states.ledger import Act, Lodging
from states.words import Channel, Event, Role

PAGE = (Path(__file__).parents[1] / "docs" / "api.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(Z|[+-]\d\d:\d\d)")
PROCEDURE, FILE = "2.001819", "0" * 64
PEOPLE = {
    Role.reception: "p-reception-01",
    Role.officer: "p-agri-officer-21",
    Role.leader: "p-agri-lead-02",
}

with_curl = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("bash")),
    reason="the page is written for bash and curl, and one of them is not on this machine",
)


@dataclass(frozen=True)
class Part:
    """A command and what it answers; none for what only prepares."""

    line: int
    command: str
    shown: str | None


def parts() -> list[Part]:
    blocks = [(each.start(), each[1], each[2]) for each in BLOCK.finditer(PAGE)]
    found = []
    for at, (start, kind, text) in enumerate(blocks):
        if kind == "sh":
            after = blocks[at + 1] if at + 1 < len(blocks) else (0, "", "")
            shown = after[2] if after[1] == "http" else None
            found.append(Part(PAGE.count("\n", 0, start) + 1, text, shown))
    return found


# What is answered, and what the page says of it -------------------------------------------


@dataclass
class Reader:
    """What was answered so far, by the names the page gives it."""

    known: dict[str, str]

    def check(self, shown: str, answered: str) -> None:
        """An answer as `curl -i` prints it."""
        head, _, body = shown.partition("\n\n")
        answered = answered.replace("\r\n", "\n").removeprefix("HTTP/1.1 100 Continue\n\n")
        told, _, content = answered.partition("\n\n")
        status, *headers = head.strip().splitlines()
        line, *all_headers = told.splitlines()
        assert line.strip() == status
        given = {name.lower(): value for name, _, value in (e.partition(": ") for e in all_headers)}
        for each in headers:
            name, _, value = each.partition(": ")
            assert self.fits(value, given.get(name.lower())), (name, given.get(name.lower()))
        if body.startswith(("{", "[")):
            said = json.loads(content)
            assert self.fits(json.loads(body), said), json.dumps(said, ensure_ascii=False, indent=1)
        else:
            assert self.fits(body.strip(), content.strip().removeprefix("\ufeff")), content

    def fits(self, shown: Any, said: Any) -> bool:
        if isinstance(shown, dict):
            return isinstance(said, dict) and all(
                key in said and self.fits(value, said[key]) for key, value in shown.items()
            )
        if isinstance(shown, list):
            rest = iter(said)
            return bool(shown) == bool(said) and all(self._found(each, rest) for each in shown)
        if isinstance(shown, str) and (isinstance(said, str) or shown.startswith("$")):
            return self._text(shown, str(said))
        return type(shown) is type(said) and bool(shown == said)

    def _found(self, shown: Any, rest: Iterator[Any]) -> bool:
        for said in rest:
            before = dict(self.known)
            if self.fits(shown, said):
                return True
            self.known = before
        return False

    def _text(self, shown: str, said: str) -> bool:
        """Piece by piece: what is free, what has a name, and what must be so."""
        pattern, names = "", list[str]()
        for piece in re.split(r"(…|\$[A-Z]+|" + MOMENT.pattern.replace("(Z", "(?:Z") + ")", shown):
            if piece == "…":
                pattern += "(?s:.*?)"
            elif MOMENT.fullmatch(piece):
                pattern += r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?" + re.escape(piece[19:])
            elif re.fullmatch(r"\$[A-Z]+", piece) and piece[1:] not in self.known:
                names.append(piece[1:])
                pattern += r"([^\s\"]+)"
            else:
                pattern += re.escape(
                    self.known.get(piece[1:], piece) if piece[:1] == "$" else piece
                )
        if (found := re.fullmatch(pattern, said)) is None:
            return False
        self.known |= dict(zip(names, found.groups(), strict=True))
        return True


def given(command: str, environment: dict[str, str], folder: Path) -> tuple[str, dict[str, str]]:
    """What it printed, and the variables there are afterwards."""
    script = f"set -aeuo pipefail\n{command}\nprintf '\\0'\nenv -0"
    done = subprocess.run(
        ["bash", "-c", script], env=environment, cwd=folder, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    out, *variables = done.stdout.decode().split("\0")
    return out, dict(each.split("=", 1) for each in variables if each)


# What was there before the day ------------------------------------------------------------


async def late(engine: Any) -> None:
    """A dossier that somebody took in three weeks ago, and has not brought to an end."""
    now = datetime.now(UTC)
    async with engine.begin() as db:
        book = await bundles.read(db)
        lodging = Lodging(
            unit="H42.14", procedure=PROCEDURE, channel=Channel.counter, applicant="Phạm Văn Bình"
        )
        paper = None
        for n, (event, role) in enumerate(
            (
                (Event.receive, Role.reception),
                (Event.digitise, Role.reception),
                (Event.route, Role.reception),
                (Event.accept, Role.officer),
            )
        ):
            act = Act(
                event=event,
                actor=PEOPLE[role],
                role=role,
                at=now - timedelta(days=21) + timedelta(minutes=n),
                payload={"components": {"don": FILE}} if event is Event.receive else {},
            )
            paper = (
                await ledger.open_(db, book, lodging, act)
                if paper is None
                else await ledger.move(db, book, paper.code, act)
            )
    await deadlines.sweep(engine, book, now)
    await record(engine, book, now)


# The page ---------------------------------------------------------------------------------


@with_curl
async def test_the_calls_of_the_page_in_their_order(fresh: Any, tmp_path: Path) -> None:
    await late(fresh)
    (tmp_path / "don.pdf").write_bytes(pdf())
    with serving(address(fresh), tmp_path) as (at, _):
        base = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "LANG": "C.UTF-8",
            "HOSO_DATABASE": address(fresh),
            "HOSO_DATA": str(tmp_path),
        }
        reader = Reader({"HOSO": at})
        for part in parts():
            where = f"docs/api.md, line {part.line}"
            if "/v1/live" in part.command:
                await settled(fresh)
            printed, after = given(part.command, base | reader.known, tmp_path)
            for name in re.findall(r"^([A-Z]+)=", part.command, re.MULTILINE):
                reader.known.setdefault(name, after[name])
            if part.shown is None:
                continue
            try:
                reader.check(part.shown, printed)
            except AssertionError as error:
                raise AssertionError(f"{where}: {error}\n{printed}") from None


# What holds for all calls -----------------------------------------------------------------


def marked(name: str) -> str:
    """The table between two marks."""
    found = re.search(rf"<!-- {name}:.*?-->\n(.*?)<!-- /{name} -->", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_types_of_problems_are_those_there_are() -> None:
    kinds = sorted(problems.STATUS.items(), key=lambda each: (each[1], problems.name(each[0])))
    table = "| status | `/problems/…` | means |\n|---|---|---|"
    for kind, status in kinds:
        means = (kind.__doc__ or "").splitlines()[0].rstrip(".")
        table += f"\n| {status} | `{problems.name(kind)}` | {means} |"
    assert marked("problems").strip() == table, table


def test_the_rates_are_those_that_are_kept() -> None:
    every = [each for each in vars(rates).values() if isinstance(each, rates.Rule)]
    every += [each for each in [rates.Rates().calling] if each is not None]
    spans = {60: "a minute", 86_400: "a day"}
    rows = [line.split(" | ")[:2] for line in marked("rates").strip().splitlines()[2:]]
    assert sorted(rows) == sorted(
        [f"| {each.name}", f"{each.limit.amount} {spans[each.limit.get_expiry()]}"]
        for each in every
        if each is not rates.PROVED  # not a limit: what a limit asks
    )


def test_what_is_told_of_the_document_is_so() -> None:
    assert [int(each) for each in re.findall(r"^### (\d+)\. ", PAGE, re.MULTILINE)] == [
        *range(1, 21)
    ]
    assert all(f"`{each}`" in PAGE for each in Scope)
    assert all(len(line) <= 100 for line in PAGE.splitlines() if line[:1] != "|")
    shown = [part for part in parts() if part.shown is not None]
    assert len(shown) == len(re.findall(r"^```http$", PAGE, re.MULTILINE))
    assert all(("curl" in part.command) == (part.shown is not None) for part in parts())
