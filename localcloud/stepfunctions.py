"""Step Functions' integrations with SageMaker, which ministack lacks.

``arn:aws:states:::sagemaker:ACTION`` and its ``.sync`` form, and
``arn:aws:states:::aws-sdk:sagemaker:ACTION``. A job of a ``.sync`` state is stopped when its execution is
stopped or its state times out, as on AWS. An execution that is resumed after a restart of the server enters
its state again and is joined to the job that it had started there: `Api.call` knows the job by the
execution's ARN.
"""

import contextvars
import json
import threading
from dataclasses import dataclass, field
from typing import Any

from localcloud import definitions
from localcloud.authorization.authority import Authority
from localcloud.authorization.credentials import session
from localcloud.authorization.needs import needs_of
from localcloud.request_limits import check_state_output
from localcloud.sagemaker.api import Api
from localcloud.sagemaker.errors import SageMakerError
from localcloud.sagemaker.kinds import JOBS, Kind
from localcloud.sagemaker.shapes import Document, service_model
from localcloud.seams import stepfunctions as states

OPTIMIZED = "arn:aws:states:::sagemaker:"
AWS_SDK = "arn:aws:states:::aws-sdk:sagemaker:"
SYNC = ".sync"

# https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
_OPTIMIZED_ACTIONS = definitions.ACCEPTED.keys() | {"createHyperParameterTuningJob", "createLabelingJob"}
_POLL_SECONDS = 0.1
# Errors that the service model names have their own name in Step Functions; every other code (so also
# ValidationException) is the general exception of the SDK for Java that the integration uses.
_OPTIMIZED_OTHER = "SageMaker.AmazonSageMakerException"
_AWS_SDK_OTHER = "SageMaker.SageMakerException"


@dataclass(frozen=True)
class Task:
    """The state that is being carried out in this thread."""

    execution: Document
    left: threading.Event = field(default_factory=threading.Event)

    @property
    def running(self) -> bool:
        """Whether the state still waits for its result."""
        return self.execution["status"] == "RUNNING" and not self.left.is_set()


_task: contextvars.ContextVar[Task | None] = contextvars.ContextVar("localcloud_task", default=None)


def current_task() -> Task | None:
    """Return the state that is carried out in this thread."""
    return _task.get()


def current_execution() -> Document | None:
    """Return the execution whose state is carried out in this thread."""
    task = _task.get()
    return task.execution if task else None


def machine_may(authority: Authority | None, service: str, operation: str, request: Document) -> bool:
    """Whether the role of the machine in this thread may do what Step Functions does for it by itself."""
    execution = current_execution()
    if authority is None or execution is None:
        return True
    role = states.state_machines[execution["stateMachineArn"]]["roleArn"]
    needs = needs_of(service, operation, request, authority.place)
    return authority.allows(session(role, execution["name"]), needs)


def install(api: Api) -> None:
    """Register the integrations with ministack."""
    integration = Integration(api)
    states.service_dispatch[OPTIMIZED] = integration.optimized
    states.service_dispatch[AWS_SDK] = integration.aws_sdk
    definitions.install()
    _remember_task()


