"""The readers of files: each takes one and says how many rows it takes, or refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cli.history_check import check_history
from cli.request_rows import read_request_rows
from cli.telemetry import read_telemetry
from containers.anomaly.telemetry import Telemetry, read_folder
from watchkeeper.command.series_file import Columns, SeriesFile
from watchkeeper.core.plan import Dialect, MeasurePlan, TimestampPlan, WorkloadPlan

PLAN = WorkloadPlan("plain", TimestampPlan("timestamp"), (MeasurePlan("value", "value"),), 300)


@dataclass(frozen=True)
class Reader:
    """A reader, and of which kind it is."""

    name: str
    kind: str
    """Situations may have another right for a kind."""
    read: Callable[[Path], int | None]
    """Rows that are taken; None where it does not say."""


def _score(path: Path) -> int:
    return sum(len(piece.rows) for piece in SeriesFile(path, Columns(PLAN.timestamp, ("value",))))


def _replay_and_backtest(path: Path) -> int:
    return len(read_telemetry(path, PLAN).readings)


def _train(path: Path) -> None:
    check_history(PLAN, [path])


def _job(path: Path) -> int:
    telemetry = Telemetry(PLAN)
    quarantine = path.parent / "quarantine"
    quarantine.mkdir()
    history = path.parent / "history"
    history.mkdir()
    path.rename(history / path.name)
    read_folder(history, telemetry, quarantine)
    return telemetry.accepted


def _invoke(path: Path) -> int:
    return len(read_request_rows(path, Dialect()))


READERS = (
    Reader("score", "series", _score),
    Reader("replay, backtest", "records", _replay_and_backtest),
    Reader("train", "training", _train),
    Reader("the anomaly job", "job", _job),
    Reader("invoke", "requests", _invoke),
)
