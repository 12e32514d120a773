"""Traffic steps of a deployment, and its ways back."""

from typing import Any

import pytest

from localcloud.sagemaker.deployment import Deployment, DeploymentPolicy, RolledBackError
from localcloud.sagemaker.errors import JobFailedError, UnsupportedError
from localcloud.settings import Settings


class FakeFleet:
    """Starts, lives and ends as it is told."""

    def __init__(self, failure: str | None = None) -> None:
        self.failure = failure
        self.alive = True

    def start(self) -> None:
        if self.failure:
            raise JobFailedError(self.failure)

    def end(self) -> None:
        self.alive = False


class FakeContext:
    """Settings, and CloudWatch whose alarm fires from a given look on."""

    def __init__(self, fires_at: int = 1_000) -> None:
        self.settings = Settings(deployment_time_scale=1e6)
        self.looks = 0
        self.fires_at = fires_at

    def client(self, _: str) -> "FakeContext":
        return self

    def describe_alarms(self, **_: Any) -> dict[str, Any]:
        self.looks += 1
        state = "ALARM" if self.looks >= self.fires_at else "OK"
        return {"MetricAlarms": [{"AlarmName": "errors", "StateValue": state}]}


def config(kind: str, **size: Any) -> dict[str, Any]:
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": kind, "WaitIntervalInSeconds": 60, **size},
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]},
    }


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


@pytest.mark.parametrize(
    ("document", "shares"),
    [
        (None, [1.0]),
        (config("ALL_AT_ONCE"), [1.0]),
        (config("CANARY", CanarySize=percent(10)), [0.1, 1.0]),
        (config("LINEAR", LinearStepSize=percent(25)), [0.25, 0.5, 0.75, 1.0]),
        (config("LINEAR", LinearStepSize=percent(30)), [0.3, 0.6, 0.9, 1.0]),
    ],
)
def test_traffic_is_shifted_in_the_steps_of_the_policy(
    document: dict[str, Any] | None, shares: list[float]
) -> None:
    assert DeploymentPolicy.of(document).shares == pytest.approx(shares)


def test_steps_by_instances_are_refused_by_name() -> None:
    with pytest.raises(UnsupportedError, match="INSTANCE_COUNT"):
        DeploymentPolicy.of(config("CANARY", CanarySize={"Type": "INSTANCE_COUNT", "Value": 1}))


def deployment(context: FakeContext, new: FakeFleet, document: dict[str, Any]) -> Deployment:
    return Deployment(context, DeploymentPolicy.of(document), None, new)  # type: ignore[arg-type]  # fakes


def test_healthy_deployment_ends_with_all_traffic_on_the_new_fleet() -> None:
    new = FakeFleet()
    running = deployment(FakeContext(), new, config("LINEAR", LinearStepSize=percent(25)))
    assert running.choose() is None
    running.run(on_rollback=lambda: pytest.fail("rolled back"))
    assert running.choose() is new


@pytest.mark.parametrize("look", [1, 2, 3])
def test_alarm_at_any_step_takes_all_traffic_back(look: int) -> None:
    told: list[str] = []
    running = deployment(FakeContext(fires_at=look), FakeFleet(), config("CANARY", CanarySize=percent(50)))
    with pytest.raises(RolledBackError, match="errors"):
        running.run(on_rollback=lambda: told.append("back"))
    assert told == ["back"]
    assert {running.choose() for _ in range(50)} == {None}


def test_fleet_that_stops_during_the_deployment_takes_all_traffic_back() -> None:
    new = FakeFleet()
    new.alive = False
    running = deployment(FakeContext(), new, config("ALL_AT_ONCE"))
    with pytest.raises(RolledBackError, match="stopped"):
        running.run(on_rollback=lambda: None)


def test_fleet_that_does_not_start_is_the_reason_of_the_rollback() -> None:
    running = deployment(FakeContext(), FakeFleet("no health"), config("ALL_AT_ONCE"))
    with pytest.raises(RolledBackError, match="no health"):
        running.run(on_rollback=lambda: None)
