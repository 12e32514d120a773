"""The training workflow of a workload: which state follows which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stepfunctions.steps.states import State, Task

from pipeline import composition, evaluation, preparation, release
from pipeline.composition import chain
from pipeline.detectors import Detector, detector_of
from pipeline.jobs import Jobs
from pipeline.regression import regression_definition
from pipeline.settings import WorkflowSettings, settings_of
from watchkeeper.core.plan import WorkloadPlan
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
        case WorkloadPlan() as plan:
            return anomaly_definition(Jobs(settings), plan)
        case RegressionPlan() as plan:
            return regression_definition(Jobs(settings), plan)


def anomaly_definition(jobs: Jobs, plan: WorkloadPlan) -> dict[str, Any]:
    """Return the state machine of a workload that watches telemetry."""
    detector = detector_of(jobs, plan)
    cleaning = composition.fail(jobs)
    deploying = chain(
        release.register_model_package(jobs, detector),
        composition.deploy(jobs, release.stage_release(jobs), broken=cleaning),
    )
    judging = composition.judge(
        jobs, module="anomaly.evaluate", approved=deploying, rejected=composition.reject(jobs)
    )
    return composition.state_machine(jobs, _train(jobs, detector, then=judging), clean_up=cleaning)


def _train(jobs: Jobs, detector: Detector, *, then: State) -> State:
    fitting = chain(
        *detector.fit(),
        evaluation.create_model(jobs, detector),
        evaluation.score_holdback(jobs),
        then,
    )
    sources = preparation.sources_present(
        both=chain(_prepare(jobs, "PrepareData", "history", "raw"), fitting),
        history=chain(_prepare(jobs, "PrepareHistory", "history"), fitting),
        telemetry=chain(_prepare(jobs, "PrepareTelemetry", "raw"), fitting),
    )
    return chain(preparation.open_run(), preparation.validate_input(jobs.settings), sources)


def _prepare(jobs: Jobs, name: str, *sources: str) -> Task:
    return preparation.prepare(jobs, name, "anomaly.prepare", *sources)
