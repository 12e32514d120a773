"""Where a job's files are, how it logs, and the one boundary at which its failure is reported."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeVar

from watchkeeper.core.documents import Document
from watchkeeper.core.errors import ContractViolationError, WatchkeeperError

Plan = TypeVar("Plan", bound=Document)

VENDOR = Path(__file__).resolve().parents[2] / "vendor"


def use_vendored(folder: Path = VENDOR) -> None:
    """Append the folder to the import path; without one, what is installed has to do.

    Raises
    ------
    ContractViolationError
        If its compiled modules are for another Python.
    """
    if not folder.is_dir() or str(folder) in sys.path:
        return
    built_for = json.loads((folder / "target.json").read_text())["python"]
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if built_for != here:
        raise ContractViolationError(
            f"the code archive was built for Python {built_for} and this container has {here}: "
            "build it for the image's version (pipeline/vendoring.py)"
        )
    sys.path.append(str(folder))


FAILURE_LENGTH = 1024
"""SageMaker shows so many characters of a failure."""

logger = logging.getLogger(__name__)


def root() -> Path:
    """Return the folder that SageMaker mounts: `$SAGEMAKER_BASE_DIR`, else `/opt/ml`."""
    return Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))


def processing_input(name: str) -> Path:
    """Return the folder of a processing job's input; it is absent when the job has no such input."""
    return root() / "processing" / "input" / name


def processing_output(name: str) -> Path:
    """Return the folder of a processing job's output; it is made."""
    folder = root() / "processing" / "output" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def training_channel(name: str) -> Path:
    """Return the folder of a training job's channel.

    Raises
    ------
    ContractViolationError
        If the job has no such channel.
    """
    folder = root() / "input" / "data" / name
    if not folder.is_dir():
        raise ContractViolationError(f"the training job has no channel {name!r}")
    return folder


def only_file(folder: Path, pattern: str) -> Path:
    """Return the one file of a folder that fits a pattern.

    Raises
    ------
    ContractViolationError
        If there is none, or more than one.
    """
    found = sorted(path for path in folder.glob(pattern) if path.is_file())
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise ContractViolationError(f"{folder}: one file {pattern} is needed, found: {names}")
    return found[0]


def read_plan(folder: Path, kind: type[Plan]) -> Plan:
    """Return the plan in an input or channel, of a kind of workload."""
    return kind.from_json(only_file(folder, "*.json").read_bytes())


def describe_error(error: WatchkeeperError) -> str:
    """Return what SageMaker shows of a failure."""
    return f"{type(error).__name__}: {error}"


def run_job(job: Callable[[], None], describe: Callable[[WatchkeeperError], str] = describe_error) -> None:
    """Run a job's work with its archive's packages. What fails it is logged, and its reason written where
    SageMaker reads it.

    The reason of a training job is read from `output/failure`, that of a processing job from
    `output/message`; both are written. The process ends with exit code 1.

    Parameters
    ----------
    describe
        Puts an error in words.
    """
    configure_logging()
    try:
        use_vendored()
        job()
    except WatchkeeperError as error:
        logger.error("the job failed: %s", error, extra={"error": type(error).__name__})
        _report(describe(error))
        sys.exit(1)
    except Exception as error:
        logger.exception("the job failed with an error that it does not know")
        _report(f"{type(error).__name__}: {error}")
        sys.exit(1)


def tell(message: str) -> None:
    """Leave a processing job's exit message: SageMaker shows it also of a job that succeeds.

    Raises
    ------
    ContractViolationError
        If it is longer than SageMaker keeps.
    """
    if len(message) > FAILURE_LENGTH:
        raise ContractViolationError(
            f"an exit message of {len(message)} characters: {FAILURE_LENGTH} are kept"
        )
    path = root() / "output" / "message"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(message, encoding="utf-8")


def configure_logging() -> None:
    """Log JSON, one object a line, to standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def _report(reason: str) -> None:
    line = " ".join(reason.split())[:FAILURE_LENGTH]
    for name in ("failure", "message"):
        path = root() / "output" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(line, encoding="utf-8")


class _JsonFormatter(logging.Formatter):
    _STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, timezone.utc)
        document = {
            "timestamp": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in self._STANDARD},
        }
        if record.exc_info:
            document["exception"] = self.formatException(record.exc_info)
        return json.dumps(document, default=str)
