"""The versions of a workload's model: which serves, how each did, which may serve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdas.adapters.model_versions import ModelVersion
from lambdas.adapters.object_store import ObjectUri
from lambdas.console.documents.models import ModelDetail, ModelItem
from lambdas.console.effects import ConsoleEffects
from lambdas.console.runs import Evaluated, evaluated_of, evaluation_of, figures_of
from lambdas.console.signing import URL_SECONDS
from lambdas.http.problems import ServiceProblemError
from lambdas.incidents.keeping import tell
from watchkeeper.core import layout
from watchkeeper.core.documents import plain
from watchkeeper.incidents.summary import Told
from watchkeeper.kinds import AnyPlan, AnyRelease

MODEL_NOT_FOUND, CONFLICT = "model_not_found", "conflict"


def listed(
    plan: AnyPlan, effects: ConsoleEffects, most: int, cursor: str | None
) -> tuple[list[ModelItem], str | None]:
    """Return versions of a workload's model, the newest first, and where the next part begins."""
    found, end = effects.models.listed(plan.workload, most, cursor)
    live, kept = effects.live_release(plan.workload), _kept(plan, effects)
    unknown = [each for each in found if each.run_id and each.run_id not in kept]
    measured = effects.for_each(lambda each: _measured(effects, plan.workload, str(each.run_id)), unknown)
    of_runs = {run: release.metrics for run, release in kept.items()} | {
        each.run_id: metrics for each, metrics in zip(unknown, measured, strict=True)
    }
    return [_item(each, live, kept, of_runs) for each in found], end


def detail_of(plan: AnyPlan, version: int, effects: ConsoleEffects) -> ModelDetail:
    """Return one version with its evaluation.

    Raises
    ------
    ServiceProblemError
        If there is none.
    """
    found = _found(plan, version, effects)
    live, kept = effects.live_release(plan.workload), _kept(plan, effects)
    run = Evaluated() if found.run_id is None else evaluated_of(effects, plan.workload, found.run_id)
    metrics = {} if run.evaluation is None else plain(run.evaluation.candidate)
    item = _item(found, live, kept, {found.run_id: metrics})
    return ModelDetail(
        **item.model_dump(),
        arn=found.arn,
        artifacts=list(found.artifacts),
        **run.shown(),
        expires_in_seconds=URL_SECONDS,
    )


def judge(
    plan: AnyPlan, version: int, effects: ConsoleEffects, who: str, note: str | None, *, approved: bool
) -> None:
    """Approve or reject a version, and write that into the log of changes; the same again changes nothing.

    Raises
    ------
    ServiceProblemError
        If there is no such version, or the one to be rejected serves.
    """
    found = _found(plan, version, effects)
    live = effects.live_release(plan.workload)
    if not approved and live is not None and live.model_package_arn == found.arn:
        raise ServiceProblemError(
            CONFLICT,
            f"version {version} of {plan.workload} serves now: let another release judge first (roll back, "
            "or train again), then reject it",
        )
    wanted = "approved" if approved else "rejected"
    if found.approval == wanted:
        return
    reason = f"{wanted} by {who}" + (f": {note}" if note else "")
    effects.models.judge(found.arn, approved=approved, reason=reason)
    told = {"version": version, "run_id": found.run_id, "approval": wanted, "who": who, "note": note}
    tell(plan.workload, Told("model", f"{plan.workload}/{version}", told), effects)


def _found(plan: AnyPlan, version: int, effects: ConsoleEffects) -> ModelVersion:
    found = effects.models.found(plan.workload, version)
    if found is None:
        raise ServiceProblemError(MODEL_NOT_FOUND, f"workload {plan.workload} has no version {version}")
    return found


def _measured(effects: ConsoleEffects, workload: str, run_id: str) -> dict[str, Any]:
    """Return the metrics of a run without a release."""

    def ask() -> dict[str, Any]:
        found = evaluation_of(effects.objects, ObjectUri(effects.bucket, layout.run_prefix(workload, run_id)))
        metrics: dict[str, Any] = {} if found is None else plain(found.candidate)
        return metrics

    return effects.measured.get((workload, run_id), ask)


def _kept(plan: AnyPlan, effects: ConsoleEffects) -> dict[str, AnyRelease]:
    return {release.run_id: release for release in effects.releases.staged(plan.workload)}


def _item(
    version: ModelVersion,
    live: AnyRelease | None,
    kept: Mapping[str, AnyRelease],
    metrics: Mapping[str | None, Mapping[str, Any]],
) -> ModelItem:
    return ModelItem(
        version=version.version,
        approval=version.approval,
        said=version.said,
        created_at=version.created_at,
        run_id=version.run_id,
        serves=live is not None and live.model_package_arn == version.arn,
        kept=version.run_id in kept,
        figures=figures_of(metrics.get(version.run_id, {})),
    )
