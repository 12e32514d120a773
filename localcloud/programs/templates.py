"""Starts Python programs as forks of templates: processes that have imported what an image or a runtime has.

A program is what it would be after a start of its own (`shelf`): only what its environment itself provides is
loaded ahead, and it has that when it imports it. Where a template would not be what the program asks for,
because of a variable that interpreter or libraries look at when they start, the fork starts it from its
beginning. Where there is no `pidfd_open`, or templates are turned off, every program starts by itself.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from localcloud import processes

logger = logging.getLogger(__name__)

_PROGRAM = Path(__file__).with_name("template.py")
_NAME_BYTES = 1000  # room for the names of programs, which take the place of the template's
_STATUS_BYTES = 8
_LOAD_SECONDS = 120.0


class Process(Protocol):
    """What is asked of a program, whichever way it was started; as `subprocess.Popen` has it."""

    pid: int

    def poll(self) -> int | None:
        """Return the exit code, below 0 for a signal, or None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit code; raises `subprocess.TimeoutExpired`."""

    def terminate(self) -> None:
        """Send SIGTERM."""

    def kill(self) -> None:
        """Send SIGKILL."""


@dataclass(frozen=True)
class Recipe:
    """What a template is made of; one of the same recipe serves all programs.

    Attributes
    ----------
    interpreter : tuple of str
        Absolute path of Python, and its options.
    modules : tuple of str
        What it imports.
    environment : tuple of (str, str)
        Its variables; `PYTHONPATH` among them comes first on its import path.
    """

    interpreter: tuple[str, ...]
    modules: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]


class Templates:
    """The templates of one part of the server.

    Parameters
    ----------
    idle_seconds
        A template that forked nothing for so long is ended; with 0 there are none.
    """

    def __init__(self, idle_seconds: float) -> None:
        self._idle_seconds = idle_seconds if hasattr(os, "pidfd_open") else 0.0
        self._lock = threading.Lock()
        self._found: dict[Recipe, _Template] = {}

    def start(
        self,
        recipe: Recipe,
        argv: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        descriptors: tuple[int, int, int],
        guarded: bool,
    ) -> Process | None:
        """Start a program in a session of its own, or return None where it has to start by itself.

        Parameters
        ----------
        argv
            Begins with the recipe's interpreter; then a script, or ``-m`` and a module, and arguments.
        environment
            The whole environment.
        descriptors
            Standard input, output and error.
        guarded
            Under the guard, which has these descriptors; without, it dies with the template.
        """
        count = len(recipe.interpreter)
        options = argv[count].startswith("-") and argv[count] != "-m"
        if not self._idle_seconds or options or tuple(argv[:count]) != recipe.interpreter:
            return None
        request = {
            "argv": list(argv),
            "interpreter": count,
            "directory": str(cwd),
            "environment": dict(environment),
            "guarded": guarded,
        }
        with self._lock:
            template = self._found.get(recipe)
            if template is None or template.is_closed:
                template = self._found[recipe] = _Template(recipe, self._idle_seconds)
        return template.fork(request, descriptors)

    def close(self) -> None:
        """End the templates, each with the last of its programs."""
        with self._lock:
            self._idle_seconds = 0.0
            for template in self._found.values():
                template.end()
            self._found.clear()


class _Template:
    def __init__(self, recipe: Recipe, idle_seconds: float) -> None:
        self._recipe = recipe
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._is_loaded = False
        self._is_broken = False
        self.is_closed = False
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(_LOAD_SECONDS)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # as long as the template
        modules = " ".join(recipe.modules)
        with theirs:
            self._process = processes.spawn(
                [*recipe.interpreter, str(_PROGRAM), str(theirs.fileno()), f"{modules:<{_NAME_BYTES}}"],
                cwd="/",
                env=dict(recipe.environment),
                stdin=processes.DEVNULL,
                stdout=processes.DEVNULL,
                stderr=self._errors,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def fork(self, request: object, descriptors: tuple[int, int, int]) -> _Forked | None:
        """Return the new process; None when the template is broken."""
        status, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with self._lock, theirs, os.fdopen(os.memfd_create("request"), "w+") as file:
            if self._is_broken or not self._loaded():
                status.close()
                return None
            self._rest()
            json.dump(request, file)
            file.flush()
            file.seek(0)
            try:
                socket.send_fds(self._control, [b"."], [file.fileno(), *descriptors, theirs.fileno()])
            except OSError:
                self._close()
        message, received, _, _ = socket.recv_fds(status, _STATUS_BYTES, 1)
        if not received:
            status.close()
            return None
        return _Forked(int.from_bytes(message, "little"), received[0], status)

    def end(self) -> None:
        """Fork no more; the process ends with the last of its programs."""
        with self._lock:
            self._close()

    def _loaded(self) -> bool:
        if self.is_closed:
            return False
        if not self._is_loaded:
            with contextlib.suppress(TimeoutError):
                self._is_loaded = bool(self._control.recv(1))
        if not self._is_loaded:
            self._process.kill()
            self._process.wait()
            self._errors.seek(0)
            said = self._errors.read().decode("utf-8", "replace")[-2000:]
            logger.warning("programs of %s start by themselves: %s", self._recipe.interpreter[0], said)
            self._is_broken = True
        return self._is_loaded

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(self._idle_seconds, self.end)
        self._timer.daemon = True
        self._timer.start()

    def _close(self) -> None:
        self.is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._control.close()


class _Forked:
    """A program that a template has forked."""

    def __init__(self, pid: int, descriptor: int, status: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._descriptor = descriptor
        self._status = status
        self._lock = threading.Lock()

    def __del__(self) -> None:
        os.close(self._descriptor)
        self._status.close()

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit code."""
        poll = select.poll()
        poll.register(self._status, select.POLLIN)
        if self.returncode is None and not poll.poll(None if timeout is None else timeout * 1000):
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        with self._lock:
            if self.returncode is None:
                told = self._status.recv(_STATUS_BYTES)
                self.returncode = (
                    int.from_bytes(told, "little", signed=True) if told else -signal.SIGKILL
                )  # nothing: the template was killed, and the program with it
            return self.returncode

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, number)
