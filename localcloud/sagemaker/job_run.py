"""One job that is being run: what its runner may use, and how it is stopped."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localcloud.programs.templates import Recipe, Templates
from localcloud.sagemaker.child import Child
from localcloud.sagemaker.clock import now
from localcloud.sagemaker.context import Context
from localcloud.sagemaker.errors import JobFailedError, JobStoppedError
from localcloud.sagemaker.kinds import MODEL, TRANSFORM_JOB, Kind
from localcloud.sagemaker.logs import LogSender, LogStream
from localcloud.sagemaker.metrics import MetricSender
from localcloud.sagemaker.shapes import Document

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
        """Client of S3 that calls as the job's role."""
        return self.context.client("s3", self.role)

    @property
    def role(self) -> str | None:
        """ARN of the job's role; a transform job has the one of its model."""
        if self.kind is TRANSFORM_JOB:
            model: Document = self.context.store.get(MODEL, self.job["ModelName"])
            return model.get("ExecutionRoleArn")
        return self.job.get("RoleArn")

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
        self,
        argv: list[str],
        *,
        environment: dict[str, str],
        stream: LogStream,
        on_line: Any = None,
        template: tuple[Templates, Recipe] | None = None,
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
            child = Child(argv, cwd=self.root, environment=environment, on_line=line, template=template)
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

    def finish(self, status: str, reason: str, also: Callable[[Document, float], None] | None = None) -> None:
        """Write the final status, its time and the reason of a failure.

        Parameters
        ----------
        also
            Changes the document too, by the time of the end, before the status is seen.
        """

        def change(job: Document) -> None:
            ended = now()
            if also is not None:
                also(job, ended)
            job[self.kind.status] = status
            job[self.kind.end_member] = ended
            if reason:
                job["FailureReason"] = reason

        self.edit(change)
