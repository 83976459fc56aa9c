"""Logging, set up once by the process that has the door; everything goes to standard error."""

import json
import logging
import sys
from collections.abc import Callable
from typing import Any, Literal

import orjson
import structlog
from structlog.typing import Processor

#: They tell each callback or each request at INFO.
CHATTY = ("transitions", "httpx", "httpcore", "alembic", "uvicorn", "uvicorn.access")


class Straight(structlog.WriteLogger):
    """Our own events go straight out: a line takes a third of what it takes as a `LogRecord`.

    What is not to be said is set by name where the standard library sets it.
    """

    disabled = False

    def __init__(self, of: logging.Logger) -> None:
        super().__init__(sys.stderr)
        self.name, self.getEffectiveLevel = of.name, of.getEffectiveLevel

    @classmethod
    def named(cls) -> Callable[..., "Straight"]:
        """Makes one that is named after the module that speaks."""
        name = structlog.stdlib.LoggerFactory(ignore_frame_names=[__name__])
        return lambda *said: cls(name(*said))


def configure(style: Literal["auto", "console", "json"] = "auto") -> None:
    """One shape for our own events and for the standard library's.

    `auto` is for people on a terminal and JSON, one object a line, anywhere else. Call it before
    Prefect is imported: Prefect leaves a root logger alone that has a handler.
    """
    if style == "auto":
        style = "console" if sys.stderr.isatty() else "json"
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=style == "json"),
        structlog.processors.StackInfoRenderer(),
    ]
    last = _last_steps(style)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, *last],
        logger_factory=Straight.named(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _last_steps(style: str) -> list[Processor]:
    if style == "json":
        return [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(_json),
        ]
    return [
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # Without the values of variables: they may be secret.
            exception_formatter=structlog.dev.plain_traceback,
        )
    ]


def _json(line: Any, default: Any) -> str:
    try:
        return orjson.dumps(line, default, orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # half a character, a number of more than 64 bits
        return json.dumps(line, default=default)
