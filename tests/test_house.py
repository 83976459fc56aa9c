"""Rules of the house that no linter knows."""

import ast
import importlib
import re
from collections.abc import Iterator
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest

from states import errors

PACKAGES = ("config", "states", "flows", "api")
ROOT = Path(__file__).parents[1]
FILES = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
SOURCES = [
    file for file in FILES if "versions" not in file.parts
]  # migrations are drawn by Alembic
LONGEST = 300


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def test_the_four_names_are_ours_alone() -> None:
    """`pip install config` would write over our `config/__init__.py` without a word."""
    owners = packages_distributions()
    for package in PACKAGES:
        assert set(owners.get(package, ["hoso"])) == {"hoso"}, package
    assert distribution("hoso").metadata["Name"] == "hoso"


@pytest.mark.parametrize("package", PACKAGES)
def test_the_four_names_are_found_here(package: str) -> None:
    found = importlib.import_module(package)
    assert [Path(path).resolve() for path in found.__path__] == [ROOT / package]


def test_there_is_no_fifth_package() -> None:
    packages = {file.parent.name for file in ROOT.glob("*/__init__.py")}
    assert packages == set(PACKAGES)


def test_there_is_something_to_look_at() -> None:
    assert len(SOURCES) > 30


@pytest.mark.parametrize("file", SOURCES, ids=name)
def test_no_file_is_longer_than_a_sitting(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= LONGEST


@pytest.mark.parametrize("file", SOURCES, ids=name)
def test_nothing_is_called_by_what_it_is_not(file: Path) -> None:
    """Say what it is: no Manager, Helper, Service, Util, Base."""
    vague = re.compile(r"(Manager|Helper|Service|Utils?|Base)$")
    named = [n.name for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.ClassDef)]
    assert not [each for each in named if vague.search(each)]
    assert file.stem not in {"core", "utils", "util", "helpers", "services", "managers", "common"}


def assigned(file: Path) -> Iterator[str]:
    """The attributes a file assigns to, with or without annotation or sum."""
    for node in ast.walk(ast.parse(file.read_text())):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            for each in ast.walk(target) if target is not None else ():
                if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store):
                    yield each.attr


def test_only_the_lifecycle_and_the_ledger_write_a_state() -> None:
    writers = {name(file) for file in SOURCES if "state" in assigned(file)}
    # `blank` puts a dossier at the lifecycle's beginning; all else is `lifecycle.fire`.
    assert writers <= {"states/lifecycle.py", "states/ledger/turn.py"}


def test_only_the_ledger_writes_its_tables() -> None:
    """No UPDATE of dossiers and no INSERT of entries by another way in."""
    writing = re.compile(
        r"(UPDATE|INSERT INTO|DELETE FROM)\s+(dossier|entry|visit)\b"
        r"|(update|insert|delete)\((dossier|entry|visit|Dossier|Entry|Visit)\)"
    )
    writers = {
        file.relative_to(ROOT).parts[:2] for file in FILES if writing.search(file.read_text())
    }
    assert writers == {("states", "ledger"), ("states", "migrations")}


def test_nothing_under_the_doors_asks_what_time_it_is() -> None:
    asking = re.compile(r"(?<!func)\.(now|utcnow|today)\(|\btime\.time\(")
    asked = {
        name(file) for file in SOURCES if "states" in file.parts and asking.search(file.read_text())
    }
    assert asked == set()


def kinds(of: type[errors.HosoError]) -> Iterator[type[errors.HosoError]]:
    yield of
    for kind in of.__subclasses__():
        yield from kinds(kind)


def raised(file: Path) -> set[str]:
    """The names of the classes a file defines on top of one of ours."""
    ours = {kind.__name__ for kind in kinds(errors.HosoError)} | {"HosoError"}
    return {
        node.name
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id in ours for base in node.bases)
        and not ast.get_docstring(node)
    }


def test_every_error_is_a_sentence() -> None:
    """Its docstring is what is said when nothing better is known."""
    for kind in kinds(errors.HosoError):
        assert (kind.__doc__ or "").strip().endswith("."), kind
    mute = {name(file): found for file in SOURCES if (found := raised(file))}
    assert mute == {}
    assert str(errors.Unknown()) == "There is no such thing."
