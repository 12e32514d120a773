"""`watchkeeper dashboard`: the deployed dashboard as a picture, where there is no console of CloudWatch.

What is drawn is what is deployed: its widgets are read, and their metrics are asked of CloudWatch.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import boto3
import typer

from cli.specs import MaybeWorkload, name_of
from cli.stacks import Deployment
from lambdas.adapters.errors import unless
from watchkeeper.command.screen import done, note, say
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mypy_boto3_cloudwatch import CloudWatchClient

STACK = f"{layout.STACK_PREFIX}Monitoring"
COLUMNS, INCHES_A_ROW = 24, 0.5
"""The grid of a dashboard, and the height of its rows in the picture."""
PERIOD_SECONDS, STATISTIC = 300, "Average"
"""Of a metric whose widget says none: CloudWatch's own."""
MOST_QUERIES = 500
"""Of one request."""
SEARCH = re.compile(r"SEARCH\('\{([^}]*)\}(.*)', '([^']+)', (\d+)\)")


@dataclass(frozen=True)
class Metric:
    """One line of a graph."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str
    period_seconds: int
    label: str


@dataclass(frozen=True)
class Line:
    """A metric and its values."""

    label: str
    times: tuple[datetime, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Widget:
    """A graph of the dashboard, or a heading."""

    title: str
    x: int
    y: int
    width: int
    height: int
    lines: tuple[Line, ...] | None
    """None of a heading."""


def dashboard(
    workload: MaybeWorkload = None,
    hours: Annotated[float, typer.Option(min=0.1, max=24 * 90, help="Up to now.")] = 72.0,
    output: Annotated[Path, typer.Option(help="PNG to write.")] = Path("dashboard.png"),
    grafana: Annotated[
        Path | None, typer.Option(help="JSON to write instead: the same for Grafana, with scores of Athena.")
    ] = None,
) -> None:
    """Draw the deployed CloudWatch dashboard; its lower part is of one workload, where one is named."""
    session = boto3.Session()
    client = session.client("cloudwatch")
    name = Deployment(session).output(STACK, "DashboardName")
    found = unless(("ResourceNotFound",), f"read {name}", lambda: client.get_dashboard(DashboardName=name))
    if found is None:
        raise InvalidInputError(f"there is no dashboard {name} any more: `watchkeeper deploy` makes it again")
    chosen = None if workload is None else name_of(workload)
    if grafana is not None:
        from cli.grafana import grafana_dashboard

        document = grafana_dashboard(name, json.loads(found["DashboardBody"]), choice_of(chosen))
        grafana.write_text(json.dumps(document, indent=1) + "\n")
        done(f"{grafana}: in Grafana, Dashboards, New, Import")
        return
    end = datetime.now(timezone.utc)
    span = end - timedelta(hours=hours), end
    widgets = widgets_of(client, json.loads(found["DashboardBody"]), chosen, span)
    from watchkeeper.charts.style import save

    title = f"{name}, the last {hours:g} hours" + ("" if chosen is None else f"; workload: {chosen}")
    save(draw(title, widgets, span), output)
    for each in widgets:
        if each.lines is not None:
            told = ", ".join(f"{line.label} {line.values[-1]:g}" for line in each.lines if line.values)
            say(f"{each.title}: {told or 'nothing in this time'}")
    if chosen is None:
        note("name a workload, and the lower part is of it")
    done(str(output))


Choice = Mapping[str, str]
"""Values of the dashboard's variables, by the dimension that each is."""


def choice_of(workload: str | None) -> Choice:
    """Return what a workload means to the dashboard's variables."""
    return {} if workload is None else {"workload": workload, "EndpointName": layout.endpoint_name(workload)}


def widgets_of(
    client: CloudWatchClient,
    body: Mapping[str, Any],
    workload: str | None,
    span: tuple[datetime, datetime],
) -> list[Widget]:
    """Return a dashboard's widgets with the values of their metrics.

    Parameters
    ----------
    body
        Of the dashboard, as CloudWatch has it.
    workload
        What its variables choose; None: nothing.

    Raises
    ------
    InvalidInputError
        If a widget asks for something that is not understood here.
    """
    choice = choice_of(workload)
    variables = {one["property"] for one in body.get("variables", ()) if one["type"] == "property"}
    chosen = {name: value for name, value in choice.items() if name in variables}
    widgets = []
    for one in body["widgets"]:
        properties = one["properties"]
        place = {name: int(one[name]) for name in ("x", "y", "width", "height")}
        if one["type"] == "text":
            widgets.append(Widget(properties["markdown"].lstrip("# "), **place, lines=None))
            continue
        metrics = [metric for entry in properties["metrics"] for metric in _metrics_of(client, entry, chosen)]
        widgets.append(Widget(properties["title"], **place, lines=_lines(client, metrics, span)))
    return widgets


