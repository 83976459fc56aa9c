"""`hoso procedures`, `hoso organisation`, `hoso regimes`: what they say, and what they refuse."""

import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bundled import (
    AUTHOR,
    CHECKER,
    DECIDER,
    DECISION,
    FILES,
    HANOI,
    PERMIT,
    SHORTER,
    connected,
    database,
    everything,
    opened,
    permit,
    rules,
    sample,
    staff,
)
from cli import Answer, hoso
from sqlalchemy.ext.asyncio import AsyncEngine

from api import cli
from states.catalogue import bundles, schema
from states.embedded import Embedded

BY = ("--by", AUTHOR)
DECIDED = ("--by", DECIDER, "--document", DECISION)
TODAY = datetime.now(HANOI).date()


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command registers all of them anew: here they do not pile up."""
    monkeypatch.setattr(cli.app, "registered_groups", [])


def told_to(server: Embedded, name: str, folder: Path) -> dict[str, str]:
    return {
        "HOSO_DATABASE": server.address(name, "hoso_app"),
        "HOSO_DATABASE_OWNER": server.address(name, "postgres"),
        "HOSO_DATA": str(folder / "data"),
    }


@pytest.fixture
def own(server: Embedded, worker_id: str) -> Iterator[str]:
    with database(server, f"commands_{worker_id}") as name:
        yield name


@pytest.fixture
def here(server: Embedded, own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Commands find a database of their own, and an empty folder around them."""
    for name, value in told_to(server, own, tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
async def engine(server: Embedded, own: str) -> AsyncIterator[AsyncEngine]:
    async with connected(server, own) as engine:
        yield engine


@pytest.fixture(scope="module")
def still(server: Embedded, worker_id: str) -> Iterator[str]:
    """A database in which nothing changes, however often that is tried."""
    with database(server, f"still_{worker_id}") as name:
        yield name


@pytest.fixture
async def refused(
    server: Embedded, still: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Any]:
    """A command that is refused with a sentence; nothing is changed by it."""
    for name, value in told_to(server, still, tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    async with connected(server, still) as engine:
        async with engine.connect() as db:
            before = await everything(db)

        async def command(*words: object, code: int = 1) -> str:
            answer = await hoso(*words)
            assert answer.code == code, answer
            assert answer.out == "" or "lint" in words, answer.out
            return answer.sentence

        yield command
        async with engine.connect() as db:
            assert await everything(db) == before


def put(folder: Path, raw: bytes, name: str = "it.yaml") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(raw)
    return file


async def done(*words: object) -> Answer:
    answer = await hoso(*words)
    assert (answer.code, answer.err) == (0, ""), answer
    return answer


def in_force(answer: Answer) -> dict[str, tuple[int, str]]:
    return {row["code"]: (row["version"], row["status"]) for row in answer.json}


# From a file to the counter ---------------------------------------------------------------


async def test_from_a_file_to_the_counter(here: Path, engine: AsyncEngine) -> None:
    tomorrow = TODAY + timedelta(days=1)
    raw = permit(2, tomorrow.isoformat(), *SHORTER)
    file = put(here, raw)

    assert (await done("procedures", "lint", file)).out == "1 checked: 0 errors, 0 warnings.\n"
    answer = await done("procedures", "import", file, *BY)
    assert answer.out == f"Kept as drafts: {PERMIT}@2. Next: lint.\n"
    listed = (await done("procedures", "list", "--json")).json
    assert {row["version"]: row["status"] for row in listed if row["code"] == PERMIT} == {
        1: "in force",
        2: "draft",
    }

    refusal = await hoso("procedures", "publish", f"{PERMIT}@2", *DECIDED)
    assert refusal.code == 1
    assert refusal.sentence == f"version 2 of {PERMIT} is not checked: lint it, and say by whom"

    await done("procedures", "lint", PERMIT, "--by", CHECKER)
    assert (await done("procedures", "publish", PERMIT, *DECIDED, "--json")).json == {
        "published": f"{PERMIT}@2"
    }
    assert (await done("procedures", "show", PERMIT, "--json")).json["status"] == "in force"
    compared = (await done("procedures", "diff", PERMIT, f"{PERMIT}@2")).out
    assert compared.startswith(f"{PERMIT}@1 → {PERMIT}@2\n•")
    shown = (await done("procedures", "show", f"{PERMIT}@2", "--json")).json
    assert shown["status"] == "coming"
    assert shown["document"] == DECISION
    assert {step: shown[step]["by"] for step in ("drafted", "checked", "published")} == {
        "drafted": AUTHOR,
        "checked": CHECKER,
        "published": DECIDER,
    }
    assert "retired" not in shown
    assert (shown["says"]["version"], shown["says"]["term"]) == (2, "4wd")
    async with engine.begin() as db:
        book = await bundles.read(db)
        now = datetime.now(HANOI)
        assert (await opened(db, book, now)).version == 1
        begins = datetime.combine(tomorrow, datetime.min.time(), HANOI)
        later = await opened(db, book, begins + timedelta(hours=8))
        assert (later.version, later.term) == (2, "4wd")

    answer = await hoso("procedures", "publish", f"{PERMIT}@2", *DECIDED)
    assert (answer.code, answer.sentence) == (1, f"version 2 of {PERMIT} is published already")
    answer = await hoso("procedures", "import", put(here, raw + b"# more"), *BY)
    assert answer.code == 1
    assert answer.sentence == (
        f"version 2 of {PERMIT} is published and cannot change: give the new text 'version: 3'"
    )


async def test_retired_at_the_counter(here: Path, engine: AsyncEngine) -> None:
    async with engine.begin() as db:
        paper = await opened(db, await bundles.read(db), datetime.now(HANOI))
    answer = await hoso("procedures", "retire", PERMIT, "--by", DECIDER)
    assert answer.code == 1
    assert answer.sentence.startswith(f"1 dossiers of {PERMIT} run: finish them")
    answer = await hoso("procedures", "retire", "2.000033", "--by", "p-post-01")
    assert (answer.code, answer.sentence.partition(":")[0]) == (
        1,
        "p-post-01 is neither a leader nor of the control unit",
    )
    assert paper.version == 1
    told = (await done("procedures", "retire", "2.000033@1", "--by", DECIDER, "--json")).json
    assert told == {"retired": "2.000033@1", "until": TODAY.isoformat()}
    answer = await hoso("procedures", "retire", "2.000033", "--by", DECIDER)
    assert answer.sentence == "version 1 of 2.000033 is retired, not published"
    told_ = await done("procedures", "retire", "1.005092", "--by", DECIDER)
    assert told_.out == f"Retired 1.005092@1: its last day is {TODAY:%d/%m/%Y}.\n"


async def test_what_goes_out_comes_in_again_byte_for_byte(here: Path, engine: AsyncEngine) -> None:
    async with engine.connect() as db:
        before = await everything(db)
    told = (await done("procedures", "export", "--to", here / "out", "--json")).json
    assert [Path(each).name for each in told] == [
        "procedure.schema.json",
        *(file.name for file in FILES),
    ]
    for file in FILES:
        assert (here / "out" / "procedures" / file.name).read_bytes() == sample(
            f"procedures/{file.name}"
        )
    assert (here / "out" / "procedure.schema.json").read_text() == schema.text()
    written = sorted((here / "out" / "procedures").iterdir())
    answer = await done("procedures", "import", *written, *BY)
    assert answer.out.startswith("Published as it is, and unchanged: 1.000459@1, ")
    assert (await done("procedures", "lint", *written)).out.startswith("37 checked: 0 errors, ")
    async with engine.connect() as db:
        assert await everything(db) == before


async def test_the_screen_gets_the_bytes_too(here: Path, server: Embedded, own: str) -> None:
    raw = b"\xef\xbb\xbf" + permit(2).replace(b"\n", b"\r\n") + b"# no newline \xe1\xba\xbf"
    await done("procedures", "import", put(here, raw), *BY)

    def screen(*words: str) -> bytes:
        command = [sys.executable, "-m", "api.cli", *words]
        folder = Path(__file__).parents[1]
        return subprocess.run(command, check=True, capture_output=True, cwd=folder).stdout

    assert screen("procedures", "export", PERMIT) == raw
    assert screen("procedures", "export", f"{PERMIT}@1") == sample()
    assert screen("regimes", "export") == sample("regimes.yaml")
    told = (await done("procedures", "export", PERMIT, "--json")).json
    assert told == {"code": PERMIT, "text": raw.decode()}


async def test_a_draft_and_the_version_before_it_go_out_apart(here: Path) -> None:
    raw = permit(2) + b"# mine"
    await done("procedures", "import", put(here, raw), *BY)
    for version, text in ((1, sample()), (2, raw)):
        folder = here / str(version)
        await done("procedures", "export", f"{PERMIT}@{version}", "--to", folder)
        assert (folder / "procedures" / f"{PERMIT}.yaml").read_bytes() == text
    folder = here / "all"
    answer = await hoso("procedures", "export", f"{PERMIT}@1", f"{PERMIT}@2", "--to", folder)
    assert answer.code == 1
    assert answer.sentence == ("a folder takes one version of a procedure: name each code once")
    assert not list(folder.rglob("*.yaml"))


async def test_of_three_files_of_which_one_is_bad_none_is_kept(
    here: Path, engine: AsyncEngine
) -> None:
    other = ("code: 2.000205", "code: 9.000999")
    files = [
        put(here, permit(2), "a.yaml"),
        put(here, permit(3, "2026-02-02", ("fee: 600000", "fees: 600000")), "b.yaml"),
        put(here, permit(1, "2026-02-02", other), "c.yaml"),
    ]
    async with engine.connect() as db:
        before = await everything(db)
    answer = await hoso("procedures", "import", *files, *BY)
    assert answer.code == 1
    line = 1 + permit(2).split(b"fee:")[0].count(b"\n")
    assert answer.sentence.startswith(f"{files[1]}, line {line}, column 1, fees: is not a")
    async with engine.connect() as db:
        assert await everything(db) == before
    for gone in (here / "none.yaml", here):
        answer = await hoso("procedures", "import", files[0], gone, *BY)
        assert answer.code == 1
        assert answer.sentence.startswith(f"{gone}: cannot be read: ")
    async with engine.connect() as db:
        assert await everything(db) == before
    kept = (await done("procedures", "import", files[0], files[2], *BY, "--json")).json
    assert kept == [f"{PERMIT}@2", "9.000999@1"]


async def test_two_files_of_one_version_are_refused(here: Path, engine: AsyncEngine) -> None:
    async with engine.connect() as db:
        before = await everything(db)
    files = [put(here, permit(2), "a.yaml"), put(here, permit(2) + b"# other", "b.yaml")]
    answer = await hoso("procedures", "import", *files, *BY)
    assert answer.code == 1
    assert answer.sentence == (
        f"{files[1]} is {PERMIT}@2, and so is a file before it: name one of them"
    )
    async with engine.connect() as db:
        assert await everything(db) == before


async def test_lint_tells_where_why_and_how_to_mend(here: Path) -> None:
    bad = permit(2, "2026-02-02", ("unit: H42.05.01", "unit: H42.05.77"))
    file = put(here, bad)
    line = 1 + bad.split(b"H42.05.77")[0].count(b"\n")
    answer = await hoso("procedures", "lint", file)
    assert answer.code == 1
    assert answer.out.splitlines()[0] == (
        f"error {file}, line {line}, column 5, stages.0.unit: there is no unit H42.05.77: name a"
        " unit of the organisation"
    )
    assert answer.sentence.startswith("the checker found ")
    await done("procedures", "import", file, *BY)  # a draft may be wrong
    answer = await hoso("procedures", "lint", PERMIT, "--by", CHECKER, "--json")
    assert answer.code == 1
    [told] = answer.json
    assert told["file"] == f"{PERMIT}.yaml"
    assert told["findings"][0] == {
        "severity": "error",
        "line": line,
        "column": 5,
        "field": "stages.0.unit",
        "why": "there is no unit H42.05.77",
        "mend": "name a unit of the organisation",
    }
    assert in_force(await done("procedures", "list", "--json"))[PERMIT] == (2, "draft")


async def test_text_that_looks_like_markup_is_text(here: Path) -> None:
    names = ("vi: Cấp giấy phép", "vi: Cấp [/red] [bold] [link=x] giấy phép")
    raw = permit(2, TODAY.isoformat(), names)
    await done("procedures", "import", put(here, raw), *BY)
    await done("procedures", "lint", PERMIT, "--by", CHECKER)
    decided = ("--by", DECIDER, "--document", "[/b] QĐ [1]")
    await done("procedures", "publish", PERMIT, *decided)
    for words in (("show", PERMIT), ("list",), ("diff", f"{PERMIT}@1", PERMIT)):
        assert "[/red] [bold]" in " ".join((await done("procedures", *words)).out.split())
    assert "[/b] QĐ [1]" in (await done("procedures", "show", PERMIT)).out


async def test_a_file_named_as_a_version_is_the_file(here: Path) -> None:
    put(here, permit(9), f"{PERMIT}@1")
    told = (await done("procedures", "diff", f"./{PERMIT}@1", f"{PERMIT}@1", "--json")).json
    assert told == []  # both name the file
    put(here, permit(2, "2026-02-02", *SHORTER), PERMIT)
    answer = await done("procedures", "diff", PERMIT, f"{PERMIT}@1")
    assert "4" in answer.out
    assert answer.out.startswith(f"{PERMIT} → {PERMIT}@1\n")


async def test_the_schema_is_what_export_writes_beside_the_files(here: Path) -> None:
    answer = await done("procedures", "schema", "--to", here / "s" / "p.json", "--json")
    assert answer.json == [str(here / "s" / "p.json")]
    assert json.loads((here / "s" / "p.json").read_text())["title"]


# An organisation and regimes ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("organisation", staff(("Phạm Văn Giang", "Phạm Văn Giảng"))),
        ("regimes", rules(("Điều 19", "Điều 19 khoản 1"))),
    ],
)
async def test_what_there_is_one_of(here: Path, engine: AsyncEngine, kind: str, raw: bytes) -> None:
    file = put(here, raw)
    assert (await done(kind, "lint", file)).out == "1 checked: 0 errors, 0 warnings.\n"
    answer = await done(kind, "import", file, *BY)
    assert answer.out == "Kept as the draft of version 2. Next: lint.\n"
    answer = await hoso(kind, "publish", *DECIDED)
    assert answer.sentence == f"version 2 of the {kind} is not checked: lint it, and say by whom"
    answer = await done(kind, "lint", "--by", CHECKER, "--json")
    assert answer.json == [{"file": f"{kind}.yaml", "findings": []}]
    assert (await done(kind, "publish", *DECIDED)).out == "Published version 2.\n"
    answer = await hoso(kind, "publish", *DECIDED)
    assert (answer.code, answer.sentence) == (1, f"version 2 of the {kind} is published already")
    answer = await done(kind, "import", file, *BY, "--json")
    assert answer.json == {"version": 2, "status": "published"}
    assert (await done(kind, "export", "--to", here / "out.yaml", "--json")).json == [
        str(here / "out.yaml")
    ]
    assert (here / "out.yaml").read_bytes() == raw
    async with engine.connect() as db:
        book = await bundles.read(db)
    assert book.person("p-reception-01").name == (
        "Phạm Văn Giảng" if kind == "organisation" else "Phạm Văn Giang"
    )
    assert (await done(kind, "show", "--json")).json


