"""Detectors of OpenSearch: a workload for each.

Keys: https://docs.opensearch.org/latest/observing-your-data/ad/api/; the rules that keep anomalies out are in
the plugin's `org.opensearch.ad.model.Rule`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from watchkeeper.importing.documents import Document
from watchkeeper.importing.draft import Draft, Left, Unmade
from watchkeeper.importing.values import length
from watchkeeper.spec.draft import distinct_names, slug

_UNITS = {"SECONDS": 1, "MINUTES": 60, "HOURS": 3600, "DAYS": 86_400}
_AGGREGATES = {
    "avg": "avg",
    "sum": "sum",
    "min": "min",
    "max": "max",
    "value_count": "count",
    "cardinality": "distinct",
}
_TOGETHER = {
    "result_index": ("results are kept by the deployment", "`watchkeeper history`, and Athena"),
    "shingle_size": ("the detector learns its context by itself", "none is needed"),
    "history": ("how much is learned from is said when it is trained", "history.window"),
    "frequency": ("an interval is scored when it closes", "freshness, how long telemetry waits"),
    "recency_emphasis": ("the detector forgets at its own pace", "none"),
    "suggested_seasonality": ("rhythms are learned", "calendars, for what does not come again"),
}
"""What else a detector says, why it has no key here, and what comes nearest."""


def drafts(documents: Sequence[Document]) -> Iterator[Draft | Unmade]:
    """Return what can be made of detectors of OpenSearch."""
    for document in documents:
        if document.kind == "opensearch_detector":
            yield _draft(document)


def _draft(document: Document) -> Draft | Unmade:
    settings, left, notes = document.content, list[Left](), dict[str, str]()
    called = str(settings.get("name") or "detector")
    origin = f"OpenSearch detector {called} ({document.file})"
    seconds = _seconds(settings.get("detection_interval"))
    if seconds is None:
        return Unmade(origin, f"detection_interval {settings.get('detection_interval')} is no length of time")
    features = [feature for feature in settings["feature_attributes"] if _is_watched(feature, left)]
    names = distinct_names(str(feature.get("feature_name")) for feature in features)
    measures = []
    by_feature: dict[str, dict[str, Any]] = {}
    for feature, name in zip(features, names, strict=True):
        function, column = _aggregation(feature)
        if function not in _AGGREGATES or not column:
            left.append(
                Left(
                    f"feature {feature.get('feature_name')}: {function or 'no aggregation'}",
                    "a measure is one aggregate of one field",
                    f"{', '.join(_AGGREGATES.values())} of a field; what is computed of several is published "
                    "as a field of its own",
                )
            )
            continue
        measure = {"field": column, "name": name, "aggregate": _AGGREGATES[function]}
        measures.append(measure)
        by_feature[str(feature["feature_name"])] = measure
    if not measures:
        return Unmade(origin, "none of its features is an aggregate that a measure can be")
    _rules(settings.get("rules") or [], by_feature, left)
    _missing(settings.get("imputation_option") or {}, by_feature, left)
    written: dict[str, Any] = {"name": slug(called), "kind": "anomaly"}
    if settings.get("description"):
        written["description"] = str(settings["description"])
    notes["source.topic"] = (
        f"where devices publish; the detector read {', '.join(map(str, settings.get('indices') or []))}"
    )
    notes["source.timestamp"] = "a date of OpenSearch is ISO 8601 or milliseconds, by the index's mapping"
    written["source"] = {
        "topic": f"{slug(called)}/telemetry",
        "timestamp": {"field": str(settings["time_field"]), "format": "iso8601", "timezone": "UTC"},
    }
    written["measures"] = measures
    if settings.get("category_field"):
        written["dimensions"] = [str(each).removesuffix(".keyword") for each in settings["category_field"]]
    written["interval"] = length(seconds)
    if delay := _seconds(settings.get("window_delay")):
        notes["lateness"] = "window_delay"
        written["lateness"] = length(delay)
    notes["detector"] = "it learns while it scores; the first training lets it begin"
    written["detector"] = {"algorithm": "watchkeeper"}
    written["gate"] = {"max_alerts_per_week": 7}
    notes["alerts"] = "a monitor of the alerting plugin told of the detector: say here who is told"
    written["alerts"] = {"throttle": "1h", "routes": [{"channel": "operators"}]}
    left.append(
        Left(
            f"indices {', '.join(map(str, settings.get('indices') or []))}",
            "a workload reads telemetry when it comes, not an index",
            "what fills the index publishes to the topic, too, or writes files of the interval to a bucket",
        )
    )
    if settings.get("filter_query") and settings["filter_query"] != {"match_all": {"boost": 1.0}}:
        left.append(
            Left(
                f"filter_query {settings['filter_query']}",
                "a workload has no query",
                "exclude leaves out series by a dimension's values; what else is not wanted is not published",
            )
        )
    left += [Left(f"{key} {settings[key]}", *told) for key, told in _TOGETHER.items() if settings.get(key)]
    return Draft(origin=origin, document=written, notes=notes, left=left)


def _seconds(setting: object) -> float | None:
    match setting:
        case {"period": {"interval": int() | float() as count, "unit": str(unit)}}:
            size = _UNITS.get(unit.upper())
            return None if size is None else count * size
    return None


def _is_watched(feature: Mapping[str, Any], left: list[Left]) -> bool:
    if str(feature.get("feature_enabled", True)).lower() != "false":
        return True
    left.append(
        Left(
            f"feature {feature.get('feature_name')}",
            "it is not enabled",
            "a measure of its own; exclude: [{measure: NAME}] keeps one from being watched",
        )
    )
    return False


def _aggregation(feature: Mapping[str, Any]) -> tuple[str, str]:
    for inside in (feature.get("aggregation_query") or {}).values():
        for function, asked in inside.items() if isinstance(inside, Mapping) else ():
            if isinstance(asked, Mapping):
                return str(function), str(asked.get("field") or "").removesuffix(".keyword")
    return "", ""


def _rules(
    rules: Sequence[Mapping[str, Any]], measures: Mapping[str, dict[str, Any]], left: list[Left]
) -> None:
    """Write the rules that ignore anomalies as `direction` and `ignore_below` of the measures."""
    sides: dict[tuple[str, str], dict[str, float]] = {}
    for rule in rules:
        for condition in rule.get("conditions") or []:
            feature, kind = str(condition.get("feature_name")), str(condition.get("threshold_type")).upper()
            if feature not in measures:
                left.append(Left(f"rule of {feature}", "it is no measure here", "none"))
            elif kind in ("ACTUAL_IS_BELOW_EXPECTED", "ACTUAL_IS_OVER_EXPECTED"):
                measures[feature]["direction"] = "above" if "BELOW" in kind else "below"
            else:
                side, _, way = kind.rpartition("_")
                sides.setdefault((feature, way), {})[side] = float(condition.get("value") or 0)
    for (feature, way), values in sides.items():
        key = {"MARGIN": "absolute", "RATIO": "relative"}.get(way)
        both = {"ACTUAL_OVER_EXPECTED", "EXPECTED_OVER_ACTUAL"} == set(values)
        if key is None or not both or len(set(values.values())) != 1:
            told = ", ".join(f"{side.lower()}_{way.lower()} {value:g}" for side, value in values.items())
            left.append(
                Left(
                    f"rule of {feature}: {told}",
                    "what is too small to tell is the same above and below the expected value",
                    f"ignore_below: {{{key or 'absolute'}: {max(values.values()):g}}} of the measure; "
                    "direction leaves a side out",
                )
            )
            continue
        measures[feature].setdefault("ignore_below", {})[key] = next(iter(values.values()))


def _missing(imputation: Mapping[str, Any], measures: Mapping[str, dict[str, Any]], left: list[Left]) -> None:
    method = str(imputation.get("method") or "").upper()
    if method in ("ZERO", "PREVIOUS"):
        for measure in measures.values():
            measure["missing"] = method.lower()
    elif method == "FIXED_VALUES":
        for fill in imputation.get("default_fill") or imputation.get("defaultFill") or []:
            measure_of = measures.get(str(fill.get("feature_name")))
            if measure_of is not None and isinstance(fill.get("data"), int | float):
                measure_of["missing"] = fill["data"]
    elif method:
        left.append(Left(f"imputation_option {method}", "no such fill", "missing of a measure"))
