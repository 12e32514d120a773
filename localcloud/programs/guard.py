"""Runs one container's program and makes sure that nothing of it outlives the server.

The server runs this file as a program (standard library only, no site packages), or a template forks it, and
the server holds the write end of its standard input. When the server dies, however it dies, that pipe
closes, and the program is killed with everything that it started. On Linux the guard adopts orphans, so that
a process that left the group is found too.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None)


def main(argv: list[str]) -> int:
    """Run a program from its start and return its exit code."""
    process = None

    def start() -> int:
        nonlocal process  # whose end would be waited for if it were let go
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=begin,  # noqa: PLW1509  # there is one thread yet
        )
        return process.pid

    return guard(start)


def guard(start: Callable[[], int]) -> int:
    """Watch the program that `start` begins in a session of its own, and return its exit code.

    Parameters
    ----------
    start
        Returns the program's pid; the program itself calls `begin`.

    Returns
    -------
    int
        128 + signal when a signal ended it.
    """
    if _LINUX:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with contextlib.suppress(OSError):  # so that jobs never starve the gateway that serves them
        os.nice(5)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # it waits until there is somebody to tell
    program = start()
    threading.Thread(target=_hand_on, args=(program,), daemon=True).start()
    threading.Thread(target=_watch_server, args=(program,), daemon=True).start()
    code = os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])
    _kill_everything(program)
    return code if code >= 0 else 128 - code


def begin() -> None:
    """Be what a guard starts: SIGTERM reaches it, and it does not outlive the guard."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    die_with_parent()


def die_with_parent() -> None:
    """Be killed when the parent dies (Linux)."""
    if _LINUX:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _hand_on(group: int) -> None:
    while True:
        _signal_group(group, signal.sigwait([signal.SIGTERM]))


def _watch_server(group: int) -> None:
    while os.read(0, 1024):
        pass
    _kill_everything(group)
    os._exit(1)


def _kill_everything(group: int) -> None:
    _signal_group(group, signal.SIGKILL)
    for _ in range(100):  # orphans may have children of their own, which come to us when they die
        orphans = _children()
        if not orphans:
            return
        for pid in orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _children() -> list[int]:
    if not _LINUX:
        return []
    tasks = Path("/proc/self/task")
    try:
        return [int(pid) for task in tasks.iterdir() for pid in (task / "children").read_text().split()]
    except OSError:
        return []


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
