"""The run's beginning: its identity, its names, and whether its input makes sense."""

from __future__ import annotations

from stepfunctions.steps.states import Pass, Task

from pipeline.settings import WorkflowSettings
from pipeline.substitutions import Substitution
from pipeline.tasks import lambda_task


def open_run() -> Pass:
    """Replace whatever was sent by a state in which clean-up finds `$.run`, be the input valid or not."""
    return Pass("OpenRun", result={"run": None})


def validate_input(settings: WorkflowSettings) -> Task:
    """Check the execution's input, name the run, and look for the champion."""
    return lambda_task(
        "ValidateInput",
        Substitution.VALIDATE_INPUT_FUNCTION_ARN,
        {
            "workload": settings.workload,
            "execution_arn": "$$.Execution.Id",
            "execution_name": "$$.Execution.Name",
            "started_at": "$$.Execution.StartTime",
            "state_machine_arn": "$$.StateMachine.Id",
            "input": "$$.Execution.Input",
        },
        keep={
            "run": "$.Payload.run",
            "champion": "$.Payload.champion",
            "endpoint": "$.Payload.endpoint",
            "window": "$.Payload.window",
            "sources": "$.Payload.sources",
            "registered": "$.Payload.registered",
            "polls": {"count": 0},
        },
    )
