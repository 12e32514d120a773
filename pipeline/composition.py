"""Parts that the workflows of every kind of workload are composed of: judging, deploying, and the ends."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from stepfunctions.steps.states import Catch, Graph, State

from pipeline import endings, evaluation, preparation, release
from pipeline.contracts import path
from pipeline.jobs import Jobs
from pipeline.step import (
    DECIDE_PROMOTION,
    PUBLISH_RELEASE,
    SMOKE_TEST,
    TRY_RELEASE,
    VERIFY_DEPLOYMENT,
    Step,
)
from pipeline.tasks import choose, run_state

MAX_RUN_SECONDS = 24 * 3600


def state_machine(jobs: Jobs, first: State, *, clean_up: State) -> dict[str, Any]:
    """Return the state machine that begins with a state; every failure that nothing catches is cleaned up."""
    graph = Graph(
        first,
        comment=f"Trains, judges and deploys the model of workload {jobs.settings.workload}",
        timeout_seconds=MAX_RUN_SECONDS,
    )
    definition: dict[str, Any] = graph.to_dict()
    _catch_all(definition["States"], clean_up.state_id)
    return definition


def prepared(jobs: Jobs, *, then: State) -> State:
    """Begin a run of a workload that watches telemetry: check, name, and prepare what there is to read."""
    states = {
        name: preparation.prepare(jobs, name, "anomaly.prepare", *sources, "feedback")
        for name, sources in {
            "PrepareData": ("history", "raw"),
            "PrepareHistory": ("history",),
            "PrepareTelemetry": ("raw",),
        }.items()
    }
    both, history, telemetry = (chain(state, then) for state in states.values())
    sources = preparation.sources_present(both=both, history=history, telemetry=telemetry)
    return chain(preparation.open_run(), preparation.validate_input(jobs.settings), sources)


def judge(
    jobs: Jobs,
    *,
    module: str,
    approved: State,
    rejected: State,
    champion: str | None = None,
    **inputs: str,
) -> State:
    """Measure the candidate with `containers.MODULE`, beside the champion if the gate asks for it; decide.

    Parameters
    ----------
    champion
        Path of the champion's artifact, where the job itself asks the models; otherwise a batch transform
        does, and the job reads the scores.
    inputs
        Of `evaluation.evaluate`, of both ways.
    """
    decide = decided(jobs, approved=approved, rejected=rejected)
    alone = chain(evaluation.evaluate(jobs, module, **inputs), decide)
    if not jobs.settings.plan.gate.beat_champion:
        return alone
    asked = [] if champion else [evaluation.score_champion(jobs)]
    scores = champion or path("run.uris.champion_scores")
    beside = evaluation.evaluate(jobs, module, champion=scores, name="EvaluateAgainstChampion", **inputs)
    compared = chain(*asked, beside, decide)
    return choose("ChampionExists?", path("champion.exists"), yes=compared, no=alone)


def decided(jobs: Jobs, *, approved: State, rejected: State) -> State:
    """Apply the gate to the evaluation."""
    gate = run_state(DECIDE_PROMOTION, jobs.settings.workload)
    return chain(gate, choose("Approved?", path("decision.approved"), yes=approved, no=rejected))


def publish(jobs: Jobs, stage: State, *, broken: State) -> State:
    """Stage the release of a registered model, try it, and publish it: the scoring loop adopts it.

    Parameters
    ----------
    broken
        Where a failure goes.
    """
    stage.add_catch(Catch(error_equals=["States.ALL"], result_path="$.error", next_step=broken))
    notify = indifferent(endings.notify_deployed(jobs), then=endings.deployed())
    trying = run_state(TRY_RELEASE, jobs.settings.workload)
    publishing = run_state(PUBLISH_RELEASE, jobs.settings.workload, endpoint=False)
    return chain(stage, trying, publishing, notify)


def deploy(
    jobs: Jobs,
    stage: State,
    *,
    broken: State,
    notes: tuple[str, ...] = (),
    checks: Sequence[Step] = (VERIFY_DEPLOYMENT, SMOKE_TEST),
) -> State:
    """Stage the release of a registered model, deploy it to its endpoint, verify what is live, publish it.

    Parameters
    ----------
    stage
        `release.stage_release`.
    broken
        Where a deployment that failed goes.
    notes
        Paths of sentences for the notification.
    checks
        What a deployment must pass before it is published.
    """
    notify = indifferent(endings.notify_deployed(jobs, *notes), then=endings.deployed())
    wait, describe = release.wait_for_endpoint(), release.describe_endpoint()
    last = [run_state(step, jobs.settings.workload) for step in (*checks, PUBLISH_RELEASE)]
    settled = release.endpoint_settled(
        in_service=chain(*last, notify),
        in_progress=wait,
        failed=endings.deployment_failed(then=broken),
        timed_out=chain(endings.deployment_timed_out(), broken),
    )
    chain(wait, release.count_poll(), describe, settled)
    return chain(
        stage,
        release.create_endpoint_config(jobs),
        release.find_endpoint(jobs),
        choose(
            "EndpointExists?",
            path("endpoint.exists"),
            yes=chain(release.update_endpoint(jobs), wait),
            no=chain(release.create_endpoint(jobs), wait),
        ),
    )


def reject(jobs: Jobs) -> State:
    """End a run whose model is not good enough."""
    notify = indifferent(endings.notify_rejected(jobs), then=endings.rejected())
    return chain(endings.clean_up_rejected(jobs), notify)


def fail(jobs: Jobs) -> State:
    """End a run that broke."""
    clean_up, incomplete = endings.clean_up(jobs), endings.clean_up_incomplete()
    notify = indifferent(endings.notify_failed(jobs), then=endings.failed())
    clean_up.add_catch(
        Catch(error_equals=["States.ALL"], result_path="$.cleanup_error", next_step=chain(incomplete, notify))
    )
    return chain(clean_up, notify)


def indifferent(task: State, *, then: State) -> State:
    """Go on even when the task fails: an outcome stands, be it told or not."""
    task.add_catch(Catch(error_equals=["States.ALL"], result_path=None, next_step=then))
    return chain(task, then)


def chain(*states: State) -> State:
    """Let states follow each other; a choice has its own ways on."""
    for state, following in itertools.pairwise(states):
        if state.state_type != "Choice":
            state.next(following)
    return states[0]


def _catch_all(states: dict[str, dict[str, Any]], clean_up: str) -> None:
    """Send every failure of a task that has no catch of its own to clean-up."""
    for state in states.values():
        if state["Type"] == "Task" and "Catch" not in state:
            state["Catch"] = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": clean_up}]
