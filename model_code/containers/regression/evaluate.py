"""Processing job: measures the candidate, the champion and the training mean on the held-back rows, and draws
charts.

Inputs `plan`, `prepared`, `candidate` and, when a comparable model is in service, `champion`; output
`evaluation`.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import numpy as np

from containers.runtime import job
from containers.runtime.processing import (
    of_champion,
    read_lines,
    read_predictions,
    run_id,
    smoke_case,
    write_json,
)
from watchkeeper.charts.quality import draw_predictions, draw_residuals
from watchkeeper.charts.style import save
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.regression.evaluation import RegressionEvaluation, RegressionMetrics, measure_predictions
from watchkeeper.regression.manifest import schema_hash
from watchkeeper.regression.plan import REGRESSION, RegressionPlan

logger = logging.getLogger(__name__)


def evaluate() -> None:
    """Read, compare, write."""
    plan = job.read_plan(job.processing_input("plan"), RegressionPlan)
    prepared = job.processing_input("prepared")
    rows = read_lines(prepared / "holdback" / "rows.csv")
    targets = [float(line) for line in read_lines(prepared / "holdback" / "targets.csv")]
    if len(rows) != len(targets):
        raise ContractViolationError(f"holdback has {len(rows)} rows and {len(targets)} targets")
    candidate = read_predictions(job.processing_input("candidate"), len(rows))
    champion = of_champion(read_predictions, len(rows))
    summary = json.loads((prepared / "summary.json").read_bytes())
    evaluation = RegressionEvaluation(
        workload=plan.workload,
        run_id=run_id(),
        schema_hash=schema_hash(plan),
        candidate=measure_predictions(targets, candidate),
        baseline=measure_predictions(targets, [summary["train_mean"]] * len(targets)),
        champion=None if champion is None else measure_predictions(targets, champion),
        n_train=summary["rows"]["train"],
    )
    output = job.processing_output("evaluation")
    (output / "evaluation.json").write_text(evaluation.to_json())
    write_json(output / "statistics.json", model_quality(evaluation.candidate))
    write_json(output / "smoke.json", {"kind": REGRESSION, **smoke_case(rows, candidate, name="predictions")})
    drawn = (evaluation_title(evaluation), plan.target, np.array(targets), np.array(candidate))
    save(draw_predictions(*drawn), output / "charts" / "predicted-vs-actual.png")
    save(draw_residuals(*drawn), output / "charts" / "residuals.png")
    logger.info("evaluated", extra={"candidate": vars(evaluation.candidate)})


def evaluation_title(evaluation: RegressionEvaluation) -> str:
    """Return the title of the charts: the workload, and how good the candidate is."""
    metrics = evaluation.candidate
    parts = [evaluation.workload, f"RMSE {metrics.rmse:.3g}", f"MAE {metrics.mae:.3g}"]
    if metrics.r2 is not None:
        parts.append(f"R² {metrics.r2:.3f}")
    return "   ·   ".join([*parts, f"{metrics.n} held-back rows"])


def model_quality(metrics: RegressionMetrics) -> dict[str, Any]:
    """Return `statistics.json`: the metrics in SageMaker's format of model quality for regression."""
    values = {"mae": metrics.mae, "mse": metrics.rmse**2, "rmse": metrics.rmse, "r2": metrics.r2}
    return {
        "version": 0.0,
        "dataset": {"item_count": metrics.n},
        "regression_metrics": {
            name: {"value": value, "standard_deviation": "NaN"}
            for name, value in values.items()
            if value is not None
        },
    }


if __name__ == "__main__":
    job.run_job(evaluate)
