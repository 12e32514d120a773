"""From what a user writes of a regression workload to what the running parts know."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from watchkeeper.spec.explaining import Explain, Shap
    from watchkeeper.spec.regression import RegressionWorkload
    from watchkeeper.spec.table import Columns, TableHistory


def feature_columns(columns: Columns, history: TableHistory) -> tuple[ColumnPlan, ...]:
    """Return the features in the order of a request row: the headers' or, without them, numeric first."""
    features = [
        *(ColumnPlan(name, "numeric") for name in columns.numeric),
        *(ColumnPlan(name, "one_hot") for name in columns.one_hot),
    ]
    if history.headers is not None:
        features.sort(key=lambda feature: (history.headers or []).index(feature.name))
    return tuple(features)


def regression_plan_of(spec: RegressionWorkload) -> RegressionPlan:
    """Return the regression plan of a spec."""
    history, hyperparameters = spec.history, spec.model.hyperparameters.model_dump(exclude_none=True)
    return RegressionPlan(
        workload=spec.name,
        target=spec.target,
        features=feature_columns(spec.columns, history),
        history=TableHistoryPlan(
            headers=None if history.headers is None else tuple(history.headers),
            timestamp=None if history.timestamp is None else TimestampPlan(**history.timestamp.model_dump()),
            window_seconds=None if history.window is None else int(history.window.total_seconds()),
            split=TableSplitPlan(**history.split.model_dump()),
        ),
        hyperparameters=hyperparameters,
        gate=RegressionGatePlan(**spec.gate.model_dump()),
        explain=_explain(spec.explain),
    )


def _explain(explain: Explain) -> ExplainPlan:
    bias = explain.bias
    return ExplainPlan(
        engine=explain.engine,
        on_failure=explain.on_failure,
        predictor=explain.predictor,
        rows=explain.rows,
        examples=tuple(explain.examples),
        shap=_shap(explain.shap),
        bias=None
        if bias is None
        else BiasPlan(
            facet=bias.facet,
            facet_values_or_threshold=tuple(bias.facet_values_or_threshold),
            label_threshold=bias.label_threshold,
            group=bias.group,
        ),
    )


def _shap(shap: Shap) -> ShapPlan:
    baseline = shap.baseline
    return ShapPlan(
        baseline_rows=tuple(map(tuple, baseline)) if isinstance(baseline, list) else (),
        baseline_uri=baseline if isinstance(baseline, str) else "",
        **shap.model_dump(exclude={"baseline"}),
    )
