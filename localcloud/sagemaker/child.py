"""A container's program as a child process: its output line by line, its end with everything it started."""

import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_GUARD = Path(__file__).with_name("guard.py")


class Child:
    """A running program under the guard.

    Parameters
    ----------
    argv
        Program and arguments.
    cwd
        Working directory.
    environment
        The whole environment; nothing of the server's own is added.
    on_line
        Called for every line of output, from one thread.

    Raises
    ------
    OSError
        When the guard cannot be started.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        on_line: Callable[[str], None],
    ) -> None:
        self._on_line = on_line
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_GUARD), *argv],
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal is the server's to handle
        )
        self._reader = threading.Thread(target=self._read, name=f"child-{self._process.pid}", daemon=True)
        self._reader.start()

    @property
    def exit_code(self) -> int | None:
        """Exit code, or None while it runs."""
        return self._process.poll()

    def wait(self, seconds: float | None = None) -> int:
        """Wait for the end and the last line of output.

        Raises
        ------
        TimeoutError
            When it still runs after the given time.
        """
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"still running after {seconds} s") from None
        self._reader.join(timeout=10)
        return code

    def end(self, *, grace_seconds: float = 3.0) -> None:
        """End the program: SIGTERM to its group, then SIGKILL to all that is left after the grace time."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(grace_seconds)
            except subprocess.TimeoutExpired:
                self._close_lifeline()
                try:
                    self._process.wait(5)
                except subprocess.TimeoutExpired:
                    self._process.kill()
                    self._process.wait()
        self._close_lifeline()
        self._reader.join(timeout=10)

    def _close_lifeline(self) -> None:
        if self._process.stdin and not self._process.stdin.closed:
            self._process.stdin.close()

    def _read(self) -> None:
        stream = self._process.stdout
        if stream is None:
            raise RuntimeError("the child was started without a pipe")
        with stream:
            for line in stream:
                self._on_line(line.decode("utf-8", "replace").rstrip("\r\n"))
