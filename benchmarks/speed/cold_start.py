"""What a scoring function does before its first message: import its bundle and load the kernel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from statistics import median

from benchmarks.pages import ROOT
from benchmarks.speed.versions import timed
from pipeline.packaging import build_scoring_code

_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import lambdas.scoring.handler
from watchkeeper.detectors.native.library import library
library()
"""


@dataclass(frozen=True)
class ColdStart:
    """Medians of the turns."""

    bundle_bytes: int
    """Unpacked, of AWS's."""
    cpu_seconds: float
    wall_seconds: float


def cold_start(*, turns: int) -> ColdStart:
    """Return what a start takes on this machine, from sources as in a function: it cannot keep bytecode."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "POWERTOOLS_TRACE_DISABLED": "1",
    }

    with tempfile.TemporaryDirectory() as folder:
        shutil.unpack_archive(build_scoring_code("here", ROOT / "build"), folder)

        def start() -> None:
            command = [sys.executable, "-B", "-s", "-c", _PROGRAM, folder]
            subprocess.run(command, env=environment, cwd="/", check=True)

        cpu, wall = zip(*(timed(start) for _ in range(turns)), strict=True)
    with zipfile.ZipFile(build_scoring_code("lambda", ROOT / "build")) as deployed:
        size = sum(member.file_size for member in deployed.infolist())
    return ColdStart(size, median(cpu), median(wall))
