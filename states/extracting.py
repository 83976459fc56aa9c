"""Which sentences there are: a method of Babel's extraction, named in pyproject.toml.

Sentences are literals that go into a `Sentence` or an error; the docstrings of errors and of the
lifecycle's guards; and the words of the engine, in a context of their own.
"""

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import IO, Any

from states.tongues import WORD

Message = tuple[int, str | None, str | tuple[str, str], list[str]]

#: Calls that take a sentence: `raise Unknown("there is no …")` is known by the base of its class.
FLAWS = "states/catalogue/"
SAYING = {"Sentence", "told", "ValueError", "Wrong"}
#: Modules whose StrEnums are the values of sentences.
SPOKEN = {
    "states/words.py": {"Event", "Role", "Channel", "Outcome"},
    "states/breaches/rows.py": {"Cause", "Standing"},
    "states/consultations/rows.py": {"Standing", "Opinion"},
    "states/changes/rows.py": {"Kind", "Status"},
    "states/catalogue/rows.py": {"Kind", "Status"},
    "states/notices/rows.py": {"Sending"},
}
GUARDS = "states/lifecycle.py"
PACKAGES = ("states", "api")
PLACE = re.compile(r"\{[^{}]*\}")


def sentences(
    source: IO[bytes],
    keywords: Mapping[str, Any],
    comment_tags: Collection[str],
    options: Mapping[str, Any],
) -> Iterator[Message]:
    """Called by Babel with each file."""
    tree = ast.parse(source.read())
    file = str(getattr(source, "name", "")).removeprefix("./")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for literal in _literals(node):
                yield node.lineno, None, literal, []
        elif isinstance(node, ast.ClassDef):
            yield from _of_class(node, next((SPOKEN[at] for at in SPOKEN if file.endswith(at)), ()))
        elif FLAWS in file and (said := _of_flaw(node)):
            yield from ((node.lineno, None, each, []) for each in said)  # type: ignore[attr-defined]
        elif isinstance(node, ast.FunctionDef) and file.endswith(GUARDS) and _is_guard(node):
            yield node.lineno, None, ast.get_docstring(node, clean=False) or "", []


def _is_guard(node: ast.FunctionDef) -> bool:
    return [each.arg for each in node.args.args] == ["d", "now"]


def _of_class(node: ast.ClassDef, spoken: Collection[str]) -> Iterator[Message]:
    """The docstring of an error is its title, and what it says when nothing else is said."""
    if any(_name(base) in _errors() for base in node.bases):
        doc = (ast.get_docstring(node) or "").partition("\n\n")[0]
        if doc:
            yield node.lineno, None, doc, []
    if node.name in spoken:
        for each in node.body:
            if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name):
                yield each.lineno, "pgettext", (WORD, each.targets[0].id), []


def _of_flaw(node: ast.AST) -> list[str]:
    """What is wrong and how to mend it: given names before, yielded, or listed in `MENDS`."""
    if isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple):
        return _clauses(node.value.elts[1:])
    if isinstance(node, ast.Assign) and _name(node.targets[0]) == "MENDS":
        return _clauses([each for row in node.value.elts for each in row.elts[1:]])  # type: ignore[attr-defined]
    if isinstance(node, ast.Assign):
        named, given = node.targets[0], node.value
        if isinstance(named, ast.Tuple) and isinstance(given, ast.Tuple):
            pairs = zip(named.elts, given.elts, strict=True)
        else:
            pairs = zip((named,), (given,), strict=True)
        return _clauses([value for name, value in pairs if _name(name) in {"why", "mend"}])
    return []


def _clauses(given: list[ast.expr]) -> list[str]:
    """Literals that are no single word."""
    return [text for each in given for text in _texts(each) if " " in text]


def _texts(each: ast.expr) -> Iterator[str]:
    for one in (each.body, each.orelse) if isinstance(each, ast.IfExp) else (each,):
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and _is_said(one.value):
            yield one.value


def _is_said(text: str) -> bool:
    """A template of places alone, "{where}: {what}", is the same in every language."""
    return any(map(str.isalpha, PLACE.sub("", text)))


def _literals(node: ast.Call) -> Iterator[str]:
    name, given = _name(node.func), node.args
    if name == "partial" and given and _name(given[0]) == "Sentence":
        given = given[1:2]
    elif name in {"BadFile", "wrong", "_wrong", "Flaw"}:
        yield from _clauses(given)
        return
    elif name in SAYING or name in _errors():
        given = given[:1]
    else:
        return
    for each in given:
        yield from _texts(each)


def _name(node: ast.expr) -> str:
    return getattr(node, "id", getattr(node, "attr", ""))


@cache
def _errors() -> frozenset[str]:
    """Every kind of `HosoError`."""
    trees = [ast.parse(file.read_bytes()) for name in PACKAGES for file in _sources(name)]
    classes = [each for tree in trees for each in ast.walk(tree) if isinstance(each, ast.ClassDef)]
    found = {"HosoError"}
    while (
        more := {each.name for each in classes if found & {_name(base) for base in each.bases}}
        - found
    ):
        found |= more
    return frozenset(found)


def _sources(package: str) -> Iterator[Path]:
    return (Path(__file__).parents[1] / package).rglob("*.py")
