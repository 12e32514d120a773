"""Answers of the model: its scores and labels, found where the configuration says."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from containers.explain.io.predictor_settings import CSV, JSONLINES, PredictorSettings
from watchkeeper.core.errors import ContractViolationError

EXCERPT = 120


@dataclass(frozen=True)
class Predictions:
    """What the model says of some rows."""

    scores: NDArray[np.float64]
    """What is explained; shape (n_rows, n_outputs)."""
    labels: NDArray[np.object_] | None
    """Predicted labels, where the answer has them beside the scores."""


def read_answer(body: bytes, n_rows: int, settings: PredictorSettings) -> Predictions:
    """Read the answer to a request of `n_rows` rows.

    The scores are at `predictor.probability`, else at `predictor.label`, else the whole answer.

    Raises
    ------
    ContractViolationError
        If the answer is not what the configuration says: names the key to look at and shows the answer's
        beginning.
    """
    try:
        text = body.decode("utf-8-sig").strip()
        if settings.accept_type == CSV:
            records: list[Any] = [row for row in csv.reader(io.StringIO(text)) if row]
            found = [[_csv_part(row, key, settings) for row in records] for key in ("probability", "label")]
        elif settings.accept_type == JSONLINES:
            records = [json.loads(line) for line in text.splitlines() if line.strip()]
            found = [[_json_part(row, key, settings) for row in records] for key in ("probability", "label")]
        else:
            document = json.loads(text)
            found = [_json_column(document, key, settings) for key in ("probability", "label")]
    except (ValueError, csv.Error) as error:
        raise _refusal(body, settings, f"cannot be read as {settings.accept_type}: {error}") from error
    probability, label = found
    with_scores = settings.probability is not None
    scores = _numbers(probability if with_scores else label, body, settings)
    if len(scores) != n_rows:
        raise _refusal(body, settings, f"has {len(scores)} records, {n_rows} were sent")
    labels = None
    if with_scores and settings.label is not None:
        labels = np.empty(n_rows, dtype=object)
        labels[:] = label
    return Predictions(scores, labels)


def join_predictions(parts: Sequence[Predictions]) -> Predictions:
    """Return the predictions of several requests as those of one."""
    labels = [part.labels for part in parts if part.labels is not None]
    return Predictions(
        np.concatenate([part.scores for part in parts]),
        np.concatenate(labels) if len(labels) == len(parts) else None,
    )


def _csv_part(row: list[str], key: str, settings: PredictorSettings) -> Any:
    index = getattr(settings, key)
    if index is None:
        return row if key == "label" else None
    if not isinstance(index, int) or not 0 <= index < len(row):
        raise ValueError(f"predictor.{key}: a row has no cell {index!r}")
    cell = row[index].strip()
    # a list of scores in one cell, as Clarify reads it
    return json.loads(cell) if cell.startswith("[") else cell


def _json_part(record: Any, key: str, settings: PredictorSettings) -> Any:
    path = getattr(settings, key)
    if path is None:
        return record if key == "label" else None
    found = _look_up(record, path)
    if found is None:
        raise ValueError(f"predictor.{key}: {path!r} finds nothing in a record")
    return json.loads(found) if isinstance(found, str) and found.startswith("[") else found


def _json_column(document: Any, key: str, settings: PredictorSettings) -> list[Any]:
    path = getattr(settings, key)
    found = document if path is None else _look_up(document, path)
    if path is None and key == "probability":
        return []
    where = (
        f"predictor.{key}: {path!r} finds" if path is not None else "predictor.label: say where the list is:"
    )
    if found is None:
        raise ValueError(f"{where} nothing")
    if isinstance(found, dict):
        raise ValueError(f"{where} an object with {', '.join(found)}")  # noqa: TRY004  # of the answer
    return found if isinstance(found, list) else [found]


def _look_up(document: Any, path: str | int) -> Any:
    if isinstance(path, int):
        return document[path] if isinstance(document, list) and 0 <= path < len(document) else None
    import jmespath  # of the image, beside boto3

    try:
        return jmespath.search(path, document)
    except jmespath.exceptions.JMESPathError as error:
        raise ValueError(f"{path!r} is not a JMESPath: {error}") from error


def _numbers(values: Sequence[Any], body: bytes, settings: PredictorSettings) -> NDArray[np.float64]:
    rows = [value if isinstance(value, list) else [value] for value in values]
    try:
        numbers = np.array([[float(cell) for cell in row] for row in rows], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise _refusal(
            body,
            settings,
            "has something else than numbers where the scores are looked for; say where they are in "
            "predictor.probability or predictor.label",
        ) from error
    if numbers.ndim != 2 or not np.isfinite(numbers).all():
        raise _refusal(body, settings, "has a score that is not finite")
    return numbers


def _refusal(body: bytes, settings: PredictorSettings, why: str) -> ContractViolationError:
    excerpt = body[:EXCERPT].decode(errors="replace")
    return ContractViolationError(
        f"the model's answer {why} (accept_type {settings.accept_type}): {excerpt!r}"
    )