async def test_a_delegation_that_was_revoked_shows(here: Path) -> None:
    last = "    since: 2027-01-01\n    until: 2027-12-31\n"
    raw = staff().rstrip(b"\n") + b"\n    revoked: 2027-02-01\n    revoked_by: QD 9\n"
    assert staff().endswith(last.encode())
    await done("organisation", "import", put(here, raw), *BY)
    await done("organisation", "lint", "--by", CHECKER)
    await done("organisation", "publish", *DECIDED)
    told = (await done("organisation", "show", "--json")).json["delegations"]
    assert told[-1]["revoked"] == "2027-02-01"
    assert "2027-02-01" in (await done("organisation", "show")).out


async def test_the_queue_is_empty_before_anything_waits(here: Path) -> None:
    assert (await done("organisation", "queue", "--json")).json == []
    assert (await done("organisation", "queue", "--agency", "H42.05")).code == 0


# Bad files ----------------------------------------------------------------------------------

BOMB = b"".join(
    b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10) if n else b"x")
    for n in range(9)
)
STAGE = (
    "  - {code: s%d, name: {vi: a, en: a}, unit: H42.05.01, role: officer, term: 1wh, accept: auto}"
)
MAY = "2026-02-02"
FEE = "fee: 600000"


def paying(text: str) -> bytes:
    return permit(2, "2026-02-02", (FEE, text))


