"""Serves the streaming detector in the SKLearn image: rows in, one anomaly_score a row, in order.

Requests are those of `containers.runtime.requests`. Lags beyond the model's context are not looked at, so
that a
model goes on serving when the workload's newer plan has longer rows. The answer is
`{"scores":[{"score":…},…]}` (`application/json`), or one `{"score":…}` a line (`application/jsonlines`).
With `contributions=true` behind the accepted type, each answer also has what its score is made of.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from containers.anomaly.replay import ReplayScorer
from containers.anomaly.snapshots import load_snapshots
from containers.runtime.requests import (
    Instances,
    ServerContext,
    answering,
    predicting,
    read_instances,
    written,
)
from watchkeeper.features.contributions import Contribution
from watchkeeper.telemetry.rows import Row, rows_of

CONTRIBUTIONS = "contributions=true"

input_fn = read_instances


class RowScorer(Protocol):
    """A model that scores rows."""

    @property
    def needs_time(self) -> bool:
        """Whether a score depends on a row's timestamp."""

    def score(self, rows: Sequence[Row]) -> list[float]:
        """Return one anomaly_score a row, in order."""

    def explain(self, rows: Sequence[Row]) -> list[tuple[Contribution, ...]]:
        """Return what each row's score is made of; nothing where the model cannot tell."""


@dataclass(frozen=True)
class Prediction:
    """Scored rows, and the model: whether to explain them is only known where the answer is written."""

    model: RowScorer
    rows: list[Row]
    scores: list[float]

    def answers(self, *, explained: bool) -> list[dict[str, Any]]:
        """Return one JSON-ready answer a row."""
        answers: list[dict[str, Any]] = [{"score": score} for score in self.scores]
        if explained:
            for answer, parts in zip(answers, self.model.explain(self.rows), strict=True):
                answer["contributions"] = [dataclasses.asdict(part) for part in parts]
        return answers


def model_fn(model_dir: str) -> ReplayScorer:
    """Load the model; a mismatch of its manifest keeps the endpoint from starting."""
    snapshots, plan = load_snapshots(Path(model_dir))
    return ReplayScorer(snapshots, interval_seconds=plan.interval_seconds, context=plan.features.shingle)


@predicting
def predict_fn(instances: Instances, model: RowScorer) -> Prediction:
    """Score each row."""
    rows = rows_of(instances, needs_time=model.needs_time)
    return Prediction(model, rows, model.score(rows))


@answering
def output_fn(prediction: Prediction, accept: str, context: ServerContext | None) -> Any:
    """Return the answer's body and content type."""
    parameters = (part.strip().lower() for part in (accept or "").split(";"))
    return written(prediction.answers(explained=CONTRIBUTIONS in parameters), accept, context)
