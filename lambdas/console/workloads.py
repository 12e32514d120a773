"""Workloads as the console shows them: what is deployed, and how it goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timezone

from lambdas.adapters.alarms import is_of
from lambdas.alerting.route_tests import chosen_routes
from lambdas.console.documents.workloads import (
    LiveRelease,
    MeasureItem,
    PauseItem,
    RouteItem,
    RouteOutcomeItem,
    SpecText,
    WorkloadDetail,
    WorkloadItem,
)
from lambdas.console.effects import ConsoleEffects
from lambdas.console.status import WorkloadStatus, status_of
from lambdas.console.words import only_in_words, plan_in_words, route_name
from lambdas.runtime.threads import all_of
from watchkeeper.core.plan import AlertRoute, MeasurePlan, MeasureRules, WorkloadPlan
from watchkeeper.core.timestamps import parse_instant
from watchkeeper.fraud.release import FraudRelease
from watchkeeper.kinds import AnyPlan, AnyRelease


def items_of(plans: Sequence[AnyPlan], effects: ConsoleEffects) -> list[WorkloadItem]:
    """Return how workloads go."""
    names = [plan.workload for plan in plans if isinstance(plan, WorkloadPlan)]
    alarms, silent, records, _ = all_of(
        effects.for_each,
        effects.alarms,
        lambda: effects.silent(effects.plans()),
        lambda: effects.records_of_day(names) if names else {},
        effects.open_incidents_by_workload,  # so that it is there when a workload's is asked for
    )
    return [
        _item(
            plan,
            status_of(
                effects,
                plan,
                [alarm for alarm in alarms if is_of(alarm, plan.workload)],
                effects.now(),
                is_silent=plan.workload in silent,
                each_series=False,
            ),
            records.get(plan.workload),
            effects,
        )
        for plan in plans
    ]


def detail_of(plan: AnyPlan, effects: ConsoleEffects) -> WorkloadDetail:
    """Return a workload with what it is made of."""
    [item] = items_of([plan], effects)
    return WorkloadDetail(
        **item.model_dump(exclude={"live_release"}),
        live_release=item.live_release,
        says=plan_in_words(plan),
        measures=[_measure(measure) for measure in plan.measures] if isinstance(plan, WorkloadPlan) else [],
        dimensions=list(plan.dimensions) if isinstance(plan, WorkloadPlan) else [],
        routes=list(_routes(plan)),
        plan=plan.to_dict(),
    )


def spec_of(plan: AnyPlan, effects: ConsoleEffects) -> SpecText:
    """Return a workload's file as it was deployed, and what it means."""
    text = effects.spec_text(plan.workload)
    why = None
    if text is None:
        why = (
            "It was deployed by software that did not keep it, or is too long to be kept: "
            f"workloads/{plan.workload}.yaml has it where it was deployed from."
        )
    return SpecText(workload=plan.workload, text=text, why=why, says=plan_in_words(plan))


def tested_routes(plan: AnyPlan, channels: Sequence[str], effects: ConsoleEffects) -> list[RouteOutcomeItem]:
    """Send a sample to routes of a workload, all without a channel, and return what became of each.

    Raises
    ------
    InvalidInputError
        As `chosen_routes`.
    """
    known: Sequence[AlertRoute] = plan.alerts.routes if hasattr(plan, "alerts") else ()
    routes = chosen_routes(plan.workload, known, channels)
    return [RouteOutcomeItem(**vars(each)) for each in effects.try_routes(plan.workload, routes)]


def detector_of(release: AnyRelease, plan: AnyPlan) -> str:
    """Return what a release's model is."""
    if isinstance(release, FraudRelease):
        return release.choice
    if isinstance(plan, WorkloadPlan):
        return "watchkeeper" if getattr(release, "stream", None) is not None else plan.detector.algorithm
    return "xgboost"


def _item(
    plan: AnyPlan, status: WorkloadStatus, records: float | None, effects: ConsoleEffects
) -> WorkloadItem:
    release = effects.live_release(plan.workload)
    end = None if status.last_interval_end is None else parse_instant(status.last_interval_end)
    return WorkloadItem(
        workload=plan.workload,
        kind=status.kind,  # type: ignore[arg-type]  # a plan has no other
        description=plan_in_words(plan)[0],
        health=status.health,
        why=list(status.why),
        series=sum(status.healths.values()),
        last_interval_at=status.last_interval_end,
        lag_seconds=None if end is None else (effects.now().astimezone(timezone.utc) - end).total_seconds(),
        interval_seconds=plan.interval_seconds if isinstance(plan, WorkloadPlan) else None,
        time_zone=status.timezone,
        live_release=None
        if release is None
        else LiveRelease(
            run_id=release.run_id, published_at=release.released_at, detector=detector_of(release, plan)
        ),
        open_incidents=status.open_incidents,
        alerts_7d=status.alerts_of_week,
        alert_budget_7d=status.alerts_budget,
        pauses=[PauseItem(**vars(one)) for one in status.pauses],
        records_24h=None if records is None else int(records),
    )


def _measure(measure: MeasurePlan) -> MeasureItem:
    rules = measure.rules or MeasureRules()
    return MeasureItem(
        name=measure.name,
        field=measure.field,
        aggregate=measure.aggregate,
        direction=rules.direction,
        allowed_from=rules.allowed_from,
        allowed_to=rules.allowed_to,
    )


def _routes(plan: AnyPlan) -> Iterator[RouteItem]:
    routes = plan.alerts.routes if hasattr(plan, "alerts") else ()
    for position, route in enumerate(routes):
        yield RouteItem(
            name=route_name(routes, position),
            channel=route.channel,
            severity_from=route.severity_at_least,
            when=list(route.when),
            only=only_in_words(route.only),
        )
