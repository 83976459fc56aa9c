"""Deadlines exported with their proof, and checked by code that knows nothing of the clock."""

import ast
import json
import os
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest
from book import act
from cli import hoso
from desk import Desk, desk
from hypothesis import given, settings
from hypothesis import strategies as st
from office import LEADER, OFFICER, RECEPTION
from test_api import office  # noqa: F401  a fixture
from test_clock import TERMS
from test_commands import here, receive  # noqa: F401  a fixture

import states.checker
from api.cli import checking
from states import checker
from states.clock import Policy
from states.errors import BadInput
from states.proof.document import written
from states.words import Event

Document = dict[str, Any]


def proof(made: Desk, chance: Random) -> Document:
    when = made.paper.moved_at + timedelta(minutes=chance.randrange(8000))
    try:
        return written(made.kept, made.book, when)
    except BadInput:  # that moment lies beyond the calendar
        return written(made.kept, made.book, made.paper.moved_at)


def fault(document: Document) -> checker.Fault | None:
    return checker.fault_of(json.dumps(document).encode())


def sealed(document: Document) -> Document:
    """As a forger leaves it."""
    return document | {"seal": checker.seal(document)}


# What holds -------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_two_thousand_proofs_hold(seed: int) -> None:
    chance, seen, events = Random(f"proofs {seed}"), Counter(), Counter()
    for _ in range(200):
        made = desk(chance, chance.randrange(14))
        document = proof(made, chance)
        assert fault(document) is None, (fault(document), document)
        seen[document["verdict"]] += 1
        events.update(line["event"] for line in made.lines)
    assert len(seen) == 7, "each verdict there is"
    told = ("extend", "recompute", "migrate", "adopt", "supplement", "reopen", "restate", "stop")
    assert all(events[each] for each in told)


@settings(max_examples=100, deadline=None)
@given(st.randoms(use_true_random=False))
def test_hypothesis_finds_none_that_does_not(chance: Random) -> None:
    assert fault(proof(desk(chance, chance.randrange(10)), chance)) is None


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("term", [*TERMS, "none"])
def test_every_sort_of_term_by_every_policy(term: str, policy: Policy) -> None:
    chance = Random(f"{term} {policy}")
    made = desk(chance, 0, term, policy)
    for event, payload in ((None, {}), (Event.return_result, {"outcome": "approved"})):
        if event is not None:
            later = made.paper.moved_at + timedelta(days=2)
            assert made.move(act(event, later, payload=payload))
        document = proof(made, chance)
        assert (document["term"], document["policy"]) == (term, policy)
        assert fault(document) is None


def test_what_was_not_received_has_no_proof() -> None:
    made = desk(Random(1), 0)
    made.paper.received_at = None
    with pytest.raises(BadInput, match="it has no clock yet"):
        proof(made, Random(1))


# What does not ----------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["Asia", "A" * 5_000, "../../etc/passwd", "a\0b", "", ["Asia"], 7])
def test_a_zone_that_is_none_is_a_fault(zone: Any) -> None:
    document = proof(desk(Random(1), 0), Random(1))
    document["calendar"]["zone"] = zone
    found = fault(sealed(document))
    assert found is not None
    assert found.where == "calendar"
    assert "is no time zone" in found.what


def begun(payload: Any) -> Document:
    """A proof of one line, which says this beside its facts."""
    document = proof(desk(Random(1), 0), Random(1))
    [entry, *_] = document["entries"]
    text = json.loads(entry["canonical"])
    text[10] = payload if isinstance(payload, str) else json.dumps(payload)
    said = json.dumps(text)
    entry |= {"canonical": said, "hash": sha256(said.encode()).hexdigest()}
    return document | {"entries": [entry]}


def test_what_is_nested_too_deep_is_a_fault() -> None:
    deep = "[" * 100_000 + "]" * 100_000
    whole = begun({})
    whole["entries"][0]["canonical"] = deep
    for document in (whole, begun(deep)):
        found = fault(document)
        assert found is not None
        assert "nested too deep" in found.what


