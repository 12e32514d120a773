"""What the API hands to the workflows: the input of a task's execution."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from uuid import UUID

from watchkeeper.core.documents import Document
from watchkeeper.core.layout import short_hash
from watchkeeper.service.tenant_files import output_folder, relative_key, tenant_root

PREDICTIONS_FILE = "predictions.csv"
MODEL_FILE = "model.tar.gz"
CHARTS_FOLDER = "charts/"
CHARTS_PAGE = "index.html"
"""The page of all charts; their PNG files are beside it."""

PREDICTIONS_RESULT = "predictions_label_file"
CHARTS_RESULT = "predictions_charts_file"
MODEL_RESULT = "model_path"
"""Fields of an answer that name files."""


class Task(str, Enum):
    """What the service does."""

    TRAIN = "train"
    VALID = "valid"
    INFER = "infer"


@dataclass(frozen=True)
class TaskFiles:
    """Keys, in the bucket, of what a task reads."""

    features: str
    labels: str | None = None
    model: str | None = None
    """A `model.tar.gz`: the tenant's own, or that of a model package (`runs/…`) which the request named."""


@dataclass(frozen=True)
class TaskOutputs:
    """Keys, in the bucket, of what a task writes, or None; `folder` and `charts` end in `/`."""

    folder: str
    predictions: str
    charts: str | None = None
    model: str | None = None

    @property
    def charts_page(self) -> str | None:
        """Key of the page of all charts."""
        return None if self.charts is None else f"{self.charts}{CHARTS_PAGE}"


@dataclass(frozen=True)
class TaskInput(Document, name="input of a task"):
    """The input of one execution.

    `parameters` are the request's validated fields: `request_id` and, of `train`, `model_name` and
    `save_charts`; of `valid`, `model_path` and `save_charts`; of `infer`, `detection_type`, `method_name`,
    `model_path` and, of a univariate method, `parameters` (`detectors.rule_parameters`).
    """

    tenant: str
    id: str
    """What the request is called in the account, `request_key_id`: its item, its execution, its jobs."""
    task: Task
    bucket: str
    root: str
    """Prefix of everything of the tenant, with a `/` at its end."""
    parameters: dict[str, Any]
    files: TaskFiles
    outputs: TaskOutputs
    results: dict[str, str] = field(default_factory=dict)
    """What a finished request answers: its field to the key relative to the root. The item's `results`."""


def request_key_id(tenant: str, request_id: str) -> str:
    """Return what a tenant's request is called in the account, where names have few characters and the same
    UUID may be two tenants'.

    Parameters
    ----------
    request_id
        The `_id` that the tenant knows: the UUID of its POST. Anything else is returned as it is: earlier
        releases gave the account's name as `_id`.
    """
    try:
        return short_hash(f"{tenant}|{UUID(request_id)}")
    except ValueError:
        return request_id


def execution_name(task: Task, request: str) -> str:
    """Return the name of a request's execution: starting it twice starts one."""
    return f"{task.value}-{request}"


def task_input(
    *,
    tenant: str,
    request: str,
    task: Task,
    bucket: str,
    parameters: dict[str, Any],
    files: TaskFiles,
    charts: bool,
) -> TaskInput:
    """Derive every location of a task from what it reads.

    Parameters
    ----------
    request
        What it is called in the account: `request_key_id`.
    parameters
        The request's fields; its `request_id` names the folder of the results.
    files
        Keys in the bucket; the outputs are beside `files.features`.
    charts
        Whether charts are drawn.
    """
    root = tenant_root(tenant)
    folder = output_folder(files.features, task.value, parameters["request_id"])
    outputs = TaskOutputs(
        folder=folder,
        predictions=f"{folder}{PREDICTIONS_FILE}",
        charts=f"{folder}{CHARTS_FOLDER}" if charts else None,
        model=f"{folder}{MODEL_FILE}" if task is Task.TRAIN else None,
    )
    written = {
        PREDICTIONS_RESULT: outputs.predictions,
        CHARTS_RESULT: outputs.charts_page,
        MODEL_RESULT: outputs.model,
    }
    return TaskInput(
        tenant=tenant,
        id=request,
        task=task,
        bucket=bucket,
        root=root,
        parameters=parameters,
        files=files,
        outputs=outputs,
        results={name: relative_key(tenant, key) for name, key in written.items() if key is not None},
    )
