"""The client: each method is one or two requests of the service."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from watchkeeper.client.problems import TaskFailedError
from watchkeeper.client.transport import Transport
from watchkeeper.core.errors import InvalidInputError, UnavailableError
from watchkeeper.service.request_item import Status
from watchkeeper.service.tasks import Task

LAPTOP = "http://localhost:8000"
Progress = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class RunningTask:
    """A request that the service accepted."""

    id: str
    task: Task
    status: Status
    task_id: str
    """ARN of the Step Functions execution."""


class Client:
    """A client of the anomaly service.

    Parameters
    ----------
    url
        Address of the service: the stack output `ServiceUrl`, or the laptop's.
    token
        ID token of a user of the pool, or what returns a valid one: a `SignIn`. The laptop needs none.
    timeout_seconds
        For one HTTP request.

    Examples
    --------
    >>> client = Client()  # doctest: +SKIP
    >>> client.upload("cogen.csv", "project/file/cogen.csv")  # doctest: +SKIP
    >>> task = client.train("DBSCAN", "project/file/cogen")  # doctest: +SKIP
    >>> client.wait(task)["model_path"]  # doctest: +SKIP
    """

    def __init__(
        self,
        url: str = LAPTOP,
        *,
        token: str | Callable[[], str] | None = None,
        timeout_seconds: float = 60.0,
    ) -> None:
        self._transport = Transport(url, token, timeout_seconds)

    def upload(self, path: str | Path, key: str) -> str:
        """Upload a CSV or Parquet file and return its key.

        Raises
        ------
        ServiceProblemError
            If the service takes no such file.
        """
        file = Path(path)
        lent = self._transport.call("POST", "/files", body={"key": key, "size_bytes": file.stat().st_size})
        with file.open("rb") as content:
            self._transport.send_file(lent["method"], lent["url"], lent["headers"], content)
        return str(lent["key"])

    def download(self, key: str, path: str | Path) -> Path:
        """Download a file, such as a result, and return where it is now."""
        lent = self._transport.call("GET", f"/files/{quote(key)}")
        self._transport.fetch_file(lent["url"], Path(path))
        return Path(path)

    def train(
        self,
        model_name: str,
        feature_file: str,
        *,
        label_file: str | None = None,
        save_charts: bool = False,
        decimal: str = ".",
        request_id: str | None = None,
    ) -> RunningTask:
        """Start training a detector; with labels, hyperparameters are searched for the best F1."""
        return self._start(
            Task.TRAIN,
            request_id,
            model_name=model_name,
            save_charts=save_charts,
            decimal=decimal,
            train_feature_file=feature_file,
            train_label_file=label_file,
        )

    def valid(
        self,
        model_path: str,
        feature_file: str,
        label_file: str,
        *,
        save_charts: bool = False,
        decimal: str = ".",
        request_id: str | None = None,
    ) -> RunningTask:
        """Start measuring a model on labelled data."""
        return self._start(
            Task.VALID,
            request_id,
            model_path=model_path,
            save_charts=save_charts,
            decimal=decimal,
            valid_feature_file=feature_file,
            valid_label_file=label_file,
        )

    def infer(
        self,
        feature_file: str,
        *,
        model_path: str | None = None,
        method_name: str | None = None,
        parameters: Mapping[str, float | int | None] | None = None,
        decimal: str = ".",
        request_id: str | None = None,
    ) -> RunningTask:
        """Start finding anomalies: by a model, or in each column by `iqr`, `quantile` or `persist`.

        Parameters
        ----------
        parameters
            Of the method; what is not named has its default.
        decimal
            Decimal sign of the numbers in a CSV file: `.` or `,`.

        Raises
        ------
        InvalidInputError
            If not exactly one of model and method is given, or parameters of no method.
        """
        if (model_path is None) == (method_name is None):
            raise InvalidInputError("give either model_path or method_name")
        how = {"detection_type": "multivariate" if model_path else "univariate"}
        if parameters is not None and method_name is None:
            raise InvalidInputError("parameters are a method's: give method_name, or leave them out")
        named: dict[str, Any] = {"decimal": decimal}
        named |= {"model_path": model_path} if model_path else {"method_name": method_name}
        if parameters:
            named["parameters"] = dict(parameters)
        return self._start(Task.INFER, request_id, **how, **named, feature_file=feature_file)

    def results(self, task: RunningTask) -> dict[str, Any]:
        """Return status and results of a task as the service answers them."""
        answer: dict[str, Any] = self._transport.call("GET", _path(task.task), query={"_id": task.id})
        return answer

    def wait(
        self,
        task: RunningTask,
        *,
        on_progress: Progress | None = None,
        poll_seconds: float = 2.0,
        timeout_seconds: float = 3600.0,
    ) -> dict[str, Any]:
        """Return the results of a task when it is finished.

        Parameters
        ----------
        on_progress
            Is told `{"done", "total", "message"}` whenever it has changed.

        Raises
        ------
        TaskFailedError
            If the task failed.
        UnavailableError
            If it is not finished in time.
        """
        deadline = time.monotonic() + timeout_seconds
        told: dict[str, Any] | None = None
        while True:
            answer = self.results(task)
            if answer["status"] == Status.SUCCEEDED.value:
                return answer
            if answer["status"] == Status.FAILED.value:
                error = answer.get("error") or {"type": "task_failed", "message": "no reason given"}
                raise TaskFailedError(error["message"], reason=error["type"], request=task.id)
            progress = answer.get("progress")
            if on_progress is not None and progress is not None and progress != told:
                on_progress(progress)
                told = progress
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"{task.task.value} {task.id} is {answer['status']} after {timeout_seconds} s"
                )
            time.sleep(poll_seconds)

    def requests(
        self, *, task: Task | str | None = None, status: Status | str | None = None
    ) -> Iterator[dict[str, Any]]:
        """Iterate over the caller's requests, the newest first."""
        query = {
            "task": None if task is None else Task(task).value,
            "status": None if status is None else Status(status).value,
            "limit": 100,
        }
        return self._pages("/requests", query)

    def models(self) -> Iterator[dict[str, Any]]:
        """Iterate over the models that the caller's tenant trained, the newest first."""
        return self._pages("/models", {"limit": 100})

    def _pages(self, path: str, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
        token = None
        while True:
            page = self._transport.call("GET", path, query={**query, "page_token": token})
            yield from page[path.removeprefix("/")]
            token = page["next_page_token"]
            if token is None:
                return

    def _start(self, task: Task, request_id: str | None, **fields: Any) -> RunningTask:
        body = {"request_id": request_id or str(uuid4()), **fields}
        answer = self._transport.call("POST", _path(task), body=body)
        return RunningTask(answer["_id"], Task(answer["task"]), Status(answer["status"]), answer["task_id"])


def _path(task: Task) -> str:
    return f"/anomaly_detection/{task.value}/"
