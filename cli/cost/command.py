"""`watchkeeper cost`: what a month costs, before a deployment from the specs, after it from what was used."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Annotated, Any

import boto3
import typer

from cli.cost.refreshing import refreshed
from cli.cost.report import document, month_of, not_chosen, table_of
from cli.deployer import Deployer, Stage, StageOption
from cli.freshness import told
from cli.specs import WORKLOADS, spec_of
from lambdas.costs.model import SERIES, Cost, Fleet, total
from lambdas.costs.prices import FILE, Prices
from lambdas.costs.used import counted, used
from watchkeeper.command.screen import complain, console, done, say
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.spec import AnomalyWorkload, FraudWorkload, WorkloadSpec, load_workloads


def cost(
    workloads: Annotated[list[str] | None, typer.Argument(help="Names or files; all without.")] = None,
    series: Annotated[int, typer.Option(min=1, help="Series of each workload.")] = SERIES,
    devices: Annotated[
        int | None, typer.Option(min=1, help="What sends them; one for all measures of a place without.")
    ] = None,
    messages: Annotated[
        float, typer.Option(min=0.001, help="Messages of a device in an interval.")
    ] = Fleet.messages_an_interval,
    message_bytes: Annotated[int, typer.Option(min=1, help="Size of a message.")] = Fleet.message_bytes,
    used_so_far: Annotated[
        bool, typer.Option("--used", help="What the deployment has used this month, and the month projected.")
    ] = False,
    refresh_prices: Annotated[
        bool, typer.Option("--refresh-prices", help="Ask AWS for the prices of the region and keep them.")
    ] = False,
    stage: StageOption = Stage.AWS,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON document.")] = False,
) -> None:
    """Tell what a month costs by service and item, idle and in use: list prices, no free tiers, no taxes."""
    session = boto3.Session()
    prices = Prices.read()
    if refresh_prices:
        _refresh(prices, session)
        return
    if not session.region_name and not used_so_far:  # nothing is asked of AWS
        session = boto3.Session(region_name=prices.region)
    elif prices.region != session.region_name and not as_json:
        say(f"prices are of {prices.region}; --refresh-prices asks for those of {session.region_name}")
    specs = [spec_of(name) for name in workloads] if workloads else load_workloads(WORKLOADS)
    if used_so_far:
        _tell_used(session, specs, prices, as_json)
        return
    fleet = Fleet(series, devices, messages, message_bytes)
    deployer = Deployer(session, stage, specs[0].name if workloads and len(specs) == 1 else None)
    month = month_of(deployer.templates(), specs, prices, fleet)
    if as_json:
        console.out(json.dumps(document(month, prices, specs), indent=1), highlight=False)
        return
    for name, costs in month.items():
        console.print(table_of(name, costs))
    _tell_sums(month, specs, prices, fleet)


def _tell_sums(month: dict[str, list[Cost]], specs: list[WorkloadSpec], prices: Prices, fleet: Fleet) -> None:
    say(f"USD a month of 30 days, list prices of {prices.region}, the oldest of {prices.as_of}:")
    say(f"  {total(month['idle']):10,.2f}  idle: deployed, no telemetry, nothing trained")
    say(f"  {total(month['endpoints']) + total(month['training']):10,.2f}  endpoints and scheduled trainings")
    for spec in specs:
        if isinstance(spec, AnomalyWorkload):
            usd = sum(total(month[f"{spec.name}: {part}"]) for part in ("in use", "telemetry", "scoring"))
            say(f"  {usd:10,.2f}  {spec.name}: {fleet.series:,} series; {told(spec, None)}")
        elif isinstance(spec, FraudWorkload):
            usd = total(month[f"{spec.name}: graph"])
            say(f"  {usd:10,.2f}  {spec.name}: its graph in {spec.graph.store}")
    for name, other in not_chosen(specs, prices).items():
        usd_idle = "?" if other.usd is None else f"{other.usd:,.2f}"
        say(f"  not counted: {name} has its graph in a table; in Neptune Serverless it costs {usd_idle} idle")
    unknown = sorted({each.what for costs in month.values() for each in costs if each.usd is None})
    if unknown:
        say(f"  without a price in the list, and not counted: {', '.join(unknown)}")


def _tell_used(session: boto3.Session, specs: list[WorkloadSpec], prices: Prices, as_json: bool) -> None:
    asked = (session.client("cloudformation"), session.client("cloudwatch"), session.client("lambda"))
    month_so_far = counted(*asked, [spec.name for spec in specs], datetime.now(timezone.utc))
    so_far = used(month_so_far, specs, prices)
    month: dict[str, Any] = {"used": list(so_far.costs), "projected": so_far.projected()}
    if as_json:
        told_as_json = {"passed": so_far.passed, **document(month, prices, specs)}
        console.out(json.dumps(told_as_json, indent=1), highlight=False)
        return
    for name, costs in month.items():
        console.print(table_of(f"{name}, USD", costs, least_usd=0.005))
    say(f"{so_far.passed:.0%} of the month has passed; list prices of {prices.region}, {prices.as_of}")


def _refresh(prices: Prices, session: boto3.Session) -> None:
    if session.region_name is None:
        raise InvalidInputError("no AWS region, whose prices are asked for: set AWS_REGION")
    found, missing = refreshed(prices, session, datetime.now(timezone.utc).date())
    found.write()
    for name in missing:
        complain(f"AWS's list of {found.region} has no {name} where it was looked for: see {FILE.name}")
    done(f"{len(prices.units) + len(prices.instance_hour_usd) - len(missing)} prices of {found.region}")
