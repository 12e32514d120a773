"""The main journey in an AWS account: it costs money and takes about an hour.

`WATCHKEEPER_AWS_TESTS=1 pytest tests/aws` with credentials of an account for tests. With `AWS_ENDPOINT_URL`
and `WATCHKEEPER_AWS_STAGE=laptop` the same test runs against the laptop's cloud.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from watchkeeper.core import layout

WORKLOAD = "water_flow"
STAGE = os.environ.get("WATCHKEEPER_AWS_STAGE", "aws")
HOURS = 3

pytestmark = [
    pytest.mark.aws,
    pytest.mark.timeout(HOURS * 3600),
    pytest.mark.skipif(
        os.environ.get("WATCHKEEPER_AWS_TESTS") != "1",
        reason="deploys to the AWS account of the current credentials; set WATCHKEEPER_AWS_TESTS=1",
    ),
]


def watchkeeper(*arguments: str) -> str:
    """Run the command line as a user does and return what it says."""
    program = str(Path(sys.executable).with_name("watchkeeper"))
    ended = subprocess.run([program, *arguments], check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    """What the demo says; afterwards nothing is left but what the owner asked to keep."""
    try:
        yield watchkeeper("demo", WORKLOAD, "--stage", STAGE)
    finally:
        watchkeeper("destroy", "--delete-data", "--yes")


def test_the_demo_reaches_a_subscriber_and_the_endpoint_serves(demo: str) -> None:
    assert "Severity:" in demo

    endpoint = boto3.client("sagemaker").describe_endpoint(EndpointName=layout.endpoint_name(WORKLOAD))

    assert endpoint["EndpointStatus"] == "InService"
    assert float(watchkeeper("invoke", WORKLOAD, "2022-05-16T18:00:00Z,flow,104.3")) > 0