def test_a_calendar_that_no_proof_has_is_not_pencilled_in() -> None:
    """One of 59,000 whole days would hold 85 million minutes."""
    document = proof(desk(Random(1), 0), Random(1))
    first = date(1950, 1, 1)
    days = [(first + timedelta(n)).isoformat() for n in range(59_000)]
    document["calendar"] |= {
        "first": days[0],
        "last": days[-1],
        "exceptions": [],
        "days": {day: [["00:00", "23:59"]] for day in days},
    }
    tracemalloc.start()
    found = fault(document)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found is not None
    assert (found.where, "84,901,000 working minutes" in found.what) == ("calendar", True)
    assert most < 100 << 20


def test_no_sign_of_a_proof_commands_the_terminal() -> None:
    strange = "\x1b[2J\x9b1;32m\u202eIt holds\ud800"
    document = begun({"pin": {}})
    for name in ("form", "term"):
        found = fault(document | {name: strange})
        assert found is not None
        assert found.where == name
        assert str(found).isprintable(), found
    told = checker.told(json.dumps(document | {"code": strange}).encode())
    assert told.isprintable()
    assert r"\x1b[2J\x9b1;32m\u202eIt holds\ud800" in told


def leaves(value: Any, *path: Any) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict | list) and value:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, each in pairs:
            yield from leaves(each, *path, key)
    else:
        yield path


def altered(document: Document, path: tuple[Any, ...]) -> Document:
    made = deepcopy(document)
    inside = made
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = other(inside[path[-1]])
    return made


def other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str) and value:
        at = next((n for n, each in enumerate(value) if each.isdigit()), 0)
        return value[:at] + ("7" if value[at] == "3" else "3") + value[at + 1 :]
    return "x"


def eventful(seed: str) -> Iterator[Document]:
    """Of every sort: held, restarted, extended, recomputed, finished, taken over."""
    chance = Random(seed)
    for _ in range(25):
        yield proof(desk(chance, 4 + chance.randrange(10)), chance)


def test_each_field_altered_is_found() -> None:
    count = 0
    for document in eventful("altered"):
        for path in leaves(document):
            assert fault(altered(document, path)) is not None, path
            count += 1
        for name in document:
            assert fault({key: value for key, value in document.items() if key != name}) is not None
    assert count > 2000


def unproved(path: tuple[Any, ...], document: Document) -> bool:
    """What a forger who seals anew may alter unseen: no line of the chain tells it, and neither
    the due moment nor the class follows from it.
    """
    if path[0] == "due_original":  # of what had no term when it was received
        return document["trace"][0]["to"] == document["trace"][0]["from"] or rebound(document)
    loose = {"first", "last", "standard_day", "days", "exceptions"}
    return (
        path in {("seal",), ("at",), ("facts", "restart")}
        or (path[0] == "calendar" and path[1] in loose)
        or (path[0] == "trace" and path[2] == "under" and path[3:4] in {(), ("law",)})
    )


def rebound(document: Document) -> bool:
    events = [json.loads(each["canonical"])[2] for each in document["entries"]]
    return bool({"recompute", "migrate"} & set(events))


def test_the_chain_finds_what_a_forger_has_sealed_anew() -> None:
    """All but what is named above; the days of the calendar are found where they matter."""
    found: Counter[bool] = Counter()
    for document in eventful("forged"):
        for path in leaves(document):
            forged = fault(sealed(altered(document, path)))
            assert forged is not None or unproved(path, document), path
            found[forged is not None] += 1
    assert found[True] > 2 * found[False]


