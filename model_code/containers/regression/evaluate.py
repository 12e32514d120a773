"""Processing job: measures the candidate, the champion and the training mean on the held-back rows, and draws
charts.

Inputs `plan`, `prepared`, `candidate` and, when a comparable model is in service, `champion`; output
`evaluation`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from containers.anomaly.evaluate import EvaluateSettings, spread_rows
from containers.runtime import job
from containers.runtime.scores import read_predictions
from watchkeeper.charts.quality import draw_predictions, draw_residuals
from watchkeeper.charts.style import save
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.lifecycle.release import SCORE_TOLERANCE
from watchkeeper.regression.evaluation import RegressionEvaluation, RegressionMetrics, measure_predictions
from watchkeeper.regression.manifest import schema_hash
from watchkeeper.regression.plan import REGRESSION

logger = logging.getLogger(__name__)


def evaluate() -> None:
    """Read, compare, write."""
    settings = EvaluateSettings.from_environment()
    plan = job.read_regression_plan(job.processing_input("plan"))
    prepared = job.processing_input("prepared")
    rows = _lines(prepared / "holdback" / "rows.csv")
    targets = [float(line) for line in _lines(prepared / "holdback" / "targets.csv")]
    if len(rows) != len(targets):
        raise ContractViolationError(f"holdback has {len(rows)} rows and {len(targets)} targets")
    candidate = read_predictions(job.processing_input("candidate"), len(rows))
    champion = job.processing_input("champion")
    summary = json.loads((prepared / "summary.json").read_bytes())
    evaluation = RegressionEvaluation(
        workload=plan.workload,
        run_id=settings.run_id,
        schema_hash=schema_hash(plan),
        candidate=measure_predictions(targets, candidate),
        baseline=measure_predictions(targets, [summary["train_mean"]] * len(targets)),
        champion=measure_predictions(targets, read_predictions(champion, len(rows)))
        if champion.is_dir() and any(champion.iterdir())
        else None,
        n_train=summary["rows"]["train"],
    )
    output = job.processing_output("evaluation")
    (output / "evaluation.json").write_text(evaluation.to_json())
    _write_json(output / "statistics.json", model_quality(evaluation.candidate))
    _write_json(output / "smoke.json", smoke_case(rows, candidate))
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


def smoke_case(rows: Sequence[str], predictions: Sequence[float]) -> dict[str, object]:
    """Return rows with known predictions for the deployed endpoint."""
    chosen = spread_rows(predictions)
    return {
        "kind": REGRESSION,
        "rows": [rows[position] for position in chosen],
        "predictions": [predictions[position] for position in chosen],
        "tolerance": SCORE_TOLERANCE,
    }


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


def main() -> None:
    """Run as the processing job."""
    job.run_job(evaluate)


def _lines(path: Path) -> list[str]:
    with path.open(encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file]


def _write_json(path: Path, document: dict[str, object]) -> None:
    path.write_text(json.dumps(document, sort_keys=True, indent=2, allow_nan=False))


if __name__ == "__main__":
    main()
