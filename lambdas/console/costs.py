"""What the month costs, from the function that `watchkeeper cost --used` prices it by.

It is imported where it is asked for: the types of workload files take longer to load than all else here.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from lambdas.console.documents.costs import MonthCost, ServiceCost, WorkloadCost
from lambdas.console.effects import ConsoleEffects
from lambdas.costs.prices import Prices
from lambdas.costs.used import Counted, Used, used
from watchkeeper.core.timestamps import format_instant
from watchkeeper.kinds import AnyPlan
from watchkeeper.spec import WorkloadSpec, WorkloadSpecError, load_workload


@dataclass(frozen=True)
class Month:
    """What CloudWatch has counted, and the workloads as they were deployed."""

    counted: Counted
    at: str
    specs: tuple[WorkloadSpec, ...]
    unread: tuple[str, ...]
    """Those whose file is not kept, or is not one of this version."""


def cost_of(plan: AnyPlan, effects: ConsoleEffects) -> WorkloadCost:
    """Return what the month costs: what only a workload has, and everything."""
    month: Month = effects.months.get("all", lambda: _asked(effects))
    prices = Prices.read()
    whole = used(month.counted, month.specs, prices)
    return WorkloadCost(
        workload=plan.workload,
        at=month.at,
        passed=whole.passed,
        own=_month(used(month.counted.of_workload(plan.workload), month.specs, prices)),
        deployment=_month(whole),
        without_price=sorted({each.what for each in whole.costs if each.usd is None}),
        unread=list(month.unread),
        prices_region=prices.region,
        prices_as_of=prices.as_of,
    )


def _asked(effects: ConsoleEffects) -> Month:
    names, now = sorted(effects.plans()), effects.now()
    found = dict(zip(names, effects.for_each(lambda name: _spec(name, effects), names), strict=True))
    specs = tuple(spec for spec in found.values() if spec is not None)
    unread = tuple(name for name, spec in found.items() if spec is None)
    return Month(effects.counted(names, now), format_instant(now), specs, unread)


def _spec(workload: str, effects: ConsoleEffects) -> WorkloadSpec | None:
    text = effects.spec_text(workload)
    try:
        return None if text is None else load_workload(Path(f"{workload}.yaml"), text)
    except WorkloadSpecError:  # of another version, or it names files beside it
        return None


def _month(month: Used) -> MonthCost:
    sums: defaultdict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for at, costs in enumerate((month.costs, month.projected())):
        for each in costs:
            sums[each.service][at] += each.usd or 0.0
    services = sorted(sums.items(), key=lambda item: -item[1][1])
    return MonthCost(
        used_usd=sum(so_far for so_far, _ in sums.values()),
        projected_usd=sum(whole for _, whole in sums.values()),
        services=[
            ServiceCost(service=name, used_usd=so_far, projected_usd=whole)
            for name, (so_far, whole) in services
        ],
    )
