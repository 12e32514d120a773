"""`watchkeeper validate`: check workload files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from watchkeeper.errors import InvalidInputError

from cli.failures import USAGE
from cli.screen import complain, done
from workloads.spec import load_workload


def validate(files: Annotated[list[Path], typer.Argument(help="Workload files (YAML).")]) -> None:
    """Check workload files and say everything that is wrong with each."""
    wrong = 0
    for path in files:
        try:
            if not path.is_file():
                raise InvalidInputError(f"{path}: no such file")
            spec = load_workload(path)
        except InvalidInputError as error:
            wrong += 1
            complain(str(error))
        else:
            done(f"{path}: workload {spec.name} is valid")
    if wrong:
        raise typer.Exit(USAGE)
