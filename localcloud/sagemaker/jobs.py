"""The life of a job: started in a thread, stopped, failed, run again after a restart.

A job that was running when the server died runs again from its start: its inputs are in S3, and its outputs
are uploaded only at its end, so that nothing is half done.
"""

import logging
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.sagemaker.child import Child
from localcloud.sagemaker.clock import now
from localcloud.sagemaker.context import Context
from localcloud.sagemaker.errors import InvalidRequestError, JobFailedError, JobStoppedError, SageMakerError
from localcloud.sagemaker.kinds import JOBS, PROCESSING_JOB, TRAINING_JOB, TRANSFORM_JOB, Kind
from localcloud.sagemaker.logs import LogSender, LogStream
from localcloud.sagemaker.metrics import MetricSender
from localcloud.sagemaker.shapes import Document

logger = logging.getLogger(__name__)

RUNNING = ("InProgress", "Stopping")
REASON_LENGTH = 1024
_POLL_SECONDS = 0.05


class Run:
    """One job that is being run: what its runner may use, and how it is stopped.

    Attributes
    ----------
    root : Path
        What stands for /opt/ml; removed at the end.
    job : dict
        The job's document as it was at the start.
    """

    def __init__(
        self, context: Context, logs: LogSender, metrics: MetricSender, kind: Kind, job: Document
    ) -> None:
        self.context = context
        self.logs = logs
        self.metrics = metrics
        self.kind = kind
        self.job = job
        self.name: str = job[kind.name_member]
        self.root: Path = context.folder / kind.arn_path / self.name
        self.stopping = threading.Event()
        self.finished = threading.Event()
        self.abandoned = False
        self._on_stop: list[Callable[[], None]] = []

    @property
    def s3(self) -> Any:
        """Client of S3."""
        return self.context.client("s3")

    def stop(self) -> None:
        """Ask the job to stop; what `on_stop` named is done in a thread, since it may take seconds."""
        self.stopping.set()
        for act in self._on_stop:
            threading.Thread(target=act, name=f"stop-{self.name}", daemon=True).start()

    def on_stop(self, act: Callable[[], None]) -> None:
        """Name what makes the runner's present work end at once."""
        self._on_stop.append(act)

    def update(self, **members: Any) -> None:
        """Change members of the job's document."""
        with self.context.store.edit(self.kind, self.name) as job:
            job.update(members, LastModifiedTime=now())

    def edit(self, change: Callable[[Document], None]) -> None:
        """Change the job's document by a function."""
        with self.context.store.edit(self.kind, self.name) as job:
            change(job)
            job["LastModifiedTime"] = now()

    def check(self) -> None:
        """Leave the job when it is to stop."""
        if self.stopping.is_set():
            raise JobStoppedError(self.name)

    def execute(
        self, argv: list[str], *, environment: dict[str, str], stream: LogStream, on_line: Any = None
    ) -> int:
        """Run the container's program to its end and return its exit code.

        Raises
        ------
        JobStoppedError
            When the job was stopped.
        TimeoutError
            When the job's time was up; the program is ended.
        """
        self.check()
        deadline = time.monotonic() + self.job["StoppingCondition"]["MaxRuntimeInSeconds"]

        def line(text: str) -> None:
            stream.write(text)
            if on_line:
                on_line(text)

        try:
            child = Child(argv, cwd=self.root, environment=environment, on_line=line)
        except OSError as error:
            raise JobFailedError(f"InternalServerError: {argv[0]} cannot be started: {error}") from error
        try:
            while True:
                self.check()
                try:
                    return child.wait(_POLL_SECONDS)
                except TimeoutError:
                    if time.monotonic() > deadline:
                        raise
        finally:
            child.end()


class Runner(Protocol):
    """Runs one kind of job; a module of this package."""

    def run(self, run: Run) -> None:
        """Do the whole work; raise `JobFailedError` or `JobStoppedError`."""

    def finish(self, run: Run, status: str, reason: str) -> None:
        """Write the final status."""


class JobSupervisor:
    """Starts and stops jobs, and knows those that run."""

    def __init__(
        self, context: Context, logs: LogSender, metrics: MetricSender, runners: dict[str, Runner]
    ) -> None:
        self._context = context
        self._logs = logs
        self._metrics = metrics
        self._runners = runners
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
            runner.run(run)
            status, reason = "Completed", ""
        except JobStoppedError:
            status, reason = "Stopped", ""
        except JobFailedError as error:
            status, reason = "Failed", str(error)[:REASON_LENGTH]
        except (SageMakerError, ClientError, BotoCoreError, OSError) as error:
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
