"""One execution environment: an ``awslambdaric`` process that serves one invocation at a time."""

import json
import os
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from localcloud import processes
from localcloud.lambda_runtime.runtime_api import Answer, Event, RuntimeApi
from localcloud.programs.templates import Process, Recipe, Templates

_LOG_FILE_BYTES = 1 << 20
_POLL_SECONDS = 0.05
_INTERPRETER = (sys.executable, "-S")
# What the runtime provides and all functions import; those of a bundle that has its own get its own.
_PRELOAD = ("boto3", "boto3.session", "botocore.client", "botocore.session", "botocore.endpoint")
_OF_RUNTIME = ("PATH", "LANG", "TZ", "PYTHONPATH", "PYTHONUNBUFFERED")


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """What is fixed for the life of a worker.

    Attributes
    ----------
    search_path : tuple of Path
        Code first, then layers, then what the runtime provides.
    variables : dict
        The function's own environment variables.
    runtime_variables : dict
        ``AWS_*`` of the runtime: region, credentials and endpoint.
    """

    name: str
    version: str
    handler: str
    memory_mb: int
    timeout_seconds: int
    log_group: str
    search_path: tuple[Path, ...]
    variables: dict[str, str]
    runtime_variables: dict[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of one invocation. ``payload`` is the raw JSON that the runtime posted."""

    payload: bytes
    is_error: bool
    lines: list[str]
    duration_ms: float
    init_ms: float | None
    usable: bool = True


@dataclass
class Worker:
    """A warm process; made by its first `invoke`, ended by `close`."""

    spec: FunctionSpec
    host: str
    templates: Templates
    log_stream: str = field(init=False)
    last_used: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        """Start the process; it initialises while the first event is prepared."""
        today = datetime.now(timezone.utc).strftime("%Y/%m/%d")
        self.log_stream = f"{today}/[{self.spec.version}]{uuid.uuid4().hex}"
        self._started = time.monotonic()
        self._served = False
        self._api = RuntimeApi(self.host)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the worker
        self._log_position = 0
        log_fd = os.open(f"/proc/self/fd/{self._log.fileno()}", os.O_WRONLY | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDONLY)
        try:
            self._process = self._start((nothing, log_fd, log_fd))
        finally:
            os.close(log_fd)
            os.close(nothing)

    def invoke(self, request_id: str, payload: bytes, function_arn: str, trace_id: str | None) -> Outcome:
        """Run one event to its end: an answer, a timeout, or the death of the process."""
        timeout = self.spec.timeout_seconds
        started = time.monotonic()
        deadline = started + timeout
        deadline_ms = int((time.time() + timeout) * 1000)
        self._api.offer(Event(request_id, payload, deadline_ms, function_arn, trace_id))
        answer: Answer | None = None
        failure: tuple[str, str] | None = None
        while answer is None:
            answer = self._api.answer(min(_POLL_SECONDS, deadline - time.monotonic()))
            if answer is None and self._process.poll() is not None:
                answer = self._api.answer(_POLL_SECONDS)
                code = self._process.wait()
                reason = f"exit status {code}" if code >= 0 else f"signal: {-code}"
                failure = (
                    "Runtime.ExitError",
                    f"RequestId: {request_id} Error: Runtime exited with error: {reason}",
                )
                break
            if answer is None and time.monotonic() >= deadline:
                failure = (
                    "Sandbox.Timedout",
                    f"RequestId: {request_id} Error: Task timed out after {timeout:.2f} seconds",
                )
                break
        ended = time.monotonic()
        init_ms = None if self._served else (started - self._started) * 1000
        self._served = True
        self.last_used = ended
        lines = self._new_lines()
        duration_ms = (ended - started) * 1000
        if answer is not None:
            usable = bool(answer.request_id)
            return Outcome(answer.payload, answer.is_error, lines, duration_ms, init_ms, usable)
        error_type, message = failure or ("Runtime.Unknown", "no answer")
        if error_type == "Sandbox.Timedout":
            now = datetime.now(timezone.utc).isoformat()
            lines.append(f"{now} {request_id} Task timed out after {timeout:.2f} seconds")
        body = json.dumps({"errorType": error_type, "errorMessage": message}).encode()
        return Outcome(body, True, lines, duration_ms, init_ms, usable=False)

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process at once, as AWS does with an idle environment."""
        self._process.kill()
        self._process.wait()
        self._api.close()
        self._log.close()

    def _new_lines(self) -> list[str]:
        fd = self._log.fileno()
        end = os.fstat(fd).st_size
        text = os.pread(fd, end - self._log_position, self._log_position).decode("utf-8", "replace")
        self._log_position = end
        if end > _LOG_FILE_BYTES:
            os.ftruncate(fd, 0)
            self._log_position = 0
        return text.splitlines()

    def _start(self, descriptors: tuple[int, int, int]) -> Process:
        argv = [*_INTERPRETER, "-m", "awslambdaric", self.spec.handler]
        cwd, environment = self.spec.search_path[0], self._environment()
        own = {name: environment[name] for name in _OF_RUNTIME}
        recipe = Recipe(_INTERPRETER, _PRELOAD, tuple(own.items()))
        forked = self.templates.start(
            recipe, argv, cwd=cwd, environment=environment, descriptors=descriptors, guarded=False
        )
        if forked is not None:
            return forked
        stdin, stdout, stderr = descriptors
        return processes.spawn(
            argv,
            cwd=cwd,
            env=environment,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )

    def _environment(self) -> dict[str, str]:
        spec = self.spec
        code = spec.search_path[0]
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return {
            **spec.variables,
            **spec.runtime_variables,
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": os.pathsep.join(str(folder) for folder in spec.search_path),
            "PYTHONUNBUFFERED": "1",
            "_HANDLER": spec.handler,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{version}",
            "AWS_LAMBDA_FUNCTION_NAME": spec.name,
            "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self.log_stream,
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
            "LAMBDA_TASK_ROOT": str(code),
            "LAMBDA_RUNTIME_DIR": str(spec.search_path[-1]),
            # Amazon X-Ray is not simulated: without this Powertools would try to send segments.
            "POWERTOOLS_TRACE_DISABLED": "1",
        }