BAD = {  # the text, what marks the line, what is said
    "an unknown key": (paying("fees: 600000"), b"fees:", "fees: is not a key"),
    "a key twice": (paying(f"{FEE}\nfee: 1"), b"fee: 1\n", "fee: is there twice: first on line"),
    "a tab": (paying("\tfee: 1"), b"\tfee", "holds a tab"),
    "an anchor": (paying("fee: &a 6"), b"fee: &a", "fee: uses an anchor"),
    "an alias": (paying("fee: *a"), b"fee: *a", "fee: uses an anchor or alias"),
    "a bomb": (BOMB, b"a0:", "a0: uses an anchor or alias"),
    "a tag": (paying("fee: !!python/name:os.system x"), b"fee: !!", "fee: uses a tag"),
    "a merge": (paying("<<: {fee: 1}"), b"<<:", "<<: is not a key"),
    "a second document": (permit(2) + b"---\nfee: 1\n", b"---", "begins a second document"),
    "open brackets": (paying("fee: [6"), None, "is not YAML"),
    "UTF-16": (permit(2).decode().encode("utf-16"), None, "line 1: is not UTF-8 text"),
    "another encoding half way": (permit(2) + b"# C\xe2p\n", b"# C\xe2", "is not UTF-8 text"),
    "NUL": (permit(2) + b"# a\0b\n", None, "holds a character that no text has"),
    "NUL, escaped": (paying('fee: "\\0"'), b'fee: "', "fee: holds a control character"),
    "half a character, escaped": (paying('fee: "\\ud800"'), b"\\ud800", "is not YAML"),
    "nothing": (b"", None, "line 1: is empty"),
    "a byte order mark alone": (b"\xef\xbb\xbf", None, "line 1: is empty"),
    "comments alone": (b"# nothing\n", None, "line 1: is empty"),
    "a list": (b"- code: 2.000205\n", b"- code", "must be a map"),
    "a word": (b"words", b"words", "must be a map"),
    "deep lists": (b"[" * 200_000, b"[", "nested more than 20 deep"),
    "deep maps": (b"{a: " * 50_000, b"{a", "nested more than 20 deep"),
    "deep indents": (
        b"".join(b" " * n + b"a:\n" for n in range(1300)),
        b" " * 21 + b"a:",
        "nested more than 20 deep",
    ),
    "too much": (b"# " + b"x" * 10_000_000, None, "it.yaml: is larger than 1,000,000 bytes: split"),
    "a term of no unit": (permit(2, MAY, ("term: 5wd", "term: 5")), b"term: 5\n", "term: "),
    "a term of another": (permit(2, MAY, ("term: 5wd", "term: 5d")), b"term: 5d", "term: "),
    "a term without end": (
        permit(2, MAY, ("term: 5wd", f"term: {9**30}wd")),
        b"term: 4",
        "term: ",
    ),
    "a fee beyond counting": (paying(f"fee: {9**30}"), b"fee: 4", "fee: must be a whole number"),
    "a fee below nothing": (paying("fee: -1"), b"fee: -1", "fee: "),
    "a fee that is not exact": (paying("fee: 6e5"), b"fee: 6e5", "fee: must be a whole number"),
    "other digits": (paying("fee: ٦٠٠"), "fee: ٦".encode(), "fee: must be a whole number"),
    "version nought": (permit(0), b"version: 0", "version: "),
    "a code with a path": (
        permit(2, MAY, ("code: 2.000205", "code: ../../x")),
        b"code: ../",
        "code: ",
    ),
    "a code with a break": (
        permit(2, MAY, ("code: 2.000205", 'code: "2.000205\\n"')),
        b'code: "',
        "code: ",
    ),
    "90,000 components": (
        permit(2).split(b"components:")[0] + b"components:\n" + b"  - a\n" * 90_000,
        b"  - a\n",
        "must be a map",
    ),
    "100,000 components": (
        permit(2).split(b"components:")[0] + b"components:\n" + b"  - a\n" * 100_000,
        None,
        "holds more than 100,000 values: split it",
    ),
} | {
    f"valid from {text}": (permit(2, text), b"valid_from", "valid_from: must be a date such as")
    for text in (
        "2026-02-30", "0000-01-01", "10000-01-01", "-2026-01-01", "2026-02-02T00:00:00Z",
        "20260202", "2026-W06-1", "02/02/2026", "２026-02-02", "1770000000", "",
    )
}  # fmt: skip


