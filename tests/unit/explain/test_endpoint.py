"""Endpoints: what is asked of AWS, and that a shadow endpoint never stays behind."""

from __future__ import annotations

import io
from typing import Any

import boto3
import pandas as pd
import pytest
from botocore.stub import ANY, Stubber

from containers.explain.io import endpoint
from containers.explain.io.predictor_settings import PredictorSettings
from watchkeeper.core.errors import ContractViolationError, UnavailableError

SHADOW = PredictorSettings(
    model_name="abalone-model",
    instance_type="ml.m5.large",
    initial_instance_count=2,
    endpoint_name_prefix="abalone",
)
ROWS = pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5]})


class Clients:
    """Stubs of both clients, in place of those that boto3 makes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        self.clients = {name: boto3.client(name, **keys) for name in ("sagemaker", "sagemaker-runtime")}
        self.sagemaker, self.runtime = (Stubber(client) for client in self.clients.values())
        monkeypatch.setattr(endpoint.boto3, "client", lambda name, **_: self.clients[name])
        monkeypatch.setenv("WATCHKEEPER_POLL_SECONDS", "0")
        self.sagemaker.activate()
        self.runtime.activate()

    def created(self, tags: list[dict[str, str]]) -> None:
        variant = {
            "VariantName": "shadow",
            "ModelName": "abalone-model",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 2,
        }
        arn = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/e"
        self.sagemaker.add_response(
            "create_endpoint_config",
            {"EndpointConfigArn": arn},
            {"EndpointConfigName": ANY, "ProductionVariants": [variant], "Tags": tags},
        )
        self.sagemaker.add_response(
            "create_endpoint",
            {"EndpointArn": arn},
            {"EndpointName": ANY, "EndpointConfigName": ANY, "Tags": tags},
        )

    def described(self, status: str, reason: str = "") -> None:
        answer: dict[str, Any] = {
            "EndpointName": "e",
            "EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/e",
            "CreationTime": 0,
            "LastModifiedTime": 0,
            "EndpointStatus": status,
        }
        self.sagemaker.add_response(
            "describe_endpoint", answer | ({"FailureReason": reason} if reason else {})
        )

    def deleted(self) -> None:
        self.sagemaker.add_response("delete_endpoint", {})
        self.sagemaker.add_response("delete_endpoint_config", {})

    def answered(self, body: bytes, **expected: Any) -> None:
        self.runtime.add_response(
            "invoke_endpoint", {"Body": io.BytesIO(body), "ContentType": "text/csv"}, expected or None
        )


PURPOSE = {"Key": "watchkeeper:purpose", "Value": "explain"}


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    return Clients(monkeypatch)


def test_shadow_endpoint_is_made_asked_and_deleted(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHKEEPER_WORKLOAD", "abalone")
    clients.created([PURPOSE, {"Key": "watchkeeper:workload", "Value": "abalone"}])
    clients.described("Creating")
    clients.described("InService")
    clients.answered(b"3.5\n4.5")
    clients.deleted()

    with endpoint.endpoint_model(SHADOW) as model:
        scores = model.predict(ROWS).scores
    assert scores.tolist() == [[3.5], [4.5]]
    assert model.description == "a shadow endpoint of the model abalone-model"
    clients.sagemaker.assert_no_pending_responses()
    clients.runtime.assert_no_pending_responses()


def test_shadow_endpoint_that_fails_is_deleted_and_its_reason_told(clients: Clients) -> None:
    clients.created([PURPOSE])
    clients.described("Failed", "the container did not pass its health check")
    clients.deleted()

    with (
        pytest.raises(UnavailableError, match="Failed: the container did not pass its health check"),
        endpoint.endpoint_model(SHADOW),
    ):
        pass
    clients.sagemaker.assert_no_pending_responses()


def test_shadow_endpoint_is_deleted_when_the_analysis_fails(clients: Clients) -> None:
    clients.created([PURPOSE])
    clients.described("InService")
    clients.deleted()

    with pytest.raises(RuntimeError, match="broken"), endpoint.endpoint_model(SHADOW):
        raise RuntimeError("broken")
    clients.sagemaker.assert_no_pending_responses()


def test_what_was_not_made_is_not_deleted(clients: Clients) -> None:
    clients.sagemaker.add_client_error(
        "create_endpoint_config", "ValidationException", "Could not find model", http_status_code=400
    )

    with (
        pytest.raises(ContractViolationError, match="shadow endpoint of abalone-model cannot be made"),
        endpoint.endpoint_model(SHADOW),
    ):
        pass
    clients.sagemaker.assert_no_pending_responses()


def test_endpoint_that_exists_is_asked_as_configured(clients: Clients) -> None:
    settings = PredictorSettings(endpoint_name="live", target_model="a.tar.gz", custom_attributes="c=1")
    clients.answered(
        b"1\n2",
        EndpointName="live",
        ContentType="text/csv",
        Accept="text/csv",
        Body=b"1,0.5\n2,1.5",
        TargetModel="a.tar.gz",
        CustomAttributes="c=1",
    )

    with endpoint.endpoint_model(settings) as model:
        assert model.predict(ROWS).scores.tolist() == [[1.0], [2.0]]
    assert model.rows_asked == 2


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ValidationError", 400, ContractViolationError),
        ("ThrottlingException", 400, UnavailableError),
        ("ModelError", 424, UnavailableError),
    ],
)
def test_refused_request_says_who_is_to_blame(
    clients: Clients, code: str, status: int, kind: type[Exception]
) -> None:
    clients.runtime.add_client_error("invoke_endpoint", code, "no", http_status_code=status)
    with (
        endpoint.endpoint_model(PredictorSettings(endpoint_name="live")) as model,
        pytest.raises(kind, match="live"),
    ):
        model.predict(ROWS)
