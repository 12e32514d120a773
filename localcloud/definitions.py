"""Refuses a state machine with a field that an optimised integration lacks, as CreateStateMachine does.

`arn:aws:states:::sagemaker:ACTION` takes a part of the API's fields only. The parts here are those that AWS's
own CDK constructs and Step Functions' Data Science SDK write; AWS publishes no other list. What needs
more goes by `arn:aws:states:::aws-sdk:sagemaker:ACTION`, which takes every field of the API.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from localcloud.cloudformation import ProvisioningError
from localcloud.seams.cloudformation import state_machine_definition
from localcloud.seams.stepfunctions import validate_definition_jsonata

ACCEPTED: dict[str, frozenset[str]] = {
    action: frozenset(fields.split())
    for action, fields in {
        "createEndpoint": "EndpointConfigName EndpointName Tags",
        "createEndpointConfig": "EndpointConfigName KmsKeyId ProductionVariants Tags",
        "createModel": (
            "Containers EnableNetworkIsolation ExecutionRoleArn ModelName PrimaryContainer Tags VpcConfig"
        ),
        "createProcessingJob": (
            "AppSpecification Environment ExperimentConfig NetworkConfig ProcessingInputs ProcessingJobName "
            "ProcessingOutputConfig ProcessingResources RoleArn StoppingCondition Tags"
        ),
        "createTrainingJob": (
            "AlgorithmSpecification EnableNetworkIsolation Environment HyperParameters InputDataConfig "
            "OutputDataConfig ResourceConfig RoleArn StoppingCondition Tags TrainingJobName VpcConfig"
        ),
        "createTransformJob": (
            "BatchStrategy Environment MaxConcurrentTransforms MaxPayloadInMB ModelClientConfig ModelName "
            "Tags TransformInput TransformJobName TransformOutput TransformResources"
        ),
        "updateEndpoint": "EndpointConfigName EndpointName",
    }.items()
}
"""Top-level parameters by action of `arn:aws:states:::sagemaker:`."""
ACCEPTED_VARIANT = frozenset(
    {
        *("AcceleratorType", "InitialInstanceCount", "InitialVariantWeight", "InstanceType"),
        *("ModelName", "ServerlessConfig", "VariantName"),
    }
)
"""Fields of a production variant in `createEndpointConfig`."""
_MARK = ":states:::sagemaker:"


def install() -> None:
    """Let the API and CloudFormation refuse such definitions."""

    def validate(definition: str | None) -> str | None:
        return check_jsonata(definition) or refusal(definition or "{}")

    def provisioned(properties: dict[str, Any]) -> str:
        definition: str = definition_of(properties)
        reason = refusal(definition)
        if reason is not None:
            raise ProvisioningError(f"Invalid State Machine Definition: {reason}")
        return definition

    check_jsonata = validate_definition_jsonata.replace(validate)
    definition_of = state_machine_definition.replace(provisioned)


def refusal(definition: str) -> str | None:
    """Return why a definition is refused, or None; one that is no JSON is somebody else's matter."""
    try:
        document = json.loads(definition)
    except ValueError:
        return None
    problems = [
        f"SCHEMA_VALIDATION_FAILED: The field {field!r} is not supported by Step Functions "
        f"at /States/{name}/Parameters"
        for name, state in _named_states(document)
        for field in _unsupported(state)
    ]
    return "; ".join(problems) or None


def states_of(definition: str) -> Iterator[dict[str, Any]]:
    """Yield all states of a definition, those inside of others too."""
    for _, state in _named_states(json.loads(definition)):
        yield state


def _named_states(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in machine.get("States", {}).items():
        yield name, state
        loops = [state[key] for key in ("ItemProcessor", "Iterator") if key in state]
        for each in [*state.get("Branches", []), *loops]:
            yield from _named_states(each)


def _unsupported(state: dict[str, Any]) -> list[str]:
    _, mark, action = str(state.get("Resource", "")).partition(_MARK)
    accepted = ACCEPTED.get(action.partition(".")[0])
    if not mark or accepted is None:
        return []
    parameters = state.get("Parameters") or state.get("Arguments") or {}
    wrong = [name for name in _names(parameters) if name not in accepted]
    for variant in parameters.get("ProductionVariants", []) if isinstance(parameters, dict) else []:
        wrong += [name for name in _names(variant) if name not in ACCEPTED_VARIANT]
    return wrong


def _names(fields: Any) -> list[str]:
    return [name.removesuffix(".$") for name in fields] if isinstance(fields, dict) else []
