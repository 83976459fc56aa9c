"""A cluster of its own for the soak, durable as `hoso up` runs it, and two like databases in it."""

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from databases import run_as_owner
from seeding import seeded

from states.db import migrate
from states.embedded import Embedded, running

pytest.register_assert_rewrite("counters", "living", "proving")


@pytest.fixture(scope="session", autouse=True)
def quietly() -> Iterator[None]:
    """A line for each of 200,000 moves would hide the few that tell something."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Embedded]:
    """To be stopped and started. `hoso` is soaked, its `twin` is left in peace."""
    with (
        tempfile.TemporaryDirectory(prefix="hoso-soak-", ignore_cleanup_errors=True) as folder,
        running(Path(folder)) as server,
    ):
        migrate(server.owner)
        seeded(server.owner)
        run_as_owner(server, "CREATE DATABASE twin TEMPLATE hoso")
        yield server
