"""What state machines call as their roles, and what their roles need when they are made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from localcloud.authorization.authority import AccessDeniedError, Guard
from localcloud.authorization.needs import Need, Parameters, Place, UnknownNeedError, needs_of
from localcloud.cloudformation import ProvisioningError
from localcloud.definitions import states_of
from localcloud.iam.evaluation import Principal
from localcloud.seams import stepfunctions as states
from localcloud.seams.cloudformation import state_machine_definition
from localcloud.stepfunctions import current_execution

# https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html and .../concepts-xray-tracing.html
_LOGGING = (
    *("CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery", "ListLogDeliveries"),
    *("PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups"),
)
_TRACING = ("PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets")
# The rule by which Step Functions learns that a job has ended: .../service-integration-iam-templates.html
_MANAGED_RULES = {
    "sagemaker:createTrainingJob": "StepFunctionsGetEventsForSageMakerTrainingJobsRule",
    "sagemaker:createProcessingJob": "StepFunctionsGetEventsForSageMakerProcessingJobsRule",
    "sagemaker:createTransformJob": "StepFunctionsGetEventsForSageMakerTransformJobsRule",
    "states:startExecution": "StepFunctionsGetEventsForStepFunctionsExecutionRule",
}
_WATCHED = {
    "sagemaker:createTrainingJob": "DescribeTrainingJob",
    "sagemaker:createProcessingJob": "DescribeProcessingJob",
    "sagemaker:createTransformJob": "DescribeTransformJob",
}
_INTEGRATION = re.compile(
    r"arn:[^:]+:states:::(?P<sdk>aws-sdk:)?(?P<service>[^:]+):(?P<action>[^.:]+)(?P<pattern>.*)"
)
# Services of the SDK integrations that IAM calls otherwise.
_SDK_SERVICES = {
    "sfn": "states",
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "sagemakerruntime": "sagemaker",
}


class WorkflowCalls(Guard):
    """Stands before the tasks of state machines."""

    def install(self) -> None:
        """Register with ministack."""
        self._invoke = states.invoke_resource.replace(self._task)
        self._definition = state_machine_definition.replace(self._made)

    def _task(self, resource: str, parameters: Any) -> Any:
        execution = current_execution()
        if execution is not None:
            try:
                self._authority.require(
                    self._caller(execution), task_needs(resource, parameters, self._authority.place)
                )
            except AccessDeniedError as error:
                raise states.ExecutionError(_error_name(resource), str(error)) from error
            except UnknownNeedError as error:
                try:
                    self._authority.unanswered(error)
                except UnknownNeedError:
                    raise states.ExecutionError("States.Runtime", str(error)) from error
        return self._invoke(resource, parameters)

    def _caller(self, execution: Mapping[str, Any]) -> Principal:
        machine = execution["stateMachineArn"]
        role = states.state_machines[machine]["roleArn"]
        try:
            return self._authority.assume("states", role, execution["name"], machine)
        except AccessDeniedError as error:
            raise states.ExecutionError(
                "States.Runtime", f"Step Functions cannot assume {role}: {error}"
            ) from error

    def _made(self, properties: dict[str, Any]) -> str:
        definition: str = self._definition(properties)
        role = properties.get("RoleArn")
        if role:
            machine = self._authority.place.arn(
                "states", f"stateMachine:{properties.get('StateMachineName', '*')}"
            )
            try:
                caller = self._authority.assume("states", role, "creation", machine)
                self._authority.require(caller, machine_needs(definition, properties, self._authority.place))
            except AccessDeniedError as error:
                raise ProvisioningError(f"AccessDeniedException: {error}") from error
        return definition


def task_needs(resource: str, parameters: Any, place: Place) -> list[Need]:
    """Return what a task state needs.

    Raises
    ------
    UnknownNeedError
        For a service that `needs_of` does not know.
    """
    if ":function:" in resource:
        return needs_of("lambda", "Invoke", {"FunctionName": resource}, place)
    found = _INTEGRATION.fullmatch(resource)
    if found is None:
        return []  # an activity: its worker asks for it
    service, action = found["service"], found["action"]
    asked: Parameters = parameters if isinstance(parameters, dict) else {}
    if found["sdk"]:
        service = _SDK_SERVICES.get(service.lower(), service.lower())
    if service == "states":
        asked = {f"{name[:1].lower()}{name[1:]}": value for name, value in asked.items()}
    needs = needs_of(service, f"{action[:1].upper()}{action[1:]}", asked, place)
    if service == "glue" and found["pattern"].startswith(".sync"):
        needs += [Need("glue:GetJobRun", needs[0].resource)]  # Step Functions looks at the run until it ends
    watching = _WATCHED.get(f"{service}:{action}") if found["pattern"].startswith(".sync") else None
    if watching:
        # Step Functions marks the jobs that it waits for with a tag of its own.
        watched = needs[0].resource
        needs += [Need(f"sagemaker:{watching}", watched), Need("sagemaker:AddTags", watched)]
    return needs


def machine_needs(definition: str, properties: Mapping[str, Any], place: Place) -> Iterator[Need]:
    """Yield what Step Functions looks for in the role of a machine that is made or changed."""
    destinations = (properties.get("LoggingConfiguration") or {}).get("Destinations")
    if destinations:
        yield from (Need(f"logs:{name}", "*") for name in _LOGGING)
    if (properties.get("TracingConfiguration") or {}).get("Enabled"):
        yield from (Need(f"xray:{name}", "*") for name in _TRACING)
    for rule in sorted({found for state in states_of(definition) if (found := _managed_rule(state))}):
        arn = place.arn("events", f"rule/{rule}")
        yield from (Need(f"events:{name}", arn) for name in ("PutTargets", "PutRule", "DescribeRule"))


def _managed_rule(state: Mapping[str, Any]) -> str | None:
    found = _INTEGRATION.fullmatch(str(state.get("Resource", "")))
    if found is None or not found["pattern"].startswith(".sync"):
        return None
    return _MANAGED_RULES.get(f"{found['service']}:{found['action']}")


def _error_name(resource: str) -> str:
    """Return the name that a refusal has for Retry and Catch."""
    found = _INTEGRATION.fullmatch(resource)
    if found is None or found["service"] == "lambda":
        return "Lambda.AWSLambdaException"
    name = {"sagemaker": "SageMaker", "dynamodb": "DynamoDB", "events": "EventBridge", "glue": "Glue"}.get(
        found["service"], found["service"].upper()
    )
    return f"{name}.{name}Exception" if found["sdk"] else f"{name}.Amazon{name}Exception"