@pytest.mark.parametrize(("raw", "mark", "says"), BAD.values(), ids=BAD.keys())
async def test_a_bad_file_is_told_with_its_place(
    refused: Any, tmp_path: Path, raw: bytes, mark: bytes | None, says: str
) -> None:
    file = put(tmp_path, raw)
    since = time.monotonic()
    sentence = await refused("procedures", "import", file, *BY)
    assert time.monotonic() - since < 10
    assert sentence.startswith(str(file))
    assert says in sentence
    if mark is not None:
        found = raw.split(mark)[0].count(b"\n") + 1
        assert f"it.yaml, line {found}" in sentence
    assert "the checker found" in await refused("procedures", "lint", file)
    for words in ((file, PERMIT), (PERMIT, file)):
        assert await refused("procedures", "diff", *words) == sentence


async def test_a_character_that_no_text_has_is_told_with_its_place(
    refused: Any, tmp_path: Path
) -> None:
    raw = permit(2, MAY, (FEE, f"# ế\0\n{FEE}"))
    line = raw.split(b"\0")[0].count(b"\n") + 1
    sentence = await refused("procedures", "import", put(tmp_path, raw), *BY)
    assert f"it.yaml, line {line}, column 4: holds a character" in sentence


async def test_a_key_moves_no_cursor(refused: Any, tmp_path: Path) -> None:
    sentence = await refused("procedures", "import", put(tmp_path, b'"\\e[2Jx": 1\n'), *BY)
    assert "\x1b" not in sentence
    assert "control character" in sentence


