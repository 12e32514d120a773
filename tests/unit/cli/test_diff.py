"""What is deployed against what the file says: told, and refused where it would train another plan."""

from __future__ import annotations

import dataclasses
import json

import boto3
import pytest
from typer.testing import CliRunner

from cli.diff import deployed_plan, refuse_undeployed
from cli.main import app
from cli.specs import spec_of
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.layout import plan_parameter
from watchkeeper.core.plan import GatePlan, WorkloadPlan

NAME = "water_flow"


def deploy(session: boto3.Session, plan: WorkloadPlan) -> None:
    name = plan_parameter(NAME)
    session.client("ssm").put_parameter(Name=name, Value=plan.to_json(), Type="String", Overwrite=True)


def shipped() -> WorkloadPlan:
    plan = spec_of(NAME).plan()
    assert isinstance(plan, WorkloadPlan)
    return plan


def test_what_is_not_deployed_is_refused_with_the_command_that_deploys_it(session: boto3.Session) -> None:
    with pytest.raises(InvalidInputError, match=f"`watchkeeper deploy --workload {NAME}` first"):
        refuse_undeployed(session, shipped())


def test_the_deployed_plan_passes_and_another_one_is_refused_with_the_difference(
    session: boto3.Session,
) -> None:
    deploy(session, shipped())
    refuse_undeployed(session, shipped())
    assert deployed_plan(session, NAME) == shipped()
    deploy(session, dataclasses.replace(shipped(), gate=GatePlan(99)))
    with pytest.raises(
        InvalidInputError, match=r"\n  gate.max_alerts_per_week: 99 → (?s:.*)deploy --workload"
    ):
        refuse_undeployed(session, shipped())


def test_diff_says_it_to_people_and_programs(session: boto3.Session) -> None:
    run = CliRunner()
    assert "everything of it is new" in run.invoke(app, ["diff", NAME]).output
    deploy(session, dataclasses.replace(shipped(), gate=GatePlan(99)))
    assert "no training is needed" in run.invoke(app, ["diff", NAME]).output
    document = json.loads(run.invoke(app, ["diff", NAME, "--json"]).output)
    assert document["deployed"] is True
    assert document["changes"][0]["key"] == "gate.max_alerts_per_week"
