"""Training runs as the console shows them: the workflow's graph, the gate, the evaluation, its charts."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from lambdas.adapters.object_store import ObjectStore, ObjectUri
from lambdas.console.access import PREFIX
from lambdas.console.documents.runs import (
    Chart,
    Gate,
    GateRow,
    ReleaseItem,
    RunDetail,
    RunItem,
    RunState,
    RunStatus,
    StateStatus,
)
from lambdas.console.effects import ConsoleEffects
from lambdas.console.signing import URL_SECONDS
from lambdas.console.steps import Step
from lambdas.console.training_runs import Run
from lambdas.console.workloads import detector_of
from lambdas.runtime.threads import all_of
from watchkeeper.core import layout
from watchkeeper.core.causes import words_of_cause
from watchkeeper.core.timestamps import format_instant
from watchkeeper.kinds import AnyEvaluation, AnyPlan, AnyRelease, evaluation_from_json
from watchkeeper.lifecycle.release import Release

CHARTS = "evaluation/charts/"
REPORT = "explain/output/report.html"
_STATUSES: Mapping[str, RunStatus] = {
    "RUNNING": "running",
    "SUCCEEDED": "succeeded",
    "ABORTED": "stopped",
}


def item_of(run: Run) -> RunItem:
    """Return a run in a list."""
    decision = run.output.get("decision")
    gate = None if decision is None else Gate(passed=decision["approved"], reasons=decision["reasons"])
    names = run.output.get("run", {}).get("names", {})
    return RunItem(
        run_id=run.run_id,
        execution=run.execution,
        status="rejected" if gate is not None and not gate.passed else _STATUSES.get(run.status, "failed"),
        reason=run.input.get("reason"),
        started_at=_instant(run.started_at),
        ended_at=None if run.ended_at is None else _instant(run.ended_at),
        model=names.get("model") if gate is not None and gate.passed else None,
        gate=gate,
    )


def detail_of(run: Run, effects: ConsoleEffects) -> RunDetail:
    """Return a run with its states, figures and charts."""
    prefix = layout.run_prefix(run.workload, run.run_id)
    root = ObjectUri(effects.bucket, prefix)
    steps, definition, evaluation, charts, report = all_of(
        effects.for_each,
        lambda: effects.runs.steps(run),
        lambda: effects.runs.definition(run),
        lambda: evaluation_of(effects.objects, root),
        lambda: charts_of(effects.objects, root),
        lambda: effects.objects.keys_under(ObjectUri(root.bucket, f"{prefix}{REPORT}")),
    )
    item = item_of(run)
    return RunDetail(
        **{name: getattr(item, name) for name in RunItem.model_fields},
        error=run.error,
        cause=None if run.cause is None else words_of_cause(run.cause),
        states=list(states_of(definition, steps)),
        table=[] if evaluation is None else list(table_of(evaluation)),
        labelled=getattr(evaluation, "labelled", None),
        judged_by=getattr(evaluation, "judged_by", None),
        charts=[
            Chart(
                name=name,
                url=f"{PREFIX}/workloads/{run.workload}/runs/{run.run_id}/charts/{quote(name)}",
            )
            for name in charts
        ],
        report=effects.signed.of(report[0]) if report else None,
        expires_in_seconds=URL_SECONDS,
    )


def states_of(definition: Mapping[str, Any], steps: Sequence[Step]) -> Iterator[RunState]:
    """Yield the states of a definition in the order in which they can be reached, as steps went through them.

    States inside a Map or a Parallel follow the one that has them.
    """
    went = {step.name: step for step in steps}
    for name, state in _reachable(definition):
        yield _state(name, state, went.get(name))


def evaluation_of(objects: ObjectStore, root: ObjectUri) -> AnyEvaluation | None:
    """Return the evaluation of a run; None where there is none yet."""
    uri = ObjectUri(root.bucket, f"{root.key}evaluation/evaluation.json")
    # looked for by a list: who may list a prefix only is refused an object that is not there
    body = objects.read(uri) if objects.any_under(uri) else None
    return None if body is None else evaluation_from_json(body)


def charts_of(objects: ObjectStore, root: ObjectUri) -> list[str]:
    """Return the names of the charts of a run's evaluation."""
    prefix = f"{root.key}{CHARTS}"
    keys = objects.keys_under(ObjectUri(root.bucket, prefix))
    return [key.removeprefix(prefix) for key in keys if key.endswith(".png")]


def table_of(evaluation: AnyEvaluation) -> Iterator[GateRow]:
    """Yield the figures of an evaluation: of the candidate, the champion and the trivial model."""
    columns = {
        name: {} if (found := getattr(evaluation, name)) is None else dataclasses.asdict(found)
        for name in ("candidate", "champion", "baseline")
    }
    for figure in columns["candidate"]:
        row = {
            name: value if isinstance(value := values.get(figure), int | float) else None
            for name, values in columns.items()
        }
        if any(value is not None for value in row.values()):
            yield GateRow(figure=figure, **row)


def release_items(
    releases: Sequence[AnyRelease], live: AnyRelease | None, plan: AnyPlan
) -> list[ReleaseItem]:
    """Return releases, that of the newest run first."""
    streaming = isinstance(live, Release) and live.stream is not None
    by_run = {release.run_id: release for release in (*releases, *([live] if live else []))}
    return [
        ReleaseItem(
            run_id=release.run_id,
            published_at=release.released_at,
            live=live is not None and release.run_id == live.run_id,
            detector=detector_of(release, plan),
            figures={
                name: value
                for name, value in release.metrics.items()
                if value is None or (isinstance(value, int | float) and not isinstance(value, bool))
            },
            can_roll_back=streaming
            and isinstance(release, Release)
            and release.stream is not None
            and live is not None
            and release.run_id != live.run_id,
        )
        for release in sorted(by_run.values(), key=lambda release: release.run_id, reverse=True)
    ]


def _state(name: str, state: Mapping[str, Any], step: Step | None) -> RunState:
    return RunState(
        name=name,
        kind=state["Type"],
        status=_status_of(step),
        entered_at=None if step is None else _instant(step.started_at),
        exited_at=None if step is None or step.ended_at is None else _instant(step.ended_at),
        visits=0 if step is None else step.visits,
        error=None if step is None else step.error,
        cause=None if step is None or step.cause is None else words_of_cause(step.cause),
        next=_followers(state),
    )


def _status_of(step: Step | None) -> StateStatus:
    if step is None:
        return "waiting"
    if step.ended_at is None:
        return "running"
    if step.error is not None:
        return "caught" if step.left else "failed"
    return "succeeded" if step.left else "failed"


def _reachable(definition: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    states: Mapping[str, Mapping[str, Any]] = definition["States"]
    waiting, seen = [definition["StartAt"]], set[str]()
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        yield name, states[name]
        inner = states[name].get("ItemProcessor") or states[name].get("Iterator")
        for part in [*([inner] if inner else []), *states[name].get("Branches", ())]:
            yield from _reachable(part)
        waiting += _followers(states[name])


def _followers(state: Mapping[str, Any]) -> list[str]:
    found = [
        state.get("Next"),
        *(choice.get("Next") for choice in state.get("Choices", ())),
        state.get("Default"),
        *(catch.get("Next") for catch in state.get("Catch", ())),
    ]
    return list(dict.fromkeys(name for name in found if name))


def _instant(moment: datetime) -> str:
    return format_instant(moment.replace(microsecond=0))
