"""Child processes that cannot outlive the server: the kernel kills them when it dies."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from subprocess import DEVNULL, PIPE, STDOUT
from typing import Any

__all__ = ["DEVNULL", "PIPE", "STDOUT", "end", "spawn"]

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
# Linux sends the signal when the *thread* that forked ends, so one thread that never ends starts every child.
_spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="localcloud-spawner")


def spawn(
    argv: Sequence[str], *, parent_death_signal: signal.Signals = signal.SIGKILL, **options: Any
) -> subprocess.Popen[bytes]:
    """Start a child that is killed when this process dies, however it dies.

    Parameters
    ----------
    argv
        Program and arguments.
    parent_death_signal
        What the kernel sends the child when this process is gone (Linux).
    **options
        Passed to `subprocess.Popen`. ``env`` should always be given: a child must not see the server's own
        environment.

    Raises
    ------
    OSError
        When the program cannot be started.
    """
    parent = os.getpid()

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(argv, preexec_fn=lambda: _die_with(parent, parent_death_signal), **options)  # noqa: PLW1509  # see _die_with

    return _spawner.submit(start).result()


def end(process: subprocess.Popen[bytes], *, grace_seconds: float = 3.0) -> None:
    """End a child: SIGTERM, then SIGKILL when it has not left after the grace time."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(grace_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _die_with(parent: int, number: signal.Signals) -> None:
    """Run in the child between fork and exec: only one prepared C call and two system calls."""
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:  # it died between fork and prctl
        os._exit(1)
