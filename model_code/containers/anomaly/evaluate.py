"""Processing job: fits the threshold, and compares the candidate with the labels, the trivial detector and
the champion on the held-back rows; draws charts, and makes what explains the candidate's anomalies.

Inputs `plan`, `prepared`, `candidate` and, when a model is in service, `champion`; output `evaluation`. Of a
streaming detector `champion` is always there and has the live release, or `null`.

The built-in Random Cut Forest cannot be asked for attributions, so a forest of the same kind stands in for it
(`watchkeeper.detectors.forest.surrogate`). The streaming detector says itself what its scores are made of.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from containers.anomaly.charts import draw_charts
from containers.anomaly.model_quality import model_quality
from containers.anomaly.warm_up import BANDS_NAME, SMOKE_NAME, STREAM_NAME
from containers.runtime import job
from containers.runtime.processing import (
    of_champion,
    read_holdback,
    read_lines,
    read_scores,
    run_id,
    smoke_case,
    write_json,
)
from watchkeeper.core.documents import read_part
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.detectors.forest.surrogate import SURROGATE_NAME
from watchkeeper.detectors.forest.surrogate_fit import fit_surrogate, rank_agreement
from watchkeeper.features.contributions import Explainer
from watchkeeper.features.relations import Relation
from watchkeeper.judgement.evaluation import Evaluation, HoldbackRow
from watchkeeper.judgement.metrics import evaluate as compare
from watchkeeper.judgement.metrics import measure_part
from watchkeeper.lifecycle.release import Release, StreamModel
from watchkeeper.lifecycle.run import RELEASE_NAME
from watchkeeper.stream.learning import learner_of, parameters_apart
from watchkeeper.telemetry.census import Census
from watchkeeper.telemetry.rows import parse_rows

logger = logging.getLogger(__name__)


def evaluate() -> None:
    """Read, compare, write."""
    plan = job.read_plan(job.processing_input("plan"), WorkloadPlan)
    prepared = job.processing_input("prepared")
    rows = read_holdback(prepared)
    lines = read_lines(prepared / "holdback" / "rows.csv")
    if len(lines) != len(rows):
        raise ContractViolationError(f"holdback/rows.csv has {len(lines)} rows, index.jsonl has {len(rows)}")
    candidate = read_scores(job.processing_input("candidate"), len(rows))
    output = job.processing_output("evaluation")
    summary = json.loads((prepared / "summary.json").read_bytes())
    scales = {series: float(found["step_scale"]) for series, found in summary["series"].items()}
    if plan.detector.is_streaming:
        rows = _as_scored(rows)
        compared = _compared_as_stream(rows, candidate, scales, plan)
    else:
        compared = compare(rows, candidate, of_champion(read_scores, len(rows)), scales, plan, run_id())
    evaluation = dataclasses.replace(
        compared,
        left_out=summary["left_out"],
        census=read_part(Census, summary["census"], "summary.json: census"),
        relations=tuple(read_part(Relation, one, "summary.json: relations") for one in summary["relations"]),
        explainer=make_explainer(prepared / "train" / "rows.csv", lines, candidate, plan, output),
    )
    calibrate_metrics = measure_part(rows, candidate, evaluation.threshold, plan, "calibrate")
    (output / "evaluation.json").write_text(evaluation.to_json())
    write_json(
        output / "statistics.json", model_quality(evaluation, rows, candidate, calibrate_metrics, plan)
    )
    smoke = job.processing_input("candidate") / SMOKE_NAME  # of a stream: rows that could follow
    case = json.loads(smoke.read_bytes()) if smoke.exists() else smoke_case(lines, candidate)
    write_json(output / "smoke.json", case)
    charts = draw_charts(rows, candidate, evaluation, plan, output / "charts")
    logger.info("evaluated", extra={"candidate": vars(evaluation.candidate), "charts": len(charts)})


def _compared_as_stream(
    rows: Sequence[HoldbackRow], scores: Sequence[float], scales: Mapping[str, float], plan: WorkloadPlan
) -> Evaluation:
    """Compare a streaming detector with the live one, which gives the same scores: by its threshold.

    A live one that learned with other parameters is not compared, and the evaluation says so: its states go
    on in no other software.
    """
    said = json.loads((job.processing_input("candidate") / STREAM_NAME).read_bytes())
    live = json.loads((job.processing_input("champion") / RELEASE_NAME).read_bytes())
    champion = None if live is None else Release.from_dict(live)
    why = _not_compared(champion, StreamModel(said["parameters"], plan.threshold.rarity))
    threshold = champion.threshold if champion is not None and why is None else None
    compared = compare(rows, scores, scores if threshold else None, scales, plan, run_id(), threshold)
    return dataclasses.replace(compared, step_scales={}, not_compared=why, parameters=said["parameters"])


def _as_scored(rows: Sequence[HoldbackRow]) -> list[HoldbackRow]:
    """Return rows with the bands that the streaming detector scored them with, as in the scoring loop."""
    bands = json.loads((job.processing_input("candidate") / BANDS_NAME).read_bytes())["bands"]
    return [
        dataclasses.replace(row, expected=expected, lower=lower, upper=upper)
        for row, (expected, lower, upper) in zip(rows, bands, strict=True)
    ]


def _not_compared(champion: Release | None, model: StreamModel) -> str | None:
    """Say why the live release's scores are not the candidate's; None where they are, or none is live."""
    if champion is None:
        return None
    if champion.stream is None:
        return f"run {champion.run_id} is another kind of detector"
    if learner_of(champion.stream) == learner_of(model):
        return None
    apart = "; ".join(parameters_apart(model, champion.stream))
    return f"the detector of run {champion.run_id} learned with other parameters ({apart})"


COMPARED_ROWS = 2000


def make_explainer(
    train_rows: Path, holdback: Sequence[str], scores: Sequence[float], plan: WorkloadPlan, output: Path
) -> Explainer:
    """Write what explains the candidate into `output`, and return how good it is.

    Parameters
    ----------
    train_rows
        The rows that the candidate was trained on.
    holdback, scores
        The held-back rows and the candidate's scores of them; up to `COMPARED_ROWS` of them, spread evenly,
        are compared.
    """
    if plan.detector.is_streaming:
        return Explainer("detector")
    max_lags = plan.features.shingle - 1
    with train_rows.open(encoding="utf-8") as file:
        surrogate = fit_surrogate(list(parse_rows(file, max_lags=max_lags)), plan)
    (output / SURROGATE_NAME).write_bytes(surrogate.portable().to_bytes())
    step = -(-len(scores) // COMPARED_ROWS)
    compared = list(parse_rows(holdback[::step], max_lags=max_lags))
    agreement = rank_agreement(surrogate.score(compared), scores[::step])
    return Explainer("forest", rank_agreement=agreement, rows=len(compared))


if __name__ == "__main__":
    job.run_job(evaluate)
