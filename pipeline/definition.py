"""The training workflow of a workload: which state follows which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline import composition, evaluation, release
from pipeline.composition import chain
from pipeline.detectors import detector_of
from pipeline.fraud import fraud_definition
from pipeline.jobs import Jobs
from pipeline.regression import regression_definition
from pipeline.settings import WorkflowSettings, settings_of
from pipeline.streaming import streaming_definition
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.regression.plan import RegressionPlan

if TYPE_CHECKING:
    from watchkeeper.spec import WorkloadSpec


def build_definition(spec: WorkloadSpec, *, region: str) -> dict[str, Any]:
    """Return the workload's state machine in the Amazon States Language.

    Values that only a deployment knows stand as `${Name}`: `pipeline.substitutions.Substitution` lists them.

    Parameters
    ----------
    spec
        The workload.
    region
        AWS region, which decides the images' registries.

    Raises
    ------
    InvalidInputError
        If the workflow cannot train what the spec asks for.
    """
    return definition_of(settings_of(spec, region))


def definition_of(settings: WorkflowSettings) -> dict[str, Any]:
    """Return the state machine of a workload's settings; see `build_definition`."""
    match settings.plan:
        case WorkloadPlan() as plan if plan.detector.is_streaming:
            return streaming_definition(Jobs(settings))
        case WorkloadPlan() as plan:
            return anomaly_definition(Jobs(settings), plan)
        case RegressionPlan() as plan:
            return regression_definition(Jobs(settings), plan)
        case FraudPlan() as plan:
            return fraud_definition(Jobs(settings), plan)


def anomaly_definition(jobs: Jobs, plan: WorkloadPlan) -> dict[str, Any]:
    """Return the state machine of a workload that watches telemetry and asks a model at an endpoint."""
    detector = detector_of(jobs, plan)
    cleaning = composition.fail(jobs)
    deploying = chain(
        release.register_model_package(jobs, detector),
        composition.deploy(jobs, release.stage_release(jobs), broken=cleaning),
    )
    judging = composition.judge(
        jobs, module="anomaly.evaluate", approved=deploying, rejected=composition.reject(jobs)
    )
    fitting = chain(
        *detector.fit(),
        evaluation.create_model(jobs, detector),
        evaluation.score_holdback(jobs),
        judging,
    )
    return composition.state_machine(jobs, composition.prepared(jobs, then=fitting), clean_up=cleaning)
