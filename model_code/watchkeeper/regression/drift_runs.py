"""One execution of the attribution drift monitor: its identity and every name that it uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from watchkeeper.core import layout
from watchkeeper.core.documents import Document
from watchkeeper.lifecycle.run import run_id_of
from watchkeeper.regression.drift import DRIFT_NAME


@dataclass(frozen=True)
class DriftNames:
    """Names of what the run makes in SageMaker."""

    job: str


@dataclass(frozen=True)
class DriftUris:
    """S3 locations of what the run reads and writes. Those that end in `/` are prefixes.

    What begins with `training_`, the model and the baseline are of the training run of the model in service.
    """

    rows: str
    """`rows.csv`: the sampled rows, without a target."""
    config: str
    """`analysis_config.json`."""
    draft: str
    """The report as far as it is known before the comparison."""
    result: str
    """`drift.json`."""
    training_plan: str
    training_config: str
    training_analysis: str
    model: str
    baseline: str


@dataclass(frozen=True)
class DriftRun(Document, name="drift run", sort_keys=False):
    """The identity of one execution, its names and its locations: `$.run` in the monitor's state machine."""

    workload: str
    run_id: str
    names: DriftNames
    uris: DriftUris

    @property
    def report_uri(self) -> str:
        """Where the report is after the comparison."""
        return f"{self.uris.result}{DRIFT_NAME}"


def drift_run(
    *, bucket: str, workload: str, execution_arn: str, started_at: datetime, model_run_id: str
) -> DriftRun:
    """Derive every name and location of an execution.

    Parameters
    ----------
    model_run_id
        The training run of the model in service.
    """
    run_id = run_id_of(execution_arn, started_at)
    root = f"s3://{bucket}/{layout.drift_prefix(workload)}{run_id}/"
    training = f"s3://{bucket}/{layout.run_prefix(workload, model_run_id)}"
    regressor_job = layout.job_name(workload, "regressor", model_run_id)
    return DriftRun(
        workload=workload,
        run_id=run_id,
        names=DriftNames(job=layout.job_name(workload, "drift", run_id)),
        uris=DriftUris(
            rows=f"{root}rows/",
            config=f"{root}config/",
            draft=f"{root}draft/{DRIFT_NAME}",
            result=f"{root}result/",
            training_plan=f"{training}plan.json",
            training_config=f"{training}explain/config/analysis_config.json",
            training_analysis=f"{training}explain/output/analysis.json",
            model=f"{training}regressor/{regressor_job}/output/model.tar.gz",
            baseline=f"{training}explain/output/explanations_shap/baseline.csv",
        ),
    )
