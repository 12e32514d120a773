"""Processing job: judges each column of a table by a rule of its own: `iqr`, `quantile` or `persist`.

Input `features`, whose first column is the time; output `results`: the predictions file.

The rule of a column is fitted to the column itself. Rows are taken in the order of time, and of one time in
the order of the file; the answer is in the order of the file. `persist` compares a value with the median of
the twelve before it, however far back they are: times that are irregular or there twice change nothing else,
and the exit message counts them. A missing value is no anomaly, and is passed over.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np

from containers import runtime
from containers.service.inputs import PredictSettings, failure_text, given_file
from containers.service.predictions import FloatArray, Judgement, PredictionsFile
from containers.service.tables import PART_ROWS, Table, read_table
from watchkeeper.detectors.algorithms import RULES, new_detector
from watchkeeper.detectors.batch import BatchDetector
from watchkeeper.detectors.calibration import SCORE_DECADES, severity_of
from watchkeeper.detectors.rules import PersistRule
from watchkeeper.errors import ContractViolationError, InvalidInputError

IRREGULAR = 1e-3
"""A step that differs from the usual one by more than this share is irregular."""

logger = logging.getLogger(__name__)


def judge_columns() -> None:
    """Read, judge, write."""
    settings = PredictSettings.from_environment()
    table = read_table(given_file(runtime.processing_input("features"), settings.features), needs_time=True)
    judgements = [
        judge_column(settings.method, name, values, table.times)
        for name, values in zip(table.columns, table.values.T, strict=True)
    ]
    whole = worst(judgements)
    output = runtime.processing_output("results")
    _write(output / settings.predictions, table, whole, judgements)
    message = {
        "method": settings.method,
        "rows": len(table),
        "flagged": int(whole.label.sum()),
        "columns": len(table.columns),
        **regularity(table.times),
    }
    runtime.tell(json.dumps(message, separators=(",", ":")))
    logger.info("judged", extra=message)


def judge_column(method: str, name: str, values: FloatArray, times: FloatArray | None) -> Judgement:
    """Judge the values of a column, shape (n_rows,), by a rule that is fitted to them.

    Raises
    ------
    InvalidInputError
        If there are fewer than two values; names the column (reason `too_few_rows`).
    """
    if method not in RULES:
        raise ContractViolationError(f"method {method!r}: allowed are {', '.join(RULES)}")
    rule = new_detector(method)
    if not isinstance(rule, BatchDetector):
        raise ContractViolationError(f"method {method!r} is no rule")
    order = np.arange(len(values)) if times is None else np.argsort(times, kind="stable")
    try:
        rule.fit(values[order])
    except InvalidInputError as error:
        raise InvalidInputError(f"column {name!r}: {error}", reason="too_few_rows") from error
    if isinstance(rule, PersistRule):
        rule.before_ = rule.before_[:0]  # the rows are the fit's own, not those that follow it
    raw = np.empty(len(values))
    raw[order] = rule.raw_scores(values[order])
    decades = rule.tail_.decades(raw)
    return Judgement(
        raw > rule.threshold_,
        decades / SCORE_DECADES,
        severity_of(decades),
        np.where(np.isnan(raw), -np.inf, raw),
    )


def worst(judgements: list[Judgement]) -> Judgement:
    """Return the judgement of whole rows: an anomaly where a column is one, with the highest score."""
    return Judgement(
        np.any([each.label for each in judgements], axis=0),
        np.max([each.anomaly_score for each in judgements], axis=0),
        np.max([each.severity for each in judgements], axis=0),
        np.max([each.raw for each in judgements], axis=0),
    )


def regularity(times: FloatArray | None) -> dict[str, Any]:
    """Return how many times are there twice, and how many steps between different times are irregular."""
    if times is None or len(times) < 2:
        return {"duplicate_times": 0, "irregular_steps": 0}
    steps = np.diff(np.sort(times))
    forward = steps[steps > 0]
    usual = float(np.median(forward)) if len(forward) else 0.0
    return {
        "duplicate_times": int((steps == 0).sum()),
        "irregular_steps": int((np.abs(forward - usual) > IRREGULAR * usual).sum()),
    }


def _write(path: Path, table: Table, whole: Judgement, judgements: list[Judgement]) -> None:
    with PredictionsFile(path, table.columns) as predictions:
        for start in range(0, len(table), PART_ROWS):
            rows = slice(start, start + PART_ROWS)
            predictions.write(whole.rows(rows), [each.rows(rows) for each in judgements])


def main() -> None:
    """Run as the processing job."""
    runtime.run_job(judge_columns, describe=failure_text)


if __name__ == "__main__":
    main()
