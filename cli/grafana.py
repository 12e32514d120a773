"""The deployed dashboard for Grafana: its CloudWatch widgets as panels, and the scores in Athena below them.

The fields of a query are those of Grafana's data sources: of CloudWatch
https://grafana.com/docs/grafana/latest/datasources/aws-cloudwatch/query-editor/, of Athena
https://grafana.com/docs/plugins/grafana-athena-datasource/latest/query-editor/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cli.dashboard import PERIOD_SECONDS, SEARCH, STATISTIC, Choice
from watchkeeper.anomalies.merged import DATABASE, DAYS, HOURS
from watchkeeper.core.errors import InvalidInputError

SCHEMA_VERSION = 39
"""Of Grafana 11; later ones bring it up to date when they import it."""
CLOUDWATCH = {"type": "cloudwatch", "uid": "${cloudwatch}"}
ATHENA = {"type": "grafana-athena-datasource", "uid": "${athena}"}
SEARCHED, BUILDER, CODE = 0, 0, 1
"""`metricQueryType` of a metric, not of Metrics Insights; `metricEditorMode`."""
TIME_SERIES, TABLE = 0, 1
"""`format` of an Athena query."""
REUSED_MINUTES = 5
"""So long Athena's answer to the same query is good: each has its price."""
PANEL_ROWS = 8

_SCORES = (
    f"(SELECT * FROM {DATABASE}.{DAYS} WHERE {{chosen}} UNION ALL "  # noqa: S608  of names of ours
    f"SELECT * FROM {DATABASE}.{HOURS} WHERE {{chosen}})"
)
_CHOSEN = "workload = '$workload' AND day >= date_format($__timeFrom(), '%Y-%m-%d')"
_IN_TIME = "$__timeFilter(interval_start)"


@dataclass(frozen=True)
class _Query:
    """What is asked of the scores in Athena."""

    title: str
    kind: str
    select: str
    rest: str
    format: int = TIME_SERIES


_QUERIES = (
    _Query(
        "Anomalies by series",
        "timeseries",
        "date_trunc('hour', interval_start) AS time, series, count_if(is_anomaly) AS anomalies",
        "GROUP BY 1, 2 HAVING count_if(is_anomaly) > 0 ORDER BY 1",
    ),
    _Query(
        "Highest severity by hour",
        "timeseries",
        "date_trunc('hour', interval_start) AS time, max(severity) AS severity",
        "GROUP BY 1 ORDER BY 1",
    ),
    _Query(
        "The worst series",
        "table",
        "series, max(severity) AS worst, count_if(is_anomaly) AS anomalies",
        "GROUP BY series ORDER BY worst DESC LIMIT 50",
        TABLE,
    ),
)


def grafana_dashboard(name: str, body: Mapping[str, Any], chosen: Choice) -> dict[str, Any]:
    """Return a dashboard as Grafana imports it.

    Parameters
    ----------
    name
        Title.
    body
        Of the dashboard, as CloudWatch has it.
    chosen
        Values of its variables at first; none of what is not chosen.

    Raises
    ------
    InvalidInputError
        If a widget or a variable is not understood here.
    """
    properties = [one["property"] for one in body.get("variables", ())]
    panels = [_panel(widget, properties) for widget in body["widgets"]]
    below = max((panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels), default=0)
    panels += _of_scores(below)
    return {
        "title": name,
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "tags": ["watchkeeper"],
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "",
        "refresh": "5m",
        "templating": {"list": [*_sources(), *_variables(body, chosen)]},
        "panels": [{"id": number, **panel} for number, panel in enumerate(panels, 1)],
    }


def _sources() -> Iterator[dict[str, Any]]:
    """Yield what lets people say which data sources of theirs are meant."""
    for source, label in ((CLOUDWATCH, "CloudWatch"), (ATHENA, "Athena")):
        variable = source["uid"].strip("${}")
        yield {"name": variable, "label": label, "type": "datasource", "query": source["type"], "hide": 0}


