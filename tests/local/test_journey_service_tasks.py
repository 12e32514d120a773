"""The anomaly service's tasks on the deployed application, from file to file."""

from pathlib import Path

import pandas as pd
import pytest

from localcloud.service_front.identity import TENANT as DEVELOPERS
from tests.local.callers import token_of
from tests.local.laptop import Laptop
from tests.local.scripts import GUIDES, run_scripts
from tests.local.service_tasks import (
    TENANT,
    Started,
    finished,
    item_of,
    labelled_table,
    put_table,
    start,
    succeeded,
    write_down,
)
from watchkeeper.client import Client
from watchkeeper.client.client import RunningTask
from watchkeeper.service.job_names import PACKAGE_GROUP
from watchkeeper.service.request_item import Status
from watchkeeper.service.tasks import (
    CHARTS_RESULT,
    MODEL_RESULT,
    PREDICTIONS_RESULT,
    Task,
    TaskFiles,
    execution_name,
    request_key_id,
)
from watchkeeper.service.tenant_files import tenant_root

pytestmark = pytest.mark.local


def test_the_guide_trains_with_a_search_then_validates_and_infers(laptop: Laptop, tmp_path: Path) -> None:
    shortest, _, validated, inferred = run_scripts(GUIDES / "service.md", laptop, tmp_path)

    assert "Request successful!" in shortest
    assert "f1" in validated.lower()
    assert (tmp_path / "charts.html").stat().st_size > 1000
    multivariate, univariate = inferred.strip().splitlines()
    assert "17, 57, 97" in multivariate  # the rows that the first script made strange
    assert "100" in univariate

    service = Client(laptop.service_url)
    of_columns, of_model, validation, training, *_ = service.requests()
    assert [each["task"] for each in (of_columns, of_model, validation, training)] == [
        *("infer", "infer", "valid", "train")
    ]
    assert [change["status"] for change in training["history"]] == ["queued", "running", "succeeded"]
    assert training["progress"]["done"] == training["progress"]["total"]
    trained = training["metrics"]
    assert trained["search"]["tried"] > 3
    assert trained["f1"] > 0.8
    assert trained["held_out"]["f1"] is not None
    keys = laptop.keys(root := tenant_root(DEVELOPERS))
    assert {f"{root}{training['results'][name]}" for name in (CHARTS_RESULT, MODEL_RESULT)} <= set(keys)
    request = request_key_id(DEVELOPERS, training["_id"])
    assert item_of(laptop, request, DEVELOPERS)["counted"] == ["0", "1", "2"]
    packages = laptop.client("sagemaker").list_model_packages(ModelPackageGroupName=PACKAGE_GROUP)
    described = [each["ModelPackageDescription"] for each in packages["ModelPackageSummaryList"]]
    assert described.count(f"Trained by request {training['_id']} of {DEVELOPERS}") == 1
    assert validation["metrics"]["f1"] == trained["f1"]
    assert of_model["metrics"]["flagged"] == trained["flagged"]

    def table(key: str) -> pd.DataFrame:
        return pd.read_csv(service.download(key, tmp_path / "table.csv"))

    frame = table("project/file/cogen_feature.csv")
    frame.to_parquet(tmp_path / "later.parquet")
    in_time = frame.assign(time=pd.date_range("2024-01-01", periods=len(frame), freq="5min"))
    in_time[["time", *frame]].to_csv(tmp_path / "in_time.csv", index=False)
    later, columns = (
        service.upload(tmp_path / name, f"project/file/{name}") for name in ("later.parquet", "in_time.csv")
    )
    tasks = [
        service.infer(later, model_path=training["results"][MODEL_RESULT]),
        service.infer(columns, method_name="quantile"),
    ]
    by_model, by_columns = (table(service.wait(task, poll_seconds=0.5)[PREDICTIONS_RESULT]) for task in tasks)

    first = table(training["results"][PREDICTIONS_RESULT])
    assert table(of_model["results"][PREDICTIONS_RESULT]).equals(first)
    assert by_model.equals(first)
    assert next(service.requests())["metrics"]["columns"] == 3
    outside = (frame.load < frame.load.quantile(0.005)) | (frame.load > frame.load.quantile(0.995))
    assert (by_columns.load_label == 1).tolist() == outside.tolist()


def test_a_bad_cell_fails_the_task_with_its_column_and_row(laptop: Laptop) -> None:
    frame, _ = labelled_table()
    frame = frame.astype(object)
    frame.loc[77, "level"] = "broken"
    training = start(
        laptop,
        Task.TRAIN,
        "b1",
        {"model_name": "ECOD", "save_charts": False},
        TaskFiles(put_table(laptop, "bad.csv", frame)),
    )
    execution, _ = finished(laptop, training)
    assert execution["status"] == "FAILED"
    assert "[problem:non_numeric_value] column 'level', row 77 (line 79 of the file)" in execution["cause"]


def test_a_request_whose_start_was_lost_runs_once_it_is_looked_at(laptop: Laptop) -> None:
    frame, _ = labelled_table()
    features = put_table(laptop, "features.csv", frame)
    given = write_down(
        laptop, Task.TRAIN, "d1", {"model_name": "ECOD", "save_charts": False}, TaskFiles(features)
    )
    client = Client(laptop.service_url, token=token_of(laptop, "dee", TENANT))
    machine = laptop.outputs["StateMachineArnTrain"]
    arn = f"{machine.replace(':stateMachine:', ':execution:')}:{execution_name(Task.TRAIN, given.id)}"

    answer = client.wait(RunningTask(given.id, Task.TRAIN, Status.QUEUED, arn), poll_seconds=0.5)

    assert answer["model_path"] == given.results["model_path"]
    assert succeeded(laptop, Started(given, arn))["rows"] == len(frame)
