"""The guide of the first deployment, command by command, in an AWS account: it costs money, and an hour.

`make test-aws` with credentials of an account for tests. Whatever fails, what was made is removed; with
`WATCHKEEPER_AWS_KEEP=1` it stays, and the next run goes on with the step that failed. With `AWS_ENDPOINT_URL`
and `WATCHKEEPER_STAGE=laptop` the same walk goes through the laptop's cloud.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import boto3
import pytest

from cli.demo.inbox import subscribed
from cli.stacks import Deployment
from tests.aws.guide import ROOT, Step, Walk
from watchkeeper.core import layout

GUIDE = ROOT / "docs/guides/first-deployment.md"
RECORD = ROOT / "build/first-deployment.json"
WORKLOAD = "water_flow"
ALERT = "The first alert"
REMOVAL = "Back to nothing"
ALERT_SECONDS = 300.0
HOURS = 3
KEEP = os.environ.get("WATCHKEEPER_AWS_KEEP") == "1"

pytestmark = [
    pytest.mark.aws,
    pytest.mark.timeout(HOURS * 3600),
    pytest.mark.skipif(
        os.environ.get("WATCHKEEPER_AWS_TESTS") != "1",
        reason="deploys to the AWS account of the current credentials; set WATCHKEEPER_AWS_TESTS=1",
    ),
]


@pytest.fixture
def session() -> boto3.Session:
    return boto3.Session()


@pytest.fixture
def walk(session: boto3.Session) -> Iterator[Walk]:
    """The walk; at its end nothing is left, also of one that failed half way."""
    found = Walk(GUIDE, RECORD)
    yield found
    if KEEP and list(found.ahead()):
        return
    for step in found.steps:
        if REMOVAL in step.title and step.title not in found.done():
            found.take(step, look=False)
    found.forget()
    assert left_in(session) == []


def test_every_step_of_the_guide_is_as_it_says_and_the_alert_arrives(
    walk: Walk, session: boto3.Session
) -> None:
    for step in walk.ahead():
        until_the_alert(walk, step, session)


def until_the_alert(walk: Walk, step: Step, session: boto3.Session) -> None:
    """Take a step; if it promises an alert, be subscribed and wait for it."""
    if ALERT not in step.title:
        walk.take(step)
        return
    with subscribed(session, Deployment(session).alert_topic_arn, WORKLOAD) as inbox:
        walk.take(step)
        assert "Severity:" in inbox.first(ALERT_SECONDS).text()


def left_in(session: boto3.Session) -> list[str]:
    """Return what is left of a deployment, but keys that wait for their end and the CDK's own stack."""
    stacks = session.client("cloudformation").describe_stacks()["Stacks"]
    sagemaker = session.client("sagemaker")
    named = {
        "endpoint": sagemaker.list_endpoints(NameContains=layout.PREFIX)["Endpoints"],
        "configuration": sagemaker.list_endpoint_configs(NameContains=layout.PREFIX)["EndpointConfigs"],
        "model": sagemaker.list_models(NameContains=layout.PREFIX)["Models"],
        "table": [
            name
            for name in session.client("dynamodb").list_tables()["TableNames"]
            if name.startswith("Watchkeeper")
        ],
        "bucket": [
            bucket["Name"]
            for bucket in session.client("s3").list_buckets()["Buckets"]
            if bucket["Name"].startswith(layout.PREFIX)
        ],
        "stack": [stack["StackName"] for stack in stacks if stack["StackName"].startswith("Watchkeeper")],
        "thing": [
            thing["thingName"]
            for thing in session.client("iot").list_things()["things"]
            if thing["thingName"].startswith(layout.PREFIX)
        ],
    }
    return [f"{kind} {each}" for kind, found in named.items() for each in found]
