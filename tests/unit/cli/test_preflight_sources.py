"""What preflight says of the buckets that workloads have their telemetry from."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.preflight.finding import Finding, Level
from cli.preflight.sources import check_sources
from tests.unit.cli.answering import AnsweringAws
from tests.unit.cli.test_folder_workloads import SPEC
from watchkeeper.spec import load_workload


@pytest.fixture
def aws() -> AnsweringAws:
    """An account whose bucket lies in the region and announces its files."""
    found = AnsweringAws()
    found.answers["HeadBucket"] = {"BucketRegion": "eu-west-1"}
    found.answers["GetBucketNotificationConfiguration"] = {"EventBridgeConfiguration": {}}
    return found


def finding_of(aws: AnsweringAws, tmp_path: Path) -> Finding:
    [finding] = check_sources(aws.session("eu-west-1"), [load_workload(tmp_path / "gases.yaml", SPEC)])
    return finding


def test_a_bucket_that_announces_its_files_is_green(aws: AnsweringAws, tmp_path: Path) -> None:
    assert finding_of(aws, tmp_path).level is Level.GREEN


def test_a_bucket_that_is_not_there_is_told(aws: AnsweringAws, tmp_path: Path) -> None:
    aws.refused["HeadBucket"] = "404"
    missing = finding_of(aws, tmp_path)
    assert missing.level is Level.YELLOW
    assert "create-bucket --bucket plant" in str(missing.remedy)


def test_a_bucket_that_says_nothing_is_told_with_the_command(aws: AnsweringAws, tmp_path: Path) -> None:
    aws.answers["GetBucketNotificationConfiguration"] = {}
    assert "put-bucket-notification-configuration --bucket plant" in str(finding_of(aws, tmp_path).remedy)


def test_a_bucket_of_another_region_is_told(aws: AnsweringAws, tmp_path: Path) -> None:
    aws.answers["HeadBucket"] = {"BucketRegion": "us-east-1"}
    assert "lies in us-east-1" in finding_of(aws, tmp_path).text
