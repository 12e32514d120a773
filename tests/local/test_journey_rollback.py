"""A deployment that SageMaker takes back: the execution fails and says so, and the old model serves."""

import io
import json
import tarfile
from typing import Any

import pytest

from tests.local.histories import machine_temperature
from tests.local.inbox import outcomes_of
from tests.local.laptop import Laptop
from tests.local.training import champion, ended, made_by, run_of, start, until_entered, upload
from tests.local.waiting import until
from watchkeeper.core import layout
from watchkeeper.lifecycle.release import release_pk

pytestmark = pytest.mark.local

WORKLOAD, ROW = "machine_temperature", "2013-12-02 21:15:00, 75"


def break_model(laptop: Laptop, run: dict[str, Any]) -> None:
    """Overwrite the run's detector with an archive whose content no container can load."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as content:
        file = tarfile.TarInfo("model.json")
        file.size = len(b"not a model")
        content.addfile(file, io.BytesIO(b"not a model"))
    prefix = run["uris"]["detector_output"].removeprefix(f"s3://{laptop.bucket}/")
    (key,) = [key for key in laptop.keys(prefix) if key.endswith("model.tar.gz")]
    laptop.client("s3").put_object(Bucket=laptop.bucket, Key=key, Body=archive.getvalue())


def rollback_alarm(laptop: Laptop) -> str:
    """Return the name of an alarm that watches the workload's deployments."""
    pages = laptop.client("cloudwatch").get_paginator("describe_alarms").paginate()
    (name,) = [
        alarm["AlarmName"]
        for page in pages
        for alarm in page["MetricAlarms"]
        if alarm.get("AlarmDescription") == f"Endpoint {layout.endpoint_name(WORKLOAD)} answers with 5xx"
    ]
    return str(name)


def assert_taken_back(laptop: Laptop, run: dict[str, Any], why: str, found: dict[str, Any]) -> None:
    """Assert that the run failed with the reason, and that everything is as before."""
    outcome, told, before = found["outcome"], found["told"], found["before"]
    assert (outcome.status, outcome.error) == ("FAILED", "EndpointRolledBackError")
    assert outcome.states[-4:] == ["VerifyDeployment", "CleanUp", "NotifyFailed", "Failed"]
    assert f"endpoint {run['names']['endpoint']} was rolled back" in outcome.cause
    assert why in outcome.cause
    assert told["Subject"] == f"Watchkeeper {WORKLOAD}: training failed"
    assert outcome.cause in told["Message"]
    endpoint = laptop.client("sagemaker").describe_endpoint(EndpointName=run["names"]["endpoint"])
    assert endpoint["EndpointStatus"] == "InService"
    assert endpoint["EndpointConfigName"] == before.endpoint_config
    assert laptop.live(WORKLOAD) == before
    assert laptop.ask(WORKLOAD, ROW) == found["score"]
    assert made_by(laptop, run) == []
    staged = [json.loads(item["document"]) for item in laptop.items("Series", release_pk(WORKLOAD))]
    assert run["run_id"] not in {release["run_id"] for release in staged}


def test_model_that_fails_its_health_check_is_rolled_back(laptop: Laptop) -> None:
    champion(laptop, WORKLOAD, machine_temperature())
    before, score = laptop.live(WORKLOAD), laptop.ask(WORKLOAD, ROW)
    upload(laptop, WORKLOAD, machine_temperature(seed=8))

    with outcomes_of(laptop, WORKLOAD) as news:
        arn = start(laptop, WORKLOAD)
        until_entered(laptop, arn, "EvaluateAgainstChampion")
        run = run_of(laptop, arn)
        break_model(laptop, run)
        found = {"outcome": ended(laptop, arn), "told": news.first(), "before": before, "score": score}

    assert_taken_back(laptop, run, "did not pass the ping health check", found)


def test_alarm_during_the_bake_is_a_rollback(laptop: Laptop) -> None:
    champion(laptop, WORKLOAD, machine_temperature())
    before, score = laptop.live(WORKLOAD), laptop.ask(WORKLOAD, ROW)
    upload(laptop, WORKLOAD, machine_temperature(seed=9))
    alarm, cloudwatch = rollback_alarm(laptop), laptop.client("cloudwatch")

    with outcomes_of(laptop, WORKLOAD) as news:
        arn = start(laptop, WORKLOAD)
        until_entered(laptop, arn, "UpdateEndpoint")
        until(lambda: laptop.ask(WORKLOAD, ROW) != score, what="traffic on the new model", every=0.05)
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="journey")
        found = {"outcome": ended(laptop, arn), "told": news.first(), "before": before, "score": score}
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="journey")

    assert_taken_back(laptop, run_of(laptop, arn), alarm, found)
