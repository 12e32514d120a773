"""States with what the SDK's own classes lack, and the retry rules: written once, used by every state."""

from __future__ import annotations

import dataclasses
import re
from enum import Enum
from typing import Any

from stepfunctions.steps.choice_rule import BaseRule, ChoiceRule
from stepfunctions.steps.states import Choice, Fail, Retry, State, Task

from pipeline.contracts import OUTPUTS, path
from pipeline.step import Step
from pipeline.substitutions import Substitution, placeholder

LAMBDA_TIMEOUT_SECONDS = 900
API_TIMEOUT_SECONDS = 60

JsonObject = dict[str, Any]

_REFERENCE = re.compile(r"\$\$?\.|States\.[A-Z]")


class _Extra(Enum):
    """Fields of the language that the SDK does not know."""

    RESULT_SELECTOR = "result_selector"
    ERROR_PATH = "error_path"
    CAUSE_PATH = "cause_path"


class SelectingTask(Task):  # type: ignore[misc]  # the SDK has no types
    """A task state that keeps only a part of its result."""

    def allowed_fields(self) -> list[Enum]:
        """Return the fields that this state may have."""
        return [*super().allowed_fields(), _Extra.RESULT_SELECTOR]


class FailWith(Fail):  # type: ignore[misc]  # the SDK has no types
    """A fail state whose error and cause come from the workflow's state."""

    def allowed_fields(self) -> list[Enum]:
        """Return the fields that this state may have."""
        return [*super().allowed_fields(), _Extra.ERROR_PATH, _Extra.CAUSE_PATH]


def step_state(step: Step, payload: JsonObject, *, name: str | None = None) -> Task:
    """Call a function; its answer's fields go where the step says.

    Parameters
    ----------
    name
        Of the state, where the step has several.
    """
    name = name or step.name
    keep: JsonObject | None = None
    if name in step.outputs:
        answered = {each.name: f"$.Payload.{each.name}" for each in dataclasses.fields(step.outputs[name][1])}
        keep = {**answered, **step.constants}
    return function_task(name, step.substitution, payload, keep=keep, place=result_path(name))


def function_task(
    name: str, function: str, payload: JsonObject, *, place: str | None, keep: JsonObject | None = None
) -> Task:
    """Call the function that a substitution names; `keep` of its answer goes to `place`, None discards it."""
    return _with_retries(
        SelectingTask(
            name,
            resource=integration("lambda:invoke"),
            parameters=referenced({"FunctionName": placeholder(function), "Payload": payload}),
            result_selector=referenced(keep) if keep else None,
            result_path=place,
            timeout_seconds=LAMBDA_TIMEOUT_SECONDS,
        ),
        _lambda_retries(),
    )


def run_state(step: Step, workload: str, *, name: str | None = None, **more: Any) -> Task:
    """Call a function for a training run, with what else it is told."""
    return step_state(step, {"workload": workload, "run": path("run"), **more}, name=name)


def service_task(name: str, action: str, parameters: JsonObject, *, keep: JsonObject | None = None) -> Task:
    """Call an AWS API; `keep` selects what the state keeps of the answer."""
    return _with_retries(
        SelectingTask(
            name,
            resource=integration(action),
            parameters=referenced(parameters),
            result_selector=referenced(keep) if keep else None,
            result_path=result_path(name),
            timeout_seconds=API_TIMEOUT_SECONDS,
        ),
        _service_retries(),
    )


def finish_job(
    task: Task,
    action: str,
    *,
    timeout_seconds: int,
    keep: JsonObject | None = None,
    retries: list[Retry] | None = None,
) -> Task:
    """Complete a job state: references, result, time limit and retries, which are SageMaker's by default."""
    task.fields["resource"] = integration(f"{action}.sync")
    task.fields["parameters"] = referenced(task.fields["parameters"])
    task.fields["result_path"] = result_path(task.state_id)
    task.fields["timeout_seconds"] = timeout_seconds
    if keep and task.fields["result_path"] is not None:
        task.fields["result_selector"] = referenced(keep)
    return _with_retries(task, retries or _service_retries())


def retry(*errors: str, seconds: int, attempts: int) -> Retry:
    """Try again after so many seconds, then after twice as many each time."""
    return Retry(error_equals=list(errors), interval_seconds=seconds, max_attempts=attempts, backoff_rate=2.0)


def spark_retries() -> list[Retry]:
    """Glue's quotas of runs and of workers clear as other runs end. A run that failed stays failed."""
    quotas = ("Glue.ConcurrentRunsExceededException", "Glue.ResourceNumberLimitExceededException")
    return [
        retry(*quotas, seconds=60, attempts=5),
        retry("Glue.ThrottlingException", "Glue.AWSGlueException", seconds=3, attempts=3),
    ]


def choose(name: str, rule: BaseRule | str, *, yes: State, no: State) -> Choice:
    """Go to `yes` where a rule holds, or where the truth value at a path is true; else to `no`."""
    choice = Choice(name)
    if isinstance(rule, str):
        rule = ChoiceRule.BooleanEquals(variable=rule, value=True)
    choice.add_choice(rule, yes)
    choice.default_choice(no)
    return choice


def integration(action: str) -> str:
    """Return the resource of a service integration; CloudFormation fills in the partition."""
    return f"arn:{Substitution.PARTITION.placeholder}:states:::{action}"


def result_path(state: str) -> str | None:
    """Return where a state's result goes; None discards it."""
    return OUTPUTS[state][0] if state in OUTPUTS else None


def referenced(value: Any) -> Any:
    """Mark JSON paths, context paths and intrinsic functions in parameters as the language wants: `key.$`."""
    if isinstance(value, dict):
        return {
            f"{key}.$" if isinstance(item, str) and _REFERENCE.match(item) else key: referenced(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [referenced(item) for item in value]
    return value


def formatted(template: str, *paths: str) -> str:
    """Return the intrinsic function that puts the values at `paths` in the `{}` of a template."""
    escaped = template.replace("\\", "\\\\").replace("'", "\\'")
    arguments = ", ".join([f"'{escaped}'", *paths])
    return f"States.Format({arguments})"


def _lambda_retries() -> list[Retry]:
    """What passes: errors of the Lambda service, and our own error that says so. Wrong input does not."""
    errors = (
        *("UnavailableError", "Lambda.ServiceException", "Lambda.AWSLambdaException"),
        *("Lambda.SdkClientException", "Lambda.ClientExecutionTimeoutException"),
        "Lambda.TooManyRequestsException",
    )
    return [retry(*errors, seconds=2, attempts=5)]


def _service_retries() -> list[Retry]:
    """Quotas clear slowly, throttling soon.

    The integrations report throttling under the service's general error. A job that started and then failed
    for want of capacity is a `States.TaskFailed` like any other and keeps its name: it is not retried here.
    """
    quotas = ("SageMaker.ResourceLimitExceededException", "SageMaker.ResourceLimitExceeded")
    throttling = (
        *("ThrottlingException", "SageMaker.ThrottlingException", "SageMaker.AmazonSageMakerException"),
        *("SageMaker.SageMakerException", "SNS.AmazonSNSException", "SNS.ThrottledException"),
    )
    return [retry(*quotas, seconds=60, attempts=5), retry(*throttling, seconds=3, attempts=3)]


def _with_retries(state: State, retries: list[Retry]) -> Any:
    state.add_retry(retries)
    return state
