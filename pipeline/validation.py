"""The run's beginning: its identity, its names, and whether its input makes sense."""

from __future__ import annotations

from stepfunctions.steps.states import Pass, Task

from pipeline.settings import WorkflowSettings
from pipeline.step import VALIDATE_INPUT
from pipeline.tasks import step_state
from watchkeeper.kinds import digest_of


def open_run() -> Pass:
    """Replace whatever was sent by a state in which clean-up finds `$.run`, be the input valid or not."""
    return Pass("OpenRun", result={"run": None})


def validate_input(settings: WorkflowSettings) -> Task:
    """Check the execution's input, name the run, and look for the champion."""
    return step_state(
        VALIDATE_INPUT,
        {
            "workload": settings.workload,
            "plan": digest_of(settings.plan),
            "execution_arn": "$$.Execution.Id",
            "execution_name": "$$.Execution.Name",
            "started_at": "$$.Execution.StartTime",
            "state_machine_arn": "$$.StateMachine.Id",
            "input": "$$.Execution.Input",
        },
    )
