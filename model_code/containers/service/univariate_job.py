"""Processing job: judges each column of a table by a rule of its own: `iqr`, `quantile` or `persist`.

Input `features`, whose first column is the time; output `results`: the predictions file. The exit message
counts what was found.

The rule of a column is fitted to the column itself. Rows are taken in the order of time, and of one time in
the order of the file; the answer is in the order of the file. Times that are there twice change nothing, and
irregular ones only what `persist` calls a gap (`max_gap`). A missing value is no anomaly, and is passed over.

Memory: the table waits on the job's disk and is judged one column at a time, and what is found waits there
until it is written part by part. In memory are one part (`tables.part_rows`), and of the table its times and,
of the one column in hand, about a dozen numbers a row: it grows with the rows, and not with the columns. The
disk needs 17 bytes a cell.
"""

from __future__ import annotations

import json
import logging
import tempfile
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from containers.runtime import job
from containers.service.column_file import ColumnFile
from containers.service.inputs import PredictSettings, failure_text, given_file
from containers.service.predictions import PredictionsFile
from containers.service.tables import part_rows, read_parts
from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.plan import Dialect
from watchkeeper.core.severity import SCORE_RARITY
from watchkeeper.detectors.catalogue import RULES
from watchkeeper.detectors.factory import new_detector
from watchkeeper.detectors.protocol.batch import BatchDetector
from watchkeeper.detectors.protocol.calibration import severity_of
from watchkeeper.detectors.protocol.scores import Scores
from watchkeeper.detectors.tabular.rule_parameters import checked_parameters

IRREGULAR = 1e-3
"""A step that differs from the usual one by more than this share is irregular."""

FloatArray = npt.NDArray[np.float64]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rarities:
    """What is found: for each cell, on disk, how rare it is and whether it is an anomaly."""

    rarity: ColumnFile
    label: ColumnFile
    thresholds: list[float] = field(default_factory=list)
    """By column the rarity that is its threshold."""


def judge_columns() -> None:
    """Read, judge, write."""
    settings = PredictSettings.from_environment()
    path = given_file(job.processing_input("features"), settings.features)
    with (
        tempfile.TemporaryDirectory(dir=job.root()) as scratch,
        ColumnFile(Path(scratch) / "values", np.float64) as values,
        ColumnFile(Path(scratch) / "rarity", np.float64) as rarity,
        ColumnFile(Path(scratch) / "label", np.bool_) as label,
    ):
        names, times = _spill(path, Dialect(decimal=settings.decimal), values)
        found = Rarities(rarity, label)
        _judge(rule_of(settings.method, settings.parameters), names, times, values, found)
        flagged = _write(job.processing_output("results") / settings.predictions, names, found)
    message = {
        "method": settings.method,
        "rows": len(times),
        "flagged": flagged,
        "columns": len(names),
        **regularity(times),
    }
    job.tell(json.dumps(message, separators=(",", ":")))
    logger.info("judged", extra=message)


def rule_of(method: str, parameters: str) -> BatchDetector:
    """Return a rule that has learned nothing.

    Parameters
    ----------
    parameters
        What differs from the defaults, as JSON.

    Raises
    ------
    InvalidInputError
        If the rule does not take them.
    ContractViolationError
        If there is no such rule.
    """
    if method not in RULES:
        raise ContractViolationError(f"method {method!r}: allowed are {', '.join(RULES)}")
    rule = new_detector(method, **checked_parameters(method, json.loads(parameters)))
    if not isinstance(rule, BatchDetector):
        raise ContractViolationError(f"method {method!r} is not fitted to a column")
    return rule


def judge_column(
    rule: BatchDetector, name: str, values: FloatArray, times: FloatArray
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Fit a rule to the values of a column and judge them.

    Parameters
    ----------
    values, times
        Shape (n_rows,), in the order of time.

    Returns
    -------
    rarity, label
        Shape (n_rows,): -log10 of how often a value is as rare, and whether it is an anomaly.

    Raises
    ------
    InvalidInputError
        If there are fewer than two values; names the column (reason `too_few_rows`).
    """
    try:
        raw = rule.fit_scores(values, times)
    except InvalidInputError as error:
        raise InvalidInputError(f"column {name!r}: {error}", reason="too_few_rows") from error
    return rule.tail_.rarity(raw), raw > rule.threshold_


def regularity(times: FloatArray) -> dict[str, Any]:
    """Return how many times are there twice, and how many steps between different times are irregular."""
    if len(times) < 2:
        return {"duplicate_times": 0, "irregular_steps": 0}
    steps = np.diff(np.sort(times))
    forward = steps[steps > 0]
    usual = float(np.median(forward)) if len(forward) else 0.0
    return {
        "duplicate_times": int((steps == 0).sum()),
        "irregular_steps": int((np.abs(forward - usual) > IRREGULAR * usual).sum()),
    }


def _spill(path: Path, dialect: Dialect, values: ColumnFile) -> tuple[tuple[str, ...], FloatArray]:
    """Put a table's values on disk; return the columns' names, and the times."""
    names: tuple[str, ...] = ()
    times = []
    for part in read_parts(path, dialect, needs_time=True):
        names = part.columns
        values.add_rows(part.values)
        times.append(part.times)
    return names, np.concatenate([each for each in times if each is not None])


def _judge(
    rule: BatchDetector, names: tuple[str, ...], times: FloatArray, values: ColumnFile, found: Rarities
) -> None:
    in_order = bool((times[1:] >= times[:-1]).all())
    order = slice(None) if in_order else np.argsort(times, kind="stable")
    ordered = times[order]
    for name, column in zip(names, values.columns(), strict=True):
        rarity, label = judge_column(rule, name, column[order], ordered)
        found.thresholds.append(SCORE_RARITY * rule.threshold_score)
        for file, answer in ((found.rarity, rarity), (found.label, label)):
            in_file_order = np.empty_like(answer)
            in_file_order[order] = answer
            file.add_column(in_file_order)


def _write(path: Path, names: tuple[str, ...], found: Rarities) -> int:
    """Write the predictions; return how many rows have an anomaly.

    A row is an anomaly where a column is one, with the highest score.
    """
    flagged = 0
    n_rows = found.label.n_rows
    with PredictionsFile(path, names) as predictions:
        for start, end in pairwise([*range(0, n_rows, part_rows(len(names))), n_rows]):
            rarity, label = found.rarity.rows(start, end), found.label.rows(start, end)
            cells = zip(rarity.T, found.thresholds, label.T, strict=True)
            columns = [Scores(of[0] / SCORE_RARITY, severity_of(*of), of[2], of[0]) for of in cells]
            rarest = rarity.max(axis=1)
            severity = np.max([column.severity for column in columns], axis=0)
            whole = Scores(rarest / SCORE_RARITY, severity, np.asarray(label.any(axis=1)), rarest)
            predictions.write(whole, columns)
            flagged += int(whole.is_anomaly.sum())
    return flagged


if __name__ == "__main__":
    job.run_job(judge_columns, describe=failure_text)
