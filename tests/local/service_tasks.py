"""Executions of the anomaly service's state machines, started as its API starts them."""

import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tests.local.laptop import Laptop
from tests.local.waiting import until
from watchkeeper.service.request_item import Attribute, Status, item_key, partition_key
from watchkeeper.service.tasks import Task, TaskFiles, TaskInput, execution_name, task_input

TENANT = "journeys"
FOLDER = f"tenants/{TENANT}/project/file/"
SECONDS = 280.0


@dataclass(frozen=True)
class Started:
    """A task that runs."""

    given: TaskInput
    arn: str


def put_table(laptop: Laptop, name: str, frame: pd.DataFrame) -> str:
    """Upload a table as CSV or Parquet and return its key."""
    buffer = io.BytesIO()
    if name.endswith(".parquet"):
        frame.to_parquet(buffer)
    else:
        frame.to_csv(buffer, index=False)
    laptop.client("s3").put_object(Bucket=laptop.bucket, Key=f"{FOLDER}{name}", Body=buffer.getvalue())
    return f"{FOLDER}{name}"


def labelled_table(n_rows: int = 400) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return rows of three columns of which some are anomalies, and their labels."""
    rng = np.random.default_rng(5)
    values = rng.normal(size=(n_rows, 3))
    labels = np.zeros(n_rows, dtype=int)
    labels[rng.choice(n_rows, n_rows // 20, replace=False)] = 1
    values[labels == 1] += rng.choice([-6.0, 6.0], size=(labels.sum(), 3))
    frame = pd.DataFrame(values, columns=["flow", "level", "power"])
    frame.insert(0, "time", pd.date_range("2024-01-01", periods=n_rows, freq="5min"))
    return frame, pd.DataFrame({"label": labels})


def start(
    laptop: Laptop,
    task: Task,
    request: str,
    parameters: dict[str, Any],
    files: TaskFiles,
    *,
    charts: bool = False,
) -> Started:
    """Write a request's item and start its execution."""
    given = write_down(laptop, task, request, parameters, files, charts=charts)
    started = laptop.client("stepfunctions").start_execution(
        stateMachineArn=laptop.outputs[f"StateMachineArn{task.value.capitalize()}"],
        name=execution_name(task, request),
        input=given.to_json(),
    )
    return Started(given, started["executionArn"])


def write_down(
    laptop: Laptop,
    task: Task,
    request: str,
    parameters: dict[str, Any],
    files: TaskFiles,
    *,
    charts: bool = False,
) -> TaskInput:
    """Write a request's item as the API does, and start nothing."""
    given = task_input(
        tenant=TENANT,
        request=request,
        task=task,
        bucket=laptop.bucket,
        parameters={"request_id": request, "decimal": ".", **parameters},
        files=files,
        charts=charts,
    )
    item = {
        **item_key(TENANT, request),
        Attribute.STATUS.value: Status.QUEUED.value,
        Attribute.TASK.value: task.value,
        Attribute.REQUEST_ID.value: request,
        Attribute.INPUT.value: given.to_json(),
        Attribute.CREATED_AT.value: "2024-01-01T00:00:00Z",
    }
    laptop.client("dynamodb").put_item(
        TableName=laptop.outputs["RequestsTableName"],
        Item={**{name: {"S": value} for name, value in item.items()}, "history": {"L": []}},
    )
    return given


def finished(laptop: Laptop, started: Started) -> tuple[dict[str, Any], dict[str, Any]]:
    """Wait for the end of a task; return the execution and the request's item."""
    states = laptop.client("stepfunctions")
    execution: dict[str, Any] = until(
        lambda: (now := states.describe_execution(executionArn=started.arn))["status"] != "RUNNING" and now,
        what=f"the end of {started.arn}",
        seconds=SECONDS,
    )
    return execution, item_of(laptop, started.given.id)


def item_of(laptop: Laptop, request: str, tenant: str = TENANT) -> dict[str, Any]:
    """Return a request's item, plain values."""
    found = laptop.items("Requests", partition_key(tenant))
    return next(item for item in found if item["sk"] == request)


def succeeded(laptop: Laptop, started: Started) -> dict[str, Any]:
    """Wait for the good end of a task and return its measures."""
    execution, item = finished(laptop, started)
    assert (execution["status"], execution.get("cause", "")) == ("SUCCEEDED", "")
    assert item["status"] == Status.SUCCEEDED.value
    assert [change["M"]["status"]["S"] for change in item["history"]] == ["running", "succeeded"]
    assert item["progress"]["done"] == item["progress"]["total"]
    assert json.loads(item["results"]) == started.given.results
    measures: dict[str, Any] = json.loads(item["metrics"])
    return measures
