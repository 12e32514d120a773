"""The training workflow of a workload: which state follows which."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from stepfunctions.steps.states import Catch, Graph, State

from pipeline import endings, evaluation, preparation, release, validation
from pipeline.detectors import Detector, detector_of
from pipeline.jobs import Jobs
from pipeline.settings import WorkflowSettings, settings_of

if TYPE_CHECKING:
    from workloads.spec import WorkloadSpec

MAX_RUN_SECONDS = 24 * 3600


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
        If the workflow cannot train the detector that the spec asks for.
    """
    return definition_of(settings_of(spec, region))


def definition_of(settings: WorkflowSettings) -> dict[str, Any]:
    """Return the state machine of a workload's settings; see `build_definition`."""
    jobs = Jobs(settings)
    detector = detector_of(jobs)
    cleaning = _fail(jobs)
    deploying = _deploy(jobs, detector, broken=cleaning)
    judging = _judge(jobs, approved=deploying, rejected=_reject(jobs))
    graph = Graph(
        _train(jobs, detector, then=judging),
        comment=f"Trains, judges and deploys the model of workload {settings.workload}",
        timeout_seconds=MAX_RUN_SECONDS,
    )
    definition: dict[str, Any] = graph.to_dict()
    _catch_all(definition["States"], cleaning.state_id)
    return definition


def _train(jobs: Jobs, detector: Detector, *, then: State) -> State:
    fitting = _chain(
        *detector.fit(),
        evaluation.create_model(jobs, detector),
        evaluation.score_holdback(jobs),
        then,
    )
    sources = preparation.sources_present(
        both=_chain(preparation.prepare_data(jobs), fitting),
        history=_chain(preparation.prepare_history(jobs), fitting),
        telemetry=_chain(preparation.prepare_telemetry(jobs), fitting),
    )
    return _chain(validation.open_run(), validation.validate_input(jobs.settings), sources)


def _judge(jobs: Jobs, *, approved: State, rejected: State) -> State:
    decide = _chain(evaluation.decide_promotion(jobs), evaluation.approved(yes=approved, no=rejected))
    alone = _chain(evaluation.evaluate(jobs), decide)
    if not jobs.settings.plan.gate.beat_champion:
        return alone
    compared = _chain(evaluation.score_champion(jobs), evaluation.evaluate_against_champion(jobs), decide)
    return evaluation.champion_exists(yes=compared, no=alone)


def _deploy(jobs: Jobs, detector: Detector, *, broken: State) -> State:
    notify = _indifferent(endings.notify_deployed(jobs), then=endings.deployed())
    wait, describe = release.wait_for_endpoint(), release.describe_endpoint()
    settled = release.endpoint_settled(
        in_service=_chain(
            release.verify_deployment(jobs), release.smoke_test(jobs), release.publish_release(jobs), notify
        ),
        in_progress=wait,
        failed=endings.deployment_failed(then=broken),
        timed_out=_chain(endings.deployment_timed_out(), broken),
    )
    _chain(wait, release.count_poll(), describe, settled)
    return _chain(
        release.register_model_package(jobs, detector),
        release.stage_release(jobs),
        release.create_endpoint_config(jobs),
        release.find_endpoint(jobs),
        release.endpoint_exists(
            yes=_chain(release.update_endpoint(jobs), wait), no=_chain(release.create_endpoint(jobs), wait)
        ),
    )


def _reject(jobs: Jobs) -> State:
    notify = _indifferent(endings.notify_rejected(jobs), then=endings.rejected())
    return _chain(endings.clean_up_rejected(jobs), notify)


def _fail(jobs: Jobs) -> State:
    clean_up, incomplete = endings.clean_up(jobs), endings.clean_up_incomplete()
    notify = _indifferent(endings.notify_failed(jobs), then=endings.failed())
    clean_up.add_catch(
        Catch(
            error_equals=["States.ALL"], result_path="$.cleanup_error", next_step=_chain(incomplete, notify)
        )
    )
    return _chain(clean_up, notify)


def _indifferent(task: State, *, then: State) -> State:
    """Go on even when the task fails: an outcome stands, be it told or not."""
    task.add_catch(Catch(error_equals=["States.ALL"], result_path=None, next_step=then))
    return _chain(task, then)


def _chain(*states: State) -> State:
    for state, following in itertools.pairwise(states):
        if state.state_type != "Choice":
            state.next(following)
    return states[0]


def _catch_all(states: dict[str, dict[str, Any]], clean_up: str) -> None:
    """Send every failure of a task that has no catch of its own to clean-up."""
    for state in states.values():
        if state["Type"] == "Task" and "Catch" not in state:
            state["Catch"] = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": clean_up}]
