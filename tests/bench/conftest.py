"""One durable cluster and one table of figures for all that is measured."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from apart import quiet
from measures import Figures, machine
from seeding import seeded

from states.db import migrate
from states.embedded import Embedded, running


@pytest.fixture(scope="session", autouse=True)
def quietly() -> Iterator[None]:
    quiet()
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def durable() -> Iterator[Embedded]:
    """As `hoso up` runs it: what was committed is on the disk."""
    data = Path(tempfile.mkdtemp(prefix="hoso-bench-"))
    try:
        with running(data) as server:
            migrate(server.owner)
            seeded(server.owner)
            yield server
    finally:
        shutil.rmtree(data, ignore_errors=True)


@pytest.fixture(scope="session")
def figures() -> Iterator[Figures]:
    kept = Figures(machine())
    yield kept
    kept.show()
    kept.write(Path("bench.json"))
