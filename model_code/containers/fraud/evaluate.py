"""Processing job: measures every model of the candidate, and the champion, on the test time, and draws
charts.

Inputs `plan`, `processed` (with `transactions/`), `candidate` (its `model.tar.gz`) and, when a comparable
model is in service, `champion`; output `evaluation`. The models answer in this process, with the code that
serves them.
"""

from __future__ import annotations

import json
import logging
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from containers.fraud.model import FraudModel, load_model
from containers.fraud.prepared import Prepared, read_prepared
from containers.fraud.train import LOG_NAME
from containers.runtime import job
from containers.runtime.processing import SMOKE_ROWS, run_id, write_json
from watchkeeper.charts.fraud import draw_learning_curves, draw_precision_recall
from watchkeeper.charts.style import save
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.fraud.evaluation import FraudEvaluation, FraudMetrics
from watchkeeper.fraud.features import DAY_SECONDS
from watchkeeper.fraud.manifest import CHOICES, FraudManifest
from watchkeeper.fraud.measures import Ranking, areas, confusion
from watchkeeper.fraud.plan import FRAUD, FraudPlan
from watchkeeper.fraud.schema import schema_of
from watchkeeper.fraud.split import TEST
from watchkeeper.lifecycle.release import SCORE_TOLERANCE

PREVALENCE = "prevalence"
_CHUNK = 4096

Floats = NDArray[np.float64]

logger = logging.getLogger(__name__)


def evaluate() -> None:
    """Read, measure, write."""
    plan = job.read_plan(job.processing_input("plan"), FraudPlan)
    prepared = read_prepared(job.processing_input("processed"), plan)
    test = np.flatnonzero(prepared.parts == TEST)
    fraud = prepared.graph.labels.verdicts[test] > 0
    if not 0 < fraud.sum() < len(fraud):
        raise InvalidInputError(
            f"the test time has {len(test)} labelled transactions, {int(fraud.sum())} of them fraud: some of "
            "each are needed; give more history, or smaller parts in history.split",
            reason="too_few_rows",
        )
    with tempfile.TemporaryDirectory() as scratch:
        candidate, manifest = _unpacked("candidate", Path(scratch))
        log = json.loads((Path(scratch) / "candidate" / LOG_NAME).read_bytes())
        champion = _unpacked("champion", Path(scratch)) if _has("champion") else None
    probabilities = {name: _asked(candidate, prepared, test, name) for name in CHOICES}
    times = prepared.graph.times[test]
    rows = {name: measured(fraud, each, times, manifest.threshold) for name, each in probabilities.items()}
    share = np.full(len(test), manifest.n_train_frauds / manifest.n_train)
    evaluation = FraudEvaluation(
        workload=plan.workload,
        run_id=run_id(),
        schema_hash=schema_of(plan).hash,
        choice=manifest.choice,
        threshold=manifest.threshold,
        candidate=rows[manifest.choice],
        baseline=measured(fraud, share, times, manifest.threshold),
        rows={str(name): row for name, row in rows.items()},
        champion=None if champion is None else _of_champion(*champion, prepared, test),
        n_train=manifest.n_train,
    )
    output = job.processing_output("evaluation")
    (output / "evaluation.json").write_text(evaluation.to_json())
    write_json(output / "statistics.json", model_quality(evaluation.candidate))
    write_json(output / "smoke.json", _smoke_case(prepared, test, probabilities[manifest.choice]))
    write_json(output / "training.json", log)
    _draw(output / "charts", evaluation, fraud, probabilities, log)
    logger.info("evaluated", extra={"choice": manifest.choice, "candidate": vars(evaluation.candidate)})


def measured(fraud: NDArray[np.bool_], scores: Floats, times: Floats, threshold: float) -> FraudMetrics:
    """Return the metrics of a model on labelled transactions of a time.

    Parameters
    ----------
    scores
        Probabilities; one of at least the threshold is flagged.
    """
    roc, pr = areas(fraud, scores, times)
    hits, alarms, misses, rest = confusion(fraud, scores >= threshold)
    days = max((times.max() - times.min()) / DAY_SECONDS, 1.0)
    precision = hits / (hits + alarms) if hits + alarms else None
    return FraudMetrics(
        n=len(fraud),
        frauds=int(fraud.sum()),
        pr_auc=pr.value,
        roc_auc=roc.value,
        precision=precision,
        recall=hits / (hits + misses),
        f1=2 * hits / (2 * hits + alarms + misses),
        accuracy=(hits + rest) / len(fraud),
        true_positives=hits,
        false_positives=alarms,
        false_negatives=misses,
        true_negatives=rest,
        alerts_per_day=(hits + alarms) / days,
        pr_auc_interval=(pr.low, pr.high),
        roc_auc_interval=(roc.low, roc.high),
    )