def draw(title: str, widgets: Sequence[Widget], span: tuple[datetime, datetime]) -> Figure:
    """Draw widgets where they are on the dashboard, all over the same time."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    from watchkeeper.charts.style import INK, WIDTH, new_figure, tidy

    rows = max(each.y + each.height for each in widgets)
    figure = new_figure(WIDTH, INCHES_A_ROW * rows + 0.5, title)
    grid = figure.add_gridspec(rows, COLUMNS)
    for each in widgets:
        axes = figure.add_subplot(grid[each.y : each.y + each.height, each.x : each.x + each.width])
        if each.lines is None:
            axes.set_axis_off()
            axes.text(0.0, 0.0, each.title, color=INK, fontsize=11, va="bottom", in_layout=False)
            continue
        for line in filter(lambda line: line.values, each.lines):
            axes.plot(line.times, line.values, linewidth=1.0, marker=".", markersize=3, label=line.label)  # type: ignore[arg-type]  # times
        tidy(axes, title=each.title)
        if any(line.values for line in each.lines):
            axes.set_xlim(*span)  # type: ignore[arg-type]  # times
            axes.set_ylim(bottom=0.0)  # of counts and times
            locator = AutoDateLocator(tz=timezone.utc)  # type: ignore[no-untyped-call]  # matplotlib has no types here
            axes.xaxis.set_major_locator(locator)
            axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=timezone.utc))  # type: ignore[no-untyped-call]  # the same
            axes.set_xlabel("time (UTC)", color=INK, fontsize=7.5)
            axes.legend(fontsize=6.5, frameon=False)
        else:
            axes.text(0.5, 0.5, "nothing in this time", transform=axes.transAxes, ha="center", fontsize=8)
            axes.set_xticks([])
            axes.set_yticks([])
    return figure


def _metrics_of(
    client: CloudWatchClient, entry: Sequence[Any], chosen: Mapping[str, str]
) -> Iterator[Metric]:
    """Yield the metrics that an entry of a graph names, or that its search finds."""
    how = entry[-1] if isinstance(entry[-1], dict) else {}
    if "expression" in how:
        yield from _found_by(client, how["expression"])
        return
    namespace, name, *pairs = [part for part in entry if isinstance(part, str)]
    dimensions = dict(zip(pairs[::2], pairs[1::2], strict=True))
    dimensions = {key: chosen.get(key, value) for key, value in dimensions.items()}
    statistic, period = how.get("stat", STATISTIC), int(how.get("period", PERIOD_SECONDS))
    yield Metric(namespace, name, dimensions, statistic, period, how.get("label", name))


def _found_by(client: CloudWatchClient, expression: str) -> Iterator[Metric]:
    """Yield what a search finds: metrics of exactly these dimensions that have all of its words."""
    match = SEARCH.fullmatch(expression)
    if match is None:
        raise InvalidInputError(f"a widget asks for {expression!r}, which is not understood here")
    schema, words, statistic, period = match.groups()
    namespace, *names = schema.split(",")
    wanted = [word.partition("=") for word in shlex.split(words)]
    metric = next((value for name, _, value in wanted if name == "MetricName" and value), None)
    asked: dict[str, Any] = {"MetricName": metric} if metric else {}
    for page in client.get_paginator("list_metrics").paginate(Namespace=namespace, **asked):
        for found in page["Metrics"]:
            dimensions = {one["Name"]: one["Value"] for one in found["Dimensions"]}
            known = {"MetricName": found["MetricName"], **dimensions}
            fits = all(
                known.get(name) == value if sign else any(name in text for text in known.values())
                for name, sign, value in wanted
            )
            if dimensions.keys() == set(names) and fits:
                label = ", ".join(
                    text.rpartition(":")[2] for name, text in dimensions.items() if name != "service"
                )
                yield Metric(namespace, found["MetricName"], dimensions, statistic, int(period), label)


def _lines(
    client: CloudWatchClient, metrics: Sequence[Metric], span: tuple[datetime, datetime]
) -> tuple[Line, ...]:
    found: dict[str, tuple[list[datetime], list[float]]] = {f"m{at}": ([], []) for at in range(len(metrics))}
    queries: list[Any] = [
        {
            "Id": f"m{at}",
            "MetricStat": {
                "Metric": {
                    "Namespace": metric.namespace,
                    "MetricName": metric.name,
                    "Dimensions": [
                        {"Name": name, "Value": value} for name, value in metric.dimensions.items()
                    ],
                },
                "Period": metric.period_seconds,
                "Stat": metric.statistic,
            },
        }
        for at, metric in enumerate(metrics)
    ]
    for begin in range(0, len(queries), MOST_QUERIES):
        pages = client.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries[begin : begin + MOST_QUERIES],
            StartTime=span[0],
            EndTime=span[1],
            ScanBy="TimestampAscending",
        )
        for page in pages:
            for result in page["MetricDataResults"]:
                times, values = found[result["Id"]]
                times += result["Timestamps"]
                values += result["Values"]
    return tuple(
        Line(metric.label, tuple(times), tuple(values))
        for metric, (times, values) in zip(metrics, found.values(), strict=True)
    )
