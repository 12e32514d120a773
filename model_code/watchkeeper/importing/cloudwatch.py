"""Anomaly detection alarms of CloudWatch: a workload for all of one namespace, dimensions and period.

An alarm watches one series; a workload watches each series of its measures. So alarms of many instances
become one workload, and each alarm a route that tells of its series alone. Keys:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html and
API_AnomalyDetector.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from watchkeeper.importing.documents import Document
from watchkeeper.importing.draft import Draft, Left, Unmade
from watchkeeper.importing.values import (
    RARITY,
    known_zone,
    length,
    receiver_of,
    selections,
    tell_of_open_values,
    whole_number,
)
from watchkeeper.spec.draft import distinct_names, slug

_BAND = re.compile(r"\s*ANOMALY_DETECTION_BAND\(\s*(\w+)\s*(?:,\s*([\d.]+)\s*)?\)\s*", re.IGNORECASE)
_AGGREGATES = {
    "Average": "avg",
    "Sum": "sum",
    "Minimum": "min",
    "Maximum": "max",
    "SampleCount": "sum",
}
_DIRECTIONS = {
    "LessThanLowerOrGreaterThanUpperThreshold": "both",
    "LessThanLowerThreshold": "below",
    "GreaterThanUpperThreshold": "above",
}
_DEFAULT_PERIOD = 300
_USUAL_BAND = 2.0


@dataclass(frozen=True)
class _Metric:
    namespace: str
    name: str
    stat: str
    dimensions: Mapping[str, str]

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value}" for name, value in self.dimensions.items())
        return f"{self.stat} of {self.namespace} {self.name}{f' ({told})' if told else ''}"


@dataclass(frozen=True)
class _Alarm:
    name: str
    file: str
    metric: _Metric
    seconds: int
    band: float
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class _Detector:
    file: str
    metric: _Metric
    settings: Mapping[str, Any]


@dataclass
class _Group:
    """What becomes one workload."""

    alarms: list[_Alarm] = field(default_factory=list)
    detectors: list[_Detector] = field(default_factory=list)

    @property
    def metrics(self) -> list[_Metric]:
        """What is watched, each once for each alarm and detector."""
        return [*(one.metric for one in self.alarms), *(one.metric for one in self.detectors)]


def drafts(documents: Sequence[Document]) -> Iterator[Draft | Unmade]:
    """Return what can be made of alarms and detectors of CloudWatch, from all files together."""
    groups: dict[tuple[str, tuple[str, ...], int], _Group] = {}
    detectors = []
    for found in _found(documents):
        if isinstance(found, Unmade):
            yield found
        elif isinstance(found, _Alarm):
            key = (found.metric.namespace, tuple(found.metric.dimensions), found.seconds)
            groups.setdefault(key, _Group()).alarms.append(found)
        else:
            detectors.append(found)
    for detector in detectors:
        of_alarms = [
            group for group in groups.values() if any(one.metric == detector.metric for one in group.alarms)
        ]
        key = (detector.metric.namespace, tuple(detector.metric.dimensions), _DEFAULT_PERIOD)
        (of_alarms[0] if of_alarms else groups.setdefault(key, _Group())).detectors.append(detector)
    for (namespace, dimensions, seconds), group in groups.items():
        yield _draft(namespace, dimensions, seconds, group)


def _found(documents: Sequence[Document]) -> Iterator[_Alarm | _Detector | Unmade]:
    for document in documents:
        if document.kind == "cloudwatch_alarm":
            yield _alarm(str(document.content.get("AlarmName")), document.file, document.content)
        elif document.kind == "cloudwatch_detector":
            yield _detector(document.file, document.content)
        elif document.kind == "template":
            for name, settings in document.resolved.resources("AWS::CloudWatch::Alarm").items():
                yield _alarm(str(settings.get("AlarmName") or name), document.file, settings)
            for settings in document.resolved.resources("AWS::CloudWatch::AnomalyDetector").values():
                yield _detector(document.file, settings)


def _alarm(name: str, file: str, settings: Mapping[str, Any]) -> _Alarm | Unmade:
    told = f"CloudWatch alarm {name} ({file})"
    queries = {str(each.get("Id")): each for each in settings.get("Metrics") or []}
    bands = [match for each in queries.values() if (match := _BAND.fullmatch(str(each.get("Expression"))))]
    if not bands:
        return Unmade(
            told, "it compares with a fixed threshold, not with a band: allowed of a measure does that"
        )
    watched = queries.get(bands[0][1], {}).get("MetricStat")
    if not isinstance(watched, Mapping):
        return Unmade(
            told,
            f"its band is around {bands[0][1]}, which is computed by metric math: publish the result as a "
            "metric, or as a field of telemetry",
        )
    seconds = whole_number(watched.get("Period"))
    if not seconds:
        return Unmade(told, f"its period {watched.get('Period')} is no number of seconds")
    band = float(bands[0][2] or _USUAL_BAND)
    return _Alarm(name, file, _metric(watched.get("Metric") or {}, watched), seconds, band, settings)


def _detector(file: str, settings: Mapping[str, Any]) -> _Detector | Unmade:
    single = settings.get("SingleMetricAnomalyDetector") or settings
    if "MetricName" not in single:
        return Unmade(
            f"CloudWatch anomaly detector ({file})",
            "it watches metric math: publish the result as a metric, or as a field of telemetry",
        )
    return _Detector(file, _metric(single, single), settings)


def _metric(metric: Mapping[str, Any], stat: Mapping[str, Any]) -> _Metric:
    dimensions = {str(each.get("Name")): str(each.get("Value")) for each in metric.get("Dimensions") or []}
    return _Metric(
        str(metric.get("Namespace")),
        str(metric.get("MetricName")),
        str(stat.get("Stat") or "Average"),
        dict(sorted(dimensions.items())),
    )


def _draft(namespace: str, dimensions: Sequence[str], seconds: int, group: _Group) -> Draft:
    left, notes = list[Left](), dict[str, str]()
    metrics = list(dict.fromkeys((metric.name, metric.stat) for metric in group.metrics))
    stats: dict[str, set[str]] = {}
    for metric, stat in metrics:
        stats.setdefault(metric, set()).add(stat)
    fields = [metric if len(stats[metric]) == 1 else f"{metric}_{stat}" for metric, stat in metrics]
    names = dict(zip(metrics, distinct_names(fields), strict=True))
    called = (
        group.alarms[0].name
        if len(group.alarms) == 1
        else f"{namespace.rpartition('/')[2]}_{length(seconds)}"
    )
    files = ", ".join(
        dict.fromkeys([*(one.file for one in group.alarms), *(one.file for one in group.detectors)])
    )
    what = f"{len(group.alarms)} alarms" if len(group.alarms) != 1 else f"alarm {called}"
    source = {
        **_place(namespace, metrics, fields, seconds, called, notes, left),
        **_watched(dimensions, group),
        "timestamp": {"field": "timestamp", "format": "iso8601", "timezone": _zone(group, left)},
    }
    written: dict[str, Any] = {
        "name": slug(called),
        "kind": "anomaly",
        "source": source,
        "measures": [
            _measure(metric, stat, column, names[metric, stat], group, left)
            for (metric, stat), column in zip(metrics, fields, strict=True)
        ],
    }
    if dimensions:
        written["dimensions"] = list(dimensions)
    written["interval"] = length(seconds)
    if not group.alarms:
        notes["interval"] = "a detector of CloudWatch names no period"
    notes["lateness"] = "metrics of CloudWatch come late: so long a missing value is asked for again"
    written["lateness"] = length(seconds)
    written |= _silence(group, seconds, names, notes)
    if calendars := _calendars(group, names):
        notes["calendars"] = "ExcludedTimeRanges"
        written["calendars"] = calendars
    notes["detector"] = "it learns while it scores; the first training lets it begin"
    written["detector"] = {"algorithm": "watchkeeper"}
    written["gate"] = {"max_alerts_per_week": 7}
    written["alerts"] = _told(group, names, notes, left)
    _tell_of_the_rest(group, left)
    return Draft(
        origin=f"CloudWatch {what} of {namespace} ({files})", document=written, notes=notes, left=left
    )


def _place(
    namespace: str,
    metrics: Sequence[tuple[str, str]],
    fields: Sequence[str],
    seconds: int,
    called: str,
    notes: dict[str, str],
    left: list[Left],
) -> dict[str, Any]:
    """Return where the values are: in CloudWatch, unless it cannot be asked after each period."""
    minutes = seconds / 60
    if minutes == int(minutes) and (60 % minutes == 0 or (minutes % 60 == 0 and 1440 % minutes == 0)):
        notes["source.cloudwatch.offset"] = (
            "how long after a period's end it is asked for: the first value counts, so it must be whole then"
        )
        columns = [
            {"metric": metric, "stat": stat, **({} if field == metric else {"field": field})}
            for (metric, stat), field in zip(metrics, fields, strict=True)
        ]
        return {"cloudwatch": {"namespace": namespace, "metrics": columns, "offset": "10m"}}
    left.append(
        Left(
            f"the period of {length(seconds)}",
            "CloudWatch is asked after intervals that divide an hour or a day: a topic is written",
            "source.cloudwatch, and an interval such as 5m",
        )
    )
    notes["source.topic"] = (
        "where values are published: each period's statistic as a JSON object with a field for each measure "
        "and dimension"
    )
    return {"topic": f"{slug(called)}/telemetry"}


def _watched(dimensions: Sequence[str], group: _Group) -> dict[str, Any]:
    """Return the dimension values that the alarms watch: metrics of others would cost."""
    values = {
        name: list(dict.fromkeys(metric.dimensions[name] for metric in group.metrics)) for name in dimensions
    }
    return {"where": values} if values else {}


def _measure(
    metric: str, stat: str, column: str, name: str, group: _Group, left: list[Left]
) -> dict[str, Any]:
    # of one period there is one value: percentiles and their like are taken as they are
    measure: dict[str, Any] = {"field": column, "name": name, "aggregate": _AGGREGATES.get(stat, "avg")}
    alarms = [one for one in group.alarms if (one.metric.name, one.metric.stat) == (metric, stat)]
    directions = {_DIRECTIONS.get(str(one.settings.get("ComparisonOperator")), "both") for one in alarms}
    if len(directions) == 1:
        direction = directions.pop()
        if direction != "both":
            measure["direction"] = direction
    elif directions:
        left.append(
            Left(
                f"ComparisonOperator of the alarms of {metric}",
                "they differ, and a measure has one direction: both sides are watched",
                "only.direction of the routes",
            )
        )
    return measure


def _zone(group: _Group, left: list[Left]) -> str:
    zones = {
        str(zone)
        for one in group.detectors
        if (
            zone := (one.settings.get("Configuration") or {}).get("MetricTimezone")
            or (one.settings.get("Configuration") or {}).get("MetricTimeZone")
        )
    }
    if len(zones) > 1:
        left.append(
            Left(f"MetricTimezone {', '.join(sorted(zones))}", "a workload has one", "a workload for each")
        )
        return "UTC"
    return known_zone(zones.pop(), left, "MetricTimezone") if zones else "UTC"


def _silence(
    group: _Group, seconds: int, names: Mapping[tuple[str, str], str], notes: dict[str, str]
) -> dict[str, Any]:
    periods = [
        whole_number(one.settings.get("EvaluationPeriods")) or 1
        for one in group.alarms
        if one.settings.get("TreatMissingData") == "breaching"
    ]
    if not periods:
        return {}
    notes["silence"] = "TreatMissingData breaching: no value for as many periods as were evaluated"
    return {"silence": {"after": length(max(60, seconds * max(periods)))}}


def _calendars(group: _Group, names: Mapping[tuple[str, str], str]) -> list[dict[str, Any]]:
    calendars: list[dict[str, Any]] = []
    for detector in group.detectors:
        ranges = (detector.settings.get("Configuration") or {}).get("ExcludedTimeRanges") or []
        if not ranges:
            continue
        name = names[detector.metric.name, detector.metric.stat]
        [only] = selections([name], {key: [value] for key, value in detector.metric.dimensions.items()})
        spans = [{"begin": _moment(each["StartTime"]), "end": _moment(each["EndTime"])} for each in ranges]
        calendars.append(
            {"name": f"excluded {len(calendars) + 1}", "timezone": "UTC", "only": only, "once": spans}
        )
    return calendars


def _moment(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _told(
    group: _Group, names: Mapping[tuple[str, str], str], notes: dict[str, str], left: list[Left]
) -> dict[str, Any]:
    channels = distinct_names(one.name for one in group.alarms)
    routes: list[dict[str, Any]] = []
    for alarm, channel in zip(group.alarms, channels, strict=True):
        settings = alarm.settings
        name = names[alarm.metric.name, alarm.metric.stat]
        route: dict[str, Any] = {"channel": channel}
        if settings.get("OKActions"):
            route["when"] = ["opening", "escalation", "end"]
            notes[f"alerts.routes[{len(routes)}]"] = "OKActions: the end is told, too"
        where = {key: [value] for key, value in alarm.metric.dimensions.items()}
        route["only"] = {"series": selections([name], where)}
        for action in settings.get("AlarmActions") or []:
            subscription = receiver_of(str(action), f"alarm {alarm.name}: AlarmActions", channel, left)
            if subscription is not None:
                route["subscription"] = dict(subscription)
        if str(settings.get("ActionsEnabled", True)).lower() == "false":
            left.append(
                Left(
                    f"alarm {alarm.name}: ActionsEnabled false",
                    "a route is always active",
                    "delete the route",
                )
            )
        routes.append(route)
    if len(routes) > 20:
        left.append(
            Left(
                f"{len(routes)} alarms",
                "a workload has 20 routes at most: one for all of them is written",
                "several workloads, or routes by what the alarms have in common",
            )
        )
        routes = []
    if not routes:
        notes["alerts.routes"] = "say who is told by subscription"
        routes = [{"channel": "operators"}]
    return {"throttle": "1h", "routes": routes}


def _tell_of_the_rest(group: _Group, left: list[Left]) -> None:
    bands = sorted({alarm.band for alarm in group.alarms})
    if bands and bands != [_USUAL_BAND]:
        left.append(
            Left(
                f"ANOMALY_DETECTION_BAND of {', '.join(f'{band:g}' for band in bands)} standard deviations",
                "how rare an anomaly is replaces how wide a band is",
                RARITY,
            )
        )
    for alarm in group.alarms:
        periods = whole_number(alarm.settings.get("EvaluationPeriods")) or 1
        points = whole_number(alarm.settings.get("DatapointsToAlarm")) or periods
        if periods > 1:
            left.append(
                Left(
                    f"alarm {alarm.name}: {points} of {periods} EvaluationPeriods",
                    "an incident opens with its first anomaly",
                    "severity_at_least of the route: what stays unusual gets more severe",
                )
            )
        tell_of_open_values({"Metrics": alarm.settings.get("Metrics")}, left)
