"""A training job that dies: the execution fails and says so, nothing is left, the old model serves."""

import psutil
import pytest

from tests.local.histories import machine_temperature
from tests.local.inbox import outcomes_of
from tests.local.laptop import Laptop
from tests.local.training import champion, ended, made_by, run_of, start, until_entered, upload
from tests.local.waiting import until

pytestmark = pytest.mark.local

WORKLOAD, ROW = "machine_temperature", "2013-12-02 21:15:00, 75"


def container_of(laptop: Laptop, job: str) -> psutil.Process | None:
    """Return the process of a training job's program; not the guard that watches it."""
    return next((found for found in laptop.processes() if is_program(found, job)), None)


def is_program(process: psutil.Process, job: str) -> bool:
    try:
        own = process.environ().get("TRAINING_JOB_NAME") == job
        return own and "guard.py" not in " ".join(process.cmdline())
    except psutil.Error:  # it ended meanwhile
        return False


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
