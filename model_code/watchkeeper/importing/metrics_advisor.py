"""Data feeds of Azure Metrics Advisor, which ended in October 2026: a workload for each feed.

Detection configurations are of a metric of a feed, and name it by its id; hooks are who is told. Keys are
those of the REST API, version 1.0: `GET …/dataFeeds/ID`,
`GET …/metrics/ID/enrichment/anomalyDetection/configurations`, `GET …/hooks`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from watchkeeper.importing.documents import Document
from watchkeeper.importing.draft import Draft, Left, Unmade
from watchkeeper.importing.values import RARITY, length, whole_number
from watchkeeper.spec.draft import distinct_names, slug

_SECONDS = {"Secondly": 1, "Minutely": 60, "Hourly": 3600, "Daily": 86_400, "Weekly": 604_800, "Custom": 1}
_DIRECTIONS = {"Up": "above", "Down": "below", "Both": "both"}


def drafts(documents: Sequence[Document]) -> Iterator[Draft | Unmade]:
    """Return what can be made of data feeds, from all files together."""
    configurations = [document for document in documents if document.kind == "advisor_detection"]
    feeds = [document for document in documents if document.kind == "advisor_feed"]
    hooks = [document.content for document in documents if document.kind == "advisor_hook"]
    for feed in feeds:
        yield _draft(feed, [document.content for document in configurations], hooks)
    known = {metric.get("metricId") for feed in feeds for metric in feed.content["metrics"]}
    for document in configurations:
        if document.content["metricId"] not in known:
            yield Unmade(
                f"detection configuration {document.content.get('name', '')} ({document.file})",
                f"the data feed of its metric {document.content['metricId']} is in none of the files",
            )
    if not feeds:
        for document in documents:
            if document.kind in ("advisor_alerting", "advisor_hook"):
                name = document.content.get("hookName") or document.content.get("name", "")
                yield Unmade(f"{name} ({document.file})", "what is watched is in a data feed")


def _draft(
    document: Document, configurations: Sequence[Mapping[str, Any]], hooks: Sequence[Mapping[str, Any]]
) -> Draft | Unmade:
    feed, left, notes = document.content, list[Left](), dict[str, str]()
    called = str(feed["dataFeedName"])
    origin = f"Metrics Advisor data feed {called} ({document.file})"
    granularity = str(feed.get("granularityName"))
    if granularity not in _SECONDS:
        return Unmade(origin, f"its granularity is {granularity}; an interval is from 1s to 7d")
    amount = whole_number(feed.get("granularityAmount")) if granularity == "Custom" else 1
    if not amount:
        return Unmade(origin, "its granularity is Custom, without granularityAmount")
    names = distinct_names(str(metric["metricName"]) for metric in feed["metrics"])
    written: dict[str, Any] = {"name": slug(called), "kind": "anomaly"}
    if feed.get("dataFeedDescription"):
        written["description"] = str(feed["dataFeedDescription"])
    notes["source.topic"] = f"where devices publish; the feed read {feed.get('dataSourceType')}"
    written["source"] = {
        "topic": f"{slug(called)}/telemetry",
        "timestamp": {
            "field": str(feed.get("timestampColumn") or "timestamp"),
            "format": "iso8601",
            "timezone": "UTC",
        },
    }
    written["measures"] = [
        _measure(metric, name, feed, configurations, left)
        for metric, name in zip(feed["metrics"], names, strict=True)
    ]
    dimensions = [str(each["dimensionName"]) for each in feed.get("dimension") or []]
    if dimensions:
        written["dimensions"] = dimensions
    written["interval"] = length(_SECONDS[granularity] * amount)
    if offset := whole_number(feed.get("startOffsetInSeconds")):
        notes["lateness"] = "startOffsetInSeconds"
        written["lateness"] = length(offset)
    written["detector"] = {"algorithm": "watchkeeper"}
    written["gate"] = {"max_alerts_per_week": 7}
    written["alerts"] = {"throttle": "1h", "routes": _routes(hooks, notes, left)}
    left.append(
        Left(
            f"dataSourceType {feed.get('dataSourceType')}",
            "a source of Azure is none of a workload",
            "an export to a bucket in the account, or what fills it publishes to the topic",
        )
    )
    if feed.get("needRollup") not in (None, "NoRollup"):
        left.append(
            Left(
                f"needRollup {feed['needRollup']} ({feed.get('rollUpMethod')})",
                "sums over dimensions are not made",
                "a second workload without the dimension adds up its series",
            )
        )
    return Draft(origin=origin, document=written, notes=notes, left=left)


def _measure(
    metric: Mapping[str, Any],
    name: str,
    feed: Mapping[str, Any],
    configurations: Sequence[Mapping[str, Any]],
    left: list[Left],
) -> dict[str, Any]:
    measure: dict[str, Any] = {"field": str(metric["metricName"]), "name": name, "aggregate": "sum"}
    fill = str(feed.get("fillMissingPointType") or "NoFilling")
    if fill == "PreviousValue":
        measure["missing"] = "previous"
    elif fill == "CustomValue" and isinstance(feed.get("fillMissingPointValue"), int | float):
        measure["missing"] = feed["fillMissingPointValue"]
    else:
        measure["missing"] = "ignore"
        if fill == "SmartFilling":
            left.append(
                Left(
                    f"fillMissingPointType SmartFilling of {name}",
                    "what is not there is not made up: an interval without a value has none",
                    "missing of the measure: zero, previous or a number",
                )
            )
    of_metric = [one for one in configurations if one["metricId"] == metric.get("metricId")]
    for number, configuration in enumerate(of_metric):
        if number:
            left.append(
                Left(
                    f"detection configuration {configuration.get('name')} of {name}",
                    "a measure has one set of rules: the first is written",
                    "a measure of the same field with another name",
                )
            )
            continue
        _conditions(configuration, name, measure, left)
    return measure


def _conditions(
    configuration: Mapping[str, Any], name: str, measure: dict[str, Any], left: list[Left]
) -> None:
    whole = configuration["wholeMetricConfiguration"]
    smart, hard, change = (
        whole.get(f"{kind}Condition") or {} for kind in ("smartDetection", "hardThreshold", "changeThreshold")
    )
    told = f"configuration {configuration.get('name')} of {name}"
    if smart:
        direction = _DIRECTIONS.get(str(smart.get("anomalyDetectorDirection")), "both")
        if direction != "both":
            measure["direction"] = direction
        left.append(
            Left(
                f"{told}: sensitivity {smart.get('sensitivity')}",
                "how rare an anomaly is replaces how sensitive a detector is",
                RARITY,
            )
        )
    bounds = {
        ours: hard[theirs]
        for ours, theirs in (("lower", "lowerBound"), ("upper", "upperBound"))
        if isinstance(hard.get(theirs), int | float)
    }
    if bounds:
        measure["allowed"] = bounds
    if change:
        left.append(
            Left(
                f"{told}: changePercentage {change.get('changePercentage')}",
                "a value is compared with what is expected of it, not with an earlier one",
                f"ignore_below: {{relative: {float(change.get('changePercentage') or 0) / 100:g}}}",
            )
        )
    for condition in (smart, hard, change):
        suppress = condition.get("suppressCondition") or {}
        if (whole_number(suppress.get("minNumber")) or 1) > 1:
            left.append(
                Left(
                    f"{told}: at least {suppress['minNumber']} points, {suppress.get('minRatio')} %",
                    "an incident opens with its first anomaly",
                    "severity_at_least of a route: what stays unusual gets more severe",
                )
            )
            break
    if str(whole.get("conditionOperator") or "OR") == "AND":
        left.append(
            Left(f"{told}: conditionOperator AND", "each rule tells by itself", "leave out the weaker one")
        )
    left += [
        Left(
            f"{told}: {len(configuration[key])} {key}",
            "all series of a measure have the same rules",
            "a workload of its own for these series, and exclude in this one",
        )
        for key in ("dimensionGroupOverrideConfigurations", "seriesOverrideConfigurations")
        if configuration.get(key)
    ]


def _routes(
    hooks: Sequence[Mapping[str, Any]], notes: dict[str, str], left: list[Left]
) -> list[dict[str, Any]]:
    routes: list[dict[str, Any]] = []
    channels = distinct_names(str(hook.get("hookName") or "operators") for hook in hooks)
    for hook, channel in zip(hooks, channels, strict=True):
        parameter = hook.get("hookParameter") or {}
        addresses = [str(each) for each in parameter.get("toList") or []]
        route: dict[str, Any] = {"channel": channel}
        if addresses:
            route["subscription"] = {"protocol": "email", "endpoint": addresses[0]}
            left += [
                Left(
                    f"hook {channel}: {address}",
                    "a route has one receiver",
                    f"`watchkeeper subscribe NAME email {address} --channel {channel}`",
                )
                for address in addresses[1:]
            ]
        elif parameter.get("endpoint"):
            left.append(
                Left(
                    f"hook {channel}: {parameter['endpoint']}",
                    "a webhook is signed, with a key that is in Secrets Manager, and none is named",
                    f"webhook: {{url: …, secret: NAME}} of the route {channel}",
                )
            )
        routes.append(route)
    if not routes:
        notes["alerts"] = "say who is told by subscription; hooks are read, too"
        routes = [{"channel": "operators"}]
    return routes
