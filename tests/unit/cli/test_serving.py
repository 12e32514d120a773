"""What a command says when it asks a workload that has no model."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.failures import StepFailedError
from cli.serving import asking
from watchkeeper.core.errors import UnavailableError


class ControlPlane:
    """SageMaker with one endpoint, or none."""

    def __init__(self, status: str | None) -> None:
        self.status = status

    def client(self, service: str) -> ControlPlane:
        assert service == "sagemaker"
        return self

    def describe_endpoint(self, **request: Any) -> dict[str, Any]:
        if self.status is None:
            error = {"Code": "ValidationException", "Message": f'Could not find endpoint "{request}".'}
            raise ClientError({"Error": error}, "DescribeEndpoint")  # type: ignore[typeddict-item]
        return {"EndpointStatus": self.status, "EndpointConfigName": "config"}


def ask(status: str | None) -> None:
    session: Any = ControlPlane(status)
    with asking(session, "water_flow") as name:
        raise UnavailableError(f"endpoint {name}: ValidationError")


def test_a_workload_without_an_endpoint_is_said_to_have_no_model_and_what_makes_one() -> None:
    with pytest.raises(StepFailedError, match="no model serves workload water_flow: run `watchkeeper train"):
        ask(None)


def test_an_endpoint_that_fails_keeps_its_reason() -> None:
    with pytest.raises(UnavailableError, match="endpoint watchkeeper-water-flow: ValidationError"):
        ask("Failed")
