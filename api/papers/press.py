"""Typst at work beside us, in a process that `printer` has shut off from the machine."""

import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from states.errors import BadFile, BadInput

LONGEST = 300  # characters of a message: it may quote what it was given
PATIENCE = 15  # seconds, of which the processor may be ours for ten
PLACE = re.compile(r"┌─ \S*?:(\d+):(\d+)")
WRONG, LARGE = 3, 4  # what `printer` exits with
ENVIRONMENT = {"LANG": "C.UTF-8", "RAYON_NUM_THREADS": "1"}  # nothing of ours
PRINTER = Path(__file__).with_name("printer.py")


def pressed(name: str, before: str, body: str, data: Any) -> bytes:
    """A PDF of what stands before every template, the template, and the data.

    Raises `BadFile` with the place in the template that is wrong, `BadInput` where it takes too
    long or too much.
    """
    with TemporaryDirectory(prefix="hoso-press-") as empty:
        asked = {"source": before + body, "data": json.dumps(data, ensure_ascii=False)}
        try:
            done = subprocess.run(  # noqa: S603  our own program; what is printed is its input
                [sys.executable, "-I", str(PRINTER)],
                input=json.dumps(asked | {"root": empty}).encode(),
                capture_output=True,
                timeout=PATIENCE,
                cwd=empty,
                env=ENVIRONMENT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _too_much(name) from None
    if done.returncode == WRONG:
        told = done.stdout.decode().replace(empty, "")  # where we print is nobody's business
        raise _wrong(name, before.count("\n"), json.loads(told))
    if done.returncode < 0 or done.returncode == LARGE:  # ended by its limits
        raise _too_much(name)
    if done.returncode:
        raise RuntimeError(f"the printer failed: {done.stderr.decode(errors='replace')[-LONGEST:]}")
    return done.stdout


def _wrong(name: str, before: int, told: dict[str, Any]) -> BadFile:
    found = PLACE.findall(told["diagnostic"])  # lines from 1, columns from 0
    places = [(int(line) - before, int(column) + 1) for line, column in found]
    line, column = next((each for each in places if each[0] > 0), (None, None))
    hints = [each for each in told["hints"] if "--root" not in each]
    message = "; ".join([told["message"], *hints])[:LONGEST]
    file = f"{name}.typ"
    return BadFile(file, line, None, message, column)


def _too_much(name: str) -> BadInput:
    return BadInput(
        "{name}.typ takes too long to print, or too much memory: make it simpler, or print less",
        name=name,
    )
