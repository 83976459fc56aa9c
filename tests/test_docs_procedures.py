"""docs/procedures.md, run: its files are checked, its dates reckoned, its commands given.

A fenced block says by the words behind its marks what it is: the `smallest` bundle; what is put
over it (`add`, with a name where a command reads it); what is `wrong`, and what the checker says in
the `text` below; the end of an `organisation`; commands and their answers (`console`).
"""

import ast
import asyncio
import json
import re
import shlex
import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cli import Answer, run
from databases import alone, run_as_owner
from jsonschema import Draft202012Validator

from api import cli
from states import catalogue, clock, ledger, yaml_files
from states.catalogue import Catalogue, Procedure, bundles, checking, schema
from states.catalogue.organisation import Organisation, Row
from states.catalogue.rows import Status
from states.clock import Facts, Policy, Term
from states.db import engine
from states.embedded import Embedded
from states.ledger import Act, Lodging, driving
from states.ledger.routing import Case
from states.words import Channel, Event, Role

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "procedures.md").read_text()
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
WRITTEN = "%d/%m/%Y %H:%M"
FILE = "thu-tuc.yaml"  # what commands and the checker's answers call the smallest procedure
SAMPLE = catalogue.load()
VN = SAMPLE.calendar("vn")
STAFF = (resources.files("config") / "sample" / "organisation.yaml").read_text()
SMALLEST = re.findall(r"^```yaml smallest\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[0]
COUNTER, CLERK, LEADER = "H42.14.01", "p-reception-01", "p-edu-lead-01"


# The page ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """A block, a table or a paragraph. `words`: those behind the marks, or the columns; `said`: the
    paragraph above; `bundle` and `staff`: the procedure and the organisation as told so far.
    """

    kind: str
    line: int
    words: tuple[str, ...]
    text: str
    said: str = ""
    bundle: str = SMALLEST
    staff: str = STAFF

    @property
    def rows(self) -> list[list[str]]:
        return [_cells(each) for each in self.text.splitlines()[2:]]

    @property
    def book(self) -> Catalogue:
        document = yaml_files.parse("organisation.yaml", self.staff.encode())
        return replace(SAMPLE, organisation=yaml_files.validate(Organisation, document))


def _cells(line: str) -> list[str]:
    return [each.strip().strip("`") for each in line.strip("|").split("|")]


def _pieces(lines: list[str]) -> Iterator[Part]:
    at = 0
    while at < len(lines):
        begin, line = at, lines[at]
        at += 1
        if line.startswith("```"):
            at = lines.index("```", at) + 1
            kind, *words = line.strip("`").split()
            yield Part(kind, begin + 1, (*words,), "\n".join([*lines[begin + 1 : at - 1], ""]))
        elif line:
            table = line.startswith("|")
            while at < len(lines) and lines[at] and lines[at].startswith("|") == table:
                at += 1
            text, kind = "\n".join(lines[begin:at]), "table" if table else "prose"
            yield Part(kind, begin + 1, (*_cells(line),), text)


def read() -> Iterator[Part]:
    said, bundle, staff = "", SMALLEST, STAFF
    for each in _pieces(PAGE.splitlines()):
        if each.words[:1] == ("organisation",):
            staff += each.text
        if each.words[:1] in {("add",), ("wrong",)}:
            bundle = over(SMALLEST, each.text)
        yield replace(each, said=said, bundle=bundle, staff=staff)
        said = each.text if each.kind == "prose" else said


def over(base: str, more: str) -> str:
    """The keys of one text, each with all that belongs to it, in place of those of another."""
    return "".join(({"": ""} | _keys(base) | _keys(more)).values())


def _keys(text: str) -> dict[str, str]:
    keys, key = dict[str, str](), ""
    for line in text.splitlines(keepends=True):
        if found := re.match(r"([a-z][\w-]*):", line):
            key = found[1]
        keys[key] = keys.get(key, "") + line
    return keys


PARTS = list(read())
YAML = {"smallest", "add", "wrong", "organisation"}


def parts(*words: str) -> list[Any]:
    """The blocks and tables that begin so, for a test of each."""
    found = [each for each in PARTS if each.words[: len(words)] == words]
    return [pytest.param(each, id=f"line {each.line}") for each in found]


def procedure(text: str) -> Procedure:
    return yaml_files.validate(Procedure, yaml_files.parse(FILE, text.encode()))


def findings(text: str, book: Catalogue = SAMPLE) -> tuple[checking.Finding, ...]:
    return checking.lint(FILE, text.encode(), book).findings


def moments(text: str) -> list[datetime]:
    found = re.findall(r"\d\d/\d\d/\d{4} \d\d:\d\d", " ".join(text.split()))
    return [datetime.strptime(each, WRITTEN).replace(tzinfo=ZONE) for each in found]


def hoso(*words: str, **environment: str | None) -> Answer:
    """As in a shell, where no command finds what those before it registered."""
    for registered in (cli.app.registered_commands, cli.app.registered_groups):
        registered.clear()
    return run(*words, **environment)


def test_nothing_on_the_page_goes_unread() -> None:
    assert all(len(line) <= 100 for line in PAGE.splitlines())
    for each, after in zip(PARTS, [*PARTS[1:], PARTS[0]], strict=True):
        where = f"line {each.line}"
        assert each.kind in {"yaml", "text", "console", "table", "prose"}, where
        assert each.kind != "yaml" or each.words[0] in YAML, where
        assert each.kind != "table" or each.words in {RECEIVED, STEPS, *TABLES}, where
        assert (each.words[:1] == ("wrong",)) == (after.kind == "text"), where
        assert each.kind != "prose" or "```" not in each.text, where
    assert [each.kind for each in PARTS if each.words == ("smallest",)] == ["yaml"]


@pytest.mark.parametrize("words", sorted({*re.findall(r"`(hoso [^`…]+)`", PAGE)}))
def test_what_is_called_a_command_is_one(words: str) -> None:
    assert hoso(*shlex.split(words)[1:], "--help").code == 0


# Files ------------------------------------------------------------------------------------


def _without_one(data: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """The data again and again, each time without one key."""
    pairs = list(data.items() if isinstance(data, dict) else enumerate(data))
    for key, value in pairs:
        if isinstance(data, dict):
            yield (key,), {name: each for name, each in pairs if name != key}
        if isinstance(value, dict | list):
            for path, less in _without_one(value):
                copy = deepcopy(data)
                copy[key] = less
                yield (key, *path), copy


def test_the_smallest_procedure_works_and_is_the_smallest() -> None:
    assert findings(SMALLEST) == ()
    data = yaml_files.parse(FILE, SMALLEST.encode()).data
    missed = {}
    for path, less in _without_one(data):
        missed[path] = checking.lint(FILE, json.dumps(less).encode(), SAMPLE).errors
    assert len(missed) > 30
    assert all(missed.values()), [path for path, found in missed.items() if not found]


@pytest.mark.parametrize("part", parts("add"))
def test_each_piece_over_the_smallest_is_clean(part: Part) -> None:
    assert findings(part.bundle, part.book) == ()
    editor = Draft202012Validator(schema.procedure_schema())
    editor.validate(yaml_files.parse(FILE, part.bundle.encode()).data)


def _used(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Row):
        yield from ((type(value).__name__, name) for name in value.model_fields_set)
        for name in value.model_fields_set:
            yield from _used(getattr(value, name))
    if isinstance(value, tuple):
        for each in value:
            yield from _used(each)


def test_every_key_and_every_word_of_the_model_is_there() -> None:
    shown = [each.bundle for each in PARTS if each.words[:1] in {("smallest",), ("add",)}]
    used = {pair for text in shown for pair in _used(procedure(text))}
    assert used == {(name, key) for name, keys in schema.KEYS.items() for key in keys}
    words = set(re.findall(r"[\w-]+", " ".join([*shown, *re.findall(r"`[^`\n]+`", PAGE)])))
    assert not set(schema.MEANS) - words


@pytest.mark.parametrize("part", parts("wrong"))
def test_the_checker_says_of_a_mistake_what_stands_below(part: Part, tmp_path: Path) -> None:
    answer = PARTS[PARTS.index(part) + 1].text
    (tmp_path / FILE).write_text(part.bundle)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        told = hoso(
            "procedures", "lint", FILE, HOSO_DATABASE=None, HOSO_DATA=str(tmp_path / "data")
        )
    assert told.code == answer.startswith("error ")
    *found, _ = told.out.splitlines()
    assert " ".join(found) == " ".join(answer.split())


@pytest.mark.parametrize("part", parts("organisation"))
def test_the_organisation_gets_what_the_page_adds(part: Part) -> None:
    assert checking.lint_organisation("organisation.yaml", part.staff.encode()).findings == ()
    day, new, old = timedelta(days=1), part.book.organisation, SAMPLE.organisation
    for each in new.delegations[len(old.delegations) :]:
        for agency in each.agencies:
            for field in new.bodies[agency].fields:
                on = each.since, each.until, each.until + day
                may = [new.may_act_for(each.person, agency, at, each.role, field) for at in on]
                assert may == [field in each.fields, field in each.fields, False]
    for absence in new.absences:
        assert new.in_place_of(absence.person, absence.since) == absence.substitute
    assert {each.region for each in new.places} == {"plain", "mountain"}
    assert new.absences
    assert len(new.delegations) == len(old.delegations) + 1


# Tables -----------------------------------------------------------------------------------


def due(term: str, received: datetime, **facts: Any) -> str:
    found = clock.read(Term.parse(term), VN, Facts(received, **facts), Policy.day, received).due
    return found.strftime(WRITTEN) if found else "–"


HOUR = re.compile(r"\d\d:\d\d")


def _terms(part: Part) -> None:
    (received,) = moments(part.said)
    for term, means, told in part.rows:
        assert told == due(term, received)
        assert all(f"{Term.parse(term).cut_off // 60}:00" == each for each in HOUR.findall(means))
        assert findings(SMALLEST.replace("term: 3wd", f"term: {term}")) == ()


def _others(part: Part) -> None:
    for channel, region, term in part.rows:
        assert {channel, region} <= schema.MEANS.keys()
        assert term == str(procedure(part.bundle).term_for(channel, region))


def _ways(part: Part) -> None:
    said = procedure(part.bundle)
    codes = [each.code for each in said.stages]
    assert [row[0] for row in part.rows] == codes
    for at, (_, *told) in enumerate(part.rows):
        on, ends = said.onward(at)
        ways = [[codes[n] for n in on] + ["end"] * ends, [codes[n] for n in said.back(at)]]
        assert [re.findall(r"[\w-]+", each) for each in told] == ways


def _routes(part: Part) -> None:
    said, loads = procedure(part.bundle), dict(re.findall(r"`(p-[\w-]+)` has (\d)", part.said))
    for counter, channel, *told in part.rows:
        assert counter in SAMPLE.units
        assert channel in said.channels.come
        case = Case(counter, None, said.field, channel, said.agency, said.valid_from)
        routed = SAMPLE.routed(said, said.stages[0], case, {a: int(n) for a, n in loads.items()})
        assert told == [routed.unit, routed.person or "–", routed.why]


def _supplements(part: Part) -> None:
    received, asked, answered, lapsed = moments(part.said)
    waits, said = ((asked, answered),), procedure(part.bundle)
    assert dict(part.rows) == {
        "hold": due("3wd", received, holds=waits),
        "restart": due("3wd", received, holds=waits, restart=answered),
    }
    assert lapsed.strftime(WRITTEN) == due(str(said.supplement.lapse), asked)


def _extensions(part: Part) -> None:
    (received,) = moments(part.said)
    for more, told in part.rows:
        given = () if more == "–" else (Term.parse(more),)
        assert told == due("3wd", received, extend=given)
        assert all(each.amount <= procedure(part.bundle).extension.max.amount for each in given)


def _verdicts(part: Part) -> None:
    (at,) = moments(part.said)
    for finished, *told in part.rows:
        (given,) = moments(finished)
        classes = [clock.verdict_of(VN, Policy(each), at, given) for each in part.words[1:]]
        assert told == [each.replace("_", " ") for each in classes]


# Acted out with the commands:
RECEIVED = ("applicant", "procedure", "channel", "received", "result given")
STEPS = ("step", "what it does", "afterwards it is")
TABLES = {
    ("term", "what it means", "due"): _terms,
    ("comes by", "from", "term"): _others,
    ("stage", "may be followed by", "may be sent back to"): _ways,
    ("received at", "comes by", "unit", "person", "why"): _routes,
    ("mode", "due"): _supplements,
    ("extended by", "due"): _extensions,
    ("result given", "day", "session", "instant"): _verdicts,
}


@pytest.mark.parametrize("columns", TABLES, ids=" ".join)
def test_what_a_table_says_is_so(columns: tuple[str, ...]) -> None:
    (part,) = (each for each in PARTS if each.words == columns)
    assert part.rows
    TABLES[columns](part)


MOVE_NOTHING = {"catalogue", "clock", "figures", "forms", "intake", "pilot", "simulation"}


def test_what_is_only_kept_is_read_by_nothing_that_moves_dossiers() -> None:
    """As soon as something acts on a key of that paragraph, the page is to say so."""
    (said,) = (each.text for each in PARTS if "keys are only kept" in each.text)
    kept = set(re.findall(r"`(\w+)`", said.partition("Some")[2]))
    files = [*(ROOT / "states").rglob("*.py"), *(ROOT / "flows").rglob("*.py")]
    read = {
        node.attr
        for file in files
        if not {*file.parts} & MOVE_NOTHING
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) not in {"State", "S", "row"}
    }
    sure = kept - {"digitised", "go", "online", "suffix"}  # others are called so too
    assert sure
    assert len(read) > 100
    assert not sure & read


# Commands ---------------------------------------------------------------------------------


@dataclass
class Office:
    """A database, and the clock on the wall: what the doors have for the `datetime` they ask."""

    database: str
    at: datetime

    def now(self, zone: tzinfo) -> datetime:
        return self.at.astimezone(zone)


TODAY = re.compile(r"Today is (\d\d/\d\d/\d{4})\.")


def _today(text: str) -> datetime:
    (at,) = moments(f"{TODAY.findall(text)[0]} 16:00")
    return at


@pytest.fixture
def office(server: Embedded, worker_id: str, tmp_path: Path) -> Iterator[Office]:
    """A database of its own, on the first day that the page names, and a folder for the files."""
    name = f"docs_{worker_id}"
    with alone(server.data):
        run_as_owner(server, f"CREATE DATABASE {name} TEMPLATE hoso")
    made = Office(server.address(name, "hoso_app"), _today(PAGE))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        patch.delenv("PREFECT_API_URL", raising=False)
        patch.setenv("HOSO_DATABASE", made.database)
        patch.setenv("HOSO_DATABASE_OWNER", server.address(name, "postgres"))
        patch.setenv("HOSO_DATA", str(tmp_path / "data"))
        patch.setenv("TZ", ZONE.key)
        time.tzset()
        for door in ("api.cli.bundles", "api.cli.calendars", "api.cli.checking", "flows.opening"):
            patch.setattr(f"{door}.datetime", made)
        yield made
    time.tzset()
    run_as_owner(server, f"DROP DATABASE {name} WITH (FORCE)")


async def receive(address: str, rows: list[list[str]]) -> None:
    """Dossiers are received, taken in, and given their result, as a table says."""
    database = engine(address, 2)
    for applicant, code, channel, received, given in rows:
        (at,) = moments(received)
        papers = Lodging(
            unit=COUNTER, procedure=code, channel=Channel(channel), applicant=applicant
        )
        act = Act(event=Event.receive, actor=CLERK, role=Role.reception, at=at)
        async with database.begin() as db:
            book = await bundles.read(db)
            opened = await ledger.open_(db, book, papers, act)
        await driving.drive(database, book, at)
        for end in moments(given):
            act = Act(
                event=Event.return_result,
                actor=LEADER,
                role=Role.leader,
                at=end,
                payload={"outcome": "approved"},
            )
            async with database.begin() as db:
                await ledger.move(db, book, opened.code, act)
    await database.dispose()


def _given(part: Part) -> Iterator[tuple[str, str]]:
    """The commands of a block, each with the answer that stands below it."""
    for each in re.split(r"^\$ ", part.text, flags=re.MULTILINE)[1:]:
        lines = each.splitlines()
        ends = next(n for n, line in enumerate(lines, 1) if not line.endswith("\\"))
        yield " ".join(line.rstrip("\\") for line in lines[:ends]), "\n".join(lines[ends:])


def same(shown: str, answered: str) -> bool:
    """Word for word, but for what `…` stands for and where lines break."""
    pattern = re.escape(" ".join(shown.split())).replace("…", ".*?")
    return re.fullmatch(pattern, " ".join(answered.split())) is not None


def write(part: Part) -> None:
    """A piece as the file that commands read; of an organisation, below what was taken out."""
    kind, *name = part.words
    for file in map(Path, [FILE] if kind == "smallest" else name):
        there = file.read_text() if kind == "organisation" else ""
        file.write_text(there + part.text if there else part.bundle)


async def statuses(address: str) -> dict[tuple[str, int], Status]:
    """Of every version of every procedure."""
    database = engine(address, 1)
    async with database.begin() as db:
        rows = await bundles.versions(db)
    await database.dispose()
    return {(row.code, row.version): row.status for row in rows}


def test_the_commands_of_the_page_in_their_order(office: Office) -> None:
    (steps,) = (each.rows for each in PARTS if each.words == STEPS)
    becomes, was = {step: after for step, _, after in steps}, asyncio.run(statuses(office.database))
    for part in PARTS:
        if TODAY.search(part.text):
            office.at = _today(part.text)
        if part.words == RECEIVED:
            asyncio.run(receive(office.database, part.rows))
        if part.kind == "yaml":
            write(part)
        for command, shown in _given(part) if part.kind == "console" else ():
            begins, *words = shlex.split(command)
            assert begins == "hoso"
            answer = hoso(*words)
            told = f"{answer.out}\nhoso: {answer.sentence}" if answer.code else answer.out
            assert same(shown, told), f"line {part.line}: {command}\n{told}"
            assert answer.code == ("hoso: " in shown), command
            now = asyncio.run(statuses(office.database))
            new = {now[each] for each in now if now[each] != was.get(each)}
            after = becomes.pop(" ".join([begins, *words[:2]]), None) if not answer.code else None
            assert after in {None, "as before", *new}, command
            assert after != "as before" or not new, command
            was = now
    assert not becomes