@pytest.mark.parametrize("kind", ["organisation", "regimes"])
async def test_a_bad_file_of_another_kind(refused: Any, tmp_path: Path, kind: str) -> None:
    for raw, says in (
        (permit(2), "code: is not a key known here"),
        (sample(f"{kind}.yaml").replace(b"code:", b"cod:", 1), "cod: is not a key known here"),
        (b"", "is empty"),
        (b"x: &a [*a]\n", "uses an anchor"),
        (sample(f"{kind}.yaml") + b"\0", "a character that no text has"),
    ):
        file = put(tmp_path, raw)
        sentence = await refused(kind, "import", file, *BY)
        assert sentence.startswith(f"{file}, line ")
        assert says in sentence
        await refused(kind, "lint", file)


async def test_files_that_cannot_be_read(refused: Any, tmp_path: Path) -> None:
    loop = tmp_path / "loop.yaml"
    loop.symlink_to(loop)
    long = "x" * 5000
    for file in (tmp_path, tmp_path / "none.yaml", loop, tmp_path / f"{long}.yaml", "/dev/null/x"):
        for words in (("import", file, *BY), ("lint", file), ("diff", file, PERMIT)):
            sentence = await refused("procedures", *words)
            assert ": cannot be read: " in sentence, words
        for kind in ("organisation", "regimes"):
            for words in (("import", file, *BY), ("lint", file)):
                assert ": cannot be read: " in await refused(kind, *words)


