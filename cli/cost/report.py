"""Costs of a month by what they are for: as a table, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table

from cli.assembly import Assembly
from cli.cost.idle import idle_month
from lambdas.costs.model import (
    Cost,
    Fleet,
    console_month,
    endpoints_month,
    graph_month,
    ingestion_month,
    neptune_idle,
    scoring_month,
    total,
    training_month,
    workload_month,
)
from lambdas.costs.prices import Prices
from watchkeeper.spec import AnomalyWorkload, FraudWorkload, WorkloadSpec

Month = Mapping[str, Sequence[Cost]]
"""What things cost in a month, by what they are for."""


def month_of(
    assembly: Assembly, workloads: Sequence[WorkloadSpec], prices: Prices, fleet: Fleet = Fleet()
) -> dict[str, list[Cost]]:
    """Return what a month costs: idle, then what use adds, each workload with a fleet of its own."""
    month = {
        "idle": list(idle_month(assembly, prices)),
        "endpoints": list(endpoints_month(workloads, prices)),
        "training": list(training_month(workloads, prices)),
    }
    if assembly.counts["AWS::AppSync::Api"]:
        month["console"] = list(console_month(prices))
    for spec in workloads:
        if isinstance(spec, AnomalyWorkload):
            month[f"{spec.name}: in use"] = list(workload_month(spec, prices, fleet))
            month[f"{spec.name}: telemetry"] = list(ingestion_month(spec, prices, fleet))
            month[f"{spec.name}: scoring"] = list(scoring_month(spec, prices, fleet))
        elif isinstance(spec, FraudWorkload):
            month[f"{spec.name}: graph"] = list(graph_month(spec, prices))
    return month


def not_chosen(workloads: Iterable[WorkloadSpec], prices: Prices) -> dict[str, Cost]:
    """Return by workload what a graph that is in a table would cost in Neptune: it is in no sum."""
    return {
        spec.name: neptune_idle(spec, prices)
        for spec in workloads
        if isinstance(spec, FraudWorkload) and spec.graph.store != "neptune"
    }


def document(month: Month, prices: Prices, workloads: Iterable[WorkloadSpec] = ()) -> dict[str, Any]:
    """Return a month of workloads as JSON has it."""
    return {
        "month_usd": {
            name: {"total": round(total(costs), 2), "of": [cost.to_dict() for cost in costs]}
            for name, costs in month.items()
        },
        "not_chosen": {name: each.to_dict() for name, each in not_chosen(workloads, prices).items()},
        "prices": {"region": prices.region, "as_of": prices.as_of},
    }


def table_of(title: str, costs: Iterable[Cost], *, least_usd: float = 0.0) -> Table:
    """Lay out costs by service and item, with their sum; what costs less than `least_usd` is left out."""
    table = Table("service", "item", "quantity", "unit", "USD a unit", "USD", title=title, box=None)
    table.title_justify = "left"
    for column in (2, 4, 5):
        table.columns[column].justify = "right"
    costs = list(costs)
    for cost in costs:
        if cost.usd is None or cost.usd >= least_usd:
            unit_usd = "?" if cost.unit_usd is None else f"{cost.unit_usd:.7g}"
            usd = "?" if cost.usd is None else f"{cost.usd:,.2f}"
            table.add_row(cost.service, cost.what, f"{cost.quantity:,.5g}", cost.unit, unit_usd, usd)
    table.add_row("", "", "", "", "", f"[bold]{total(costs):,.2f}[/]")
    return table
