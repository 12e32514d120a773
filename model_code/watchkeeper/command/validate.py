"""`watchkeeper validate`: check workload files."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from watchkeeper.command.failures import USAGE
from watchkeeper.command.screen import complain, done, say
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import UTC
from watchkeeper.judgement.calendars import runs_out
from watchkeeper.spec import AnomalyWorkload, load_workload


def validate(files: Annotated[list[Path], typer.Argument(help="Workload files (YAML).")]) -> None:
    """Check workload files and say everything that is wrong with each."""
    valid = [_is_valid(path) for path in files]
    if not all(valid):
        raise typer.Exit(USAGE)


def _is_valid(path: Path) -> bool:
    try:
        spec = load_workload(path)
    except InvalidInputError as error:
        complain(str(error))
        return False
    done(f"{path}: workload {spec.name} is valid")
    if isinstance(spec, AnomalyWorkload):
        for calendar in spec.plan().calendars:
            if told := runs_out(calendar, datetime.now(UTC).date()):
                say(f"{path}: {told}")
    return True
