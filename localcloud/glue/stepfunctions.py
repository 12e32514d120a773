"""Step Functions' optimized integration with Glue: ``arn:aws:states:::glue:startJobRun`` and its ``.sync``.

`aws-sdk:glue:*` is ministack's, which asks the service as any client does. A run of a ``.sync`` state is
stopped when its execution is stopped or its state times out; an execution that is resumed after a restart of
the server waits for the run that it had started.
"""

from __future__ import annotations

import json
import threading

from localcloud.glue.api import Api
from localcloud.glue.definitions import Document
from localcloud.glue.errors import GlueError
from localcloud.glue.runs import UNDER_WAY
from localcloud.seams import stepfunctions as states
from localcloud.stepfunctions import current_execution, current_task, machine_may

OPTIMIZED = "arn:aws:states:::glue:"
_POLL_SECONDS = 0.1
_MEMBERS = frozenset(
    {
        *("JobName", "JobRunId", "Arguments", "AllocatedCapacity", "Timeout", "SecurityConfiguration"),
        *("NotificationProperty", "WorkerType", "NumberOfWorkers", "MaxCapacity", "ExecutionClass"),
    }
)
_TIMES = ("StartedOn", "LastModifiedOn", "CompletedOn")


def install(api: Api) -> None:
    """Register the integration with ministack."""
    states.service_dispatch[OPTIMIZED] = Integration(api).start_job_run


class Integration:
    """Carries out task states whose resource is Glue's.

    Parameters
    ----------
    api
        The laptop's Glue.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def start_job_run(self, resource: str, parameters: Document) -> Document:
        """Start a run, and wait for its end where the resource says so.

        Raises
        ------
        localcloud.seams.stepfunctions.ExecutionError
            With the error name and cause that the state machine sees.
        """
        action, _, pattern = resource.removeprefix(OPTIMIZED).partition(".")
        if action != "startJobRun" or pattern not in ("", "sync"):
            raise states.ExecutionError("States.Runtime", f"The resource {resource} is not supported.")
        for name in parameters:
            if name not in _MEMBERS:
                raise states.ExecutionError(
                    "States.Runtime", f'The field "{name}" is not supported by Step Functions'
                )
        try:
            execution = current_execution()
            owner = execution["executionArn"] if execution else None
            run_id = self._api.start(parameters, owner)["JobRunId"]
        except GlueError as error:
            cause = f"{error} (Service: AWSGlue; Status Code: 400; Error Code: {error.code})"
            raise states.ExecutionError(f"Glue.{error.code}", cause) from error
        if not pattern:
            return {"JobRunId": run_id}
        return self._wait(parameters["JobName"], run_id)

    def _wait(self, job: str, run_id: str) -> Document:
        task = current_task()
        pause = task.left if task else threading.Event()
        while True:
            run = self._api.call("GetJobRun", {"JobName": job, "RunId": run_id})["JobRun"]
            if run["JobRunState"] == "SUCCEEDED":
                return _rendered(run)
            if run["JobRunState"] not in UNDER_WAY:
                raise states.ExecutionError("States.TaskFailed", json.dumps(_rendered(run)))
            if task and not task.running:
                stop = {"JobName": job, "JobRunIds": [run_id]}
                if machine_may(self._api.authority, "glue", "BatchStopJobRun", stop):
                    self._api.call("BatchStopJobRun", stop)
                raise states.ExecutionError("States.TaskFailed", f"Run {run_id} of job {job} was stopped")
            pause.wait(_POLL_SECONDS)


def _rendered(run: Document) -> Document:
    """Return a run as the integration gives it: times in milliseconds since the epoch."""
    return {name: round(value * 1000) if name in _TIMES else value for name, value in run.items()}
