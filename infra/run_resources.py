"""The SageMaker resources that runs of a workload make, as ARNs with a wildcard for the run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Literal

from constructs import Construct

from infra.permissions import Permission, sagemaker_arns
from watchkeeper.core import layout
from watchkeeper.lifecycle.run import RunNames, training_run

Kind = Literal["anomaly", "streaming", "regression", "fraud"]
"""Of a workload's training: with telemetry, of a detector that learns in the scoring loop, of a table, of
transactions."""

RUN_REASON = (
    "Each run of the training workflow makes names of its own; only the workload's part is known now."
)


class RunResources:
    """ARNs of what one workload's training runs make.

    They are derived from `watchkeeper.lifecycle.run`, so that a name that is shortened there is permitted
    as it is.
    """

    def __init__(self, scope: Construct, workload: str, kind: Kind = "anomaly") -> None:
        names = _names_of_any_run(workload)

        def arns(kind: str, *of_kind: str) -> list[str]:
            return sagemaker_arns(scope, kind, of_kind)

        judging = (names.holdback_job, names.champion_job)
        if kind == "streaming":
            self.training_jobs, self.transform_jobs = [], []
            self.processing_jobs = arns(
                "processing-job", names.prepare_job, names.warm_up_job, names.evaluate_job
            )
        elif kind == "anomaly":
            self.training_jobs = arns("training-job", names.preprocessor_job, names.detector_job)
            self.processing_jobs = arns("processing-job", names.prepare_job, names.evaluate_job)
            self.transform_jobs = arns("transform-job", names.transform_job, *judging)
        elif kind == "fraud":
            self.training_jobs = arns("training-job", names.classifier_job)
            self.processing_jobs = arns("processing-job", names.evaluate_job)
            self.transform_jobs = []
        else:
            self.training_jobs = arns("training-job", names.regressor_job)
            self.processing_jobs = arns(
                "processing-job", names.prepare_job, names.evaluate_job, names.explain_job
            )
            self.transform_jobs = arns("transform-job", *judging)
        self.models = arns("model", names.preprocessor_model, names.model)
        self.packages = arns("model-package", f"{layout.endpoint_name(workload)}/*")
        self.endpoint_configs = arns("endpoint-config", names.endpoint_config)
        self.endpoints = arns("endpoint", names.endpoint)


def on_runs(actions: Iterable[str], resources: list[str]) -> Permission:
    """Return a permission for SageMaker actions on what runs make."""
    return Permission(
        actions=[f"sagemaker:{action}" for action in actions], resources=resources, reason=RUN_REASON
    )


def _names_of_any_run(workload: str) -> RunNames:
    run = training_run(
        workload=workload,
        bucket="any",
        execution_arn="any",
        started_at=datetime(2000, 1, 1, tzinfo=timezone.utc),
        reason="any",
    )
    return RunNames(
        **{name: value.replace(run.run_id, "*") for name, value in dataclasses.asdict(run.names).items()}
    )
