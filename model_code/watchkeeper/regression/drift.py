"""The attribution drift report: does the model still predict from what it predicted from in training?"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Literal

from watchkeeper.core.documents import Document

DRIFT_VERSION = 1
DRIFT_NAME = "drift.json"

Status = Literal["to_compare", "stable", "drifted", "too_few_rows", "no_model", "no_baseline"]
"""`to_compare` is the draft's, before the job has run; the last three say why nothing was compared."""

_WORDS = {
    "to_compare": "{rows} captured records wait to be compared.",
    "stable": "The features rank as in training: NDCG {ndcg:.3f}, at least {limit:g} is wanted.",
    "drifted": "The features no longer rank as in training: NDCG {ndcg:.3f}, at least {limit:g} is wanted.",
    "too_few_rows": "Not compared: {rows} captured records, at least {minimum} are needed.",
    "no_model": "Not compared: no model is in service.",
    "no_baseline": "Not compared: the model in service was not explained when it was trained.",
}


@dataclass(frozen=True)
class DriftReport(Document, name="drift report", indent=2):
    """What one run of the monitor found."""

    workload: str
    status: Status
    starts_at: str
    """Beginning of the captured traffic that was looked at; ISO 8601, UTC."""
    ends_at: str
    ndcg_at_least: float
    minimum_rows: int
    objects: int = 0
    """Objects that the endpoint's data capture wrote in that time."""
    objects_read: int = 0
    """Those of them that were read, spread evenly over the time."""
    rows_captured: int = 0
    """Records in them that fit the model."""
    rows: int = 0
    """Those of them that were explained."""
    rows_unreadable: int = 0
    """Records that do not fit the model, and captured requests that cannot be read."""
    run_id: str = ""
    """The training run of the model in service."""
    ndcg: float | None = None
    """Of the features' ranking in recent traffic against that of training, in (0, 1]."""
    training: dict[str, float] = field(default_factory=dict)
    """Global importance by feature at the training."""
    recent: dict[str, float] = field(default_factory=dict)
    """The same of the recent traffic."""
    version: int = DRIFT_VERSION

    @property
    def in_words(self) -> str:
        """Return the result in one sentence."""
        return _WORDS[self.status].format(
            ndcg=self.ndcg or 0.0,
            limit=self.ndcg_at_least,
            rows=self.rows_captured,
            minimum=self.minimum_rows,
        )

    def compared(self, ndcg: float, training: dict[str, float], recent: dict[str, float]) -> DriftReport:
        """Return the report with its comparison, and the status that follows from it."""
        return dataclasses.replace(
            self,
            status="drifted" if ndcg < self.ndcg_at_least else "stable",
            ndcg=ndcg,
            training=training,
            recent=recent,
        )
