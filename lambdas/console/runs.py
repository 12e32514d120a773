"""Training runs as the console shows them: the workflow's graph, the gate, the evaluation, its charts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Evaluated:
    """What a run's evaluation and explanation have left, as far as they went."""

    evaluation: AnyEvaluation | None = None
    charts: tuple[Chart, ...] = ()
    report: str | None = None
    """Signed address."""

    def shown(self) -> dict[str, Any]:
        """Return the fields of a document that shows them."""
        return {
            "table": [] if self.evaluation is None else list(table_of(self.evaluation)),
            "labelled": getattr(self.evaluation, "labelled", None),
            "judged_by": getattr(self.evaluation, "judged_by", None),
            "charts": list(self.charts),
            "report": self.report,
        }


def evaluated_of(effects: ConsoleEffects, workload: str, run_id: str) -> Evaluated:
    """Return what a run has left, also one that Step Functions has forgotten."""
    return Evaluated(*all_of(effects.for_each, *_asks(effects, workload, run_id)))


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
    steps, definition, *measured = all_of(
        effects.for_each,
        lambda: effects.runs.steps(run),
        lambda: effects.runs.definition(run),
        *_asks(effects, run.workload, run.run_id),
    )
    item = item_of(run)
    return RunDetail(
        **{name: getattr(item, name) for name in RunItem.model_fields},
        error=run.error,
        cause=None if run.cause is None else words_of_cause(run.cause),
        states=list(states_of(definition, steps)),
        **Evaluated(*measured).shown(),
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


def figures_of(metrics: Mapping[str, Any]) -> dict[str, float | None]:
    """Return the numbers among metrics."""
    return {
        name: value
        for name, value in metrics.items()
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool))
    }


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
    releases: Sequence[AnyRelease], live: AnyRelease | None, plan: AnyPlan, rejected: Collection[str]
) -> list[ReleaseItem]:
    """Return releases, that of the newest run first.

    Parameters
    ----------
    rejected
        ARNs of the registered versions that may not serve.
    """
    streaming = isinstance(live, Release) and live.stream is not None
    by_run = {release.run_id: release for release in (*releases, *([live] if live else []))}
    return [
        ReleaseItem(
            run_id=release.run_id,
            published_at=release.released_at,
            live=live is not None and release.run_id == live.run_id,
            detector=detector_of(release, plan),
            figures=figures_of(release.metrics),
            can_roll_back=streaming
            and isinstance(release, Release)
            and release.stream is not None
            and live is not None
            and release.run_id != live.run_id
            and release.model_package_arn not in rejected,
        )
        for release in sorted(by_run.values(), key=lambda release: release.run_id, reverse=True)
    ]


def _asks(effects: ConsoleEffects, workload: str, run_id: str) -> list[Callable[[], Any]]:
    """Return the questions whose answers `Evaluated` is made of."""
    root = ObjectUri(effects.bucket, layout.run_prefix(workload, run_id))
    path = f"{PREFIX}/workloads/{workload}/runs/{run_id}/charts/"

    def charts() -> tuple[Chart, ...]:
        keys = effects.objects.keys_under(ObjectUri(root.bucket, f"{root.key}{CHARTS}"))
        names = (key.rpartition("/")[2] for key in keys if key.endswith(".png"))
        return tuple(Chart(name=name, url=f"{path}{quote(name)}") for name in names)

    def report() -> str | None:
        found = effects.objects.keys_under(ObjectUri(root.bucket, f"{root.key}{REPORT}"))
        return effects.signed.of(found[0]) if found else None

    return [lambda: evaluation_of(effects.objects, root), charts, report]


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
