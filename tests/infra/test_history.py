"""Scores that can be read back: who merges them, and that Athena finds every one of them once."""

from __future__ import annotations

import re
from typing import Any

from tests.infra.templates import Templates, flat
from watchkeeper.anomalies.merged import COLUMNS
from watchkeeper.core import layout

STACK = "WatchkeeperHistory"


def tables(templates: Templates) -> dict[str, dict[str, Any]]:
    found = templates.resources("AWS::Glue::Table", stack=STACK)
    return {each.properties["TableInput"]["Name"]: each.properties["TableInput"] for each in found}


def test_partitions_of_the_tables_are_the_folders_that_are_written(templates: Templates) -> None:
    written = {
        "scores_by_day": layout.merged_day_key("pump", "2026-11-28"),
        "scores_by_hour": layout.merged_hour_key("pump", "2026-11-28T09"),
    }
    for name, table in tables(templates).items():
        place = flat(table["Parameters"]["storage.location.template"])
        folder = place.replace("${workload}", "pump").replace("${day}", "2026-11-28")
        assert re.fullmatch(r"s3://<.*?>/(.*/)", folder)[1] == written[name].rpartition("/")[0] + "/"  # type: ignore[index]  # it matches
        assert [each["Name"] for each in table["PartitionKeys"]] == ["workload", "day"]


def test_no_day_is_of_both_tables_and_none_is_between_them(templates: Templates) -> None:
    """A day stays in hours too for a while, so the ranges of the projections keep them apart."""
    ranges = {name: table["Parameters"]["projection.day.range"] for name, table in tables(templates).items()}
    assert ranges == {"scores_by_day": "2026-01-01,NOW-2DAYS", "scores_by_hour": "NOW-1DAYS,NOW"}
    for table in tables(templates).values():
        assert (
            table["Parameters"]
            | {
                "projection.enabled": "true",
                "projection.workload.type": "injected",
                "projection.day.type": "date",
                "projection.day.format": "yyyy-MM-dd",
                "projection.day.interval": "1",
                "projection.day.interval.unit": "DAYS",
            }
            == table["Parameters"]
        )


def test_tables_have_the_columns_of_the_files(templates: Templates) -> None:
    for table in tables(templates).values():
        columns = {each["Name"]: each["Type"] for each in table["StorageDescriptor"]["Columns"]}
        assert columns == COLUMNS


def test_scores_are_merged_every_hour_by_a_function_that_changes_no_score(templates: Templates) -> None:
    rule = templates.one("AWS::Events::Rule", stack=STACK)
    assert rule.properties["ScheduleExpression"] == "cron(20 * * * ? *)"
    policies = templates.resources("AWS::IAM::Policy", stack=STACK)
    statements = [each for policy in policies for each in policy.properties["PolicyDocument"]["Statement"]]
    (writing,) = [each for each in statements if each["Action"] == "s3:PutObject"]
    prefixes = {flat(resource).partition("/")[2] for resource in writing["Resource"]}
    assert prefixes == {"scores-by-hour/*", "scores-by-day/*"}
