"""The processes in which the laptop runs jobs."""

import psutil

from tests.local.laptop import Laptop

JOB_NAMES = ("TRAINING_JOB_NAME", "PROCESSING_JOB_NAME")


def container_of(laptop: Laptop, job: str) -> psutil.Process | None:
    """Return the process of a job's program; not the guard that watches it."""
    return next((found for found in laptop.processes() if is_program(found, job)), None)


def is_program(process: psutil.Process, job: str) -> bool:
    try:
        own = job in [process.environ().get(name) for name in JOB_NAMES]
        return own and "guard.py" not in " ".join(process.cmdline())
    except psutil.Error:  # it ended meanwhile
        return False
