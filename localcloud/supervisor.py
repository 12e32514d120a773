"""Starts the server, watches it, and ends it: in order when it can, finally when it must.

The supervisor is the process of ``up`` (or a detached copy of it). The server is its child, in a session of
its own. The server gets SIGTERM when the supervisor dies, however it dies; the server's children die with it.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from localcloud import processes
from localcloud.environment import server_environment
from localcloud.settings import PREFIX, Settings

# Everything of ours in `Settings.home`: what `reset` deletes.
STATE_ENTRIES = ("state", "service-quotas.json", "s3", "lambda", "firehose", "sagemaker", "iam", "server.log")

_FOR_THIS_USER = 0o077  # mask of the modes of files: they hold keys, tokens and telemetry
_POLL_SECONDS = 0.1
_START_SECONDS = 60.0
_LOG_TAIL_LINES = 20


class SupervisorError(RuntimeError):
    """The local cloud cannot be started or stopped; the message says why."""


@dataclass(frozen=True, slots=True)
class Running:
    """The pid file: who runs, with start times so that a reused pid is not mistaken for it."""

    supervisor: int
    supervisor_started: float
    server: int
    server_started: float
    port: int

    @staticmethod
    def path(settings: Settings) -> Path:
        """Return where the pid file is."""
        return settings.home / "localcloud.pid"

    @classmethod
    def read(cls, settings: Settings) -> "Running | None":
        """Return what the pid file says when one of its processes is alive, else None."""
        try:
            running = cls(**json.loads(cls.path(settings).read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return running if running.processes() else None

    def processes(self) -> list[psutil.Process]:
        """Return those of supervisor and server that are alive, supervisor first."""
        recorded = ((self.supervisor, self.supervisor_started), (self.server, self.server_started))
        return [found for pid, started in recorded if (found := _same_process(pid, started))]


def start_detached(settings: Settings) -> Running:
    """Start a supervisor in the background and return when the gateway is ready.

    Raises
    ------
    SupervisorError
        When it is up already, a port is taken, or the server does not become ready.
    """
    check_free(settings)
    _make_home(settings)
    with log_path(settings).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "localcloud", "up", "--quiet", "--outlive-parent"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            umask=_FOR_THIS_USER,
            env={**os.environ, **server_environment(settings)},
        )
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        running = Running.read(settings)
        if running is not None and _is_ready(settings):
            return running
        if process.poll() is not None:
            raise SupervisorError(f"it ended with status {process.returncode}\n{_log_tail(settings)}")
        time.sleep(_POLL_SECONDS)
    process.terminate()
    raise SupervisorError(f"not ready after {_START_SECONDS:.0f} s; log: {log_path(settings)}")


class Supervisor:
    """One server process and its end.

    Parameters
    ----------
    settings
        Of the local cloud.
    outlive_parent
        Keep running when the process that started this one is gone.
    """

    def __init__(self, settings: Settings, *, outlive_parent: bool) -> None:
        self._settings = settings
        self._parent = None if outlive_parent else os.getppid()
        self._stop = False

    def start(self) -> None:
        """Start the server and return when it is ready.

        Raises
        ------
        SupervisorError
            As `start_detached`.
        """
        check_free(self._settings)
        _make_home(self._settings)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._request_stop)
        with log_path(self._settings).open("ab") as log:
            self._server = processes.spawn(
                [sys.executable, "-m", "localcloud.serve"],
                parent_death_signal=signal.SIGTERM,
                env=server_environment(self._settings),
                stdin=processes.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                umask=_FOR_THIS_USER,
            )
        running = Running(
            supervisor=os.getpid(),
            supervisor_started=psutil.Process().create_time(),
            server=self._server.pid,
            server_started=psutil.Process(self._server.pid).create_time(),
            port=self._settings.port,
        )
        partial = Running.path(self._settings).with_suffix(".partial")
        partial.write_text(json.dumps(asdict(running)))
        partial.replace(Running.path(self._settings))
        deadline = time.monotonic() + _START_SECONDS
        while not _is_ready(self._settings):
            if self._server.poll() is not None or time.monotonic() > deadline or self._stop:
                self._end()
                raise SupervisorError(f"the server did not become ready\n{_log_tail(self._settings)}")
            time.sleep(_POLL_SECONDS)

    def watch(self) -> int:
        """Wait for the end of the server, of the parent, or for a signal; return the exit status."""
        while self._server.poll() is None and not self._stop and not self._is_orphan():
            time.sleep(_POLL_SECONDS)
        died = self._server.poll() is not None
        self._end()
        return 1 if died else 0

    def _is_orphan(self) -> bool:
        return self._parent is not None and os.getppid() != self._parent

    def _request_stop(self, number: int, frame: object) -> None:
        self._stop = True

    def _end(self) -> None:
        processes.end(self._server, grace_seconds=self._settings.shutdown_seconds)
        _kill_session(self._server.pid)
        Running.path(self._settings).unlink(missing_ok=True)


def stop(settings: Settings) -> bool:
    """Stop what the pid file names: SIGTERM, then SIGKILL. Return False when nothing ran.

    Raises
    ------
    SupervisorError
        When a process is still there after SIGKILL.
    """
    running = Running.read(settings)
    if running is None:
        return False
    found = running.processes()
    found[0].terminate()
    psutil.wait_procs(found, timeout=settings.shutdown_seconds + 5)
    for process in running.processes():
        process.kill()
    _kill_session(running.server)
    _, alive = psutil.wait_procs(found, timeout=5)
    if alive:
        raise SupervisorError(f"still there after SIGKILL: {', '.join(str(left.pid) for left in alive)}")
    Running.path(settings).unlink(missing_ok=True)
    return True


def check_free(settings: Settings) -> None:
    """Refuse to start when the local cloud is up or a port is taken, naming the holder.

    Raises
    ------
    SupervisorError
        With the process that holds the port.
    """
    running = Running.read(settings)
    if running is not None:
        raise SupervisorError(
            f"already up on port {running.port} (process {running.server}, {settings.home}): "
            "stop it with 'python -m localcloud down'"
        )
    wanted = {"port": settings.port, "mqtt_tls_port": settings.mqtt_tls_port}
    listeners = [found for found in psutil.net_connections("tcp") if found.status == psutil.CONN_LISTEN]
    for name, port in wanted.items():
        for connection in listeners:
            if tuple(connection.laddr)[1:2] == (port,):
                holder = _describe(connection.pid)
                raise SupervisorError(
                    f"port {port} is taken by {holder}: end it, or set {PREFIX}{name.upper()}"
                )


def read_status(settings: Settings) -> dict[str, Any]:
    """Return the running server's status document.

    Raises
    ------
    SupervisorError
        When it does not answer.
    """
    try:
        with urllib.request.urlopen(f"{settings.endpoint_url}/_localcloud/status", timeout=10) as response:  # noqa: S310  # http, loopback
            document: dict[str, Any] = json.load(response)
            return document
    except OSError as error:
        raise SupervisorError(
            f"nothing answers at {settings.endpoint_url}: start it with 'python -m localcloud up'"
        ) from error


def log_path(settings: Settings) -> Path:
    """Return where the server writes its log."""
    return settings.home / "server.log"


def _make_home(settings: Settings) -> None:
    """Make the folder of the state, for this user alone."""
    settings.home.mkdir(parents=True, exist_ok=True)
    settings.home.chmod(0o777 & ~_FOR_THIS_USER)
    log_path(settings).touch(0o666 & ~_FOR_THIS_USER)


def _is_ready(settings: Settings) -> bool:
    try:
        with urllib.request.urlopen(f"{settings.endpoint_url}/_localcloud/ready", timeout=2) as response:  # noqa: S310  # http, loopback
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _same_process(pid: int, started: float) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE or abs(process.create_time() - started) > 1:
            return None
    except psutil.NoSuchProcess:
        return None
    return process


def _kill_session(leader: int) -> None:
    """Kill what is left of a process group whose leader is gone."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


def _describe(pid: int | None) -> str:
    if pid is None:
        return "a process of another user"
    try:
        return f"process {pid} ({' '.join(psutil.Process(pid).cmdline())[:100]})"
    except psutil.Error:
        return f"process {pid}"


def _log_tail(settings: Settings) -> str:
    try:
        lines = log_path(settings).read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    return "\n".join(lines[-_LOG_TAIL_LINES:])