async def test_a_device_without_an_end_is_too_large(refused: Any) -> None:
    sentence = await refused("procedures", "import", "/dev/zero", *BY)
    assert sentence == "/dev/zero: is larger than 1,000,000 bytes: split it"
    assert "is empty" in await refused("procedures", "import", "/dev/null", *BY)


async def test_a_thousand_stages_are_a_draft_and_no_version(here: Path) -> None:
    before, after = permit(2).split(b"stages:\n")
    rest = b"\ncomponents:" + after.split(b"\ncomponents:")[1]
    stages = "".join(f"{STAGE % n}\n" for n in range(1000)).encode()
    raw = before.replace(b"term: 5wd", b"term: 500wd") + b"stages:\n" + stages + rest
    await done("procedures", "import", put(here, raw), *BY)
    since = time.monotonic()
    answer = await hoso("procedures", "lint", PERMIT, "--by", CHECKER)
    assert time.monotonic() - since < 10
    assert answer.code == 1
    assert "stages: has 1,000 entries, more than the 100 that are checked: shorten" in answer.out
    assert in_force(await done("procedures", "list", "--json"))[PERMIT] == (2, "draft")
    shown = (await done("procedures", "show", f"{PERMIT}@2", "--json")).json
    assert len(shown["says"]["stages"]) == 1000