def test_a_day_that_was_struck_out_is_found() -> None:
    """The due moment is what the line told, whatever the calendar says by now."""
    made = desk(Random(7), 0, "5wd", Policy.day)
    document = written(made.kept, made.book, made.paper.moved_at)
    days = document["calendar"]["days"]
    received = document["facts"]["received"]["at"][:10]
    for day in [each for each in days if each > received]:
        forged = deepcopy(document)
        del forged["calendar"]["days"][day]
        assert fault(sealed(forged)) is not None, day


def test_a_line_left_out_is_found() -> None:
    for document in eventful("left out"):
        for n in range(len(document["entries"])):
            less = document["entries"][:n] + document["entries"][n + 1 :]
            # The chain cannot know of lines after its last: what they told is missed instead,
            # where they told anything of the clock.
            event = json.loads(document["entries"][n]["canonical"])[2]
            quiet = event in {"deliver", "digitise", "route", "accept", "recompute", "migrate"}
            last = n == len(document["entries"]) - 1
            forged = fault(sealed(document | {"entries": less}))
            assert forged is not None or (last and quiet), (n, event)


def test_the_first_thing_that_does_not_hold_is_named() -> None:
    made = desk(Random(3), 6)
    document = written(made.kept, made.book, made.paper.moved_at)
    line = next(n for n, each in enumerate(document["trace"]) if each["minutes"])
    found = fault(altered(document, ("trace", line, "minutes")))
    assert found.where == f"trace, line {line + 1}, minutes"
    minutes = document["trace"][line]["minutes"]
    assert found.what == f"the proof says {minutes + 1}, and it should be {minutes}"
    assert fault(altered(document, ("entries", 1, "canonical"))).where == "entry 2"
    assert fault(altered(document, ("facts", "received", "at"))).where == "facts.received"
    assert fault(altered(document, ("term",))).where == "term"
    assert fault(altered(document, ("seal",))).where == "seal"


RUBBISH = [
    b"", b"{", b"[]", b"{}", b"null", b"7", b"\xff\xfe", b'{"form": 1}', b'{"a": 1, "a": 2}',
    b'{"form": "hoso-proof/1"}', b"[" * 100_000, b'{"form": NaN}', b"\0",
]  # fmt: skip


@pytest.mark.parametrize("text", RUBBISH)
def test_rubbish_is_no_proof(text: bytes) -> None:
    found = checker.fault_of(text)
    assert found is not None
    assert found.where in {"the file", "form"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("calendar", "first"), "0001-01-01"),
        (("calendar", "zone"), "../etc/passwd"),
        (("calendar", "days"), {"2025-03-10": [["08:00", "07:00"]]}),
        (("calendar", "days"), {}),
        (("calendar", "standard_day"), 10**30),
        (("entries",), []),
        (("entries",), None),
        (("trace",), []),
        (("term",), "1e9999999wd"),
        (("at",), "9999-12-31T23:59:59-23:59"),
        (("facts",), {}),
    ],
)
def test_an_absurd_field_is_told_at_once(path: tuple[str, ...], value: Any) -> None:
    made = desk(Random(5), 3, "0.5wd")
    document = deepcopy(written(made.kept, made.book, made.paper.moved_at))
    inside = document
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    assert fault(sealed(document)) is not None


def test_it_stands_on_python_alone() -> None:
    folder = Path(states.checker.__file__).parent
    for file in folder.glob("*.py"):
        tree = ast.parse(file.read_text())
        assert len(file.read_text().splitlines()) < 200, file
        for node in ast.walk(tree):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                own = name.startswith("states.checker")
                assert own or name.partition(".")[0] in sys.stdlib_module_names, (file, name)


# By the doors -----------------------------------------------------------------------------


