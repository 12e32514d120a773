"""Abalone: a regressor is trained, explained and deployed; one whose explanation dies is not."""

import json
from pathlib import Path

import pytest

from cli.datasets import ABALONE, located
from cli.failures import StepFailedError
from tests.local.containers import container_of
from tests.local.inbox import outcomes_of
from tests.local.laptop import Laptop
from tests.local.training import ended, made_by, run_of, start, train, until_entered
from tests.local.waiting import until
from watchkeeper.core import layout

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


def test_a_regressor_is_explained_before_it_serves(laptop: Laptop) -> None:
    upload_table(laptop)

    with outcomes_of(laptop, WORKLOAD) as news:
        outcome = train(laptop, WORKLOAD)
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


def test_a_retrained_model_is_compared_and_one_whose_explanation_dies_never_serves(laptop: Laptop) -> None:
    if laptop.live(WORKLOAD) is None:
        upload_table(laptop)
        assert train(laptop, WORKLOAD).status == "SUCCEEDED"
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
    if laptop.live(WORKLOAD) is None:
        upload_table(laptop)
        assert train(laptop, WORKLOAD).status == "SUCCEEDED"
    file = tmp_path / "some.csv"
    file.write_text("\n".join(table().read_text().splitlines()[:200]) + "\nM,1\n")

    assert float(laptop.watchkeeper("invoke", WORKLOAD, ROW).stdout) == pytest.approx(predict(laptop, ROW)[0])
    done = laptop.watchkeeper("backtest", WORKLOAD, str(file))
    assert "rmse" in done.stdout
    said = " ".join(f"{done.stdout} {done.stderr}".split())
    assert "201 rows, 1 refused (1 wrong_width), first: some.csv, line 201: 2 cells" in said