# Bad words ----------------------------------------------------------------------------------

VERSIONS = (
    "",
    "-1",
    "99999999999",
    "0",
    "999",
    "²",
    "٢",
    "2@1",
    "1.0",
    " 1",
    "1e1",
    "\udcff",
    "v1",
)
GARBAGE = [
    *(f"{PERMIT}@{version}" for version in VERSIONS), "@", "@1", "", " ", "..", "..@1", "2.00020",
    "2.000205 ", "２.000205", "x" * 5000, "%s%n{0}", "'; DROP TABLE", "[red]", "\udcff", "a\nb",
    "\x1b[2J",
]  # fmt: skip


@pytest.mark.parametrize("target", GARBAGE, ids=ascii)
async def test_what_names_no_version_is_told(refused: Any, target: str) -> None:
    for words in (
        ("show", target),
        ("export", target),
        ("export", target, "--to", "out"),
        ("lint", target),
        ("lint", target, "--by", CHECKER),
        ("diff", target, PERMIT),
        ("diff", PERMIT, target),
        ("publish", target, *DECIDED),
        ("retire", target, "--by", DECIDER),
    ):
        sentence = await refused("procedures", *words)
        assert "there is no procedure" in sentence or ": write it as in " in sentence, words
        assert len(sentence) < 200
        assert "\x1b" not in sentence


def written(folder: Path) -> list[Path]:
    return [each for each in folder.rglob("*") if each.is_file()]


@pytest.mark.parametrize("target", ["../../x", "/etc/passwd", f"../{PERMIT}", "x/../../y@1"])
async def test_a_path_is_no_code(refused: Any, tmp_path: Path, target: str) -> None:
    sentence = await refused("procedures", "export", target, "--to", tmp_path / "a" / "b" / "c")
    assert "there is no procedure" in sentence or ": write it as in" in sentence
    assert not written(tmp_path)