async def test_a_proof_by_the_command_line(here: Path, fresh, capfd) -> None:  # noqa: F811
    [code] = await receive(fresh)
    file = here / "proof.json"
    made = await hoso("clock", "--dossier", code, "--proof", file, "--lang", "en", "--at",
                      "2024-03-05T09:00+07:00")  # fmt: skip
    assert made.code == 0, made.err
    assert max(map(len, made.out.splitlines())) <= 100
    document = json.loads(file.read_text())
    head = document["entries"][0]["hash"][:12]
    text = " ".join(made.out.split())
    assert f"line 1 receive 04/03/2024 08:00 {head}" in text
    assert f"{document['procedure']['code']} version {document['procedure']['version']}" in text
    assert "(Civil Code 2015 Art. 148)" in text
    capfd.readouterr()
    await hoso("clock", "--dossier", code, "--json", "--at", "2024-03-05T09:00+07:00")
    asked = json.loads(capfd.readouterr().out)
    assert asked["trace"] == document["trace"]
    assert asked["entries"][0]["hash"] == document["entries"][0]["hash"]

    nowhere = "postgresql://nobody@nowhere/x"  # the checker asks no database
    holds = await hoso("verify", "--proof", file, HOSO_DATABASE=nowhere)
    assert holds.code == 0, holds.err
    assert f"It holds: {code}, due {document['due']}: overdue." in " ".join(holds.out.split())
    assert (await hoso("verify", "--proof", file, "--json")).json == {
        "proof": str(file),
        "fault": None,
    }
    document["trace"][-2]["minutes"] += 1
    file.write_text(json.dumps(document))
    broken = await hoso("verify", "--proof", file)
    assert broken.code == 1
    assert f"trace, line {len(document['trace']) - 1}, minutes" in broken.sentence
    assert (await hoso("verify", "--proof", file, "--json")).json["fault"]["where"] in (
        broken.sentence
    )


async def test_what_cannot_be_read_or_written_is_said(here: Path, fresh) -> None:  # noqa: F811
    [code] = await receive(fresh)
    none = await hoso("verify", "--proof", here / "none.json")
    assert (none.code, "cannot be read" in none.sentence) == (1, True)
    assert (await hoso("verify", "--proof", here)).code == 1
    where = await hoso("clock", "--dossier", code, "--proof", "/")
    assert (where.code, "cannot be written" in where.sentence) == (1, True)
    assert (await hoso("clock", "--term", "5wd", "--received", "2024-03-04T08:00+07:00", "--proof",
                       here / "x.json")).code == 2  # fmt: skip
    assert not (here / "x.json").exists()


@pytest.mark.parametrize("what", ["device", "pipe", "long"])
async def test_only_a_file_is_read_and_no_further_than_a_proof_goes(
    here: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    monkeypatch.setattr(checking, "LARGEST", 1_000)
    file = here / "proof.json"
    if what == "pipe":
        os.mkfifo(file)
    elif what == "device":
        file = Path("/dev/zero")
    else:
        file.write_bytes(b" " * 1_001)
    told = await hoso("verify", "--proof", file)
    why = "over 1,000 bytes" if what == "long" else "is no regular file"
    assert (told.code, why in told.sentence) == (1, True), told.err


async def test_a_proof_over_http(office, fresh) -> None:  # noqa: F811
    code = await office.processing()
    await office.move(code, "request_supplement", OFFICER, {"reason": "Đơn thiếu chữ ký"})
    office.later(days=2)
    await office.move(code, "supplement", RECEPTION)
    office.later(hours=3)
    told = await office.read(code, "/clock/proof")
    assert fault(told) is None
    clock = await office.read(code, "/clock")
    assert (told["due"], told["verdict"]) == (clock["due"], clock["verdict"])
    assert [each["rule"] for each in told["trace"]] == [each["rule"] for each in clock["trace"]]
    again = next(each for each in told["trace"] if each["rule"] == "restart")
    events = [json.loads(told["entries"][n - 1]["canonical"])[2] for n in again["entries"]]
    assert events == ["supplement"]
    assert again["under"]["law"]["en"] == "Decree 61/2018 Art. 19(4)"
    looks = (await office.client.get(f"/v1/dossiers/{code}/looks", headers=LEADER)).json()["looks"]
    assert any(each["door"].endswith("clock/proof") for each in looks), looks