class Integration:
    """Carries out task states whose resource is SageMaker's.

    Parameters
    ----------
    api
        The laptop's SageMaker.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def optimized(self, resource: str, parameters: Document) -> Document:
        """Carry out ``arn:aws:states:::sagemaker:ACTION`` or its ``.sync`` form.

        Raises
        ------
        localcloud.seams.stepfunctions.ExecutionError
            With the error name and cause that the state machine sees.
        """
        action, _, pattern = resource.removeprefix(OPTIMIZED).partition(".")
        operation = action[:1].upper() + action[1:]
        kind = next((kind for kind in JOBS if operation == f"Create{kind.resource}"), None)
        if action not in _OPTIMIZED_ACTIONS or pattern not in ("", "sync") or (pattern and not kind):
            raise states.ExecutionError("States.Runtime", f"The resource {resource} is not supported.")
        _check_members(operation, parameters)
        answer = self._call(operation, parameters, _OPTIMIZED_OTHER)
        if kind and pattern:
            return self._wait(kind, parameters[kind.name_member])
        return {**answer, "SdkHttpMetadata": {"HttpStatusCode": 200}}

    def aws_sdk(self, resource: str, parameters: Document) -> Document:
        """Carry out ``arn:aws:states:::aws-sdk:sagemaker:ACTION``.

        Raises
        ------
        localcloud.seams.stepfunctions.ExecutionError
            With the error name and cause that the state machine sees.
        """
        action = resource.removeprefix(AWS_SDK)
        operation = action[0].upper() + action[1:]
        if operation not in service_model().operation_names:
            raise states.ExecutionError("States.Runtime", f"The resource {resource} is not supported.")
        info = {"target_prefix": "SageMaker", "protocol": "json"}
        request = states.sdk_json_params(info, "sagemaker", operation, parameters)
        _check_members(operation, request)
        answer: Document = states.sdk_json_result(
            "sagemaker", operation, self._call(operation, request, _AWS_SDK_OTHER)
        )
        return answer

    def _call(self, operation: str, request: Document, other_error: str) -> Document:
        task = _task.get()
        owner = task.execution["executionArn"] if task else None
        try:
            return self._api.call(operation, request, owner)
        except SageMakerError as error:
            shapes = service_model().operation_model(operation).error_shapes
            modeled = {shape.name for shape in shapes}
            name = f"SageMaker.{_exception(error.code)}" if error.code in modeled else other_error
            cause = (
                f"{error.message} (Service: SageMaker, Status Code: {error.status}, Error Code: {error.code})"
            )
            raise states.ExecutionError(name, cause) from error

    def _wait(self, kind: Kind, name: str) -> Document:
        task = _task.get()
        describe, request = f"Describe{kind.resource}", {kind.name_member: name}
        while True:
            job = self._api.call(describe, request)
            status = job[kind.status]
            if status == "Completed":
                return render(describe, job)
            if status in ("Failed", "Stopped"):
                raise states.ExecutionError("States.TaskFailed", json.dumps(render(describe, job)))
            if task and not task.running:
                stop = f"Stop{kind.resource}"
                if status == "InProgress" and machine_may(self._api.authority, "sagemaker", stop, request):
                    self._api.call(stop, request)
                raise states.ExecutionError("States.TaskFailed", f"{kind.resource} {name} was stopped")
            (task.left if task else threading.Event()).wait(_POLL_SECONDS)


def render(operation: str, document: Document) -> Document:
    """Return an answer as the optimized integrations give it: times in milliseconds since the epoch."""
    shape = service_model().operation_model(operation).output_shape
    rendered: Document = _render(shape, document)
    return rendered


def _render(shape: Any, value: Any) -> Any:
    if shape.type_name == "structure" and isinstance(value, dict):
        return {name: _render(shape.members[name], member) for name, member in value.items()}
    if shape.type_name == "list":
        return [_render(shape.member, member) for member in value]
    if shape.type_name == "timestamp":
        return round(value * 1000)
    return value


def _check_members(operation: str, parameters: Document) -> None:
    shape = service_model().operation_model(operation).input_shape
    for name in parameters:
        if shape is not None and name not in shape.members:
            raise states.ExecutionError(
                "States.Runtime", f'The field "{name}" is not supported by Step Functions'
            )


def _exception(code: str) -> str:
    return code if code.endswith("Exception") else f"{code}Exception"


def _remember_task() -> None:
    """Let the integrations see the execution of the state that calls them, and the end of the state."""

    def execute(state: Document, raw_input: Any, execution: Document, ctx: Document) -> Any:
        task = Task(execution)
        token = _task.set(task)
        try:
            carried_out = execute_task(state, raw_input, execution, ctx)
            check_state_output(ctx.get("State", {}).get("Name", ""), carried_out[0])
            return carried_out
        finally:
            task.left.set()
            _task.reset(token)

    execute_task = states.execute_task.replace(execute)
