"""How a command ends when something is wrong: a sentence on stderr and an exit status, never a traceback."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from watchkeeper.command.screen import complain
from watchkeeper.core.errors import InvalidInputError, WatchkeeperError

USAGE = 2
FAILURE = 1


class ReportingGroup(TyperGroup):
    """Turns the project's errors into messages: 2 for wrong input, 1 for a failure."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except InvalidInputError as error:
            complain(str(error))
            raise typer.Exit(USAGE) from error
        except WatchkeeperError as error:
            complain(str(error))
            raise typer.Exit(FAILURE) from error
