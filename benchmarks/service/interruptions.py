"""What may happen to the laptop's cloud while requests are under way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import psutil

from cli.specs import ROOT
from localcloud.settings import Settings
from localcloud.supervisor import Running

END_SECONDS = 60

Interruption = Callable[[Settings], None]


def restarted(settings: Settings) -> None:
    """Stop it and start it, as a user would."""
    _localcloud("down", "--quiet")
    _localcloud("up", "--detach", "--quiet")


def killed(settings: Settings) -> None:
    """Kill every process of it at once, as a power cut would, and start it.

    Raises
    ------
    RuntimeError
        If it does not run, or a process is left.
    """
    running = Running.read(settings)
    if running is None:
        raise RuntimeError(f"there is no local cloud to kill in {settings.home}: start one with `make up`")
    tops = running.processes()
    family = {process for top in tops for process in [top, *top.children(recursive=True)]}
    for process in family:
        process.kill()
    _, left = psutil.wait_procs(list(family), timeout=END_SECONDS)
    if left:
        raise RuntimeError(f"still there after SIGKILL: {', '.join(str(process.pid) for process in left)}")
    _localcloud("up", "--detach", "--quiet")


def _localcloud(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "localcloud", *arguments], cwd=ROOT, check=True)
