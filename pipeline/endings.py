"""How a run ends: deployed, rejected or failed. Each end is told to the topic and says why."""

from __future__ import annotations

from stepfunctions.steps.choice_rule import ChoiceRule
from stepfunctions.steps.states import Choice, Pass, Retry, State, Succeed, Task

from pipeline.contracts import path
from pipeline.jobs import Jobs
from pipeline.step import CLEAN_UP
from pipeline.substitutions import Substitution
from pipeline.tasks import FailWith, JsonObject, choose, formatted, run_state, service_task

MODEL_REJECTED = "ModelRejected"
DEPLOYMENT_FAILED = "DeploymentFailed"


def notify_deployed(jobs: Jobs, *notes: str) -> Task:
    """Tell that a new model serves.

    Parameters
    ----------
    notes
        Paths of more sentences.
    """
    metrics = f"States.JsonToString({path('decision.metrics')})"
    if jobs.settings.serving is None:
        message = formatted("The scoring loop goes on with run {}. Metrics: {}", path("run.run_id"), metrics)
    else:
        message = formatted(
            "Model {} of run {} serves on endpoint {}. Metrics: {}" + " {}" * len(notes),
            path("run.names.model"),
            path("run.run_id"),
            path("run.names.endpoint"),
            metrics,
            *notes,
        )
    return _notify(jobs, "NotifyDeployed", "deployed", message)


def deployed() -> Succeed:
    """The good end."""
    return Succeed("Deployed")


def clean_up_rejected(jobs: Jobs) -> Task:
    """Remove a model that may not serve."""
    error = {"Error": MODEL_REJECTED, "Cause": f"States.JsonToString({path('decision.reasons')})"}
    return _clean_up(jobs, "CleanUpRejected", error)


def notify_rejected(jobs: Jobs) -> Task:
    """Tell why the model was rejected."""
    return _notify(
        jobs,
        "NotifyRejected",
        "rejected",
        formatted(
            "The model of run {} was rejected; what served before still serves. {}",
            path("run.run_id"),
            path("cleanup.reason"),
        ),
    )


def rejected() -> Succeed:
    """The end of a model that is not good enough: the run did what it was to do, and nothing is broken."""
    return Succeed("Rejected")


def deployment_failed(*, then: State) -> Choice:
    """Say why the endpoint ended in a state that does not serve."""
    name, status = path("run.names.endpoint"), path("deployment.EndpointStatus")
    reason = path("deployment.FailureReason")
    explained = _failure("DeploymentFailed", formatted("endpoint {} is {}: {}", name, status, reason))
    unexplained = _failure("DeploymentFailedUnexplained", formatted("endpoint {} is {}", name, status))
    explained.next(then)
    unexplained.next(then)
    present = ChoiceRule.IsPresent(variable=reason, value=True)
    return choose("FailureExplained?", present, yes=explained, no=unexplained)


def deployment_timed_out() -> Pass:
    """Say that the deployment did not end in time."""
    return _failure(
        "DeploymentTimedOut",
        formatted(
            "endpoint {} is still {}; it was given up after {} looks",
            path("run.names.endpoint"),
            path("deployment.EndpointStatus"),
            path("polls.count"),
        ),
    )


def clean_up(jobs: Jobs) -> Task:
    """Remove what was half made, and put the error in readable words."""
    return _clean_up(jobs, "CleanUp", path("error"))


def clean_up_incomplete() -> Pass:
    """Keep the first error when clean-up fails as well."""
    return Pass(
        "CleanUpIncomplete",
        parameters={
            "reason.$": formatted(
                "{}: {} (and clean-up failed with {}: {})",
                path("error.Error"),
                path("error.Cause"),
                path("cleanup_error.Error"),
                path("cleanup_error.Cause"),
            ),
            "removed": [],
        },
        result_path="$.cleanup",
    )


def notify_failed(jobs: Jobs) -> Task:
    """Tell why the run failed."""
    return _notify(
        jobs,
        "NotifyFailed",
        "failed",
        formatted("Execution {} failed: {}", "$$.Execution.Id", path("cleanup.reason")),
    )


def failed() -> FailWith:
    """The end of a run that broke: the error's own name, the reason in readable words."""
    return FailWith("Failed", error_path=path("error.Error"), cause_path=path("cleanup.reason"))


def _clean_up(jobs: Jobs, name: str, error: JsonObject | str) -> Task:
    task = run_state(
        CLEAN_UP, jobs.settings.workload, name=name, error=error, execution_arn="$$.Execution.Id"
    )
    task.retries.insert(0, _until_the_endpoint_settles())
    return task


def _until_the_endpoint_settles() -> Retry:
    """An endpoint that is still changing can be neither removed nor set back; a deployment takes minutes."""
    return Retry(error_equals=["UnavailableError"], interval_seconds=10, max_attempts=12, backoff_rate=1.6)


def _failure(name: str, cause: str) -> Pass:
    return Pass(name, parameters={"Error": DEPLOYMENT_FAILED, "Cause.$": cause}, result_path="$.error")


def _notify(jobs: Jobs, name: str, outcome: str, message: str) -> Task:
    workload = jobs.settings.workload
    return service_task(
        name,
        "sns:publish",
        {
            "TopicArn": Substitution.NOTIFICATION_TOPIC_ARN.placeholder,
            "Subject": f"Watchkeeper {workload}: training {outcome}",
            "Message": message,
            "MessageAttributes": {
                "workload": {"DataType": "String", "StringValue": workload},
                "outcome": {"DataType": "String", "StringValue": outcome},
            },
        },
    )
