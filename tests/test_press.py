"""The press: whoever may replace a template gets a paper, and nothing else of the machine."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from forms import read

from api.papers import press
from api.papers.press import PRINTER, pressed
from states.errors import BadFile, BadInput

OUTSIDE = (
    '#read("/etc/passwd")', '#read("../../etc/passwd")', '#json("/proc/self/environ")',
    '#image("/logo.png")', '#include "/form.typ"', '#plugin("/x.wasm")', '#csv("a.csv")',
    '#bibliography("/etc/passwd")', '#import "@preview/cetz:0.3.0"', '#import "@local/x:1.0.0"',
    '#import ("@pre" + "view/cetz:0.3.0")',
)  # fmt: skip
PACKAGE = b'{"source": "#import \\"@preview/cetz:0.3.0\\"", "data": "{}", "root": "/"}'
UNLIMITED = "import typst; typst.compile(b'#import \"@preview/cetz:0.3.0\"')"


def test_a_template_and_its_data_are_a_paper():
    page = read(
        pressed("slip", "#let data = json(bytes(sys.inputs.data))\n", "*#data.a*", {"a": "*Ánh*"})
    )
    assert (page.pages, page.text) == (1, "*Ánh*")


@pytest.mark.parametrize("body", OUTSIDE)
def test_nothing_is_read_of_the_machine_and_nothing_imported(body):
    with pytest.raises(BadFile) as refused:
        pressed("slip", "#let a = 1\n", f"một dòng\n{body}", {})
    assert (refused.value.file, refused.value.line) == ("slip.typ", 2)
    assert "root:" not in str(refused.value)
    assert "hoso-press" not in str(refused.value), "where it is printed is nobody's business"


def test_not_even_where_the_root_is_the_whole_disk(tmp_path):
    """The second lock: with what limits there are no file can be opened."""
    (tmp_path / "secret.txt").write_text("bí mật")
    asked = {"source": f'#read("{tmp_path}/secret.txt")', "data": "{}", "root": "/"}
    done = subprocess.run(
        [sys.executable, "-I", PRINTER],
        check=False,
        input=json.dumps(asked).encode(),
        capture_output=True,
    )
    assert done.returncode == press.WRONG
    assert "bí mật" not in done.stdout.decode()


def listening():
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    door.listen()
    door.settimeout(5)
    return door, {"HTTPS_PROXY": f"http://127.0.0.1:{door.getsockname()[1]}", "PATH": os.defpath}


def test_the_network_is_not_asked():
    """Where all would go through our door: without the limits somebody knocks, with them nobody."""
    door, by_us = listening()
    with door:
        free = subprocess.Popen(
            [sys.executable, "-I", "-c", UNLIMITED], env=by_us, stderr=subprocess.DEVNULL
        )
        came, _ = door.accept()
        came.close()
        free.wait()
        done = subprocess.run(
            [sys.executable, "-I", PRINTER],
            check=False,
            input=PACKAGE,
            env=by_us,
            capture_output=True,
        )
        assert done.returncode == press.WRONG
        door.settimeout(0)
        with pytest.raises(BlockingIOError):
            door.accept()


@pytest.mark.parametrize(
    "body",
    [
        "#let a = range(1000000000)",
        '#let s = "ab"; #for n in range(60) { s = s + s }',
        "#lorem(3000000)",
    ],
)
def test_memory_ends(body):
    with pytest.raises(BadInput, match=r"slip\.typ takes too long to print, or too much memory"):
        pressed("slip", "", body, {})


def test_time_ends(monkeypatch):
    monkeypatch.setattr(press, "PATIENCE", 1)
    endless = "#for a in range(100000) { for b in range(100000) {} }"
    with pytest.raises(BadInput, match="takes too long"):
        pressed("slip", "", endless, {})


def test_the_processors_time_ends_too():
    """Also where nobody is there any more to be impatient."""
    said = Path(PRINTER).read_text().replace("SECONDS = 10", "SECONDS = 1")
    asked = {"source": "#for a in range(100000) { for b in range(100000) {} }", "data": "{}"}
    done = subprocess.run(
        [sys.executable, "-I", "-c", said], input=json.dumps(asked | {"root": "/"}).encode(),
        capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode < 0


@pytest.mark.parametrize(
    ("body", "line", "column", "why"),
    [
        ("a\nb #nothing", 2, 4, "unknown variable: nothing"),
        ("#let f(", 1, 7, "unclosed delimiter"),
        ("#while true {}", 1, 8, "condition is always true"),
        ("#let f(n) = f(n + 1)\n#f(1)", 1, 13, "maximum function call depth exceeded"),
        ("\n\n#head()", 3, 2, "missing argument: body"),
        ('#panic("' + "dài" * 500 + '")', 1, 2, "panicked"),
    ],
)
def test_a_fault_is_told_with_its_place_in_the_template(body, line, column, why):
    """And not in what stands before it."""
    with pytest.raises(BadFile, match=why) as refused:
        pressed("slip", "#let a = 1\n#let head(body) = body\n", body, {})
    error = refused.value
    assert (error.line, error.column) == (line, column)
    assert len(str(error)) < 400


def test_nothing_of_ours_is_in_its_environment(monkeypatch):
    monkeypatch.setenv("HOSO_SECRET", "x" * 40)
    assert "HOSO_SECRET" not in press.ENVIRONMENT
    page = read(pressed("slip", "", '#sys.inputs.keys().join(", ")', {}))
    assert page.text == "data"


def test_a_printer_that_does_not_start_is_no_fault_of_the_template(monkeypatch, tmp_path):
    broken = tmp_path / "printer.py"
    broken.write_text("import nothing_of_that_name")
    monkeypatch.setattr(press, "PRINTER", broken)
    with pytest.raises(RuntimeError, match="No module named 'nothing_of_that_name'"):
        pressed("slip", "", "a", {})
