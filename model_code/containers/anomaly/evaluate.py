"""Processing job: fits the threshold, and compares the candidate with the labels, the trivial detector and
the champion on the held-back rows; draws charts, and makes what explains the candidate's anomalies.

Inputs `plan`, `prepared`, `candidate` and, when a model is in service, `champion`; output `evaluation`.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from pathlib import Path

from containers.anomaly.charts import draw_charts
from containers.anomaly.explainer import make_explainer
from containers.anomaly.model_quality import model_quality
from containers.runtime import job
from containers.runtime.processing import (
    of_champion,
    read_lines,
    read_scores,
    run_id,
    smoke_case,
    write_json,
)
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.judgement.holdback import HoldbackRow
from watchkeeper.judgement.metrics import evaluate as compare
from watchkeeper.judgement.metrics import measure_part

logger = logging.getLogger(__name__)


def evaluate() -> None:
    """Read, compare, write."""
    plan = job.read_plan(job.processing_input("plan"))
    prepared = job.processing_input("prepared")
    rows = _read_index(prepared / "holdback" / "index.jsonl")
    lines = read_lines(prepared / "holdback" / "rows.csv")
    if len(lines) != len(rows):
        raise ContractViolationError(f"holdback/rows.csv has {len(lines)} rows, index.jsonl has {len(rows)}")
    candidate = read_scores(job.processing_input("candidate"), len(rows))
    champion = of_champion(read_scores, len(rows))
    output = job.processing_output("evaluation")
    evaluation = dataclasses.replace(
        compare(rows, candidate, champion, _step_scales(prepared), plan, run_id()),
        explainer=make_explainer(prepared / "train" / "rows.csv", lines, candidate, plan, output),
    )
    calibrate_metrics = measure_part(rows, candidate, evaluation.threshold, plan, "calibrate")
    (output / "evaluation.json").write_text(evaluation.to_json())
    write_json(output / "statistics.json", model_quality(evaluation, rows, candidate, calibrate_metrics))
    write_json(output / "smoke.json", smoke_case(lines, candidate))
    charts = draw_charts(rows, candidate, evaluation, plan, output / "charts")
    logger.info("evaluated", extra={"candidate": vars(evaluation.candidate), "charts": len(charts)})


def _step_scales(prepared: Path) -> dict[str, float]:
    summary = json.loads((prepared / "summary.json").read_bytes())
    return {series: float(found["step_scale"]) for series, found in summary["series"].items()}


def _read_index(path: Path) -> list[HoldbackRow]:
    with path.open(encoding="utf-8") as file:
        return list(HoldbackRow.from_lines(file))


if __name__ == "__main__":
    job.run_job(evaluate)
