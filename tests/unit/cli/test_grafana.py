"""The dashboard for Grafana: the same widgets, by the fields of its data sources' queries."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from cli.dashboard import choice_of
from cli.grafana import ATHENA, CLOUDWATCH, grafana_dashboard
from tests.unit.cli.test_dashboard import BODY, PLACE, SEARCH
from watchkeeper.anomalies.merged import COLUMNS, DATABASE, DAYS, HOURS
from watchkeeper.core.errors import InvalidInputError

CLOUDWATCH_QUERY = {
    *("refId", "datasource", "queryMode", "metricQueryType", "metricEditorMode", "region", "id"),
    *("expression", "namespace", "metricName", "dimensions", "matchExact", "label", "statistic", "period"),
}
"""Fields of a query of metrics: grafana/grafana, `CloudWatchMetricsQuery`."""
ATHENA_QUERY = {"refId", "datasource", "connectionArgs", "format", "rawSQL"}
CONNECTION = {"region", "catalog", "database", "resultReuseEnabled", "resultReuseMaxAgeInMinutes"}
"""Of grafana/athena-datasource, `AthenaQuery` and its `ConnectionArgs`."""
SQL_WORDS = {
    *("select", "from", "where", "union", "all", "group", "by", "having", "order"),
    *("desc", "limit", "as", "and", "max", "day"),
}
FUNCTIONS = {"date_trunc", "count_if", "date_format"}
NAMED = {"time", "worst", "anomalies"}


@pytest.fixture
def dashboard() -> Any:
    return json.loads(json.dumps(grafana_dashboard("Watchkeeper", BODY, choice_of("press"))))


def targets_of(dashboard: Any, source: dict[str, str]) -> list[Any]:
    found = [each for panel in dashboard["panels"] for each in panel.get("targets", ())]
    return [each for each in found if each["datasource"] == source]


def test_each_widget_is_a_panel_at_its_place_and_asks_the_same(dashboard: Any) -> None:
    widgets = dashboard["panels"][: len(BODY["widgets"])]
    assert [each["type"] for each in widgets] == ["timeseries", "text", "timeseries"]
    assert widgets[2]["gridPos"] == {"x": 0, "y": 7, "w": 8, "h": 6}
    search, records = targets_of(dashboard, CLOUDWATCH)
    assert (search["expression"], search["metricEditorMode"]) == (SEARCH, 1)
    assert (search["statistic"], search["period"]) == ("Sum", "300")
    assert (records["metricName"], records["metricEditorMode"]) == ("records", 0)
    assert records["dimensions"] == {"service": "score", "workload": "$workload"}
    assert all(each.keys() <= CLOUDWATCH_QUERY for each in (search, records))
    assert [each["id"] for each in dashboard["panels"]] == list(range(1, len(dashboard["panels"]) + 1))


def test_a_workload_is_chosen_as_on_the_dashboard_of_before(dashboard: Any) -> None:
    sources, workload = dashboard["templating"]["list"][:2], dashboard["templating"]["list"][2]
    assert [each["query"] for each in sources] == ["cloudwatch", "grafana-athena-datasource"]
    assert workload["current"]["value"] == "press"
    asked = workload["query"]
    assert (asked["queryType"], asked["dimensionKey"]) == ("dimensionValues", "workload")
    assert (asked["namespace"], asked["metricName"]) == ("Watchkeeper", "records")
    assert "current" not in grafana_dashboard("w", BODY, choice_of(None))["templating"]["list"][2]


def test_athena_is_asked_for_columns_and_tables_that_there_are(dashboard: Any) -> None:
    queries = targets_of(dashboard, ATHENA)
    assert [each["format"] for each in queries] == [0, 0, 1]
    known = {*COLUMNS, "workload", DATABASE, DAYS, HOURS} | SQL_WORDS | FUNCTIONS | NAMED
    for each in queries:
        assert each.keys() == ATHENA_QUERY
        assert each["connectionArgs"].keys() == CONNECTION
        sql = re.sub(r"'[^']*'", "", each["rawSQL"]).replace("$__timeFrom", "").replace("$__timeFilter", "")
        assert set(re.findall(r"[a-z_]+", sql.lower())) <= known
        assert sql.count("(") == sql.count(")")
        assert each["rawSQL"].count("workload = '$workload'") == 2, "each table's workload is injected"


def test_what_is_not_understood_is_refused() -> None:
    widget = {
        "type": "metric",
        **PLACE,
        "properties": {"title": "t", "metrics": [[{"expression": "m1 / m2"}]]},
    }
    with pytest.raises(InvalidInputError, match="m1 / m2"):
        grafana_dashboard("w", {"widgets": [widget]}, {})
    with pytest.raises(InvalidInputError, match="'device'"):
        grafana_dashboard("w", {**BODY, "variables": [{"type": "property", "property": "device"}]}, {})
