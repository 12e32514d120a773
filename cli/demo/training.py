"""The demo's training: started, followed state by state, and successful."""

from __future__ import annotations

import boto3

from cli.executions import Outcome, follow, start, succeeded
from cli.stacks import Deployment
from cli.train import execution_input
from watchkeeper.command.screen import say


def run_training(session: boto3.Session, deployment: Deployment, workload: str) -> Outcome:
    """Run the workload's training workflow to its end.

    Raises
    ------
    StepFailedError
        With the readable reason, if it did not succeed.
    """
    execution_arn = start(session, deployment.state_machine_arn(workload), execution_input("demo"))
    say(f"execution: {execution_arn}")
    return succeeded(follow(session, execution_arn))
