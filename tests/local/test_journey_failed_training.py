"""A training job that dies: the execution fails and says so, nothing is left, the old model serves."""

import pytest

from tests.local.containers import container_of
from tests.local.histories import machine_temperature
from tests.local.inbox import outcomes_of
from tests.local.laptop import Laptop
from tests.local.training import champion, ended, made_by, run_of, start, until_entered, upload
from tests.local.waiting import until

pytestmark = pytest.mark.local

WORKLOAD, ROW = "machine_temperature", "2013-12-02 21:15:00, 75"


def test_killed_training_container_fails_the_execution_and_leaves_nothing(laptop: Laptop) -> None:
    champion(laptop, WORKLOAD, machine_temperature())
    before, score = laptop.live(WORKLOAD), laptop.ask(WORKLOAD, ROW)
    upload(laptop, WORKLOAD, machine_temperature(seed=8))

    with outcomes_of(laptop, WORKLOAD) as news:
        arn = start(laptop, WORKLOAD)
        until_entered(laptop, arn, "TransformTrainingRows")
        run = run_of(laptop, arn)
        job = run["names"]["detector_job"]
        until(lambda: container_of(laptop, job), what="the detector's container", every=0.01).kill()
        outcome = ended(laptop, arn)
        told = news.first()

    described = laptop.client("sagemaker").describe_training_job(TrainingJobName=job)
    assert described["TrainingJobStatus"] == "Failed"
    assert outcome.status == "FAILED"
    assert outcome.states[-3:] == ["CleanUp", "NotifyFailed", "Failed"]
    assert described["FailureReason"] in outcome.cause
    assert "exit code: 137" in outcome.cause
    assert told["Subject"] == f"Watchkeeper {WORKLOAD}: training failed"
    assert outcome.cause in told["Message"]
    assert made_by(laptop, run) == []
    assert laptop.live(WORKLOAD) == before
    assert laptop.ask(WORKLOAD, ROW) == score
