"""The command line: `hoso`. The one place where flows and api meet.

Exit codes: 0 done, 1 refused (a sentence on standard error says why), 2 used wrongly. Heavy
libraries are imported by the command that needs them, so that `hoso clock` answers at once.
"""

import sys
from importlib import import_module
from io import TextIOWrapper

import typer

from states.errors import HosoError

app = typer.Typer(
    name="hoso",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
# Which module has which commands: the others are not even imported, for a quick start.
SUBJECTS = {
    "clock": {"clock"},
    "running": {"up", "demo", "worker"},
    "data": {"import", "drive", "sweep"},
    "reporting": {"report"},
    "checking": {"verify", "draw", "migrate"},
    "procedures": {"procedures"},
    "calendars": {"calendars"},
    "changes": {"changes"},
    "breaches": {"breaches"},
    "logs": {"log"},
    "notices": {"notices"},
    "proving": {"classify", "proof", "archive"},
    "users": {"user"},
    "organisation": {"organisation", "regimes", "rules", "templates", "plans"},
}


@app.callback()
def hoso() -> None:
    """Hồ Sơ: dossier lifecycles at one-stop public-service counters."""


def main() -> None:
    """Run one command and exit with its code."""
    for stream in (sys.stdout, sys.stderr):  # a terminal of another encoding must not stop us
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    named = {subject for subject, commands in SUBJECTS.items() if {*sys.argv[1:2]} & commands}
    for subject in named or SUBJECTS:
        import_module(f"api.cli.{subject}").add_to(app)
    try:
        app()
    except HosoError as error:
        from rich.console import Console

        Console(stderr=True, soft_wrap=True).print(f"hoso: {error}", style="red", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