def model_quality(metrics: FraudMetrics) -> dict[str, Any]:
    """Return `statistics.json`: the metrics in SageMaker's format for binary classification."""
    values = {
        "precision": metrics.precision,
        "recall": metrics.recall,
        "accuracy": metrics.accuracy,
        "f1": metrics.f1,
        "auc": metrics.roc_auc,
        "au_prc": metrics.pr_auc,
    }
    return {
        "version": 0.0,
        "dataset": {"item_count": metrics.n},
        "binary_classification_metrics": {
            "confusion_matrix": {
                "0": {"0": metrics.true_negatives, "1": metrics.false_positives},
                "1": {"0": metrics.false_negatives, "1": metrics.true_positives},
            },
            **{
                name: {"value": value, "standard_deviation": "NaN"}
                for name, value in values.items()
                if value is not None
            },
        },
    }


def _has(name: str) -> bool:
    folder = job.processing_input(name)
    return folder.is_dir() and any(folder.iterdir())


def _unpacked(name: str, scratch: Path) -> tuple[FraudModel, FraudManifest]:
    with tarfile.open(job.only_file(job.processing_input(name), "*.tar.gz")) as archive:
        archive.extractall(scratch / name, filter="data")
    return load_model(scratch / name)


def _asked(model: FraudModel, prepared: Prepared, rows: NDArray[np.int64], name: Any = None) -> Floats:
    """Return probabilities; ego rows of a chunk only are made at a time."""
    parts = [rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)]
    return np.concatenate([model.probabilities(prepared.graph.ego_rows(part), name) for part in parts])


def _of_champion(
    model: FraudModel, manifest: FraudManifest, prepared: Prepared, test: NDArray[np.int64]
) -> FraudMetrics:
    fraud, times = prepared.graph.labels.verdicts[test] > 0, prepared.graph.times[test]
    return measured(fraud, _asked(model, prepared, test), times, manifest.threshold)


def _smoke_case(prepared: Prepared, test: NDArray[np.int64], probabilities: Floats) -> dict[str, Any]:
    """Return flat rows with known answers for the deployed endpoint: spread over all, and the highest."""
    step = max(1, len(test) // (SMOKE_ROWS - 1))
    chosen = np.unique([*range(0, len(test), step)[: SMOKE_ROWS - 1], int(probabilities.argmax())])
    flat = prepared.graph.ego_rows(test[chosen]).to_flat().astype(np.float64)
    return {
        "kind": FRAUD,
        "rows": [",".join("" if np.isnan(value) else repr(value) for value in row) for row in flat.tolist()],
        "probabilities": probabilities[chosen].tolist(),
        "tolerance": SCORE_TOLERANCE,
    }


def _draw(
    folder: Path,
    evaluation: FraudEvaluation,
    fraud: NDArray[np.bool_],
    probabilities: dict[Any, Floats],
    log: dict[str, Any],
) -> None:
    metrics, epochs = evaluation.candidate, log["epochs"]
    title = f"{evaluation.workload}   ·   {metrics.n} transactions of the test time, {metrics.frauds} frauds"
    curves = {}
    for name, scores in probabilities.items():
        hits, alarms = Ranking.of(fraud, scores).counted()
        chosen = ", chosen" if name == evaluation.choice else ""
        label = f"{name}: {evaluation.rows[name].pr_auc:.3f}{chosen}"
        curves[label] = hits / hits[-1], hits / (hits + alarms)
    save(draw_precision_recall(title, curves, metrics.prevalence), folder / "precision-recall.png")
    series = [[epoch[key] for epoch in epochs] for key in ("loss", "f1", "pr_auc")]
    save(
        draw_learning_curves(f"{evaluation.workload}   ·   the graph network's training", *series),
        folder / "learning.png",
    )


if __name__ == "__main__":
    job.run_job(evaluate)
