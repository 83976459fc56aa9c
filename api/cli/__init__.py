"""The command line: `hoso`. The one place where flows and api meet.

Exit codes: 0 done, 1 refused (a sentence on standard error says why), 2 used wrongly. Heavy
libraries are imported by the command that needs them, so that `hoso clock` answers at once.
"""

import sys
from importlib import import_module

import typer
from rich.console import Console

from config.settings import BadSettings
from states.errors import HosoError

app = typer.Typer(
    name="hoso",
    help="Hồ Sơ: dossier lifecycles at one-stop public-service counters.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
SUBJECTS = ("clock", "running", "data", "checking")


def main() -> None:
    """Run one command and exit with its code."""
    for subject in SUBJECTS:
        import_module(f"api.cli.{subject}").add_to(app)
    try:
        app()
    except (HosoError, BadSettings) as error:
        Console(stderr=True, soft_wrap=True).print(f"hoso: {error}", style="red", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
