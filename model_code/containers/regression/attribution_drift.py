"""Processing job: explains recent traffic as the training's rows were, and compares the two rankings.

Inputs `rows` (`rows.csv` without a target), `config`, `model`, `baseline`, `training` (`analysis.json` of the
training run) and `draft` (the report so far); output `drift` with `drift.json`.
"""

from __future__ import annotations

import logging

from containers.explain.io.configuration import load_configuration
from containers.explain.io.dataset import read_dataset
from containers.explain.job import CONFIGURATION, open_model
from containers.explain.measures.attribution import attribution_ndcg
from containers.explain.shap.analysis import analyse_shap
from containers.runtime import job
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.regression.drift import DRIFT_NAME, DriftReport
from watchkeeper.regression.importance import global_importance

logger = logging.getLogger(__name__)


def compare() -> None:
    """Read, explain, compare, write."""
    draft = DriftReport.from_json((job.processing_input("draft") / DRIFT_NAME).read_bytes())
    analysis = job.only_file(job.processing_input("training"), "analysis.json")
    training = global_importance(analysis.read_bytes())
    report = draft.compared(*_compared(training))
    path = job.processing_output("drift") / DRIFT_NAME
    path.write_text(report.to_json())
    logger.info(report.in_words, extra={"rows": report.rows, "ndcg": report.ndcg})


def _compared(training: dict[str, float]) -> tuple[float, dict[str, float], dict[str, float]]:
    """Return the NDCG, and the importance by feature at the training and now."""
    configuration = load_configuration(job.processing_input("config") / CONFIGURATION)
    dataset = read_dataset(job.processing_input("rows"), configuration)
    with open_model(configuration) as model:
        if configuration.methods.shap is None or model is None:
            raise ContractViolationError(f"{CONFIGURATION} asks for no SHAP values")
        shap = analyse_shap(configuration.methods.shap, dataset, model, job.processing_input("baseline"))
    if shap.importance.shape[1] != 1:
        raise ContractViolationError(
            f"the model has {shap.importance.shape[1]} outputs; drift is watched of one"
        )
    recent = dict(zip(dataset.features, shap.importance[:, 0].tolist(), strict=True))
    return attribution_ndcg(training, recent), training, recent


if __name__ == "__main__":
    job.run_job(compare)
