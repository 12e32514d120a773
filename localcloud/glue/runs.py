"""The life of a job's run: started in a thread; stopped, timed out, tried again, run again after a restart.

A run's record is ministack's, which keeps it on disk. A run that was running when the server died runs again
from its start under its own id, as Glue's own restart of a streaming job does: what it had done is what its
checkpoint has.
"""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from localcloud.glue.definitions import Document
from localcloud.images.registry import ImageEnvironmentError, LocalImage, ensure_environment
from localcloud.role_clients import RoleClients
from localcloud.sagemaker.child import Child
from localcloud.sagemaker.clock import now
from localcloud.sagemaker.logs import LogSender, LogStream
from localcloud.seams import glue
from localcloud.seams.responses import request_scope
from localcloud.settings import Settings

logger = logging.getLogger(__name__)

UNDER_WAY = ("STARTING", "RUNNING", "STOPPING", "WAITING")
_STREAMS = {"1": "output", "2": "error"}
_POLL_SECONDS = 0.1
_MESSAGE_LENGTH = 2048
_GRACE_SECONDS = 5.0
_SECONDS_A_MINUTE = 60
# What a process needs of memory beside Spark's heap, and the most that a worker of G.1X gives its heap.
_HEAP_SHARE, _LARGEST_HEAP = 0.4, 10 * 2**30


class StoppedError(Exception):
    """The run was asked to stop."""


