"""Change sets from the command line: what it prints, how it ends, and sentences for bad input."""

import re
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cli import Answer, hoso
from corrections import HEIR, VN, corrected, holds, lines_of, papers
from foreign_files import put
from office import address
from sqlalchemy.ext.asyncio import AsyncEngine
from test_changes_version import following, shorter, staged
from town import CONTROL, FIVE, SECOND, published, town

from states.catalogue import bundles
from states.embedded import Embedded


@asynccontextmanager
async def ready(server: Embedded) -> AsyncIterator[AsyncEngine]:
    """A town whose calendar reaches far enough from today; one change set was applied for that."""
    async with town(server) as engine:
        await corrected(engine, VN.replace(b"to: 2027", f"to: {last_year()}".encode()))
        yield engine


@pytest.fixture
async def here(
    server: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AsyncEngine]:
    """Commands find a town of their own."""
    async with ready(server) as engine:
        settle(server, engine, tmp_path, monkeypatch)
        yield engine


@pytest.fixture(scope="module")
async def museum(server: Embedded) -> AsyncIterator[AsyncEngine]:
    """Where nothing is changed: all look at the same one. A procedure has three versions."""
    async with ready(server) as engine:
        await versions(engine)
        yield engine


@pytest.fixture
def there(
    server: Embedded, museum: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncEngine:
    settle(server, museum, tmp_path, monkeypatch)
    return museum


def settle(
    server: Embedded, engine: AsyncEngine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = engine.url.database or ""
    monkeypatch.setenv("HOSO_DATABASE", address(engine))
    monkeypatch.setenv("HOSO_DATABASE_OWNER", server.address(name, "postgres"))
    monkeypatch.setenv("HOSO_DATA", str(folder / "data"))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)


def last_year() -> int:
    return datetime.now(UTC).year + 3


SAID = ("--reason", "Nghỉ tránh bão số 5", "--document", "Công điện 1/CĐ-UBND")


async def propose(*words: object, by: str = CONTROL) -> Answer:
    return await hoso("calendars", "propose", "vn", "--by", by, *SAID, *words)


async def said(*words: object) -> Answer:
    """It did it, and what it printed fits on a screen."""
    answer = await hoso(*words)
    assert answer.code == 0, answer.err
    if "--json" not in words:
        assert max(map(len, answer.out.splitlines()), default=0) <= 100
    return answer


async def refused(*words: object) -> str:
    """The sentence, with exit code 1."""
    answer = await hoso(*words)
    assert answer.code == 1, answer.out + answer.err
    return answer.sentence


async def used_wrongly(*words: object) -> str:
    answer = await hoso(*words)
    assert answer.code == 2, answer.out + answer.err
    assert "Traceback" not in answer.err
    return " ".join(answer.err.replace("│", " ").split())


async def rows(engine: AsyncEngine) -> Any:
    async with engine.connect() as db:
        return await papers(db)


# A calendar, from the proposal to the end -----------------------------------------------------


async def test_a_day_off_proposed_seen_approved_and_applied(here: AsyncEngine) -> None:
    before = await rows(here)
    proposed = await propose("--off", "2023-11-24", "--dates", "move", "--restate", "--json")
    assert (proposed.code, proposed.json) == (0, {"change": 2})
    seen = (await said("changes", "show", 2, "--json")).json
    assert (seen["status"], seen["subject"], seen["proposed_by"]) == ("proposed", "vn", CONTROL)
    assert seen["days"] == [
        {
            "day": "2023-11-24",
            "was": ["07:30-11:30", "13:00-17:00"],
            "now": [],
            "note": "Nghỉ tránh bão số 5 / Nghỉ tránh bão số 5 (Công điện 1/CĐ-UBND)",
        }
    ]
    moving = {each["code"]: each for each in seen["dossiers"]}
    counts = seen["counts"]
    assert len(moving) == counts["breaks"] + counts["restated"] > 50
    told = (await said("changes", "show", 2)).out
    assert "Change 2: calendar vn, proposed. Nghỉ tránh bão số 5 (Công điện 1/CĐ-UBND)." in told
    assert "Dates already promised move, nearer ones too. Closed dossiers are read again" in told
    assert re.search(rf"lose a promised date +│ +{counts['breaks']} │", told)
    assert f"The first 20 of {len(moving)} that move or are refused" in told
    assert await rows(here) == before

    why = await refused("changes", "approve", 2, "--by", CONTROL)
    assert why == f"{CONTROL} proposed change 2: a second person approves it"
    assert (await said("changes", "apply", "--json")).json == []
    assert "No change set waits" in (await said("changes", "apply")).out
    approved = await said("changes", "approve", 2, "--by", SECOND, "--json")
    assert approved.json == {"change": 2, "is": "approved"}
    assert await rows(here) == before
    moved = sum(counts.values()) - counts["kept"]
    [done] = (await said("changes", "apply", "--json")).json
    assert done == {
        "id": 2, "status": "applied", "moved": moved, "stayed": counts["kept"], "refused": 0,
    }  # fmt: skip
    after = await rows(here)
    for code, row in after.items():
        if code in moving:
            due = moving[code]["due_after"]
            assert row.due_at == (due and datetime.fromisoformat(due))
            assert row.verdict == moving[code]["verdict_after"]
        else:
            assert (row.due_at, row.verdict) == (before[code].due_at, before[code].verdict)
    told = (await said("changes", "show", 2)).out
    assert f"Moved {moved}, left {counts['kept']}, refused 0." in told
    assert "2023" in told
    assert (await said("changes", "show", 2, "--json")).json["dossiers"] == []
    listed = (await said("changes", "list", "--json")).json
    assert [(each["id"], each["status"]) for each in listed] == [(2, "applied"), (1, "applied")]
    assert "applied" in (await said("changes", "list")).out
    assert (await said("verify", "--json")).json["faults"] == []
    [_, _, version] = (await said("calendars", "versions", "vn", "--json")).json
    assert (version["dates"], version["published_by"]) == ("move", SECOND)


async def test_what_to_do_next_is_said(here: AsyncEngine) -> None:
    told = (await propose("--off", "2023-11-24")).out
    assert "hoso changes show 2\n" in told
    assert "hoso changes approve 2 --by …\n" in told
    told = (await said("changes", "show", 2)).out
    assert "decided by nobody yet" in told
    assert "Dates already promised move later, and none nearer." in told
    told = (await said("changes", "approve", 2, "--by", SECOND)).out
    assert told == "Change 2 is approved: a worker applies it, or `hoso changes apply`.\n"


async def test_a_rejected_one_can_still_be_looked_at(here: AsyncEngine) -> None:
    await propose("--off", "2023-11-24")
    told = await said("changes", "reject", 2, "--by", SECOND, "--json")
    assert told.json == {"change": 2, "is": "rejected"}
    seen = (await said("changes", "show", 2, "--json")).json
    assert (seen["status"], seen["counts"], seen["days"]) == ("rejected", {}, [])
    assert "Change 2: calendar vn, rejected." in (await said("changes", "show", 2)).out
    for word in ("approve", "reject"):
        why = await refused("changes", word, 2, "--by", SECOND)
        assert why == "change 2 is rejected already"
    assert (await propose("--off", "2023-11-24", "--json")).json == {"change": 3}


async def test_days_worked_overruled_and_withdrawn(here: AsyncEngine) -> None:
    works = ("--work", "2023-11-25", "--replaces", "2023-11-24", "--issued", "2023-11-20")
    assert (await propose("--off", "2023-11-24", *works)).code == 0
    days = (await said("changes", "show", 2, "--json")).json["days"]
    hours = ["07:30-11:30", "13:00-17:00"]
    assert [(each["day"], each["was"], each["now"]) for each in days] == [
        ("2023-11-24", hours, []),
        ("2023-11-25", [], hours),
    ]
    await said("changes", "approve", 2, "--by", SECOND)
    await said("changes", "apply")
    why = (await propose("--work", "2023-11-24")).sentence
    assert "2023-11-24 is decided already, by Công điện 1/CĐ-UBND" in why
    assert (await propose("--work", "2023-11-24", "--overrule")).code == 0
    await said("changes", "reject", 3, "--by", CONTROL)
    gone = ("--withdraw", "2023-11-24", "--withdraw", "2023-11-25", "--dates", "keep")
    assert (await propose(*gone)).code == 0
    days = (await said("changes", "show", 4, "--json")).json["days"]
    assert [each["was"] for each in days] == [[], hours]
    told = (await said("changes", "show", 4)).out
    assert "Dates already promised stay." in told
    assert "It moves no dossier." in told


async def test_an_heir_by_a_file_of_its_own(here: AsyncEngine, tmp_path: Path) -> None:
    file = put(tmp_path, "ha-nam.yaml", HEIR)
    words = ("calendars", "propose", "ha-nam", "--by", CONTROL, *SAID, "--file", file)
    assert (await said(*words, "--json")).json == {"change": 2}
    assert "It moves no dossier." in (await said("changes", "show", 2)).out
    await said("changes", "approve", 2, "--by", SECOND)
    [done] = (await said("changes", "apply", "--json")).json
    assert (done["id"], done["moved"]) == (2, 0)
    await said("calendars", "export", "ha-nam", "--to", tmp_path / "out.yaml")
    assert (tmp_path / "out.yaml").read_bytes() == HEIR
    [heir] = [
        each
        for each in (await said("calendars", "list", "--json")).json
        if each["name"] == "ha-nam"
    ]
    assert heir["inherits"] == "vn"
    assert "nothing of calendar ha-nam would change" in await refused(*words)
    hours = VN.replace(b"name: vn", b"name: ha-nam").replace(b"friday: [07:30-11:30, 13:00-17:00]",
                                                             b"friday: [07:30-11:30]")  # fmt: skip
    put(tmp_path, "ha-nam.yaml", hours.replace(b"to: 2027", f"to: {last_year()}".encode()))
    assert (await said(*words, "--json")).json == {"change": 3}
    told = (await said("changes", "show", 3)).out
    assert "The first 20 of " in told.partition("days")[0]


# A version, forth and back --------------------------------------------------------------------


async def versions(engine: AsyncEngine) -> None:
    """A shorter and then a longer one, the last with a stage of another name."""
    async with engine.begin() as db:
        await shorter(db)
        book = await bundles.read(db)
        stages = staged(book, FIVE, tham_dinh={"code": "thu-ly"})
        await published(db, following(book, FIVE, "2023-11-25", term="9wd", stages=stages))


MIGRATE = ("procedures", "migrate")
BECAUSE = ("--by", CONTROL, *SAID)


async def test_running_dossiers_to_a_version_and_back(here: AsyncEngine) -> None:
    await versions(here)
    before = await rows(here)
    proposed = await said(*MIGRATE, f"{FIVE}@2", *BECAUSE, "--json")
    assert proposed.json == {"change": 2}
    seen = (await said("changes", "show", 2, "--json")).json
    assert set(seen["counts"]) == {"nearer", "held"}
    assert seen["days"] == []
    told = (await said("changes", "show", 2)).out
    assert f"Change 2: version {FIVE}, proposed." in told
    assert "To version 2. No citizen loses a promised date: that dossier stays." in told
    await said("changes", "approve", 2, "--by", SECOND)
    [done] = (await said("changes", "apply", "--json")).json
    assert (done["moved"], done["refused"]) == (sum(seen["counts"].values()), 0)
    assert {r.version for r in (await rows(here)).values() if r.procedure == FIVE} == {1, 2}
    told = (await said("changes", "undo", 2, "--by", CONTROL)).out
    assert told.startswith("Change 2 is to be taken back: a worker does it")
    assert "get an earlier" not in (told := (await said("changes", "show", 2)).out)
    assert "lose a promised date" in told
    [back] = (await said("changes", "apply", "--json")).json
    assert (back["status"], back["moved"]) == ("undone", done["moved"])
    after = await rows(here)
    assert {code: (r.version, r.due_at, r.facts) for code, r in after.items()} == {
        code: (r.version, r.due_at, r.facts) for code, r in before.items()
    }
    why = await refused("changes", "undo", 2, "--by", CONTROL)
    assert why == "change 2 is undone: only an applied one is taken back"
    assert (await said("verify", "--json")).json["faults"] == []


async def test_what_is_refused_is_listed_with_its_reason(here: AsyncEngine) -> None:
    await versions(here)
    map_ = ("--stage", "tham-dinh=thu-ly")
    await said(*MIGRATE, f"{FIVE}@3", *BECAUSE, *map_)
    seen = (await said("changes", "show", 2, "--json")).json
    many = seen["counts"]["refused"]
    assert many > 15
    told = (await said("changes", "show", 2)).out
    assert "To version 3. Stage tham-dinh becomes thu-ly." in told
    first = seen["dossiers"][0]["code"]
    assert f"{first}: {first} was promised for" not in told
    assert f"{first} was promised for" in told
    assert "the consent of a second person" in " ".join(told.split())
    assert "… and so on: hoso changes show 2 --json has all." in told
    assert "tham-dinh → thu-ly" not in told  # none of them is moved
    await said("changes", "reject", 2, "--by", SECOND)
    await said(*MIGRATE, f"{FIVE}@3", *BECAUSE, *map_, "--override")
    told = (await said("changes", "show", 3)).out
    assert "Who approves agrees that citizens lose a promised date." in " ".join(told.split())
    assert "tham-dinh → thu-ly" in told
    await said("changes", "approve", 3, "--by", SECOND)
    [done] = (await said("changes", "apply", "--json")).json
    assert (done["moved"], done["refused"]) == (sum(seen["counts"].values()), 0)
    async with here.connect() as db:
        acts = [
            (await lines_of(db, each["code"]))[-1]["payload"]["act"] for each in seen["dossiers"]
        ]
    assert {each["second"] for each in acts} == {SECOND}


async def test_one_run_applies_all_that_wait(here: AsyncEngine) -> None:
    await versions(here)
    await propose("--off", "2023-11-24", "--dates", "move")
    await said(*MIGRATE, f"{FIVE}@2", *BECAUSE)
    for number in (2, 3):
        await said("changes", "approve", number, "--by", SECOND)
    done = (await said("changes", "apply", "--json")).json
    assert [(each["id"], each["status"]) for each in done] == [(2, "applied"), (3, "applied")]
    ours = [r for r in (await rows(here)).values() if (r.procedure, r.version) == (FIVE, 2)]
    assert len(ours) == done[1]["moved"]
    assert "applied" in (await said("changes", "list")).out
    await holds(here)


# Used wrongly, and refused --------------------------------------------------------------------


async def nothing_proposed() -> None:
    assert len((await said("changes", "list", "--json")).json) == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("--off 2023-11-24 --dates nonsense", "must be keep, move or later"),
        ("--off 2023-11-24 --dates ''", "must be keep, move or later"),
        ("", "say which days, or give a --file"),
        ("--off 2023-11-24 --file vn.yaml", "leave it out: --file is the whole text"),
        ("--file vn.yaml --issued 2023-11-20", "leave it out: --file is the whole text"),
        ("--file vn.yaml --overrule", "leave it out: --file is the whole text"),
        ("--off 2023-11-24 --replaces 2023-11-25", "is for a day that is worked: name it"),
        ("--nonsense", "No such option: --nonsense"),
    ],
)
async def test_used_wrongly_it_says_so(there: AsyncEngine, words: str, why: str) -> None:
    told = await used_wrongly("calendars", "propose", "vn", *BECAUSE, *shlex.split(words))
    assert why in told
    await nothing_proposed()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("--off tomorrow", "'tomorrow' is no day: write it as in 2023-11-24"),
        ("--off 2023-02-30", "'2023-02-30' is no day"),
        ("--off 20231124", "'20231124' is no day"),
        ("--off ''", "'' is no day"),
        ("--work 24/11/2023", "'24/11/2023' is no day"),
        ("--withdraw x", "'x' is no day"),
        ("--work 2023-11-25 --replaces x", "'x' is no day"),
        ("--off 2023-11-24 --issued 2023-13-01", "'2023-13-01' is no day"),
        ("--off 1999-01-04", "must lie between 2019-01-01 and"),
        ("--off 2023-11-25", "nothing of calendar vn would change"),
        ("--withdraw 2023-11-24", "2023-11-24 is not decided in calendar vn"),
        ("--work 2023-11-25 --replaces 2023-11-26", "no hours on a Sunday"),
        ("--off 2023-11-24 --off 2023-11-24", "2023-11-24 is decided already"),
        ("--off 2023-11-24 --work 2023-11-24", "2023-11-24 is decided already"),
        ("--off 2023-11-24 --issued 2999-01-01", "must not lie before 'issued'"),
        ("--file none.yaml", "none.yaml"),
        ("--file folder", "folder"),
    ],
)
async def test_a_bad_day_or_file_gets_a_sentence(
    there: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, why: str
) -> None:
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    assert why in await refused("calendars", "propose", "vn", *BECAUSE, *shlex.split(words))
    await nothing_proposed()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"name: vn\n\tx", "line 2, column 1: holds a tab"),
        (b"name: vn\nname: vn\n", "line 2"),
        (b"a: &a [x]\nb: [*a, *a]\n", "line"),
        (VN + b"colour: red\n", "colour"),
        (VN.replace(b"07:30-11:30", b"7h-11h", 1), "must be a session such as 07:30-11:30"),
        (VN.replace(b"to: 2027", b"to: 2026"), "less than a year after"),
        (b"#" * 20_000_000, "is larger than"),
    ],
)
async def test_a_bad_text_gets_a_line_and_changes_nothing(
    there: AsyncEngine, tmp_path: Path, content: bytes, why: str
) -> None:
    file = put(tmp_path, "vn.yaml", content)
    told = await refused("calendars", "propose", "vn", *BECAUSE, "--file", file)
    assert why in told
    await nothing_proposed()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("calendars propose mars --off 2023-11-24 {because}", "no calendar mars: known are nl, vn"),
        ("calendars propose vn --off 2023-11-24 --by {second} {said}", "not of the control unit"),
        ("calendars propose vn --off 2023-11-24 --by nobody {said}", "there is no person nobody"),
        ("calendars propose vn --off 2023-11-24 --by p-control-01 --reason '' --document x",
         "a change set needs its reason and the document that decides it"),
        ("procedures migrate 1.000459 {because}", "say to which version: write it as in 1.00"),
        ("procedures migrate 1.000459@x {because}", "'1.000459@x' names no version"),
        ("procedures migrate 1.000459@9 {because}", "no procedure 1.000459 version 9"),
        ("procedures migrate 1.000459@1 {because}", "is older than 1: nothing would move"),
        ("procedures migrate 1.000459@2 --stage x {because}", "'x' maps no stage: write it as in"),
        ("procedures migrate 1.000459@2 --stage x= {because}", "'x=' maps no stage"),
        ("procedures migrate 1.000459@2 --stage x=ky-duyet {because}", "has a stage x: there were"),
        ("procedures migrate 1.000459@2 --stage tham-dinh=x {because}", "has no stage x: it has"),
        ("procedures migrate 1.000459@2 --by p-post-01 {said}", "not a leader or of the control"),
        ("changes undo 1 --by p-control-01", "propose the day as it was, with its document"),
        ("changes approve 1 --by p-control-01", "change 1 is applied already"),
        ("changes reject 1 --by p-control-01", "change 1 is applied already"),
    ],
)  # fmt: skip
async def test_what_may_not_be_gets_a_sentence(there: AsyncEngine, words: str, why: str) -> None:
    said_ = shlex.join(SAID)
    filled = words.format(because=shlex.join(BECAUSE), said=said_, second=SECOND)
    assert why in await refused(*shlex.split(filled))
    await nothing_proposed()


@pytest.mark.parametrize("number", ["0", "7", str(2**31), str(2**63), "9" * 40])
@pytest.mark.parametrize("word", ["show", "approve", "reject", "undo"])
async def test_a_number_that_is_none(there: AsyncEngine, word: str, number: str) -> None:
    by = () if word == "show" else ("--by", SECOND)
    told = await refused("changes", word, number, *by)
    assert told == f"there is no change {number}: `hoso changes list` names them"


@pytest.mark.parametrize("words", ["show", "show x", "show 1.5", "approve 1", "undo --by x", "x"])
async def test_a_command_half_given(there: AsyncEngine, words: str) -> None:
    assert await used_wrongly("changes", *words.split())
