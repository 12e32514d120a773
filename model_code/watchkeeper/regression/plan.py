"""The regression plan: what the running parts know of a workload that predicts a column of a table."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from watchkeeper.core.documents import Document
from watchkeeper.core.plan import MAX_REFUSED_SHARE, Dialect, TimestampPlan

PLAN_VERSION = 1
REGRESSION: Literal["regression"] = "regression"

Encoding = Literal["numeric", "one_hot"]


@dataclass(frozen=True)
class ColumnPlan:
    """One feature: a column of the table and how the model takes it."""

    name: str
    encoding: Encoding


@dataclass(frozen=True)
class TableSplitPlan:
    """Which rows train; the others are held back.

    `random`: a row's part follows from its content and the seed, so that it stays in its part when history is
    added, and equal rows are in one part. `time`: the first rows in time order train.
    """

    by: Literal["random", "time"] = "random"
    train: float = 0.8
    """Fraction of the rows in (0, 1)."""
    seed: int = 0


@dataclass(frozen=True)
class TableHistoryPlan:
    """How history files are read and split."""

    headers: tuple[str, ...] | None = None
    """Columns of CSV files that have no header line."""
    timestamp: TimestampPlan | None = None
    """Where a row's time is, if it has one."""
    window_seconds: int | None = None
    """How much of the newest history is read; without a value, all of it."""
    dialect: Dialect = dataclasses.field(default_factory=Dialect)
    """How CSV files are written."""
    max_refused_share: float = MAX_REFUSED_SHARE
    """Share of the rows in [0, 1] that may be unusable."""
    split: TableSplitPlan = TableSplitPlan()


@dataclass(frozen=True)
class RegressionGatePlan:
    """What a model must meet before it may serve; all errors are RMSE on the held-back rows."""

    beat_baseline: bool = True
    beat_champion: bool = True
    tolerance: float = 0.0
    """How much larger than the champion's the error may be, as a fraction of the champion's."""
    max_rmse: float | None = None


@dataclass(frozen=True)
class ShapPlan:
    """SHAP values, in the terms of Clarify's `methods.shap`."""

    baseline_rows: tuple[tuple[str | float, ...], ...] = ()
    """Rows of features; empty together with `baseline_uri`: a summary of the data is made."""
    baseline_uri: str = ""
    """A file of such rows in S3."""
    num_samples: int | None = None
    agg_method: Literal["mean_abs", "median", "mean_sq"] = "mean_abs"
    use_logit: bool = False
    seed: int | None = None
    num_clusters: int | None = None
    save_local_shap_values: bool = True


@dataclass(frozen=True)
class BiasPlan:
    """Bias metrics for groups of rows."""

    facet: str
    """Feature that tells the groups apart."""
    facet_values_or_threshold: tuple[str | float, ...]
    """Values of the disadvantaged group; of a numeric facet, the number above which a row belongs to it."""
    label_threshold: float
    """A target above it is the positive outcome."""
    group: str | None = None
    """Feature for the conditional metrics."""


@dataclass(frozen=True)
class ExplainPlan:
    """How a model is explained before it is deployed."""

    engine: Literal["watchkeeper", "clarify", "none"] = "watchkeeper"
    on_failure: Literal["fail", "skip"] = "fail"
    predictor: Literal["model", "endpoint"] = "model"
    """The model in the job's own process, or on a shadow endpoint that the job makes and removes."""
    rows: int = 1000
    """Held-back rows that are explained, at most."""
    examples: tuple[int, ...] = ()
    """Numbers, from 0, of the rows that have a chart of their own; empty: the lowest, the middle and the
    highest prediction."""
    shap: ShapPlan = ShapPlan()
    bias: BiasPlan | None = None


@dataclass(frozen=True)
class RegressionPlan(Document, name="plan"):
    """Everything that the running parts know of one regression workload."""

    workload: str
    target: str
    features: tuple[ColumnPlan, ...]
    """In the order of a request row."""
    history: TableHistoryPlan = TableHistoryPlan()
    hyperparameters: dict[str, int | float | str] = dataclasses.field(default_factory=dict)
    """Of scikit-learn's `RandomForestRegressor`; those that are absent have its defaults."""
    gate: RegressionGatePlan = RegressionGatePlan()
    explain: ExplainPlan = ExplainPlan()
    kind: Literal["regression"] = REGRESSION
    version: int = PLAN_VERSION

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features in the order of a request row."""
        return tuple(column.name for column in self.features)
