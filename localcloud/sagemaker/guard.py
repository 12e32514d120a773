"""Runs one container's program and makes sure that nothing of it outlives the server.

The server runs this file as a program (standard library only, no site packages) and holds the write end of
its standard input. When the server dies, however it dies, that pipe closes, and the program is killed with
everything that it started. On Linux the guard adopts orphans, so that a process that left the group is found
too.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None)


def main(argv: list[str]) -> int:
    """Run the program and return its exit code (128 + signal when a signal ended it)."""
    if _LINUX:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with contextlib.suppress(OSError):  # so that jobs never starve the gateway that serves them
        os.nice(5)
    process = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_die_with_guard,  # noqa: PLW1509  # there is one thread yet
    )
    signal.signal(signal.SIGTERM, lambda *_: _signal_group(process.pid, signal.SIGTERM))
    threading.Thread(target=_watch_server, args=(process.pid,), daemon=True).start()
    code = process.wait()
    _kill_everything(process.pid)
    return code if code >= 0 else 128 - code


def _die_with_guard() -> None:
    if _LINUX:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


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
