"""Serves the preprocessor in the SKLearn image: rows in, feature vectors out, one line a row, in order.

Requests are those of `containers.runtime.requests`. Lags beyond the vector's are not looked at, so that a
model goes on serving when the workload's newer plan has longer rows. The answer is always `text/csv`,
whatever is asked for: it is the next container's request.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from containers.anomaly.preprocessor import FeaturePreprocessor, load_preprocessor
from containers.runtime.requests import Instances, ServerContext, answering, predicting, read_instances
from watchkeeper.telemetry.payloads import CSV, naming_record
from watchkeeper.telemetry.rows import Row, rows_of

input_fn = read_instances


def model_fn(model_dir: str) -> FeaturePreprocessor:
    """Load the model; a mismatch of its manifest keeps the endpoint from starting."""
    return load_preprocessor(Path(model_dir))


@predicting
def predict_fn(instances: Instances, model: FeaturePreprocessor) -> NDArray[np.float64]:
    """Return the feature vectors, of shape (n_records, n_features)."""
    rows = rows_of(instances, needs_time=model.plan.features.has_time)
    _check_series(rows, model)
    return model.transform(rows)


@answering
def output_fn(prediction: NDArray[np.float64], _accept: str, _context: ServerContext | None) -> Any:
    """Return the answer's body and content type."""
    # No newline at the end: batch transform joins the answers of its batches with one.
    return "\n".join(",".join(map(repr, vector)) for vector in prediction.tolist()), CSV


def _check_series(rows: Iterable[Row], model: FeaturePreprocessor) -> None:
    """Name the record whose series the model does not know: the matrix is made of all rows at once."""
    known: set[str | None] = set()
    for number, row in enumerate(rows, start=1):
        if row.series in known:
            continue
        with naming_record(number):
            model.scales_.of(row.series)
        known.add(row.series)
