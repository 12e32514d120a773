"""The readers of files: each takes one and says how many rows it takes, or refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cli.backtest import read_labelled
from cli.history_check import check_history
from cli.request_rows import read_request_rows
from cli.telemetry import read_telemetry
from containers.anomaly.telemetry import Telemetry, read_folder
from containers.explain.io.configuration import read_configuration
from containers.explain.io.dataset import read_dataset
from containers.regression.table import Table, read_table
from containers.service.labels import read_labels
from containers.service.tables import read_parts
from lambdas.service_api.file_head import check_head
from watchkeeper.command.series_file import Columns, SeriesFile
from watchkeeper.core.plan import Dialect, MeasurePlan, TimestampPlan, WorkloadPlan
from watchkeeper.regression.plan import ColumnPlan, RegressionPlan, TableHistoryPlan

TIMESTAMP = TimestampPlan("timestamp")
PLAN = WorkloadPlan("plain", TIMESTAMP, (MeasurePlan("value", "value"),), 300)
TABLE = RegressionPlan(
    "plain", "value", (ColumnPlan("value", "numeric"),), TableHistoryPlan(timestamp=TIMESTAMP)
)
ANALYSIS = read_configuration(
    {
        "dataset_type": "text/csv",
        "headers": ["timestamp", "value"],
        "joinsource_name_or_index": "timestamp",
        "methods": {"shap": {}},
    }
)


@dataclass(frozen=True)
class Reader:
    """A reader, and of which kind it is."""

    name: str
    kind: str
    """Situations may have another right for a kind."""
    read: Callable[[Path], int | None]
    """Rows that are taken; None where it does not say."""
    like: str = ""
    """Another kind, whose right is its own where the situation says nothing of its kind."""


def _score(path: Path) -> int:
    return sum(len(piece.rows) for piece in SeriesFile(path, Columns(TIMESTAMP, ("value",))))


def _replay_and_backtest(path: Path) -> int:
    return len(read_telemetry(path, PLAN).readings)


def _train(path: Path) -> None:
    check_history(PLAN, [path])


def _train_table(path: Path) -> None:
    check_history(TABLE, [path])


def _job(path: Path) -> int:
    telemetry = Telemetry(PLAN)
    read_folder(_alone(path), telemetry, _quarantine(path))
    return telemetry.accepted


def _table_job(path: Path) -> int:
    table = Table(TABLE)
    read_table(_alone(path), table, _quarantine(path))
    return table.tally.accepted


def _backtest_table(path: Path) -> int:
    rows, _ = read_labelled(TABLE, path)
    return len(rows)


def _explain(path: Path) -> int:
    return len(read_dataset(_alone(path), ANALYSIS).table)


def _invoke(path: Path) -> int:
    return len(read_request_rows(path, Dialect()))


def _service(path: Path) -> int:
    return sum(len(part) for part in read_parts(path))


def _univariate(path: Path) -> int:
    return sum(len(part) for part in read_parts(path, needs_time=True))


def _service_labels(path: Path) -> int:
    return len(read_labels(path, sum(len(part) for part in read_parts(path))))


def _head(path: Path) -> None:
    content = path.read_bytes()
    check_head(path.name, path.name, content, whole=True)


def _alone(path: Path) -> Path:
    folder = path.parent / "input"
    folder.mkdir()
    path.rename(folder / path.name)
    return folder


def _quarantine(path: Path) -> Path:
    folder = path.parent / "quarantine"
    folder.mkdir()
    return folder


READERS = (
    Reader("score", "series", _score),
    Reader("replay, backtest", "records", _replay_and_backtest),
    Reader("train", "training", _train),
    Reader("the anomaly job", "job", _job),
    Reader("train of a table", "training", _train_table),
    Reader("backtest of a table", "table", _backtest_table),
    Reader("the regression job", "table", _table_job),
    Reader("the explain job", "analysis", _explain),
    Reader("the service's API", "head", _head),
    Reader("the service", "features", _service),
    Reader("the service, univariate", "features", _univariate),
    Reader("the service, labels", "labels", _service_labels, like="features"),
    Reader("invoke", "requests", _invoke),
)
