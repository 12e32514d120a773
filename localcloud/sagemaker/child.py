"""A container's program as a child process: its output line by line, its end with everything it started."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from localcloud.programs.templates import Process, Recipe, Templates

_GUARD = Path(__file__).parent.parent / "programs" / "guard.py"


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
    template
        Where it may be forked from, when its image has libraries to be loaded ahead.

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
        template: tuple[Templates, Recipe] | None = None,
    ) -> None:
        self._on_line = on_line
        lifeline, own_end = os.pipe()
        output, outputs = os.pipe()
        self._lifeline: IO[bytes] = os.fdopen(own_end, "wb", buffering=0)
        self._output: IO[bytes] = os.fdopen(output, "rb")
        try:
            self._process = _started(argv, cwd, environment, (lifeline, outputs, outputs), template)
        except BaseException:
            self._lifeline.close()
            self._output.close()
            raise
        finally:
            os.close(lifeline)
            os.close(outputs)
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
        self._lifeline.close()

    def _read(self) -> None:
        with self._output as stream:
            for line in stream:
                self._on_line(line.decode("utf-8", "replace").rstrip("\r\n"))


def _started(
    argv: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    descriptors: tuple[int, int, int],
    template: tuple[Templates, Recipe] | None,
) -> Process:
    if template is not None:
        templates, recipe = template
        forked = templates.start(
            recipe, argv, cwd=cwd, environment=environment, descriptors=descriptors, guarded=True
        )
        if forked is not None:
            return forked
    stdin, stdout, stderr = descriptors
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(_GUARD), *argv],
        cwd=cwd,
        env=dict(environment),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,  # Ctrl-C in the terminal is the server's to handle
    )
