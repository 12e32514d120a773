"""How a command ends when something is wrong: a sentence on stderr and an exit status, never a traceback."""

from __future__ import annotations

from typing import Any

import typer
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError
from typer.core import TyperGroup

from cli.screen import complain
from watchkeeper.core.errors import InvalidInputError, WatchkeeperError

USAGE = 2
FAILURE = 1


class StepFailedError(WatchkeeperError):
    """Something that the command was to do did not happen."""


class ReportingGroup(TyperGroup):
    """Turns the project's and AWS's errors into messages: 2 for wrong input, 1 for a failure."""

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
        except NoCredentialsError as error:
            complain("no AWS credentials: set AWS_PROFILE, or run `aws configure`")
            raise typer.Exit(FAILURE) from error
        except NoRegionError as error:
            complain("no AWS region: set AWS_REGION")
            raise typer.Exit(USAGE) from error
        except (ClientError, BotoCoreError) as error:
            complain(f"AWS refused or did not answer: {error}")
            raise typer.Exit(FAILURE) from error
