"""The type of a regression workload's spec: a number is predicted from the columns of a table."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, ValidationInfo, WithJsonSchema, field_validator

from watchkeeper.core.plan import TimestampPlan
from watchkeeper.regression.plan import (
    BiasPlan,
    ColumnPlan,
    ExplainPlan,
    RegressionGatePlan,
    RegressionPlan,
    ShapPlan,
    TableHistoryPlan,
    TableSplitPlan,
)
from watchkeeper.spec.alerting import Subscription
from watchkeeper.spec.deployment import Endpoint, Training
from watchkeeper.spec.explaining import Explain, Shap
from watchkeeper.spec.fields import WorkloadName
from watchkeeper.spec.section import Section, refuse_repeats
from watchkeeper.spec.table import ColumnName, Columns, TableHistory


def _max_features(value: object) -> str | float:
    if value in ("sqrt", "log2"):
        return str(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1:
        return float(value)
    raise ValueError("must be sqrt, log2, or a share of the features: more than 0 and at most 1")


MaxFeatures = Annotated[
    str | float,
    PlainValidator(_max_features),
    WithJsonSchema(
        {"oneOf": [{"enum": ["sqrt", "log2"]}, {"type": "number", "exclusiveMinimum": 0, "maximum": 1}]}
    ),
]


class RandomForestHyperparameters(Section):
    """Hyperparameters of scikit-learn's RandomForestRegressor."""

    n_estimators: int = Field(default=100, ge=1, le=2000)
    """Trees."""
    max_depth: int | None = Field(default=None, ge=1, le=100)
    """Of a tree; without a value, until its leaves are pure or small."""
    min_samples_leaf: int = Field(default=1, ge=1)
    """Training rows in a leaf, at least."""
    max_features: MaxFeatures = 1.0
    """Features that a split chooses from."""
    random_state: int = Field(default=0, ge=0)
    """Seed of the forest."""


class RandomForest(Section):
    """A forest of regression trees."""

    algorithm: Literal["random_forest"] = "random_forest"
    """Which model is trained."""
    hyperparameters: RandomForestHyperparameters = RandomForestHyperparameters()
    """Settings of the algorithm."""


class RegressionGate(Section):
    """What a model must meet before it may serve, by its RMSE on the held-back rows."""

    beat_baseline: bool = True
    """Whether it must be better than the mean of the training rows."""
    beat_champion: bool = True
    """Whether it must not be worse than the model in service."""
    tolerance: float = Field(default=0.0, ge=0, le=1)
    """How much larger than the champion's its RMSE may be, as a share of the champion's."""
    max_rmse: float | None = Field(default=None, gt=0)
    """Largest RMSE that may serve, in the target's unit."""


