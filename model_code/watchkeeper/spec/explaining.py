"""How a model is explained before it is deployed: SHAP values and bias metrics, in Clarify's terms."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, ValidationInfo, WithJsonSchema, field_validator

from watchkeeper.spec.fields import Duration, Schedule
from watchkeeper.spec.section import Section, refuse_repeats
from watchkeeper.spec.table import ColumnName

_S3_FILE = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[^*?]*[^/*?]")


def _cell(value: object) -> str | float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("must be a number or text")  # noqa: TRY004  # pydantic reports value errors
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must be finite")
    return value if isinstance(value, str) else float(value)


def _baseline(value: object) -> str | list[list[str | float]]:
    if isinstance(value, str):
        if not _S3_FILE.fullmatch(value):
            raise ValueError("must be a file such as s3://bucket/folder/baseline.csv, or a list of rows")
        return value
    if not isinstance(value, list) or not value or not all(isinstance(row, list) and row for row in value):
        raise ValueError("must be a list of rows, each a list of feature values, or a file in S3")
    return [[_cell(cell) for cell in row] for row in value]


Cell = Annotated[str | float, PlainValidator(_cell), WithJsonSchema({"type": ["string", "number"]})]
Baseline = Annotated[
    str | list[list[Any]],
    PlainValidator(_baseline),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "string", "pattern": rf"^{_S3_FILE.pattern}$"},
                {
                    "type": "array",
                    "minItems": 1,
                    "items": {"type": "array", "minItems": 1, "items": {"type": ["string", "number"]}},
                },
            ]
        }
    ),
]


class Shap(Section):
    """SHAP values: Clarify's `methods.shap`."""

    baseline: Baseline | None = None
    """What a feature is compared with: rows in the order of a request row, or a file of them in S3; without a
    value, a summary of the data by k-means."""
    num_samples: int | None = Field(default=None, ge=1)
    """Coalitions of each row; without a value, the job chooses."""
    agg_method: Literal["mean_abs", "median", "mean_sq"] = "mean_abs"
    """How the rows' values become a feature's global importance."""
    use_logit: bool = False
    """Whether values are of the logit of the prediction."""
    seed: int | None = Field(default=None, ge=0)
    """Of the coalitions that are drawn."""
    num_clusters: int | None = Field(default=None, ge=1, le=100)
    """Rows of the summary."""
    save_local_shap_values: bool = True
    """Whether each row's values are kept."""

    @field_validator("num_clusters")
    @classmethod
    def _has_no_baseline(cls, num_clusters: int | None, info: ValidationInfo) -> int | None:
        if num_clusters is not None and info.data.get("baseline") is not None:
            raise ValueError("must be left out beside baseline: it is for the summary that replaces one")
        return num_clusters


class Bias(Section):
    """Bias metrics of Clarify's pre- and post-training reports."""

    facet: ColumnName
    """Column that tells the groups apart."""
    facet_values_or_threshold: list[Cell] = Field(min_length=1, max_length=50)
    """Values of the disadvantaged group; of a numeric facet, the number above which a row belongs to it."""
    label_threshold: float
    """A target above it is the positive outcome."""
    group: ColumnName | None = None
    """Column for the conditional metrics."""


class Drift(Section):
    """The monitor that explains recent traffic and compares it with training."""

    schedule: Schedule
    """EventBridge expression, rate(…) or cron(…) in UTC."""
    window: Duration = timedelta(days=1)
    """How much of the captured traffic is looked at, up to now; at most 30d, which is how long it is kept."""
    ndcg_at_least: float = Field(default=0.9, gt=0, le=1)
    """An alarm is raised when the ranking of the features is less like that of training than this."""
    rows: int = Field(default=500, ge=10, le=10_000)
    """Captured records that are explained, at most."""
    minimum_rows: int = Field(default=50, ge=1)
    """With fewer captured records nothing is compared."""

    @field_validator("window")
    @classmethod
    def _is_kept(cls, window: timedelta) -> timedelta:
        if not timedelta() < window <= timedelta(days=30):
            raise ValueError("must be more than 0 and at most 30d")
        return window

    @field_validator("minimum_rows")
    @classmethod
    def _is_at_most_rows(cls, minimum: int, info: ValidationInfo) -> int:
        if minimum > info.data.get("rows", minimum):
            raise ValueError(f"must be at most rows, {info.data['rows']}")
        return minimum


class Explain(Section):
    """The job that explains a model before it is deployed."""

    engine: Literal["watchkeeper", "clarify", "none"] = "watchkeeper"
    """Watchkeeper's own job, SageMaker Clarify (closed to new accounts), or nothing."""
    on_failure: Literal["fail", "skip"] = "fail"
    """Whether a job that fails ends the run, or the model goes on without explanations, which is told."""
    predictor: Literal["model", "endpoint"] = Field(
        default_factory=lambda validated: "endpoint" if validated.get("engine") == "clarify" else "model"
    )
    """The model in the job's own process, or a shadow endpoint that the job makes and removes; model, or
    endpoint where the engine is clarify."""
    rows: int = Field(default=1000, ge=10, le=100_000)
    """Held-back rows that are explained, at most."""
    examples: list[int] = Field(default_factory=list, max_length=20)
    """Numbers, from 0, of the rows that have a chart of their own; without any, the lowest, the middle and
    the highest prediction."""
    shap: Shap = Shap()
    """SHAP values."""
    bias: Bias | None = None
    """Bias metrics."""
    drift: Drift | None = None
    """Whether recent traffic is explained too, and compared with training."""

    @field_validator("drift")
    @classmethod
    def _has_something_to_compare_with(cls, drift: Drift | None, info: ValidationInfo) -> Drift | None:
        if drift is not None and info.data.get("engine") == "none":
            raise ValueError("needs an engine: without explanations of training there is no comparison")
        return drift

    @field_validator("examples")
    @classmethod
    def _are_rows(cls, examples: list[int], info: ValidationInfo) -> list[int]:
        refuse_repeats(examples, "example")
        if examples and info.data.get("engine") == "clarify":
            raise ValueError("must be left out beside engine clarify: its report has no such charts")
        for example in examples:
            if not 0 <= example < info.data.get("rows", example + 1):
                raise ValueError(f"{example} is not a row's number from 0 to {info.data['rows'] - 1}")
        return examples

    @field_validator("predictor")
    @classmethod
    def _fits_the_engine(cls, predictor: str, info: ValidationInfo) -> str:
        if predictor == "model" and info.data.get("engine") == "clarify":
            raise ValueError("must be endpoint beside engine clarify: Clarify asks a shadow endpoint")
        return predictor
