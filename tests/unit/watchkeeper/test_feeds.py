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
ATHENA = (
    'athena: {database: plant, reads: [{bucket: plant, prefix: rows/}], query: "SELECT at, load FROM presses '
    "WHERE at >= TIMESTAMP '{from}' AND at < TIMESTAMP '{to}'\"}"
)
FOLDERS = 'folders: {bucket: plant, path: "gases/{{yyyyMMdd}}/{{HHmm}}/", offset: 12m}'


def spec_of(tmp_path: Path, source: str, interval: str = "5m") -> AnomalyWorkload:
    found = load_workload(tmp_path / "presses.yaml", SPEC.format(source=source, interval=interval))
    assert isinstance(found, AnomalyWorkload)
    return found


@pytest.mark.parametrize("source", [CLOUDWATCH, ATHENA, FOLDERS])
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