class RunSupervisor:
    """Starts and stops runs, and knows those that are under way.

    Parameters
    ----------
    settings
        Of the local cloud.
    clients
        Of the roles of jobs.
    image
        Spark's environment.
    on_change
        Called after each change of a record.
    """

    def __init__(
        self, settings: Settings, clients: RoleClients, image: LocalImage, on_change: Callable[[], None]
    ) -> None:
        self._settings = settings
        self._clients = clients
        self._image = image
        self._on_change = on_change
        self._logs = LogSender(clients)
        self._folder = settings.home / "glue"
        self._stopping: dict[str, threading.Event] = {}
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._closed = False

    def open(self) -> None:
        """Send logs, and run again what was under way when the server ended."""
        self._logs.start()
        with self.records() as (jobs, runs):
            again = [
                (jobs[name], run)
                for name, each in runs.items()
                for run in each
                if run["JobRunState"] in UNDER_WAY and name in jobs
            ]
        for job, run in again:
            if run["JobRunState"] == "STOPPING":
                self._finish(run, "STOPPED", "")
            else:
                self.start(job, run)

    def start(self, job: Document, run: Document) -> None:
        """Run a record that is among the job's runs."""
        stopping = threading.Event()
        with self._lock:
            self._stopping[run["Id"]] = stopping
            thread = threading.Thread(
                target=self._run, args=(job, run, stopping), name=f"glue-{run['Id'][:12]}", daemon=True
            )
            self._threads.append(thread)
        thread.start()

    def stop(self, run: Document) -> None:
        """Ask a run to stop."""
        self.change(run, JobRunState="STOPPING")
        with self._lock:
            stopping = self._stopping.get(run["Id"])
        if stopping is not None:
            stopping.set()

    def close(self) -> None:
        """End every process and leave the runs as they are."""
        self._closed = True
        self._logs.stop()
        with self._lock:
            for stopping in self._stopping.values():
                stopping.set()
            threads = list(self._threads)
        for thread in threads:
            thread.join(8)

    @contextmanager
    def records(self) -> Iterator[tuple[Any, Any]]:
        """Give all jobs and runs of the account."""
        with request_scope(self._settings.account, self._settings.region):
            yield glue.jobs, glue.runs

    def change(self, run: Document, **members: Any) -> None:
        """Change members of a run's record."""
        run.update(members, LastModifiedOn=now())
        self._on_change()

    def _run(self, job: Document, run: Document, stopping: threading.Event) -> None:
        root = self._folder / run["Id"]
        state, message = "FAILED", "Internal service error: see the log of the local cloud"
        streams = {
            mark: self._logs.open(f"{run['LogGroupName']}/{name}", run["Id"], job["Role"])
            for mark, name in _STREAMS.items()
        }
        try:
            self._prepare(job, run, root, streams["2"])
            state, message = self._execute(job, run, root, stopping, streams)
        except StoppedError:
            state, message = "STOPPED", ""
        except ImageEnvironmentError as error:
            message = f"LAUNCH ERROR | {error}"
            streams["2"].write(message)
        except Exception:
            logger.exception("run %s of job %s", run["Id"], run["JobName"])
        finally:
            for stream in streams.values():
                self._logs.close(stream)
            shutil.rmtree(root, ignore_errors=True)
            with self._lock:
                self._stopping.pop(run["Id"], None)
                self._threads.remove(threading.current_thread())
            if not self._closed:
                self._finish(run, state, message)
                if state == "FAILED":
                    self._try_again(job, run)

    def _prepare(self, job: Document, run: Document, root: Path, stream: LogStream) -> None:
        if not self._image.is_built:
            stream.write(
                f"Building the laptop's Spark environment in {self._image.environment}: once, some minutes"
            )
            ensure_environment(self._image)
            stream.write("The Spark environment is built")
        shutil.rmtree(root, ignore_errors=True)
        (root / "tmp").mkdir(parents=True)
        arguments = {
            "--JOB_NAME": run["JobName"],
            "--JOB_RUN_ID": run["Id"],
            **job["DefaultArguments"],
            **run["Arguments"],
            **job["NonOverridableArguments"],
        }
        buckets = [each["Name"] for each in self._clients.client("s3").list_buckets()["Buckets"]]
        heap = min(_LARGEST_HEAP, int(psutil.virtual_memory().total * _HEAP_SHARE))
        content = {
            "script": job["Command"]["ScriptLocation"],
            "arguments": {name: str(value) for name, value in arguments.items()},
            "buckets": buckets,
            "memory": f"{heap >> 20}m",
        }
        (root / "job.json").write_text(json.dumps(content), encoding="utf-8")

    def _execute(
        self,
        job: Document,
        run: Document,
        root: Path,
        stopping: threading.Event,
        streams: dict[str, LogStream],
    ) -> tuple[str, str]:
        minutes = run.get("Timeout")
        deadline = time.monotonic() + minutes * _SECONDS_A_MINUTE if minutes else None

        def line(text: str) -> None:
            streams.get(text[:1], streams["2"]).write(text[1:])

        child = Child(self._image.run, cwd=root, environment=self._environment(job, root), on_line=line)
        self.change(run, JobRunState="RUNNING")
        try:
            while True:
                if stopping.is_set():
                    raise StoppedError(run["Id"])
                try:
                    code = child.wait(_POLL_SECONDS)
                except TimeoutError:
                    if deadline is not None and time.monotonic() > deadline:
                        return "TIMEOUT", f"Job run exceeded its timeout of {minutes} minutes"
                else:
                    break
        finally:
            child.end(grace_seconds=_GRACE_SECONDS)
        if not code:
            return "SUCCEEDED", ""
        failure = root / "failure"
        if failure.exists():
            return "FAILED", failure.read_text(encoding="utf-8", errors="replace")[:_MESSAGE_LENGTH]
        return "FAILED", f"Command failed with exit code {code}"

    def _environment(self, job: Document, root: Path) -> dict[str, str]:
        return {
            "PATH": f"{self._image.python.parent}:/usr/bin:/bin",
            "HOME": str(root),
            "TMPDIR": str(root / "tmp"),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "OMP_NUM_THREADS": "1",
            **self._clients.variables(job["Role"]),
        }

    def _finish(self, run: Document, state: str, message: str) -> None:
        ended = now()
        members = {"CompletedOn": ended, "ExecutionTime": round(ended - run["StartedOn"])}
        if message:
            members["ErrorMessage"] = message
        self.change(run, JobRunState=state, **members)

    def _try_again(self, job: Document, run: Document) -> None:
        attempt = run["Attempt"] + 1
        if attempt > int(job["MaxRetries"]):
            return
        first = run["Id"].partition("_attempt_")[0]
        members = {"Attempt": attempt, "PreviousRunId": run["Id"], "_owner": None}
        again = new_run(job, f"{first}_attempt_{attempt}", run["Arguments"], **members)
        with self.records() as (_, runs):
            runs[run["JobName"]].append(again)
        self.start(job, again)


def new_run(job: Document, run_id: str, arguments: dict[str, str], **members: Any) -> Document:
    """Return the record of a run that begins."""
    started = now()
    run: Document = {
        "Id": run_id,
        "Attempt": 0,
        "JobName": job["Name"],
        "JobMode": job["JobMode"],
        "StartedOn": started,
        "LastModifiedOn": started,
        "JobRunState": "STARTING",
        "Arguments": arguments,
        "PredecessorRuns": [],
        "ExecutionTime": 0,
        "WorkerType": job["WorkerType"],
        "NumberOfWorkers": job["NumberOfWorkers"],
        "LogGroupName": _log_groups(job),
        "GlueVersion": job["GlueVersion"],
        "ExecutionClass": job["ExecutionClass"],
        **members,
    }
    if "Timeout" in job and "Timeout" not in members:
        run["Timeout"] = job["Timeout"]
    return run


def _log_groups(job: Document) -> str:
    """Return where a job's log groups are; those of a security configuration have its name and the role's."""
    security = job.get("SecurityConfiguration")
    return f"/aws-glue/jobs-{job['Role'].rpartition('/')[2]}-{security}" if security else "/aws-glue/jobs"
