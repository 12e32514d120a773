"""Following an execution: steps, loops, failures."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.executions import Outcome, succeeded
from cli.failures import StepFailedError
from lambdas.console.steps import steps_of
from watchkeeper.command.failures import REJECTED, RejectedError, ReportingGroup
from watchkeeper.command.main import application, without_traceback

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def entered(second: int, name: str, kind: str = "Task") -> dict[str, Any]:
    return {
        "type": f"{kind}StateEntered",
        "timestamp": BEGIN + timedelta(seconds=second),
        "stateEnteredEventDetails": {"name": name},
    }


def exited(second: int, name: str, kind: str = "Task") -> dict[str, Any]:
    return {
        "type": f"{kind}StateExited",
        "timestamp": BEGIN + timedelta(seconds=second),
        "stateExitedEventDetails": {"name": name},
    }


def test_steps_have_the_time_from_entry_to_exit() -> None:
    steps = steps_of(iter([entered(0, "PrepareData"), exited(4, "PrepareData"), entered(4, "TrainDetector")]))

    assert [(step.name, step.seconds) for step in steps] == [("PrepareData", 4.0), ("TrainDetector", None)]


def test_choices_and_passes_are_not_steps() -> None:
    events = [entered(0, "Approved?", "Choice"), exited(0, "Approved?", "Choice"), entered(1, "StageRelease")]

    assert [step.name for step in steps_of(iter(events), unseen=("Choice", "Pass"))] == ["StageRelease"]


def test_a_loop_is_one_step() -> None:
    events = [
        event
        for second in (0, 10, 20)
        for event in (
            entered(second, "WaitForEndpoint", "Wait"),
            exited(second + 5, "WaitForEndpoint", "Wait"),
        )
    ]

    (step,) = steps_of(iter(events))

    assert (step.visits, step.seconds) == (3, 25.0)


def test_a_failed_task_is_marked_with_its_error() -> None:
    failure = {
        "type": "TaskFailed",
        "timestamp": BEGIN,
        "taskFailedEventDetails": {"error": "UnavailableError", "cause": "…"},
    }

    (step,) = steps_of(iter([entered(0, "SmokeTest"), failure]))

    assert step.error == "UnavailableError"


def test_the_end_of_the_execution_ends_its_last_step() -> None:
    end = {"type": "ExecutionFailed", "timestamp": BEGIN + timedelta(seconds=3)}

    (step,) = steps_of(iter([entered(0, "Rejected", "Fail"), end]))

    assert step.seconds == 3.0


def test_a_rejected_model_is_no_failure_and_the_command_says_why_with_a_status_of_its_own() -> None:
    decision = {
        "approved": False,
        "reasons": ["12 false alerts a week, over the budget of 7.", "Ways on: x."],
    }
    outcome = Outcome("arn:e", "SUCCEEDED", [], {"decision": decision}, None, None)

    with pytest.raises(
        RejectedError, match=r"goes on:\n  12 false alerts a(?s:.*)\n  Ways on: x.\n(?s:.*)arn:e"
    ):
        succeeded(outcome)


def test_a_rejection_ends_the_command_with_status_3() -> None:
    def verb() -> None:
        raise RejectedError("the model is rejected")

    app = application({}, ReportingGroup, "For a test.")
    app.command("verb")(verb)
    assert CliRunner().invoke(app, ["verb"]).exit_code == REJECTED == 3


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileNotFoundError(2, "No such file or directory", "a.csv"), "a.csv: No such file or directory"),
        (KeyError("x"), "this is a defect of watchkeeper: KeyError: 'x'; `watchkeeper --verbose"),
    ],
)
def test_what_nobody_foresaw_is_a_sentence_and_no_traceback(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def verb() -> None:
        raise error

    monkeypatch.setattr("sys.argv", ["watchkeeper", "verb"])
    with pytest.raises(SystemExit) as ended:
        without_traceback(verb)
    assert ended.value.code == 1
    told = " ".join(capsys.readouterr().err.split())
    assert said in told
    assert "Traceback" not in told


def test_the_traceback_is_shown_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def verb() -> None:
        raise KeyError("x")

    monkeypatch.setattr("sys.argv", ["watchkeeper", "--verbose", "verb"])
    with pytest.raises(KeyError):
        without_traceback(verb)


def test_a_failed_job_fails_the_command_with_what_the_job_said() -> None:
    cause = json.dumps({"ExitMessage": "InvalidInputError: no rows", "FailureReason": "See job logs"})
    outcome = Outcome("arn:e", "FAILED", [], {}, "States.TaskFailed", cause)

    with pytest.raises(StepFailedError, match=r"FAILED: States.TaskFailed: InvalidInputError: no rows\n"):
        succeeded(outcome)
