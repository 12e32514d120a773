"""Blue/green updates of an endpoint: the switch, and both ways back."""

import threading
from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.contract.localcloud_sagemaker.api_requests import (
    container,
    create_config,
    create_endpoint,
    create_model,
    settled,
    unique,
    variant,
)
from tests.contract.localcloud_sagemaker.gateway import Gateway, wait_until


def blue_green(
    kind: str = "ALL_AT_ONCE", *, wait: int = 0, alarm: str | None = None, **size: Any
) -> dict[str, Any]:
    config: dict[str, Any] = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": kind, "WaitIntervalInSeconds": wait, **size},
            "TerminationWaitInSeconds": 0,
        }
    }
    if alarm:
        config["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": alarm}]}
    return config


@pytest.fixture
def old(sagemaker: Any) -> str:
    return create_config(sagemaker, variant(create_model(sagemaker, container(ADD="1"))))


@pytest.fixture
def new(sagemaker: Any) -> str:
    return create_config(sagemaker, variant(create_model(sagemaker, container(ADD="2"))))


def invoked(runtime: Any, endpoint: str) -> str:
    """Return which configuration's fleet answered."""
    answer = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=b"0")
    return {b"1.0": "old", b"2.0": "new"}[answer["Body"].read()]


def count_processes(gateway: Gateway, endpoint: str) -> int:
    return sum(f"/endpoint/{endpoint}-" in process.info["cwd"] for process in gateway.processes())


def test_switches_without_a_failed_request_and_ends_the_old_fleet(
    gateway: Gateway, sagemaker: Any, runtime: Any, old: str, new: str
) -> None:
    endpoint = create_endpoint(sagemaker, old)
    seen: Counter[str] = Counter()
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            seen[invoked(runtime, endpoint)] += 1

    asking = threading.Thread(target=ask)
    asking.start()
    wait_until(lambda: seen["old"] > 5)
    policy = blue_green("CANARY", wait=30, CanarySize={"Type": "CAPACITY_PERCENT", "Value": 50})
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=new, DeploymentConfig=policy)
    described = settled(sagemaker, endpoint)
    wait_until(lambda: seen["new"] > 5)
    done.set()
    asking.join()
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == new
    assert described["LastDeploymentConfig"] == policy
    assert [item["VariantName"] for item in described["ProductionVariants"]] == ["v1"]
    assert "FailureReason" not in described
    assert invoked(runtime, endpoint) == "new"
    assert (
        len([process for process in gateway.processes() if f"/endpoint/{endpoint}-" in process.info["cwd"]])
        == 2
    )


def test_canary_shares_the_traffic_while_it_waits(sagemaker: Any, runtime: Any, old: str, new: str) -> None:
    endpoint = create_endpoint(sagemaker, old)
    policy = blue_green("CANARY", wait=80, CanarySize={"Type": "CAPACITY_PERCENT", "Value": 50})
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=new, DeploymentConfig=policy)
    assert (
        sagemaker.describe_endpoint(EndpointName=endpoint)["PendingDeploymentSummary"]["EndpointConfigName"]
        == new
    )
    shares: Counter[str] = Counter()
    while sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "Updating":
        shares.update(invoked(runtime, endpoint) for _ in range(20))
    assert min(shares["old"], shares["new"]) > 5


def test_unhealthy_new_fleet_rolls_back_to_the_old_configuration(
    gateway: Gateway, sagemaker: Any, runtime: Any, old: str
) -> None:
    endpoint = create_endpoint(sagemaker, old)
    broken = create_config(sagemaker, variant(create_model(sagemaker, container(CRASH="1"))))
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=broken)
    described = settled(sagemaker, endpoint)
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == old
    assert "did not pass the ping health check" in described["FailureReason"]
    assert invoked(runtime, endpoint) == "old"
    assert (
        len([process for process in gateway.processes() if f"/endpoint/{endpoint}-" in process.info["cwd"]])
        == 2
    )


def test_alarm_during_the_bake_rolls_back(
    gateway: Gateway, sagemaker: Any, runtime: Any, old: str, new: str
) -> None:
    endpoint = create_endpoint(sagemaker, old)
    cloudwatch = gateway.client("cloudwatch")
    alarm = unique("alarm")
    cloudwatch.put_metric_alarm(
        AlarmName=alarm,
        Namespace="Test",
        MetricName="Never",  # so that only the test changes the alarm's state
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="ignore",
    )
    policy = blue_green(
        "CANARY", wait=3000, alarm=alarm, CanarySize={"Type": "CAPACITY_PERCENT", "Value": 50}
    )
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=new, DeploymentConfig=policy)
    wait_until(lambda: invoked(runtime, endpoint) == "new")
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="test")
    described = settled(sagemaker, endpoint)
    assert described["EndpointConfigName"] == old
    assert alarm in described["FailureReason"]
    assert {invoked(runtime, endpoint) for _ in range(20)} == {"old"}


def test_missing_alarm_forbids_the_deployment(sagemaker: Any, old: str, new: str) -> None:
    endpoint = create_endpoint(sagemaker, old)
    sagemaker.update_endpoint(
        EndpointName=endpoint, EndpointConfigName=new, DeploymentConfig=blue_green(alarm="no-such-alarm")
    )
    described = settled(sagemaker, endpoint)
    assert described["EndpointConfigName"] == old
    assert "no-such-alarm" in described["FailureReason"]


def test_endpoint_being_updated_takes_no_other_change(sagemaker: Any, old: str, new: str) -> None:
    endpoint = create_endpoint(sagemaker, old)
    policy = blue_green("CANARY", wait=50, CanarySize={"Type": "CAPACITY_PERCENT", "Value": 50})
    sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=new, DeploymentConfig=policy)
    for change in (
        lambda: sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=old),
        lambda: sagemaker.delete_endpoint(EndpointName=endpoint),
    ):
        with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
            change()
    settled(sagemaker, endpoint)


def test_rolling_update_is_refused_by_name(sagemaker: Any, old: str, new: str) -> None:
    endpoint = create_endpoint(sagemaker, old)
    rolling = {
        "RollingUpdatePolicy": {
            "MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1},
            "WaitIntervalInSeconds": 0,
        }
    }
    with pytest.raises(ClientError, match="RollingUpdatePolicy"):
        sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=new, DeploymentConfig=rolling)
    assert sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "InService"


def test_blue_green_update_must_keep_the_names_of_the_variants(
    sagemaker: Any, runtime: Any, old: str
) -> None:
    endpoint = create_endpoint(sagemaker, old)
    renamed = create_config(sagemaker, variant(create_model(sagemaker, container(ADD="2")), "v2"))
    with pytest.raises(ClientError, match="same variant names") as refused:
        sagemaker.update_endpoint(
            EndpointName=endpoint, EndpointConfigName=renamed, DeploymentConfig=blue_green()
        )
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "InService"
    assert invoked(runtime, endpoint) == "old"


def test_missing_configuration_is_refused(sagemaker: Any, old: str) -> None:
    endpoint = create_endpoint(sagemaker, old)
    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName="nope")
