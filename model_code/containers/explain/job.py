"""The job: configuration and data in; analyses, charts and reports out."""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from containers.explain.bias.analysis import analyse_bias
from containers.explain.io.configuration import AnalysisConfiguration, load_configuration
from containers.explain.io.dataset import Dataset, read_dataset
from containers.explain.io.loaded_model import load_model
from containers.explain.io.model import Model
from containers.explain.io.predictor_settings import PredictorSettings
from containers.explain.report import results, write_report
from containers.explain.report.findings import Findings
from containers.explain.shap.analysis import ShapAnalysis, analyse_shap
from containers.explain.shap.partial_dependence import analyse_dependence
from containers.runtime import job
from containers.runtime.memory import peak_memory_bytes
from watchkeeper import __version__
from watchkeeper.core.errors import ContractViolationError, InvalidInputError

CONFIGURATION = "analysis_config.json"
RECORD = "explain.json"
_LIBRARIES = ("numpy", "pandas", "scikit-learn", "matplotlib")

logger = logging.getLogger(__name__)


def explain() -> None:
    """Read, analyse, write."""
    started = time.perf_counter()
    folder = job.processing_input("config")
    if not (folder / CONFIGURATION).is_file():
        raise ContractViolationError(f"the input config has no {CONFIGURATION}")
    configuration = load_configuration(folder / CONFIGURATION)
    dataset = read_dataset(job.processing_input("data"), configuration)
    logger.info("read", extra={"rows": len(dataset.table), "features": len(dataset.features)})
    with open_model(configuration) as model:
        findings = _analyse(configuration, dataset, model)
    output = job.processing_output(".")
    _write(output, configuration, dataset, findings)
    if configuration.methods.report is not None:
        write_report(output, configuration.methods.report, configuration, dataset, findings)
    results.write_json(output / RECORD, _record(configuration, dataset, findings, started))
    logger.info("written", extra={"seconds": round(time.perf_counter() - started, 1)})


@contextmanager
def open_model(configuration: AnalysisConfiguration) -> Iterator[Model | None]:
    """Give the model that the configuration names, where something is computed that needs one.

    Raises
    ------
    InvalidInputError
        If there is none: no endpoint, no model's name, and no input `model`.
    """
    if not configuration.needs_model:
        yield None
        return
    settings = configuration.predictor or PredictorSettings()
    if settings.endpoint_name is not None or settings.model_name is not None:
        from containers.explain.io.endpoint import endpoint_model  # imports boto3

        with endpoint_model(settings) as model:
            yield model
        return
    channel = job.processing_input("model")
    if not channel.is_dir():
        raise InvalidInputError(
            "predictor: there is no model to ask; give endpoint_name or model_name, or mount the input "
            "`model`",
            reason="analysis_config",
        )
    yield load_model(channel, settings)


def main() -> None:
    """Run as the processing job."""
    job.run_job(explain)


def _analyse(configuration: AnalysisConfiguration, dataset: Dataset, model: Model | None) -> Findings:
    shap: ShapAnalysis | None = None
    if configuration.methods.shap is not None and model is not None:
        shap = analyse_shap(configuration.methods.shap, dataset, model, job.processing_input("baseline"))
    dependence = []
    if configuration.methods.pdp is not None and model is not None:
        dependence = analyse_dependence(configuration.methods.pdp, dataset, model, shap)
    bias = None
    if configuration.measures_bias:
        bias = analyse_bias(configuration, dataset, model)
    headers = configuration.predictor.label_headers if configuration.predictor else None
    n_outputs = 1
    if shap is not None:
        n_outputs = shap.attribution.scores.shape[1]
    elif dependence:
        n_outputs = dependence[0].scores.shape[1]
    return Findings(
        labels=results.output_names(n_outputs, headers),
        shap=shap,
        dependence=dependence,
        bias=bias,
        model=None if model is None else model.description,
        rows_asked=0 if model is None else model.rows_asked,
    )


def _write(output: Path, configuration: AnalysisConfiguration, dataset: Dataset, findings: Findings) -> None:
    document = results.analysis_document(
        dataset, findings.labels, findings.shap, findings.dependence, findings.bias
    )
    results.write_json(output / results.ANALYSIS, document)
    if findings.shap is not None:
        results.write_baseline(output / results.BASELINE, findings.shap)
        if configuration.methods.shap is not None and configuration.methods.shap.save_local_shap_values:
            results.write_local_values(output / results.LOCAL, dataset, findings.labels, findings.shap)


def _record(
    configuration: AnalysisConfiguration, dataset: Dataset, findings: Findings, started: float
) -> dict[str, Any]:
    """Return `explain.json`: how the analysis was done."""
    shap = None
    if findings.shap is not None and configuration.methods.shap is not None:
        attribution = findings.shap.attribution
        shap = {
            "method": attribution.method,
            "reason": attribution.reason,
            "aggregation": configuration.methods.shap.agg_method,
            "num_samples": configuration.methods.shap.num_samples,
            "coalitions": attribution.coalitions,
            "evaluations": attribution.evaluations,
            "seed": attribution.seed,
            "undetermined": attribution.undetermined,
            "additivity_error": attribution.additivity_error,
            "baseline_rows": len(findings.shap.baseline),
            "baseline": findings.shap.baseline_origin,
        }
    return {
        "shap": shap,
        "model": findings.model,
        "rows": len(dataset.table),
        "features": len(dataset.features),
        "rows_asked": findings.rows_asked,
        "seconds": round(time.perf_counter() - started, 3),
        "peak_memory_bytes": peak_memory_bytes(),
        "versions": {"watchkeeper": __version__, "python": platform.python_version(), **_versions()},
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