class RegressionWorkload(Section):
    """A workload that predicts a number from the columns of a table."""

    name: WorkloadName
    """The same as the file's name without .yaml."""
    kind: Literal["regression"]
    """What the workload does."""
    description: str = ""
    """For people."""
    sample: bool = False
    """Whether it only shows what there is: a deployment into an account leaves it out unless it is named."""
    target: ColumnName
    """Column that is predicted."""
    columns: Columns
    """Columns that it is predicted from. A request row has them in the order of history.headers or, without
    these, numeric before one_hot."""
    history: TableHistory = TableHistory()
    """What a training run learns from."""
    model: RandomForest = RandomForest()
    """What is trained."""
    gate: RegressionGate = RegressionGate()
    """What a model must meet before it may serve."""
    explain: Explain = Explain()
    """The job that explains a model before it is deployed."""
    training: Training = Training()
    """When and on what the model is trained."""
    endpoint: Endpoint = Endpoint()
    """What serves the model."""
    notifications: list[Subscription] = Field(default_factory=list, max_length=20)
    """Who is told how trainings end, beside whoever subscribes to the alert topic."""

    @field_validator("columns")
    @classmethod
    def _leave_the_target_out(cls, columns: Columns, info: ValidationInfo) -> Columns:
        named = [*columns.numeric, *columns.one_hot]
        if not named:
            raise ValueError("a model needs at least one column, numeric or one_hot")
        if info.data.get("target") in named:
            raise ValueError(f"{info.data['target']!r} is the target; it cannot be predicted from itself")
        return columns

    @field_validator("history")
    @classmethod
    def _has_the_columns(cls, history: TableHistory, info: ValidationInfo) -> TableHistory:
        columns = info.data.get("columns")
        if history.headers is None or columns is None or "target" not in info.data:
            return history
        for name in [info.data["target"], *columns.numeric, *columns.one_hot]:
            if name not in history.headers:
                raise ValueError(f"headers have no column {name!r}; they are {', '.join(history.headers)}")
        return history

    @field_validator("explain")
    @classmethod
    def _fits_the_columns(cls, explain: Explain, info: ValidationInfo) -> Explain:
        columns, history = info.data.get("columns"), info.data.get("history")
        if columns is None or history is None:
            return explain
        _check_baseline(explain.shap.baseline, columns, history)
        _check_facet(explain, columns)
        return explain

    @field_validator("endpoint")
    @classmethod
    def _captures_for_the_monitor(cls, endpoint: Endpoint, info: ValidationInfo) -> Endpoint:
        explain = info.data.get("explain")
        if explain is not None and explain.drift is not None and not endpoint.capture_percent:
            raise ValueError("capture_percent must be above 0: explain.drift looks at captured requests")
        return endpoint

    @field_validator("notifications")
    @classmethod
    def _go_to_different_places(cls, notifications: list[Subscription]) -> list[Subscription]:
        refuse_repeats([subscription.endpoint for subscription in notifications], "endpoint")
        return notifications

    @property
    def is_streaming(self) -> bool:
        """Never: a table is learned at once."""
        return False

    def plan(self) -> RegressionPlan:
        """Return what the running parts know of the workload."""
        history, timestamp = self.history, self.history.timestamp
        return RegressionPlan(
            workload=self.name,
            target=self.target,
            features=_feature_columns(self.columns, history),
            history=TableHistoryPlan(
                headers=None if history.headers is None else tuple(history.headers),
                timestamp=None if timestamp is None else TimestampPlan(**timestamp.model_dump()),
                window_seconds=None if history.window is None else int(history.window.total_seconds()),
                dialect=history.dialect(),
                max_refused_share=history.max_refused_share,
                split=TableSplitPlan(**history.split.model_dump()),
            ),
            hyperparameters=self.model.hyperparameters.model_dump(exclude_none=True),
            gate=RegressionGatePlan(**self.gate.model_dump()),
            explain=_explain_plan(self.explain),
        )


def _check_baseline(baseline: str | list[list[Any]] | None, columns: Columns, history: TableHistory) -> None:
    if not isinstance(baseline, list):
        return
    features = _feature_columns(columns, history)
    for row in baseline:
        if len(row) != len(features):
            names = ", ".join(feature.name for feature in features)
            raise ValueError(f"shap.baseline: a row has {len(row)} values, the features are {names}")
        for cell, feature in zip(row, features, strict=True):
            if feature.encoding == "numeric" and isinstance(cell, str):
                raise ValueError(f"shap.baseline: {cell!r} is not a number, but {feature.name} is numeric")


def _check_facet(explain: Explain, columns: Columns) -> None:
    if explain.bias is None:
        return
    known = [*columns.numeric, *columns.one_hot]
    for key, name in (("facet", explain.bias.facet), ("group", explain.bias.group)):
        if name is not None and name not in known:
            raise ValueError(f"bias.{key}: {name!r} is not a column; columns are {', '.join(known)}")
    values = explain.bias.facet_values_or_threshold
    if explain.bias.facet in columns.numeric and (len(values) != 1 or isinstance(values[0], str)):
        raise ValueError(
            f"bias.facet_values_or_threshold: {explain.bias.facet} is numeric: give one number, the threshold"
        )


def _feature_columns(columns: Columns, history: TableHistory) -> tuple[ColumnPlan, ...]:
    """Return the features in the order of a request row: the headers' or, without them, numeric first."""
    features = [
        *(ColumnPlan(name, "numeric") for name in columns.numeric),
        *(ColumnPlan(name, "one_hot") for name in columns.one_hot),
    ]
    if history.headers is not None:
        features.sort(key=lambda feature: (history.headers or []).index(feature.name))
    return tuple(features)


def _explain_plan(explain: Explain) -> ExplainPlan:
    bias = explain.bias
    return ExplainPlan(
        engine=explain.engine,
        on_failure=explain.on_failure,
        predictor=explain.predictor,
        rows=explain.rows,
        examples=tuple(explain.examples),
        shap=_shap_plan(explain.shap),
        bias=None
        if bias is None
        else BiasPlan(
            facet=bias.facet,
            facet_values_or_threshold=tuple(bias.facet_values_or_threshold),
            label_threshold=bias.label_threshold,
            group=bias.group,
        ),
    )


def _shap_plan(shap: Shap) -> ShapPlan:
    baseline = shap.baseline
    return ShapPlan(
        baseline_rows=tuple(map(tuple, baseline)) if isinstance(baseline, list) else (),
        baseline_uri=baseline if isinstance(baseline, str) else "",
        **shap.model_dump(exclude={"baseline"}),
    )
