"""`watchkeeper dashboard`: the widgets that are deployed, with what their metrics say."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from cli.dashboard import draw, widgets_of
from cli.main import app
from watchkeeper.core.errors import InvalidInputError

MEASURED = datetime.now(timezone.utc)
SPAN = (MEASURED - timedelta(hours=2), MEASURED + timedelta(minutes=5))
PLACE = {"width": 8, "height": 6, "x": 0, "y": 0}
SEARCH = """SEARCH('{Watchkeeper,service,workload} MetricName="anomalies"', 'Sum', 300)"""
FOUND = {"title": "Anomalies", "metrics": [[{"expression": SEARCH}]]}
RECORDS = ["Watchkeeper", "records", "service", "score", "workload", "all", {"stat": "Sum"}]
BODY = {
    "variables": [{"type": "property", "property": "workload"}],
    "widgets": [
        {"type": "metric", **PLACE, "properties": FOUND},
        {"type": "text", **PLACE, "y": 6, "height": 1, "properties": {"markdown": "# The chosen workload"}},
        {"type": "metric", **PLACE, "y": 7, "properties": {"title": "Records", "metrics": [RECORDS]}},
    ],
}  # fmt: skip


@pytest.fixture
def measured(session: boto3.Session) -> Any:
    """CloudWatch with some metrics of two workloads."""
    client = session.client("cloudwatch")
    for name, dimensions, value in (
        ("anomalies", {"service": "score", "workload": "press"}, 3.0),
        ("anomalies", {"service": "score", "workload": "pump"}, 5.0),
        ("anomalies", {"service": "score"}, 8.0),
        ("records", {"service": "score", "workload": "press"}, 120.0),
    ):
        named = [{"Name": key, "Value": text} for key, text in dimensions.items()]
        told = {"MetricName": name, "Dimensions": named, "Timestamp": MEASURED, "Value": value}
        client.put_metric_data(Namespace="Watchkeeper", MetricData=[told])
    return client


def test_a_search_finds_the_metrics_of_its_dimensions_and_a_choice_takes_its_place(measured: Any) -> None:
    anomalies, heading, records = widgets_of(measured, BODY, "press", SPAN)

    assert anomalies.lines is not None
    assert {line.label: line.values for line in anomalies.lines} == {"press": (3.0,), "pump": (5.0,)}
    assert (heading.title, heading.lines) == ("The chosen workload", None)
    assert records.lines is not None
    assert [(line.label, line.values) for line in records.lines] == [("records", (120.0,))]


def test_without_a_choice_the_lower_part_is_empty_and_still_drawn(measured: Any) -> None:
    widgets = widgets_of(measured, BODY, None, SPAN)

    assert [line.values for line in widgets[2].lines or ()] == [()]
    titles = [axes.get_title(loc="left") for axes in draw("all", widgets, SPAN).axes]
    assert titles == ["Anomalies", "", "Records"]


def test_what_is_not_understood_is_refused_and_not_left_out(measured: Any) -> None:
    widget = {
        "type": "metric",
        **PLACE,
        "properties": {"title": "t", "metrics": [[{"expression": "m1 / m2"}]]},
    }

    with pytest.raises(InvalidInputError, match="m1 / m2"):
        widgets_of(measured, {"widgets": [widget]}, None, SPAN)


def test_the_command_writes_a_picture_and_says_the_last_values(measured: Any, tmp_path: Path) -> None:
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"DashboardName": {"Value": "Watchkeeper"}},
    }
    boto3.client("cloudformation").create_stack(
        StackName="WatchkeeperMonitoring", TemplateBody=json.dumps(template)
    )
    measured.put_dashboard(DashboardName="Watchkeeper", DashboardBody=json.dumps(BODY))

    result = CliRunner().invoke(app, ["dashboard", "press", "--output", str(tmp_path / "dashboard.png")])

    assert result.exit_code == 0, result.output
    assert "Records: records 120" in result.stdout
    assert (tmp_path / "dashboard.png").read_bytes().startswith(b"\x89PNG")

    made = CliRunner().invoke(app, ["dashboard", "press", "--grafana", str(tmp_path / "grafana.json")])
    assert made.exit_code == 0, made.output
    assert json.loads((tmp_path / "grafana.json").read_text())["title"] == "Watchkeeper"