@pytest.mark.parametrize(
    "words",
    [
        ("import",), ("import", "a.yaml"), ("publish", PERMIT), ("publish", PERMIT, "--by", "x"),
        ("publish", PERMIT, "--document", DECISION), ("retire", PERMIT), ("show",), ("lint",),
        ("diff",), ("diff", PERMIT), ("show", "-@1"), ("nothing",), ("list", "--nothing"),
        ("diff", PERMIT, PERMIT, "--lang", "fr"),
    ],
    ids=" ".join,
)  # fmt: skip
async def test_a_command_used_wrongly(refused: Any, words: tuple[str, ...]) -> None:
    assert await refused("procedures", *words, code=2)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("procedures", "export"), "one version goes to the screen: name a folder for more"),
        (("procedures", "export", PERMIT, "2.000033"), "one version goes to the screen"),
        (("procedures", "import", "IT", "--by", "p-nobody"), "there is no person p-nobody"),
        (("procedures", "import", "IT", "--by", ""), "there is no person"),
        (("procedures", "import", "IT", "--by", "\udcff"), "there is no person"),
        (("procedures", "lint", PERMIT, "--by", "p-nobody"), "there is no person p-nobody"),
        (("procedures", "publish", PERMIT, "--by", "x", "--document", "y"), "there is no person x"),
        (("procedures", "retire", PERMIT, "--by", "x" * 9999), "there is no person xxx"),
        (("procedures", "publish", PERMIT, *DECIDED), "version 1 of 2.000205 is published already"),
        (("organisation", "publish", *DECIDED), "version 1 of the organisation is published"),
        (("organisation", "lint", "organisation"), "organisation: cannot be read: No such file"),
        (("regimes", "lint", PERMIT), f"{PERMIT}: cannot be read: No such file"),
        (("procedures", "export", PERMIT, "--to", "/dev/null"), "cannot be written: "),
        (("procedures", "schema", "--to", "/dev/null/x"), "/dev/null/x: cannot be written: "),
        (("organisation", "export", "--to", "."), ".: cannot be written: Is a directory"),
    ],
)
async def test_refused_with_a_sentence(
    refused: Any, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    put(tmp_path, permit(2), "IT")
    assert says in await refused(*words)


@pytest.mark.parametrize("document", ["\udcff", "x" * 2001, "", "  "])
async def test_a_document_that_cannot_be_kept(here: Path, document: str) -> None:
    await done("procedures", "import", put(here, permit(2)), *BY)
    await done("procedures", "lint", PERMIT, "--by", CHECKER)
    words = ("--by", DECIDER, "--document", document)
    answer = await hoso("procedures", "publish", PERMIT, *words)
    assert answer.code == 1
    assert "document" in answer.sentence
    assert in_force(await done("procedures", "list", "--json"))[PERMIT] == (2, "checked")


async def test_a_file_named_as_what_there_is_one_of(refused: Any, tmp_path: Path) -> None:
    """A file called '-' is a file only when it is asked for as one."""
    put(tmp_path, b"", "-")
    answer = await hoso("organisation", "lint")
    assert (answer.code, answer.out) == (0, "1 checked: 0 errors, 0 warnings.\n")
    assert "is empty" in (await hoso("organisation", "lint", "./-")).out


# Where there is nothing ---------------------------------------------------------------------


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("HOSO_DATABASE", raising=False)
    monkeypatch.setenv("HOSO_DATA", str(tmp_path / "data"))
    return tmp_path


async def test_without_data_a_file_is_checked_against_the_sample(nowhere: Path) -> None:
    answer = await done("procedures", "lint", put(nowhere, permit(2)))
    assert answer.out == "1 checked: 0 errors, 0 warnings.\n"
    for words in (
        ("procedures", "list"),
        ("procedures", "show", PERMIT),
        ("procedures", "publish", PERMIT, *DECIDED),
        ("organisation", "show"),
        ("regimes", "export"),
    ):
        answer = await hoso(*words)
        assert answer.code == 1
        assert answer.sentence.startswith(f"there is no data in {nowhere / 'data'} yet: start with")
    assert not (nowhere / "data").exists()


async def test_a_bad_file_makes_no_database(nowhere: Path) -> None:
    answer = await hoso("procedures", "import", nowhere / "none.yaml", *BY)
    assert (answer.code, answer.sentence.partition(": ")[2]) == (
        1,
        "cannot be read: No such file or directory",
    )
    assert not (nowhere / "data").exists()
