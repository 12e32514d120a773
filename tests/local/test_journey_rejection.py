"""A model that the gate refuses: the execution ends Rejected with the reasons, and the champion serves on."""

import pytest

from tests.local.histories import machine_temperature
from tests.local.inbox import outcomes_of
from tests.local.laptop import Laptop
from tests.local.training import champion, ended, made_by, run_of, start, upload

pytestmark = pytest.mark.local

WORKLOAD, ROW = "machine_temperature", "2013-12-02 21:15:00, 75"


def test_rejected_model_leaves_the_champion_in_service(laptop: Laptop) -> None:
    """It is worse than the champion, and alerts more often than its budget allows."""
    champion(laptop, WORKLOAD, machine_temperature())
    before, score = laptop.live(WORKLOAD), laptop.ask(WORKLOAD, ROW)
    packages = laptop.client("sagemaker").list_model_packages()["ModelPackageSummaryList"]
    upload(laptop, WORKLOAD, machine_temperature(polluted=True, restless=True))

    with outcomes_of(laptop, WORKLOAD) as news:
        arn = start(laptop, WORKLOAD)
        outcome = ended(laptop, arn)
        told = news.first()

    assert (outcome.status, outcome.output["decision"]["approved"]) == ("SUCCEEDED", False)
    reasons = outcome.output["decision"]["reasons"]
    assert outcome.states[-3:] == ["CleanUpRejected", "NotifyRejected", "Rejected"]
    assert "false alerts a week, over the budget of 7" in reasons[0]
    assert "is below the champion's" in reasons[1]
    assert any(each.startswith("Ways on: ") for each in reasons)
    assert reasons[-1].startswith("Figures and charts: s3://")
    assert told["Subject"] == f"Watchkeeper {WORKLOAD}: training rejected"
    assert all(each in told["Message"] for each in reasons)
    assert made_by(laptop, run_of(laptop, arn)) == []
    assert laptop.client("sagemaker").list_model_packages()["ModelPackageSummaryList"] == packages
    assert laptop.live(WORKLOAD) == before
    assert laptop.ask(WORKLOAD, ROW) == score
