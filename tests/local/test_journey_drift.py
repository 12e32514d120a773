"""Traffic like the training's raises no alarm; traffic whose important columns say nothing any more does."""

import json
import shutil
from pathlib import Path

import pytest

from cli.datasets import ABALONE, located
from cli.failures import StepFailedError
from cli.stacks import Deployment
from tests.local.laptop import Laptop
from tests.local.training import ended
from tests.local.waiting import until
from watchkeeper.core import layout
from watchkeeper.lifecycle.release import live_key
from watchkeeper.regression.drift import DriftReport

pytestmark = pytest.mark.local

WORKLOAD = "abalone"
ROWS = 120
AT_ONCE = 8
"""Rows of a request where there are many."""


@pytest.fixture
def rows(laptop: Laptop, tmp_path: Path) -> list[str]:
    """See that a model of abalone serves; return request rows."""
    try:
        file = located(ABALONE)
    except StepFailedError as error:
        pytest.skip(str(error))
    key = live_key(WORKLOAD)
    if not any(item["sk"] == key["sk"] for item in laptop.items("Series", key["pk"])):
        shutil.copy(file, tmp_path / "abalone.csv")
        laptop.watchkeeper("train", WORKLOAD, "--history", str(tmp_path / "abalone.csv"))
    return [line.rpartition(",")[0] for line in file.read_text().splitlines() if line.strip()]


def ask(laptop: Laptop, rows: list[str], *, at_once: int = 1) -> None:
    """Send rows, so many in a request, and wait until all requests are captured."""
    prefix = layout.capture_prefix(WORKLOAD)
    before = captured(laptop, prefix)
    requests = ["\n".join(rows[first : first + at_once]) for first in range(0, len(rows), at_once)]
    for request in requests:
        laptop.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=layout.endpoint_name(WORKLOAD), ContentType="text/csv", Body=request
        )
    wanted = before + len(requests)
    until(lambda: captured(laptop, prefix) >= wanted, what=f"{wanted} captured requests", every=0.5)


def captured(laptop: Laptop, prefix: str) -> int:
    return sum(len(laptop.read(key).splitlines()) for key in laptop.keys(prefix))


def watched(laptop: Laptop) -> DriftReport:
    """Run the monitor."""
    machine = Deployment(laptop.session).drift_state_machine_arn(WORKLOAD)
    started = laptop.client("stepfunctions").start_execution(stateMachineArn=machine, input="{}")
    outcome = ended(laptop, started["executionArn"])
    assert (outcome.status, outcome.cause) == ("SUCCEEDED", "")
    uri = outcome.output["report_uri"]
    return DriftReport.from_json(laptop.read(uri.partition(f"{laptop.bucket}/")[2]))


def alarm_state(laptop: Laptop) -> str:
    alarms = laptop.client("cloudwatch").describe_alarms()["MetricAlarms"]
    (state,) = [alarm["StateValue"] for alarm in alarms if alarm.get("MetricName") == "attribution_ndcg"]
    return str(state)


def test_drifted_traffic_raises_the_alarm_and_traffic_like_the_trainings_does_not(
    laptop: Laptop, rows: list[str]
) -> None:
    ask(laptop, rows[:ROWS])
    stable = watched(laptop)
    assert stable.status == "stable", stable.to_json()
    assert stable.rows >= ROWS
    until(lambda: alarm_state(laptop) == "OK", what="the alarm's OK")

    broken = [row.split(",") for row in rows]
    for number, cells in enumerate(broken):
        cells[5], cells[7], cells[2] = "0.336", "0.234", str(0.1 + number % 50 / 100)
    ask(laptop, [",".join(cells) for cells in broken[: 8 * ROWS]], at_once=AT_ONCE)
    drifted = watched(laptop)

    assert drifted.status == "drifted", drifted.to_json()
    assert json.loads(drifted.to_json())["ndcg"] < 0.9
    until(lambda: alarm_state(laptop) == "ALARM", what="the alarm")
