"""Detectors of Amazon Lookout for Metrics, which ended in 2025: a workload for each dataset.

Templates have `AWS::LookoutMetrics::AnomalyDetector` and `::Alert`; the API's answers have more: filters of
dimensions, Athena, filters of alerts. Keys:
https://docs.aws.amazon.com/lookoutmetrics/latest/api/API_DescribeMetricSet.html and its neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from watchkeeper.core.severity import THRESHOLD_SEVERITY
from watchkeeper.importing.documents import Document
from watchkeeper.importing.draft import Draft, Left, Unmade
from watchkeeper.importing.templates import open_values
from watchkeeper.importing.values import (
    known_zone,
    length,
    receiver_of,
    selections,
    tell_of_open_values,
    timestamp_format,
    whole_number,
)
from watchkeeper.spec.draft import distinct_names, slug

_SECONDS = {"PT5M": 300, "PT10M": 600, "PT1H": 3600, "P1D": 86_400}
_SOURCES = {
    "AppFlowConfig": "a flow of AppFlow",
    "RDSSourceConfig": "a table of RDS",
    "RedshiftSourceConfig": "a table of Redshift",
    "AthenaSourceConfig": "a table of Athena",
}
_CLOUDWATCH = ("CloudWatchConfig", "CloudwatchConfig")
"""As the API, and as CloudFormation calls it."""
_PLACE = re.compile(r"s3://([^/]+)/?(.*)")


@dataclass(frozen=True)
class _Alert:
    file: str
    settings: Mapping[str, Any]
    detector: str
    """ARN, or logical id in a template."""


@dataclass(frozen=True)
class _Dataset:
    file: str
    settings: Mapping[str, Any]
    detector: str
    detector_name: str
    detector_settings: Mapping[str, Any]
    n_siblings: int = 1


def drafts(documents: Sequence[Document]) -> Iterator[Draft | Unmade]:
    """Return what can be made of detectors of Lookout for Metrics, from all files together."""
    alerts = list(_alerts(documents))
    datasets = list(_datasets(documents))
    for dataset in datasets:
        yield _draft(dataset, [alert for alert in alerts if alert.detector == dataset.detector])
    known = {dataset.detector for dataset in datasets}
    for document in documents:
        if document.kind == "lookout_detector" and document.content.get("AnomalyDetectorArn") not in known:
            yield Unmade(
                f"Lookout for Metrics detector {document.content['AnomalyDetectorName']} ({document.file})",
                "what it measures is in its dataset: give what `aws lookoutmetrics describe-metric-set` "
                "prints, too",
            )
    for alert in alerts:
        if alert.detector not in known:
            yield Unmade(
                f"alert {alert.settings.get('AlertName', '')} ({alert.file})",
                f"its detector {alert.detector} is in none of the files",
            )


def _datasets(documents: Sequence[Document]) -> Iterator[_Dataset]:
    detectors = {
        document.content.get("AnomalyDetectorArn", ""): document.content
        for document in documents
        if document.kind == "lookout_detector"
    }
    for document in documents:
        if document.kind == "lookout_metric_set":
            arn = str(document.content.get("AnomalyDetectorArn", ""))
            detector = detectors.get(arn, {})
            name = detector.get("AnomalyDetectorName") or arn.rpartition(":")[2]
            yield _Dataset(document.file, document.content, arn, str(name), detector)
        elif document.kind == "template":
            found = document.resolved.resources("AWS::LookoutMetrics::AnomalyDetector")
            for logical_id, settings in found.items():
                sets = settings.get("MetricSetList") or []
                for each in sets:
                    name = settings.get("AnomalyDetectorName") or logical_id
                    yield _Dataset(document.file, each, logical_id, str(name), settings, len(sets))


def _alerts(documents: Sequence[Document]) -> Iterator[_Alert]:
    found: dict[str, _Alert] = {}
    for document in documents:
        if document.kind == "lookout_alert":
            arn = str(document.content["AlertArn"])
            merged = {**(found[arn].settings if arn in found else {}), **document.content}
            found[arn] = _Alert(document.file, merged, str(document.content["AnomalyDetectorArn"]))
        elif document.kind == "template":
            for name, settings in document.resolved.resources("AWS::LookoutMetrics::Alert").items():
                owner = str(settings.get("AnomalyDetectorArn", ""))
                logical = [each.partition(".")[0] for each in open_values(owner)]
                found[f"{document.file} {name}"] = _Alert(
                    document.file, {"AlertName": name, **settings}, logical[0] if logical else owner
                )
    yield from found.values()


def _draft(dataset: _Dataset, alerts: Sequence[_Alert]) -> Draft | Unmade:
    settings, left = dataset.settings, list[Left]()
    called = dataset.detector_name or settings.get("MetricSetName", "detector")
    origin = (
        f"Lookout for Metrics detector {called}, dataset {settings.get('MetricSetName')} ({dataset.file})"
    )
    frequency = settings.get("MetricSetFrequency") or (
        dataset.detector_settings.get("AnomalyDetectorConfig") or {}
    ).get("AnomalyDetectorFrequency")
    seconds = _SECONDS.get(str(frequency))
    if seconds is None:
        return Unmade(
            origin,
            f"the frequency {frequency} is none of {', '.join(_SECONDS)}"
            if frequency
            else "it names no frequency: give what describe-anomaly-detector prints, too",
        )
    metrics = [each for each in settings.get("MetricList") or [] if each.get("MetricName")]
    if not metrics:
        return Unmade(origin, "it has no metric")
    name = slug(f"{called}_{settings.get('MetricSetName', '')}" if dataset.n_siblings > 1 else str(called))
    names = distinct_names(each["MetricName"] for each in metrics)
    notes = dict[str, str]()
    document: dict[str, Any] = {"name": name, "kind": "anomaly"}
    description = settings.get("MetricSetDescription") or dataset.detector_settings.get(
        "AnomalyDetectorDescription"
    )
    if description:
        document["description"] = str(description)
    document["source"] = _source(name, settings, seconds, notes, left)
    document["measures"] = [
        {"field": each["MetricName"], "name": called, "aggregate": _aggregate(each, left)}
        for each, called in zip(metrics, names, strict=True)
    ]
    dimensions = list(settings.get("DimensionList") or [])
    if dimensions:
        document["dimensions"] = dimensions
    document["interval"] = length(seconds)
    if offset := whole_number(settings.get("Offset")):
        notes["lateness"] = "Offset: how long after an interval's end its late records are still taken"
        document["lateness"] = length(offset)
    document |= _history(settings, notes, left)
    notes["detector"] = (
        "it learns while it scores; the first training (watchkeeper up, or train) lets it begin, where the "
        "history ends"
    )
    document["detector"] = {"algorithm": "watchkeeper"}
    notes["gate"] = "a model that alerts more often on the newest part of its history is not deployed"
    document["gate"] = {"max_alerts_per_week": 7}
    document["alerts"] = _told(
        alerts, dict(zip([each["MetricName"] for each in metrics], names, strict=True)), notes, left
    )
    _tell_of_the_rest(dataset, left)
    return Draft(origin=origin, document=document, notes=notes, left=left)


def _aggregate(metric: Mapping[str, Any], left: list[Left]) -> str:
    function = str(metric.get("AggregationFunction", "AVG"))
    if function in ("AVG", "SUM"):
        return function.lower()
    left.append(
        Left(
            f"AggregationFunction {function} of {metric['MetricName']}",
            "it is none of Lookout's AVG and SUM",
            "avg is written; sum, min, max and count are there too",
        )
    )
    return "avg"


def _source(
    name: str, settings: Mapping[str, Any], seconds: int, notes: dict[str, str], left: list[Left]
) -> dict[str, Any]:
    column = settings.get("TimestampColumn") or {}
    pattern = str(column.get("ColumnFormat") or "")
    read = timestamp_format(pattern) if pattern else "iso8601"
    if read is None:
        left.append(
            Left(
                f"TimestampColumn.ColumnFormat {pattern}",
                "no format of strptime reads the same",
                "iso8601 is written; source.timestamp.format says another",
            )
        )
    elif pattern and read != pattern:
        notes["source.timestamp"] = f"ColumnFormat {pattern}"
    timestamp = {
        "field": str(column.get("ColumnName") or "timestamp"),
        "format": read or "iso8601",
        "timezone": known_zone(settings.get("Timezone") or "UTC", left, "Timezone"),
    }
    metric_source = settings.get("MetricSource") or {}
    _tell_of_the_source(metric_source, left)
    metrics = _metrics(settings, metric_source, seconds, left)
    folders = _folders((metric_source.get("S3SourceConfig") or {}).get("TemplatedPathList") or [], left)
    source: dict[str, Any] = {}
    if metrics is not None:
        notes["source.cloudwatch"] = "CloudWatchConfig; dimensions are those of the metrics, each of them"
        timestamp = {"field": "timestamp", "timezone": timestamp["timezone"]}
        source["cloudwatch"] = metrics
    elif folders is None:
        notes["source.topic"] = "where devices publish: + in place of a level takes every device"
        source["topic"] = f"{name}/telemetry"
    else:
        notes["source.folders"] = (
            "TemplatedPathList: the bucket must send its events to EventBridge (aws s3api "
            "put-bucket-notification-configuration)"
        )
        source["folders"] = folders
    where = {
        str(each.get("Name")): [str(one.get("DimensionValue")) for one in each.get("FilterList") or []]
        for each in settings.get("DimensionFilterList") or []
    }
    if where:
        notes["source.where"] = "DimensionFilterList"
        source["where"] = where
    return {**source, "timestamp": timestamp}


def _folders(paths: Sequence[Any], left: list[Left]) -> dict[str, str] | None:
    """Return the folders of a dataset in S3: one bucket and path, which a template may leave open."""
    left += [
        Left(f"TemplatedPathList {path}", "a source has one path", "a workload of its own for it")
        for path in paths[1:]
    ]
    match = _PLACE.fullmatch(str(paths[0])) if paths else None
    if match is None:
        return None
    bucket, path = match[1], match[2].rstrip("/") + "/"
    if open_values(bucket):
        left.append(
            Left(
                f"TemplatedPathList {paths[0]}",
                "the bucket's name is known to the stack only: a topic is written",
                f"source: {{folders: {{bucket: NAME, path: '{path}'}}}}",
            )
        )
        return None
    return {"bucket": bucket, "path": path}


def _metrics(
    settings: Mapping[str, Any], metric_source: Mapping[str, Any], seconds: int, left: list[Left]
) -> dict[str, Any] | None:
    """Return the metrics of a dataset in CloudWatch, where they are of one namespace."""
    if not metric_source.keys() & set(_CLOUDWATCH):
        return None
    metrics = [each for each in settings.get("MetricList") or [] if each.get("MetricName")]
    namespaces = {str(each.get("Namespace") or "") for each in metrics}
    if len(namespaces) != 1 or "" in namespaces:
        left.append(
            Left(
                "MetricSource.CloudWatchConfig",
                f"a source has one namespace, and the metrics name {', '.join(sorted(namespaces)) or 'none'}",
                "source.cloudwatch, a workload for each namespace",
            )
        )
        return None
    offset = whole_number(settings.get("Offset")) or None
    return {
        "namespace": namespaces.pop(),
        "metrics": [
            {
                "metric": str(each["MetricName"]),
                "stat": "Sum" if str(each.get("AggregationFunction")) == "SUM" else "Average",
            }
            for each in metrics
        ],
        **({} if offset is None else {"offset": length(offset)}),
    }


def _tell_of_the_source(source: Mapping[str, Any], left: list[Left]) -> None:
    for key, description in _SOURCES.items():
        if key in source:
            left.append(
                Left(
                    f"MetricSource.{key}",
                    f"{description} is not read as it is",
                    "source.athena, with a query of yours and where its files are"
                    if key == "AthenaSourceConfig"
                    else "what reads it publishes JSON to the topic, or writes files to a bucket",
                )
            )


def _history(settings: Mapping[str, Any], notes: dict[str, str], left: list[Left]) -> dict[str, Any]:
    """Return the key `history`, where there is something to say."""
    s3 = (settings.get("MetricSource") or {}).get("S3SourceConfig") or {}
    history: dict[str, Any] = {}
    places = [str(each) for each in s3.get("HistoricalDataPathList") or []]
    if places:
        notes["history.files"] = (
            "HistoricalDataPathList: `watchkeeper up` trains on the older part, and on the laptop writes the "
            "newest part into the folders"
        )
    csv = (s3.get("FileFormatDescriptor") or {}).get("CsvFormatDescriptor") or {}
    delimiter = str(csv.get("Delimiter") or "")
    if delimiter and delimiter != ",":
        history["delimiter"] = delimiter
    if places:
        history["files"] = places
    if str(csv.get("ContainsHeader", True)).lower() == "false":
        columns = ", ".join(map(str, csv.get("HeaderList") or [])) or "no names"
        left.append(
            Left(
                f"CsvFormatDescriptor.HeaderList {columns}",
                "files without a header line cannot be read: a column is known by its name",
                "write the header line into each file",
            )
        )
    quote = str(csv.get("QuoteSymbol") or '"')
    if quote != '"':
        left.append(
            Left(f"CsvFormatDescriptor.QuoteSymbol {quote}", 'cells are quoted by " only', 'quote by "')
        )
    for descriptor in (csv, (s3.get("FileFormatDescriptor") or {}).get("JsonFormatDescriptor") or {}):
        charset = str(descriptor.get("Charset") or "UTF-8")
        if charset.upper().replace("_", "-") not in ("UTF-8", "US-ASCII"):
            left.append(Left(f"Charset {charset}", "files are read as UTF-8", "write them as UTF-8"))
    return {"history": history} if history else {}


def _told(
    alerts: Sequence[_Alert], measures: Mapping[str, str], notes: dict[str, str], left: list[Left]
) -> dict[str, Any]:
    routes: list[dict[str, Any]] = []
    channels = distinct_names(str(alert.settings.get("AlertName") or "operators") for alert in alerts)
    for alert, channel in zip(alerts, channels, strict=True):
        route: dict[str, Any] = {"channel": channel}
        severity = whole_number(alert.settings.get("AlertSensitivityThreshold"))
        if severity is not None:
            route["severity_at_least"] = severity
            notes[f"alerts.routes[{len(routes)}]"] = (
                f"AlertSensitivityThreshold; an anomaly begins at {THRESHOLD_SEVERITY:g} here"
            )
        only = _only(alert, measures, left)
        if only:
            route["only"] = {"series": only}
        action = alert.settings.get("Action") or {}
        for key, arn in (
            ("SNSConfiguration.SnsTopicArn", (action.get("SNSConfiguration") or {}).get("SnsTopicArn")),
            ("LambdaConfiguration.LambdaArn", (action.get("LambdaConfiguration") or {}).get("LambdaArn")),
        ):
            subscription = receiver_of(str(arn), f"alert {channel}: {key}", channel, left) if arn else None
            if subscription is not None:
                route["subscription"] = dict(subscription)
        if style := (action.get("SNSConfiguration") or {}).get("SnsFormat"):
            left.append(
                Left(
                    f"alert {channel}: SnsFormat {style}",
                    "each protocol has its text",
                    "format of a webhook: json, markdown or text",
                )
            )
        if not action:
            left.append(
                Left(
                    f"alert {channel}: its receiver",
                    "list-alerts does not print it",
                    "give what `aws lookoutmetrics describe-alert` prints, too",
                )
            )
        if str(alert.settings.get("AlertStatus", "ACTIVE")) == "INACTIVE":
            left.append(
                Left(f"alert {channel}: AlertStatus INACTIVE", "a route is always active", "delete the route")
            )
        routes.append(route)
    if not routes:
        notes["alerts.routes"] = "the detector had no alert; say who is told by subscription"
        routes = [{"channel": "operators"}]
    return {"throttle": "1h", "routes": routes}


def _only(alert: _Alert, measures: Mapping[str, str], left: list[Left]) -> list[dict[str, Any]]:
    filters = alert.settings.get("AlertFilters") or {}
    named = []
    for metric in filters.get("MetricList") or []:
        if metric in measures:
            named.append(measures[metric])
        else:
            left.append(Left(f"AlertFilters.MetricList {metric}", "the dataset has no such metric", "none"))
    where = {
        each["DimensionName"]: list(each.get("DimensionValueList") or [])
        for each in filters.get("DimensionFilterList") or []
    }
    return selections(named, {name: values for name, values in where.items() if values})


def _tell_of_the_rest(dataset: _Dataset, left: list[Left]) -> None:
    settings = dataset.settings
    if key := dataset.detector_settings.get("KmsKeyArn"):
        left.append(
            Left(f"KmsKeyArn {key}", "data is encrypted with the key of the deployment", "none is needed")
        )
    if any(each.get("Namespace") for each in settings.get("MetricList") or []):
        spaces = sorted({str(each["Namespace"]) for each in settings["MetricList"] if each.get("Namespace")})
        left.append(
            Left(
                f"Namespace {', '.join(spaces)}",
                "it is part of where CloudWatch has the metric",
                "the source",
            )
        )
    for key, source in (settings.get("MetricSource") or {}).items():
        # its role is not needed: a workload has roles of its own
        tell_of_open_values(
            {f"{key}.{name}": value for name, value in source.items() if name != "RoleArn"}, left
        )
