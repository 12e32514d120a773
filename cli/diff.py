"""`watchkeeper diff`: what a deployment of a workload file would change, and what it would not."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import boto3
import typer

from cli.specs import WorkloadName, spec_of
from lambdas.adapters.errors import unless
from watchkeeper.command.screen import done, say
from watchkeeper.core import layout
from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.kinds import AnyPlan, plan_from_json
from watchkeeper.spec.changes import Change, changes, summary


def diff(
    workload: WorkloadName,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Compare a workload file with what is deployed: what holds at once, what wants a training."""
    plan = spec_of(workload).plan()
    deployed = deployed_plan(boto3.Session(), plan.workload)
    found = [] if deployed is None else changes(deployed, plan)
    if as_json:
        documents = [dataclasses.asdict(change) for change in found]
        typer.echo(json.dumps({"deployed": deployed is not None, "changes": documents}, default=str))
    elif deployed is None:
        say(f"{plan.workload} is not deployed: everything of it is new")
    else:
        say_changes(found)


def say_what_changes(session: boto3.Session, plan: AnyPlan) -> None:
    """Say what the deployment of a plan changes, where one is deployed."""
    try:
        deployed = deployed_plan(session, plan.workload)
    except ContractViolationError:
        say(f"the deployed plan of {plan.workload} was made by another version of this software")
        return
    if deployed is not None:
        say_changes(changes(deployed, plan))


def say_changes(found: list[Change]) -> None:
    """Say each change and what it does, and what is to be done."""
    for change in found:
        say(f"  {change}")
    done(summary(found))


def deployed_plan(session: boto3.Session, workload: str) -> AnyPlan | None:
    """Return the plan of a workload as it is deployed; None where it is not, or by other software."""
    client, name = session.client("ssm"), layout.plan_parameter(workload)
    found = unless(("ParameterNotFound",), f"read {name}", lambda: client.get_parameter(Name=name))
    return None if found is None else plan_from_json(found["Parameter"]["Value"])


def refuse_undeployed(session: boto3.Session, plan: AnyPlan) -> None:
    """Refuse to work with a workload file that says something else than what is deployed.

    Raises
    ------
    InvalidInputError
        With the differences and the command that deploys them.
    """
    deployed = deployed_plan(session, plan.workload)
    if deployed is None:
        raise InvalidInputError(
            f"workload {plan.workload} is not deployed: run `watchkeeper deploy --workload {plan.workload}` "
            "first"
        )
    found = changes(deployed, plan)
    if found:
        listed = "".join(f"\n  {change}" for change in found)
        raise InvalidInputError(
            f"workload {plan.workload}: its file says something else than what is deployed:{listed}\n"
            f"run `watchkeeper deploy --workload {plan.workload}` first, or it trains by the old plan"
        )
