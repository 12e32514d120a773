"""Before the endpoint changes: record what is known of the new model, and make the endpoint's log group.

SageMaker would make that group itself: kept for ever, and without the project's key.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, ClassVar

from lambdas.adapters import clients
from lambdas.adapters.log_groups import KeyedLogGroups, LogGroups
from lambdas.adapters.object_store import ObjectStore, S3ObjectStore
from lambdas.adapters.release_store import ReleaseStore, TableReleaseStore
from lambdas.adapters.run_documents import read_evaluation, read_smoke_case
from lambdas.runtime.workflow_payload import run_of, text_of
from lambdas.runtime.workflow_step import RUN_KEYS, RUNS_PREFIX, AwsCalls, StepEnvironment, step_handler
from watchkeeper.core import layout
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.core.plan import ThresholdPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.detectors.forest.surrogate import SURROGATE_NAME
from watchkeeper.features.contributions import Explainer
from watchkeeper.fraud.evaluation import FraudEvaluation
from watchkeeper.fraud.release import FraudRelease
from watchkeeper.judgement.evaluation import Evaluation
from watchkeeper.kinds import AnyEvaluation, AnyRelease
from watchkeeper.lifecycle.release import Release, StreamModel
from watchkeeper.lifecycle.run import TrainingRun
from watchkeeper.regression.evaluation import RegressionEvaluation
from watchkeeper.regression.release import RegressionRelease


@dataclass(frozen=True, kw_only=True)
class StageReleaseEnvironment(StepEnvironment):
    """What `stage_release` is told when it is deployed."""

    service: ClassVar[str] = "stage_release"
    purpose: ClassVar[str] = "Records a release before it can answer a request"
    calls: ClassVar[AwsCalls] = AwsCalls(
        reads=(RUN_KEYS,),
        lists=(RUNS_PREFIX,),
        series=("GetItem", "PutItem"),
        endpoint_logs=("CreateLogGroup", "PutRetentionPolicy"),
    )

    data_key_arn: str
    series_table: str


@dataclass(frozen=True)
class StagingEffects:
    """Everything outside of `stage_release`."""

    objects: ObjectStore
    releases: ReleaseStore
    logs: LogGroups
    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)

    @classmethod
    def in_aws(cls, environment: StageReleaseEnvironment) -> StagingEffects:
        """Return the effects in AWS."""
        return cls(
            objects=S3ObjectStore(clients.s3()),
            releases=TableReleaseStore(clients.dynamodb(), environment.series_table),
            logs=KeyedLogGroups(clients.logs(), environment.data_key_arn),
        )


def stage(payload: dict[str, Any], effects: StagingEffects) -> dict[str, Any]:
    """Write the release of the run. Done again, it keeps the time of the first.

    Where `endpoint` is false, nothing will write to the endpoint's log group, and none is made.

    Raises
    ------
    ContractViolationError
        If the evaluation is of another run.
    """
    run = run_of(payload)
    evaluation = read_evaluation(run, effects.objects)
    if evaluation.run_id != run.run_id:
        raise ContractViolationError(
            f"{run.uris.evaluation}evaluation.json is of run {evaluation.run_id}, not of {run.run_id}"
        )
    staged = effects.releases.of_run(run.workload, run.run_id)
    kind, fields = _of_kind(payload, run, evaluation, effects.objects)
    release = kind.of(
        run,
        package=text_of(payload, "model_package_arn"),
        metrics=evaluation.candidate,
        released_at=staged.released_at if staged else format_instant(effects.now()),
        **fields,
    )
    effects.releases.stage(release)
    if payload.get("endpoint") is not False:
        effects.logs.settle(layout.endpoint_log_group(run.workload))
    return {"run_id": run.run_id}


def _of_kind(
    payload: dict[str, Any], run: TrainingRun, evaluation: AnyEvaluation, objects: ObjectStore
) -> tuple[type[AnyRelease], dict[str, Any]]:
    """Return the kind of the release, and what it has beside what all releases have."""
    match evaluation:
        case Evaluation():
            probe_row, probe_score = read_smoke_case(run, objects).probe()
            return Release, {
                "threshold": evaluation.threshold,
                "severity": evaluation.severity,
                "step_scales": evaluation.step_scales,
                "probe_row": probe_row,
                "probe_score": probe_score,
                "explainer": _explainer(evaluation.explainer, run),
                "census": evaluation.census,
                "relations": evaluation.relations,
                "stream": _stream(evaluation, run),
            }
        case RegressionEvaluation():
            explanations = payload.get("explanations") or ""
            return RegressionRelease, {"schema_hash": evaluation.schema_hash, "explanations": explanations}
        case FraudEvaluation():
            return FraudRelease, {
                "schema_hash": evaluation.schema_hash,
                "threshold": evaluation.threshold,
                "choice": evaluation.choice,
                "artifact": text_of(payload, "artifact"),
            }


def _stream(evaluation: Evaluation, run: TrainingRun) -> StreamModel | None:
    if evaluation.parameters is None:
        return None
    rarity = evaluation.threshold.parameters.get("rarity", ThresholdPlan().rarity)
    return StreamModel(evaluation.parameters, rarity, run.uris.pages, heard_until=run.began_in)


def _explainer(made: Explainer, run: TrainingRun) -> Explainer:
    uri = f"{run.uris.evaluation}{SURROGATE_NAME}" if made.method == "forest" else None
    return dataclasses.replace(made, uri=uri)


handle = step_handler(stage, StageReleaseEnvironment, StagingEffects.in_aws)
