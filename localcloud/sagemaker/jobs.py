"""The life of a job: started in a thread, stopped, failed, run again after a restart.

A job that was running when the server died runs again from its start: its inputs are in S3, and its outputs
are uploaded only at its end, so that nothing is half done.

As many run at once as the laptop has processors, the others wait in the order they came. AWS gives every job
instances of its own; here they share the processors with the gateway that serves them: fifty programs that
start together would keep it from answering, and none of them would end sooner.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.authorization.needs import lent_key, volume_key
from localcloud.sagemaker.context import Context
from localcloud.sagemaker.errors import InvalidRequestError, JobFailedError, JobStoppedError, SageMakerError
from localcloud.sagemaker.job_run import Run
from localcloud.sagemaker.kinds import JOBS, PROCESSING_JOB, TRAINING_JOB, TRANSFORM_JOB, Kind
from localcloud.sagemaker.logs import LogSender
from localcloud.sagemaker.metrics import MetricSender, metrics_need

_LOOK_SECONDS = 0.1


class JobSlots:
    """Places to run in, given in the order in which they were asked for.

    Parameters
    ----------
    count
        Jobs at once.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()

    @contextmanager
    def taken(self, stopping: threading.Event) -> Iterator[None]:
        """Wait for a place, and give it back at the end.

        Raises
        ------
        JobStoppedError
            When the job is stopped while it waits.
        """
        self._take(stopping)
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def _take(self, stopping: threading.Event) -> None:
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                while not self._free or self._waiting[0] is not ticket:
                    if stopping.is_set():
                        raise JobStoppedError("it was stopped while it waited for a place to run in")
                    self._changed.wait(_LOOK_SECONDS)
                self._free -= 1
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()


logger = logging.getLogger(__name__)

RUNNING = ("InProgress", "Stopping")
REASON_LENGTH = 1024


class Runner(Protocol):
    """Runs one kind of job; a module of this package."""

    def run(self, run: Run) -> None:
        """Do the whole work; raise `JobFailedError` or `JobStoppedError`."""

    def finish(self, run: Run, status: str, reason: str) -> None:
        """Write the final status; see `Run.finish`."""


class JobSupervisor:
    """Starts and stops jobs, and knows those that run."""

    def __init__(
        self, context: Context, logs: LogSender, metrics: MetricSender, runners: dict[str, Runner]
    ) -> None:
        self._context = context
        self._logs = logs
        self._metrics = metrics
        self._runners = runners
        self._slots = JobSlots(context.settings.job_concurrency)
        self._runs: dict[tuple[str, str], Run] = {}
        self._lock = threading.Lock()

    def start(self, kind: Kind, name: str) -> None:
        """Run a job that is in the store."""
        run = Run(self._context, self._logs, self._metrics, kind, self._context.store.get(kind, name))
        with self._lock:
            self._runs[kind.resource, name] = run
        threading.Thread(target=self._run, args=(run,), name=f"{kind.arn_path}-{name}", daemon=True).start()

    def stop(self, kind: Kind, name: str) -> None:
        """Stop a running job; one that has ended is refused as AWS refuses it."""
        with self._context.store.edit(kind, name) as job:
            if job[kind.status] not in RUNNING:
                raise InvalidRequestError(
                    f"The request was rejected because the {kind.arn_path.replace('-', ' ')} is in status "
                    f"{job[kind.status]}."
                )
            job[kind.status] = "Stopping"
            if "SecondaryStatus" in job:
                job["SecondaryStatus"] = "Stopping"
        with self._lock:
            run = self._runs.get((kind.resource, name))
        if run:
            run.stop()

    def resume(self) -> None:
        """Run again what was running when the server ended."""
        for kind in JOBS:
            for job in self._context.store.all(kind):
                if job[kind.status] == "InProgress":
                    self.start(kind, job[kind.name_member])
                elif job[kind.status] == "Stopping":
                    with self._context.store.edit(kind, job[kind.name_member]) as stopped:
                        stopped[kind.status] = "Stopped"

    def abandon(self) -> None:
        """End every process and leave the jobs as they are: they run again when the server is back."""
        with self._lock:
            runs = list(self._runs.values())
        for run in runs:
            run.abandoned = True
            run.stop()
        for run in runs:
            run.finished.wait(8)

    def _run(self, run: Run) -> None:
        runner = self._runners[run.kind.resource]
        status, reason = "Failed", "InternalServerError: see the log of the local cloud"
        try:
            with self._slots.taken(run.stopping):
                if volume := volume_key(run.job):
                    run.context.require(run.role, lent_key(volume))
                run.context.allows(run.role, metrics_need(run.kind.resource))
                runner.run(run)
            status, reason = "Completed", ""
        except JobStoppedError:
            status, reason = "Stopped", ""
        except JobFailedError as error:
            status, reason = "Failed", str(error)[:REASON_LENGTH]
        except ClientError as error:
            logger.warning("%s %s: %s", run.kind.resource, run.name, error)
            status, reason = "Failed", f"ClientError: {error}"[:REASON_LENGTH]
        except (SageMakerError, BotoCoreError, OSError) as error:
            logger.exception("%s %s", run.kind.resource, run.name)
            status, reason = "Failed", f"InternalServerError: {error}"[:REASON_LENGTH]
        finally:
            if not run.abandoned:
                runner.finish(run, status, reason)
            shutil.rmtree(run.root, ignore_errors=True)
            with self._lock:
                self._runs.pop((run.kind.resource, run.name), None)
            run.finished.set()


def default_runners() -> dict[str, Runner]:
    """Return the runner of each kind."""
    from localcloud.sagemaker import processing, training, transform

    return {
        TRAINING_JOB.resource: training,
        PROCESSING_JOB.resource: processing,
        TRANSFORM_JOB.resource: transform,
    }
