"""Processing job: fits the threshold, and compares the candidate with the labels, the trivial detector and
the champion on the held-back rows; draws charts, and makes what explains the candidate's anomalies.

Inputs `plan`, `prepared`, `candidate` and, when a model is in service, `champion`; output `evaluation`.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from containers.anomaly.charts import draw_charts
from containers.anomaly.explainer import make_explainer
from containers.anomaly.model_quality import model_quality
from containers.runtime import job
from containers.runtime.scores import read_scores
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.judgement.holdback import HoldbackRow
from watchkeeper.judgement.metrics import evaluate as compare
from watchkeeper.judgement.metrics import measure_part
from watchkeeper.lifecycle.release import SCORE_TOLERANCE

SMOKE_ROWS = 20

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EvaluateSettings:
    """Which run the evaluation is of."""

    run_id: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> EvaluateSettings:
        """Read `WATCHKEEPER_RUN_ID`.

        Raises
        ------
        ContractViolationError
            If it is not set.
        """
        run_id = environment.get("WATCHKEEPER_RUN_ID", "")
        if not run_id:
            raise ContractViolationError("the environment variable WATCHKEEPER_RUN_ID is not set")
        return cls(run_id)


def evaluate() -> None:
    """Read, compare, write."""
    settings = EvaluateSettings.from_environment()
    plan = job.read_plan(job.processing_input("plan"))
    prepared = job.processing_input("prepared")
    rows = _read_index(prepared / "holdback" / "index.jsonl")
    lines = _read_lines(prepared / "holdback" / "rows.csv")
    if len(lines) != len(rows):
        raise ContractViolationError(f"holdback/rows.csv has {len(lines)} rows, index.jsonl has {len(rows)}")
    candidate = read_scores(job.processing_input("candidate"), len(rows))
    champion = _champion_scores(len(rows))
    output = job.processing_output("evaluation")
    evaluation = dataclasses.replace(
        compare(rows, candidate, champion, _step_scales(prepared), plan, settings.run_id),
        explainer=make_explainer(prepared / "train" / "rows.csv", lines, candidate, plan, output),
    )
    calibrate_metrics = measure_part(rows, candidate, evaluation.threshold, plan, "calibrate")
    (output / "evaluation.json").write_text(evaluation.to_json())
    _write_json(output / "statistics.json", model_quality(evaluation, rows, candidate, calibrate_metrics))
    _write_json(output / "smoke.json", smoke_case(lines, candidate))
    charts = draw_charts(rows, candidate, evaluation, plan, output / "charts")
    logger.info("evaluated", extra={"candidate": vars(evaluation.candidate), "charts": len(charts)})


def smoke_case(lines: Sequence[str], scores: Sequence[float]) -> dict[str, object]:
    """Return rows with known scores for the deployed endpoint: spread over time, and the highest score."""
    chosen = spread_rows(scores)
    return {
        "rows": [lines[position] for position in chosen],
        "scores": [scores[position] for position in chosen],
        "tolerance": SCORE_TOLERANCE,
    }


def spread_rows(answers: Sequence[float]) -> list[int]:
    """Return positions of rows for the smoke test: spread over all, and the one with the highest answer."""
    step = max(1, len(answers) // (SMOKE_ROWS - 1))
    highest = max(range(len(answers)), key=answers.__getitem__)
    return sorted({*range(0, len(answers), step)[: SMOKE_ROWS - 1], highest})


def main() -> None:
    """Run as the processing job."""
    job.run_job(evaluate)


def _champion_scores(n_rows: int) -> list[float] | None:
    folder = job.processing_input("champion")
    if not folder.is_dir() or not any(folder.iterdir()):
        return None
    return read_scores(folder, n_rows)


def _step_scales(prepared: Path) -> dict[str, float]:
    summary = json.loads((prepared / "summary.json").read_bytes())
    return {series: float(found["step_scale"]) for series, found in summary["series"].items()}


def _read_index(path: Path) -> list[HoldbackRow]:
    with path.open(encoding="utf-8") as file:
        return list(HoldbackRow.from_lines(file))


def _read_lines(path: Path) -> list[str]:
    with path.open(encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file]


def _write_json(path: Path, document: dict[str, object]) -> None:
    path.write_text(json.dumps(document, sort_keys=True, indent=2, allow_nan=False))


if __name__ == "__main__":
    main()
