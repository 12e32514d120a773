"""What is asked for after each interval: when, of which time, and which workloads can be asked so."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.lambdas.builders import make_plan
from watchkeeper.spec import AnomalyWorkload, WorkloadSpecError, load_workload
from watchkeeper.telemetry.feeds import QueryFeed, Window, feed_from_json, feed_to_json, window_due

HOUR = 3600
SPEC = """\
name: presses
kind: anomaly
source:
  {source}
measures:
  - {{field: load, name: load}}
interval: {interval}
"""
CLOUDWATCH = "cloudwatch: {namespace: Plant, metrics: [{metric: Load, stat: p99, field: load}]}"
SEARCH = """cloudwatch: {metrics: [{search: '{Plant} MetricName="Load"', field: load}]}"""
ATHENA = (
    'athena: {database: plant, reads: [{bucket: plant, prefix: rows/}], query: "SELECT at, load FROM presses '
    "WHERE at >= TIMESTAMP '{from}' AND at < TIMESTAMP '{to}'\"}"
)
FOLDERS = 'folders: {bucket: plant, path: "gases/{{yyyyMMdd}}/{{HHmm}}/", offset: 12m}'


def spec_of(tmp_path: Path, source: str, interval: str = "5m") -> AnomalyWorkload:
    found = load_workload(tmp_path / "presses.yaml", SPEC.format(source=source, interval=interval))
    assert isinstance(found, AnomalyWorkload)
    return found


@pytest.mark.parametrize("source", [CLOUDWATCH, SEARCH, ATHENA, FOLDERS])
def test_a_feed_is_the_same_after_the_functions_environment(tmp_path: Path, source: str) -> None:
    spec = spec_of(tmp_path, source)
    assert spec.source.scheduled is not None
    feed = spec.source.scheduled.feed()
    assert feed_from_json(feed_to_json(feed)) == feed


def test_ticks_wait_until_a_source_was_asked(tmp_path: Path) -> None:
    waits = {
        source: spec_of(tmp_path, source).plan().delivery_seconds for source in (CLOUDWATCH, ATHENA, FOLDERS)
    }
    assert waits == {CLOUDWATCH: 600 + 180, ATHENA: 180, FOLDERS: 720 + 180}


@pytest.mark.parametrize("interval", ["7m", "90m", "5h", "30s", "2d"])
def test_an_interval_that_no_schedule_follows_is_refused(tmp_path: Path, interval: str) -> None:
    with pytest.raises(WorkloadSpecError, match="must be whole minutes that divide an hour, or whole hours"):
        spec_of(tmp_path, CLOUDWATCH, interval)


@pytest.mark.parametrize("interval", ["1m", "20m", "1h", "6h", "1d"])
def test_an_interval_that_a_schedule_follows_is_taken(tmp_path: Path, interval: str) -> None:
    assert spec_of(tmp_path, CLOUDWATCH, interval).source.offset == timedelta(minutes=10)


@pytest.mark.parametrize("source", [CLOUDWATCH, ATHENA])
def test_freshness_is_not_of_what_is_asked(tmp_path: Path, source: str) -> None:
    with pytest.raises(WorkloadSpecError, match=r"offset says when it is asked"):
        spec_of(tmp_path, f"{source}\nfreshness: 30s")


def test_a_data_stream_has_a_delivery_stream_of_its_own(tmp_path: Path) -> None:
    stream = "kinesis: {stream: 'arn:aws:kinesis:eu-west-1:123456789012:stream/plant'}"
    delivery = spec_of(tmp_path, stream).delivery
    assert (delivery.buffer_seconds, delivery.partitioned) == (90, False)


def test_late_records_are_asked_for_until_their_interval_closes() -> None:
    plan = make_plan(interval_seconds=HOUR, lateness_seconds=HOUR + 1)
    window = window_due(10 * HOUR + 700, plan, 600)
    assert window == Window(7 * HOUR, 10 * HOUR, HOUR)
    assert list(window.starts()) == [7 * HOUR, 8 * HOUR, 9 * HOUR]
    assert window_due(10 * HOUR + 599, plan, 600).end == 9 * HOUR


def test_a_query_is_of_a_window_in_utc() -> None:
    feed = QueryFeed("SELECT '{from}', '{to}', '{from}'", "plant", "primary")
    assert feed.text(Window(0, HOUR, HOUR)) == (
        "SELECT '1970-01-01 00:00:00', '1970-01-01 01:00:00', '1970-01-01 00:00:00'"
    )


@pytest.mark.parametrize(
    ("entry", "key", "said"),
    [
        ("{search: '{Plant,Press} Load OR'}", "metrics[0].search", "there is no term after OR"),
        ("{metric: Load, search: Load}", "metrics[0]", "name either metric, or search"),
        ("{stat: Sum}", "metrics[0]", "name either metric, or search"),
        (
            "{search: '{Plant} Load'}",
            "metrics[0]",
            "field is missing: the search may find metrics of several",
        ),
        ("{search: \"SEARCH('{Plant} Load', 'Mean')\", field: load}", "metrics[0]", "'Mean' is no statistic"),
        (
            "{search: \"SEARCH('{Plant} Load', 'Sum')\", stat: p99, field: load}",
            "metrics[0]",
            "stat is p99 and the search says Sum: leave stat out",
        ),
        (
            "{search: 'MAX(SEARCH(''{A}'', ''Sum'', 60))'}",
            "metrics[0].search",
            "metric math is not evaluated",
        ),
        ("{metric: Load, field: load}", "metrics", "Load is in no namespace: add namespace"),
    ],
)
def test_a_search_that_is_none_is_refused_by_its_key(tmp_path: Path, entry: str, key: str, said: str) -> None:
    with pytest.raises(WorkloadSpecError) as refused:
        spec_of(tmp_path, f"cloudwatch: {{metrics: [{entry}]}}")
    assert f"source.cloudwatch.{key}" in str(refused.value)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("search", "said"),
    [
        (
            '{Plant,Press} MetricName="Load"',
            "finds metrics with the dimensions Press, and the workload has none",
        ),
        ("{Plant} Load", 'add MetricName="…" to it, or MetricName to the dimensions'),
        ('MetricName="Load"', 'add Namespace="…" to it, or Namespace to the dimensions'),
        ('{Plant} MetricName=("Load" OR "Speed")', "which would be one series"),
    ],
)
def test_a_search_in_which_a_series_would_be_several_metrics_is_refused(
    tmp_path: Path, search: str, said: str
) -> None:
    with pytest.raises(WorkloadSpecError, match=r"source\.cloudwatch\.metrics\[0\]\.search: ") as refused:
        spec_of(tmp_path, f"cloudwatch: {{metrics: [{{search: '{search}', field: load}}]}}")
    assert said in str(refused.value)


def test_a_search_as_dashboards_have_it_says_the_statistic_and_the_interval(tmp_path: Path) -> None:
    search = """cloudwatch: {metrics: [{search: "SEARCH('{Plant} MetricName=\\"load\\"', 'Sum', 300)"}]}"""
    spec = spec_of(tmp_path, search)
    assert spec.source.cloudwatch is not None
    [column] = spec.source.cloudwatch.feed().metrics
    assert (column.stat, column.field) == ("Sum", "load")
    with pytest.raises(WorkloadSpecError, match="a period of 300 seconds: make that the interval"):
        spec_of(tmp_path, search, "1m")


def test_a_search_without_a_namespace_is_within_that_of_the_source(tmp_path: Path) -> None:
    searched = "cloudwatch: {namespace: Plant, metrics: [{search: 'MetricName=\"load\"'}]}"
    spec = spec_of(tmp_path, searched)
    assert spec.source.cloudwatch is not None
    feed = spec.source.cloudwatch.feed()
    assert feed.search(feed.metrics[0], ()).namespaces == {"Plant"}
    with pytest.raises(WorkloadSpecError, match="each search names a namespace itself: leave namespace out"):
        spec_of(tmp_path, SEARCH.replace("{metrics", "{namespace: Other, metrics"))
