"""Reads the answers of a batch transform: one score a row, in the order of the rows."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from containers.runtime.job import only_file
from watchkeeper.core.errors import ContractViolationError


def read_scores(folder: Path, n_rows: int) -> list[float]:
    """Return the anomaly scores in the one `.out` file of a folder; see `read_predictions`.

    Raises
    ------
    ContractViolationError
        If a score is negative, too.
    """
    scores = read_predictions(folder, n_rows)
    for number, score in enumerate(scores, start=1):
        if score < 0.0:
            raise ContractViolationError(f"{folder.name}, row {number}: {score} is not an anomaly_score")
    return scores


def read_predictions(folder: Path, n_rows: int) -> list[float]:
    """Return the answers in the one `.out` file of a folder.

    The built-in algorithm's lines have been seen with a comma at their end, and empty lines where batches
    were joined: both are passed over.

    Raises
    ------
    ContractViolationError
        If a line is not a finite score, or there are not as many scores as rows.
    """
    path = only_file(folder, "*.out")
    scores: list[float] = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            text = line.strip().rstrip(",")
            if text:
                scores.extend(_scores(text, f"{folder.name}/{path.name}, line {number}"))
    if len(scores) != n_rows:
        raise ContractViolationError(
            f"{folder.name}/{path.name} has {len(scores)} scores for {n_rows} rows of the holdback part"
        )
    return scores


def _scores(text: str, where: str) -> Iterator[float]:
    try:
        document: Any = json.loads(text)
        for answer in document.get("scores", [document]):
            score = float(answer["score"])
            if not math.isfinite(score):
                raise ContractViolationError(f"{where}: {score} is not a score")
            yield score
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ContractViolationError(f'{where}: expected {{"score": …}}, got {text[:100]!r}') from error
