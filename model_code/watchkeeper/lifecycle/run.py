"""One execution of the training workflow: its identity and every name that it uses.

The first state makes a `TrainingRun` and all later states refer to it, so that names are unique for each
execution and a state that runs twice uses the same name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from watchkeeper.core import layout
from watchkeeper.core.documents import Document

RELEASE_NAME = "release.json"
NOT_COMPARED_NAME = "not_compared.txt"
"""Beside it: why the model in service is no champion of this run, where it is none."""


@dataclass(frozen=True)
class RunNames:
    """Names of what the run makes in SageMaker."""

    prepare_job: str
    preprocessor_job: str
    preprocessor_model: str
    transform_job: str
    detector_job: str
    regressor_job: str
    explain_job: str
    model: str
    holdback_job: str
    champion_job: str
    evaluate_job: str
    endpoint_config: str
    endpoint: str
    warm_up_job: str = ""
    classifier_job: str = ""


@dataclass(frozen=True)
class RunUris:
    """S3 locations of what the run reads and writes. Those that end in `/` are prefixes."""

    plan: str
    history: str
    raw: str
    prepared: str
    """`train/rows.csv`, `holdback/rows.csv` (calibrate then test), `holdback/index.jsonl`, `summary.json`."""
    train_rows: str
    holdback_rows: str
    quarantine: str
    preprocessor_output: str
    features: str
    detector_output: str
    regressor_output: str
    candidate_scores: str
    champion_scores: str
    evaluation: str
    """`evaluation.json`, `statistics.json`, `smoke.json`, `charts/*.png`."""
    explain_rows: str
    """`rows.csv`: the held-back rows to explain, with their target."""
    explain_config: str
    """`analysis_config.json`, in Clarify's form."""
    explanations: str
    """`analysis.json`, `explanations_shap/`, `report.html`, `report.pdf`, `charts/`."""
    captures: str
    pages: str = ""
    """`shelf=ID.page`: what a streaming detector knows of each series after the whole history."""
    champion: str = ""
    """`release.json`: the release of a streaming detector that is live when the run begins, or `null`."""
    prefix: str = ""
    """All that the run writes is below it."""
    processed: str = ""
    """What Spark makes of transactions: `transactions/`, `edges/`, `refused/`, `statistics.json`, …."""
    live: str = ""
    """`part-*.jsonl.gz`: transactions and labels that came by the fraud API."""
    classifier_output: str = ""
    feedback: str = ""
    """`labels.json`: what people say of incidents, as windows of what was real by series."""


@dataclass(frozen=True)
class TrainingRun(Document, name="training run", sort_keys=False):
    """The identity of one execution, its names and its locations: the value of `$.run` in the workflow."""

    workload: str
    run_id: str
    execution_arn: str
    reason: str
    names: RunNames
    uris: RunUris

    @property
    def began_in(self) -> str:
        """The hour in which it began, such as `2026-11-29T17`: `run_id_of` begins with the time."""
        return f"{datetime.strptime(self.run_id[:10], '%Y%m%d%H'):%Y-%m-%dT%H}"


def run_id_of(execution_arn: str, started_at: datetime) -> str:
    """Return an identifier that sorts by time and is the same whenever the state is run again."""
    return f"{started_at:%Y%m%d%H%M%S}-{layout.short_hash(execution_arn, 6)}"


def is_run_id(text: str) -> bool:
    """Tell whether a text is of the form of `run_id_of`.

    Examples
    --------
    >>> is_run_id("20261115020000-0af3c1"), is_run_id("../other")
    (True, False)
    """
    return re.fullmatch(r"\d{14}-[0-9a-f]{6}", text) is not None


def training_run(
    *, workload: str, bucket: str, execution_arn: str, started_at: datetime, reason: str
) -> TrainingRun:
    """Derive every name and location of an execution."""
    run_id = run_id_of(execution_arn, started_at)
    root = f"s3://{bucket}/{layout.run_prefix(workload, run_id)}"

    def name(step: str) -> str:
        return layout.job_name(workload, step, run_id)

    return TrainingRun(
        workload=workload,
        run_id=run_id,
        execution_arn=execution_arn,
        reason=reason,
        names=RunNames(
            prepare_job=name("prepare"),
            preprocessor_job=name("preprocessor"),
            preprocessor_model=name("preprocessor"),
            transform_job=name("transform"),
            detector_job=name("detector"),
            regressor_job=name("regressor"),
            warm_up_job=name("warm-up"),
            classifier_job=name("classifier"),
            explain_job=name("explain"),
            model=name("model"),
            holdback_job=name("holdback"),
            champion_job=name("champion"),
            evaluate_job=name("evaluate"),
            endpoint_config=name("config"),
            endpoint=layout.endpoint_name(workload),
        ),
        uris=RunUris(
            plan=f"{root}plan.json",
            history=f"s3://{bucket}/{layout.history_prefix(workload)}",
            raw=f"s3://{bucket}/{layout.raw_prefix(workload)}",
            prepared=f"{root}prepared/",
            train_rows=f"{root}prepared/train/",
            holdback_rows=f"{root}prepared/holdback/",
            quarantine=f"s3://{bucket}/{layout.QUARANTINE}/{workload}/runs/{run_id}/",
            preprocessor_output=f"{root}preprocessor/",
            features=f"{root}features/",
            detector_output=f"{root}detector/",
            regressor_output=f"{root}regressor/",
            prefix=root,
            processed=f"{root}processed/",
            live=f"{root}live/",
            classifier_output=f"{root}classifier/",
            feedback=f"{root}feedback/",
            pages=f"{root}pages/",
            champion=f"{root}champion/",
            candidate_scores=f"{root}scores/candidate/",
            champion_scores=f"{root}scores/champion/",
            evaluation=f"{root}evaluation/",
            explain_rows=f"{root}prepared/explain/",
            explain_config=f"{root}explain/config/",
            explanations=f"{root}explain/output/",
            captures=f"s3://{bucket}/{layout.capture_prefix(workload)}".rstrip("/"),
        ),
    )
