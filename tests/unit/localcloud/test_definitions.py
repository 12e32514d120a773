"""What Step Functions would not take is refused before anything runs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localcloud.definitions import refusal


def machine(action: str, parameters: dict[str, Any]) -> dict[str, Any]:
    state = {"Type": "Task", "Resource": f"arn:aws:states:::sagemaker:{action}", "Parameters": parameters}
    return {"StartAt": "Make", "States": {"Make": {**state, "End": True}}}


@pytest.mark.parametrize(
    ("action", "parameters", "field"),
    [
        (
            "createModel",
            {"ModelName": "m", "InferenceExecutionConfig": {"Mode": "Serial"}},
            "InferenceExecutionConfig",
        ),
        ("createEndpointConfig", {"DataCaptureConfig": {}}, "DataCaptureConfig"),
        (
            "createEndpointConfig",
            {"ProductionVariants": [{"ContainerStartupHealthCheckTimeoutInSeconds": 600}]},
            "ContainerStartupHealthCheckTimeoutInSeconds",
        ),
        ("createProcessingJob.sync", {"RoleArn.$": "$.role", "Environments.$": "$.e"}, "Environments"),
    ],
)
def test_names_the_field_that_an_optimised_integration_lacks(
    action: str, parameters: dict[str, Any], field: str
) -> None:
    reason = refusal(json.dumps(machine(action, parameters)))
    assert reason is not None
    assert f"SCHEMA_VALIDATION_FAILED: The field {field!r}" in reason
    assert "/States/Make/" in reason


def test_looks_into_maps_and_branches() -> None:
    inner = machine("createModel", {"Wrong": 1})
    for state in ({"Branches": [inner]}, {"ItemProcessor": inner}, {"Iterator": inner}):
        assert "'Wrong'" in str(refusal(json.dumps({"States": {"Many": state}})))


def test_takes_what_the_integration_has_and_every_field_of_the_sdk() -> None:
    assert refusal(json.dumps(machine("createModel", {"ModelName.$": "$.name", "Tags": []}))) is None
    sdk = json.dumps(machine("createModel", {"InferenceExecutionConfig": {}}))
    assert refusal(sdk.replace(":::sagemaker:", ":::aws-sdk:sagemaker:")) is None
    assert refusal("no JSON") is None
