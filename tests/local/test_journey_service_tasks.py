"""The anomaly service's tasks on the deployed application, from file to file."""

import pytest

from tests.local.callers import token_of
from tests.local.laptop import Laptop
from tests.local.service_tasks import (
    TENANT,
    Started,
    finished,
    item_of,
    labelled_table,
    predictions,
    put_table,
    start,
    succeeded,
    write_down,
)
from tests.local.waiting import until
from watchkeeper.client import Client
from watchkeeper.client.client import RunningTask
from watchkeeper.service.job_names import PACKAGE_GROUP
from watchkeeper.service.request_item import Status
from watchkeeper.service.tasks import Task, TaskFiles, execution_name

pytestmark = pytest.mark.local


def test_trains_with_a_search_then_validates_and_infers(laptop: Laptop) -> None:
    frame, labels = labelled_table()
    features = put_table(laptop, "features.csv", frame)
    truth = put_table(laptop, "labels.csv", labels)

    training = start(
        laptop,
        Task.TRAIN,
        "a1",
        {"model_name": "DBSCAN", "save_charts": True},
        TaskFiles(features, truth),
        charts=True,
    )
    trained = succeeded(laptop, training)
    assert trained["search"]["tried"] > 3
    assert trained["f1"] > 0.8
    assert trained["held_out"]["f1"] is not None
    model = training.given.outputs.model
    assert {training.given.outputs.charts_page, model} <= set(laptop.keys(training.given.outputs.folder))
    assert item_of(laptop, "a1")["counted"] == ["0", "1", "2"]
    packages = laptop.client("sagemaker").list_model_packages(ModelPackageGroupName=PACKAGE_GROUP)
    described = [each["ModelPackageDescription"] for each in packages["ModelPackageSummaryList"]]
    assert described.count("Trained by request a1 of journeys") == 1

    files = TaskFiles(put_table(laptop, "later.parquet", frame), None, model)
    validating = start(laptop, Task.VALID, "a2", {"save_charts": False}, TaskFiles(features, truth, model))
    inferring = start(laptop, Task.INFER, "a3", {"detection_type": "multivariate"}, files)
    univariate = start(
        laptop,
        Task.INFER,
        "a4",
        {"detection_type": "univariate", "method_name": "quantile", "parameters": {}},
        TaskFiles(features),
    )
    assert succeeded(laptop, validating)["f1"] == trained["f1"]
    assert succeeded(laptop, inferring)["flagged"] == trained["flagged"]
    assert predictions(laptop, inferring).equals(predictions(laptop, training))
    assert succeeded(laptop, univariate)["columns"] == 3
    found = predictions(laptop, univariate)
    outside = (frame.flow < frame.flow.quantile(0.005)) | (frame.flow > frame.flow.quantile(0.995))
    assert (found.flow_label == 1).tolist() == outside.tolist()


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


def test_a_power_cut_in_the_middle_of_a_search_loses_no_task(laptop: Laptop) -> None:
    frame, labels = labelled_table()
    features, truth = put_table(laptop, "features.csv", frame), put_table(laptop, "labels.csv", labels)
    tasks = [
        start(
            laptop,
            Task.TRAIN,
            request,
            {"model_name": "ECOD", "save_charts": False},
            TaskFiles(features, truth if request == "c1" else None),
        )
        for request in ("c1", "c2")
    ]
    until(lambda: "counted" in item_of(laptop, "c1"), what="the first share of the search")

    laptop.kill()
    laptop.cloud.start()

    for task in tasks:
        assert succeeded(laptop, task)["rows"] == len(frame)
    assert item_of(laptop, "c1")["counted"] == ["0", "1", "2"]


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