def _variables(body: Mapping[str, Any], chosen: Choice) -> Iterator[dict[str, Any]]:
    for one in body.get("variables", ()):
        key = one["property"]
        example = next(_metrics_with(body, key), None)
        if example is None:
            raise InvalidInputError(f"variable {key!r} of the dashboard is of no metric of its widgets")
        namespace, metric = example
        query = {
            "queryType": "dimensionValues",
            "namespace": namespace,
            "metricName": metric,
            "dimensionKey": key,
            "dimensionFilters": {},
            "region": "default",
            "refId": f"{key}-values",
        }
        value = chosen.get(key)
        yield {
            "name": key,
            "label": one.get("label", key),
            "type": "query",
            "datasource": CLOUDWATCH,
            "query": query,
            "refresh": 1,
            "sort": 1,
            "multi": False,
            "includeAll": False,
            **({} if value is None else {"current": {"text": value, "value": value, "selected": True}}),
        }


def _metrics_with(body: Mapping[str, Any], dimension: str) -> Iterator[tuple[str, str]]:
    for widget in body["widgets"]:
        for entry in widget["properties"].get("metrics", ()):
            if dimension in entry[2::2]:
                yield entry[0], entry[1]


def _panel(widget: Mapping[str, Any], variables: Sequence[str]) -> dict[str, Any]:
    place = {"x": widget["x"], "y": widget["y"], "w": widget["width"], "h": widget["height"]}
    properties = widget["properties"]
    if widget["type"] == "text":
        options = {"mode": "markdown", "content": properties["markdown"]}
        return {"type": "text", "title": "", "gridPos": place, "options": options}
    targets = [
        {"refId": chr(ord("A") + at), "datasource": CLOUDWATCH, **_target(entry, variables)}
        for at, entry in enumerate(properties["metrics"])
    ]
    return {
        "type": "timeseries",
        "title": properties["title"],
        "datasource": CLOUDWATCH,
        "gridPos": place,
        "fieldConfig": {"defaults": {"min": 0, "custom": {"showPoints": "auto"}}, "overrides": []},
        "targets": targets,
    }


def _target(entry: Sequence[Any], variables: Sequence[str]) -> dict[str, Any]:
    how = entry[-1] if isinstance(entry[-1], dict) else {}
    common = {"queryMode": "Metrics", "metricQueryType": SEARCHED, "region": "default", "id": ""}
    if "expression" in how:
        match = SEARCH.fullmatch(how["expression"])
        if match is None:
            raise InvalidInputError(f"a widget asks for {how['expression']!r}, which is not understood here")
        schema, _, statistic, period = match.groups()
        dimension = next(name for name in reversed(schema.split(",")) if name != "service")
        return {
            **common,
            "metricEditorMode": CODE,
            "expression": how["expression"],
            "label": f"${{PROP('Dim.{dimension}')}}",
            "statistic": statistic,
            "period": period,
        }
    namespace, metric, *pairs = [part for part in entry if isinstance(part, str)]
    dimensions = dict(zip(pairs[::2], pairs[1::2], strict=True))
    return {
        **common,
        "metricEditorMode": BUILDER,
        "expression": "",
        "namespace": namespace,
        "metricName": metric,
        "dimensions": {key: f"${key}" if key in variables else value for key, value in dimensions.items()},
        "matchExact": True,
        "label": how.get("label", metric),
        "statistic": how.get("stat", STATISTIC),
        "period": str(how.get("period", PERIOD_SECONDS)),
    }


def _of_scores(below: int) -> Iterator[dict[str, Any]]:
    place = {"x": 0, "y": below, "w": 24, "h": 1}
    yield {"type": "row", "title": "Scores of the chosen workload (Athena)", "gridPos": place, "panels": []}
    scores = _SCORES.format(chosen=_CHOSEN)
    width = 24 // len(_QUERIES)
    for at, one in enumerate(_QUERIES):
        yield {
            "type": one.kind,
            "title": one.title,
            "datasource": ATHENA,
            "gridPos": {"x": at * width, "y": below + 1, "w": width, "h": PANEL_ROWS},
            "targets": [
                {
                    "refId": "A",
                    "datasource": ATHENA,
                    "connectionArgs": {
                        "region": "__default",
                        "catalog": "__default",
                        "database": DATABASE,
                        "resultReuseEnabled": True,
                        "resultReuseMaxAgeInMinutes": REUSED_MINUTES,
                    },
                    "format": one.format,
                    "rawSQL": f"SELECT {one.select} FROM {scores} WHERE {_IN_TIME} {one.rest}",  # noqa: S608
                }
            ],
        }
