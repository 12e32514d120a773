"""How a command ends when something is wrong: a sentence on stderr and an exit status, never a traceback."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup

from watchkeeper.command.screen import complain
from watchkeeper.core.errors import InvalidInputError, WatchkeeperError

USAGE = 2
FAILURE = 1
REJECTED = 3


class RejectedError(WatchkeeperError):
    """All was done that was asked for, and the model may not serve."""


class ReportingGroup(TyperGroup):
    """Turns the project's errors into messages: 2 for wrong input, 3 for a model that is
    rejected, 1 for a failure."""

    verbs: ClassVar[Mapping[str, str]] = {}
    """Where each verb's function is, as `module:function`."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the verbs."""
        return list(self.verbs)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the verb of a name; its module is imported now."""
        if cmd_name in self.verbs and cmd_name not in self.commands:
            module, _, function = self.verbs[cmd_name].partition(":")
            found = getattr(importlib.import_module(module), function)
            if not isinstance(found, typer.Typer):  # which is a group of verbs, such as `alerts preview`
                only = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
                only.command(cmd_name)(found)
                found = only
            self.commands[cmd_name] = typer.main.get_command(found)
        return super().get_command(ctx, cmd_name)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Return the verbs that begin so; none is imported for it."""
        known, self.commands = self.commands, {name: TyperCommand(name) for name in self.verbs}
        try:
            return super().shell_complete(ctx, incomplete)
        finally:
            self.commands = known

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except InvalidInputError as error:
            complain(str(error))
            raise typer.Exit(USAGE) from error
        except RejectedError as error:
            complain(str(error))
            raise typer.Exit(REJECTED) from error
        except WatchkeeperError as error:
            complain(str(error))
            raise typer.Exit(FAILURE) from error
