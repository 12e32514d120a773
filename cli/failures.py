"""How a command ends when AWS refuses: a sentence on stderr and an exit status, never a traceback."""

from __future__ import annotations

import os
import sys
from typing import Any

import typer

from watchkeeper.command.failures import FAILURE, USAGE, ReportingGroup
from watchkeeper.command.screen import complain
from watchkeeper.core.errors import WatchkeeperError


class StepFailedError(WatchkeeperError):
    """Something that the command was to do did not happen."""


class AwsReportingGroup(ReportingGroup):
    """Turns AWS's errors into messages, too."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command. Python's client reads another variable for the region than every other one."""
        if region := os.environ.get("AWS_REGION"):
            os.environ["AWS_DEFAULT_REGION"] = region
        try:
            return super().invoke(ctx)
        except _of_aws("NoCredentialsError") as error:
            complain("no AWS credentials: set AWS_PROFILE, or run `aws configure`")
            raise typer.Exit(FAILURE) from error
        except _of_aws("NoRegionError") as error:
            complain('no AWS region: set AWS_REGION; for the laptop, eval "$(watchkeeper env)"')
            raise typer.Exit(USAGE) from error
        except _of_aws("ClientError", "BotoCoreError") as error:
            complain(f"AWS refused or did not answer: {error}")
            raise typer.Exit(FAILURE) from error


def _of_aws(*names: str) -> tuple[type[Exception], ...]:
    """Return some of AWS's errors; none can have come where its library was not imported."""
    exceptions = sys.modules.get("botocore.exceptions")
    return () if exceptions is None else tuple(getattr(exceptions, name) for name in names)
