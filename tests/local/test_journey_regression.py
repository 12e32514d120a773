"""Abalone: a regressor is trained, explained and deployed; one whose explanation dies is not.

Traffic like the training's raises no alarm; traffic whose important columns say nothing any more does.
"""

import json
import re
import shutil
from pathlib import Path

import pytest

from cli.datasets import ABALONE, located
from cli.failures import StepFailedError
from cli.stacks import Deployment
from tests.local.containers import container_of
from tests.local.inbox import outcomes_of
from tests.local.laptop import Laptop
from tests.local.training import ended, made_by, run_of, start, train, until_entered
from tests.local.waiting import until
from watchkeeper.core import layout
from watchkeeper.regression.drift import DriftReport

pytestmark = pytest.mark.local

WORKLOAD, ROW = "abalone", "M,0.455,0.365,0.095,0.514,0.2245,0.101,0.15"
FILES = {
    "analysis.json",
    "explain.json",
    "explanations_shap/baseline.csv",
    "explanations_shap/out.csv",
    "report.html",
    "report.pdf",
}
ROWS = 120
AT_ONCE = 8
"""Rows of a request where there are many."""


def table() -> Path:
    """Return the data; the test is skipped where it cannot be had."""
    try:
        return located(ABALONE)
    except StepFailedError as error:
        pytest.skip(str(error))


def upload_table(laptop: Laptop) -> None:
    key = f"{layout.history_prefix(WORKLOAD)}abalone.csv"
    laptop.client("s3").upload_file(str(table()), laptop.bucket, key)


def predict(laptop: Laptop, *rows: str) -> list[float]:
    answer = laptop.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=layout.endpoint_name(WORKLOAD),
        ContentType="text/csv",
        Accept="application/json",
        Body="\n".join(rows),
    )
    return [entry["score"] for entry in json.load(answer["Body"])["predictions"]]


def see_that_one_serves(laptop: Laptop) -> None:
    if laptop.live(WORKLOAD) is None:
        upload_table(laptop)
        assert train(laptop, WORKLOAD).status == "SUCCEEDED"


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


def test_a_regressor_is_explained_before_it_serves(laptop: Laptop, tmp_path: Path) -> None:
    shutil.copy(table(), tmp_path / "abalone.csv")

    with outcomes_of(laptop, WORKLOAD) as news:
        said = laptop.watchkeeper("train", WORKLOAD, "--history", str(tmp_path / "abalone.csv")).stdout
        (arn,) = re.findall(r"execution: (\S+)", said)
        outcome = ended(laptop, arn)
        told = news.first()

    assert (outcome.status, outcome.cause) == ("SUCCEEDED", "")
    order = [outcome.states.index(name) for name in ("DecidePromotion", "Explain", "RegisterModelPackage")]
    assert order == sorted(order)
    run, explanation = outcome.output["run"], outcome.output["explanation"]
    assert explanation["status"] == "explained"
    assert "shell_weight" in explanation["summary"]
    assert explanation["summary"] in told["Message"]
    prefix = explanation["uri"].removeprefix(f"s3://{laptop.bucket}/")
    written = {key.removeprefix(prefix) for key in laptop.keys(prefix)}
    assert written >= FILES
    assert any(name.startswith("charts/local_explanation_") for name in written)
    package = laptop.client("sagemaker").describe_model_package(
        ModelPackageName=outcome.output["package"]["arn"]
    )
    assert set(package["ModelMetrics"]) >= {"ModelQuality", "Explainability", "Bias"}
    assert outcome.output["decision"]["metrics"]["rmse"] < 2.3
    release = laptop.live(WORKLOAD)
    assert release is not None
    assert (release.run_id, release.explanations) == (run["run_id"], explanation["uri"])
    assert 5 < predict(laptop, ROW)[0] < 15


def test_drifted_traffic_raises_the_alarm_and_traffic_like_the_trainings_does_not(
    laptop: Laptop,
) -> None:
    """It comes before the tests whose requests would be among those that the monitor reads."""
    see_that_one_serves(laptop)
    rows = [line.rpartition(",")[0] for line in table().read_text().splitlines() if line.strip()]
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


def test_a_retrained_model_is_compared_and_one_whose_explanation_dies_never_serves(laptop: Laptop) -> None:
    see_that_one_serves(laptop)
    before, prediction = laptop.live(WORKLOAD), predict(laptop, ROW)

    arn = start(laptop, WORKLOAD)
    until_entered(laptop, arn, "Explain")
    run = run_of(laptop, arn)
    job = run["names"]["explain_job"]
    until(lambda: container_of(laptop, job), what="the explain job's container", every=0.01).kill()
    outcome = ended(laptop, arn)

    assert "EvaluateAgainstChampion" in outcome.states
    assert outcome.status == "FAILED"
    assert outcome.states[-3:] == ["CleanUp", "NotifyFailed", "Failed"]
    assert "RegisterModelPackage" not in outcome.states
    assert made_by(laptop, run) == []
    assert laptop.live(WORKLOAD) == before
    assert predict(laptop, ROW) == prediction


def test_the_command_predicts_and_measures(laptop: Laptop, tmp_path: Path) -> None:
    see_that_one_serves(laptop)
    file = tmp_path / "some.csv"
    file.write_text("\n".join(table().read_text().splitlines()[:200]) + "\nM,1\n")

    assert float(laptop.watchkeeper("invoke", WORKLOAD, ROW).stdout) == pytest.approx(predict(laptop, ROW)[0])
    done = laptop.watchkeeper("backtest", WORKLOAD, str(file))
    assert "rmse" in done.stdout
    said = " ".join(f"{done.stdout} {done.stderr}".split())
    assert "201 rows, 1 refused (1 wrong_width), first: some.csv, line 201: 2 cells" in said
