"""The `watchkeeper` command: the library's verbs anywhere, and in a checkout its own too."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import tomllib
import typer

from watchkeeper.command.failures import FAILURE, ReportingGroup
from watchkeeper.command.screen import complain
from watchkeeper.core.errors import InvalidInputError

LIBRARY_VERBS = {
    **{name: f"watchkeeper.command.{name}:{name}" for name in ("init", "score", "token", "validate")},
    "import": "watchkeeper.command.importing:import_detectors",
    "sites": "watchkeeper.command.sites:sites",
}
"""Where each verb is: a verb is imported when it is asked for, since each needs packages of its own."""
CHECKOUT_VERBS = (
    "up",
    "env",
    "preflight",
    "cost",
    "deploy",
    "train",
    "replay",
    "simulate",
    "rollback",
    "invoke",
    "status",
    "anomalies",
    "why",
    "plot",
    "history",
    "log",
    "fetch",
    "export",
    "dashboard",
    "subscribe",
    "alerts",
    "incidents",
    "incident",
    "feedback",
    "acknowledge",
    "assign",
    "snooze",
    "pause",
    "resume",
    "backtest",
    "diff",
    "drift",
    "devices",
    "models",
    "approve",
    "destroy",
    "demo",
)
"""What a checkout adds: named here, so that the library can say where they are."""


EXIT_STATUS = "Exit status: 0 done, 1 failed, 2 wrong input, 3 a model was rejected."


class LibraryGroup(ReportingGroup):
    """Says of a verb that needs the checkout that it does."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the verb of a name."""
        if cmd_name in CHECKOUT_VERBS:
            raise InvalidInputError(
                f"`watchkeeper {cmd_name}` needs a checkout of the project, with its packages: run `make "
                f"setup` in it, then `.venv/bin/watchkeeper {cmd_name}`. The installed library has "
                f"{', '.join(LIBRARY_VERBS)}"
            )
        return super().get_command(ctx, cmd_name)


def application(verbs: Mapping[str, str], group: type[ReportingGroup], about: str) -> typer.Typer:
    """Return a command of some verbs.

    Parameters
    ----------
    verbs
        Where each one's function is, as `module:function`.
    group
        Which errors become messages.
    about
        The command's help.
    """
    cls = type(group.__name__, (group,), {"verbs": verbs})
    app = typer.Typer(
        cls=cls, no_args_is_help=True, pretty_exceptions_enable=False, help=about, epilog=EXIT_STATUS
    )
    app.callback()(_configure)
    return app


def run() -> None:
    """Run the command: the checkout's where this module lies in one and its packages are there."""
    app = _of_checkout() or application(LIBRARY_VERBS, LibraryGroup, "Streaming anomaly detection.")
    without_traceback(app)


def without_traceback(app: Callable[[], object]) -> None:
    """Run a command that has told all that it foresees; what it does not is told in a sentence, too.

    With `--verbose` the traceback is shown.
    """
    try:
        app()
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        sys.exit(FAILURE)
    except Exception as error:
        if "--verbose" in sys.argv:
            raise
        complain(
            f"this is a defect of watchkeeper: {type(error).__name__}: {error}; "
            "`watchkeeper --verbose …` with the same verb shows where: please report it"
        )
        sys.exit(FAILURE)


def _of_checkout() -> typer.Typer | None:
    """Return the command that the checkout's `pyproject.toml` names, where this module lies in one."""
    project = Path(__file__).resolve().parents[3] / "pyproject.toml"
    try:
        named = tomllib.loads(project.read_text())["tool"]["watchkeeper"]["command"]
    except (FileNotFoundError, KeyError):
        return None
    if find_spec("boto3") is None:
        return None  # only the library's own packages are installed
    sys.path.insert(0, str(project.parent))
    module, _, name = named.partition(":")
    app: typer.Typer = getattr(importlib.import_module(module), name)
    return app


def _configure(verbose: bool = typer.Option(False, "--verbose", help="Log what is done.")) -> None:
    """Set up logging before any verb."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
