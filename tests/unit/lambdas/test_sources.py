"""Sources that are asked after each interval: what is asked, what is delivered once, and what is late."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from lambdas.adapters.object_store import ObjectUri
from lambdas.sources import delivering
from lambdas.sources.delivering import deliver
from lambdas.sources.due import Due, due_message, due_of
from lambdas.sources.fetching import Fetched
from lambdas.sources.listing import FolderListing
from lambdas.sources.metrics import Metrics
from lambdas.sources.query import Query
from tests.unit.lambdas.builders import BUCKET, WORKLOAD, make_plan
from tests.unit.lambdas.fakes import FakeObjectStore
from watchkeeper.core.errors import ContractViolationError, InvalidInputError, UnavailableError
from watchkeeper.core.plan import Dialect, MeasurePlan, SeriesSelection, TimestampPlan, WorkloadPlan
from watchkeeper.telemetry.feeds import FolderFeed, MetricColumn, MetricFeed, QueryFeed, Window
from watchkeeper.telemetry.history import HistoryLine

BEGIN = datetime(2024, 1, 2, 3, tzinfo=timezone.utc)
START = int(BEGIN.timestamp())
MINUTE = 60
WINDOW = Window(START, START + 2 * MINUTE, MINUTE)
ASKED_AT = BEGIN + timedelta(minutes=5)
FEED = MetricFeed(
    "Plant", (MetricColumn("Pressure", "Average", "pressure"), MetricColumn("Pressure", "p99", "peak"))
)
PLAN = make_plan(measures=(MeasurePlan("pressure", "pressure"), MeasurePlan("peak", "peak")))


@dataclass
class FakeCloudWatch:
    """Metrics by name and dimensions; values by statistic, metric and interval."""

    values: dict[tuple[str, str, int], float]
    """By device, statistic and begin."""
    others: tuple[dict[str, str], ...] = ()
    """Dimensions of further metrics of that name."""
    status: str = "Complete"
    asked: list[dict[str, Any]] = field(default_factory=list)

    def get_paginator(self, operation: str) -> FakeCloudWatch:
        return replace(self, asked=self.asked) if operation == "list_metrics" else _Reading(self)  # type: ignore[return-value]

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        self.asked.append(asked)
        devices = dict.fromkeys(device for device, _, _ in self.values)
        dimensions = [*({"device": device} for device in devices), *self.others]
        named = {"Namespace": "Plant", "MetricName": "Pressure"}
        listed = [
            named | {"Dimensions": [{"Name": k, "Value": v} for k, v in each.items()]} for each in dimensions
        ]
        yield {"Metrics": listed[:1]}
        yield {"Metrics": listed[1:]}


@dataclass
class _Reading:
    cloud: FakeCloudWatch

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        self.cloud.asked.append(asked)
        results = []
        for query in asked["MetricDataQueries"]:
            stat = query["MetricStat"]
            [device] = [each["Value"] for each in stat["Metric"]["Dimensions"]]
            found = {
                start: value
                for (at, name, start), value in self.cloud.values.items()
                if (at, name) == (device, stat["Stat"])
                and asked["StartTime"] <= datetime.fromtimestamp(start, timezone.utc) < asked["EndTime"]
            }
            results.append(
                {
                    "Id": query["Id"],
                    "Timestamps": [datetime.fromtimestamp(start, timezone.utc) for start in found],
                    "Values": list(found.values()),
                    "StatusCode": self.cloud.status,
                }
            )
        yield {"MetricDataResults": results}


def fields(lines: Iterator[HistoryLine]) -> list[dict[str, Any]]:
    return [dict(line.fields) for line in lines]


def metrics(cloud: FakeCloudWatch, plan: WorkloadPlan = PLAN) -> Metrics:
    return Metrics(cloud, FEED, plan, ASKED_AT)  # type: ignore[arg-type]


def delivered(store: FakeObjectStore) -> list[dict[str, Any]]:
    found = []
    for body in store.under("raw/").values():
        found += [json.loads(line) for line in gzip.decompress(body).splitlines()]
    return [{k: v for k, v in each.items() if k not in ("workload", "received_at")} for each in found]


def test_metrics_are_a_record_for_each_interval_and_place() -> None:
    cloud = FakeCloudWatch(
        {
            ("a", "Average", START): 1.0,
            ("a", "p99", START): 9.0,
            ("b", "Average", START + MINUTE): 2.0,
        }
    )
    assert fields(metrics(cloud).lines(WINDOW)) == [
        {"time": "2024-01-02T03:00:00Z", "device": "a", "pressure": 1.0, "peak": 9.0},
        {"time": "2024-01-02T03:01:00Z", "device": "b", "pressure": 2.0},
    ]
    listing, reading = cloud.asked
    assert listing["RecentlyActive"] == "PT3H"
    assert listing["Dimensions"] == [{"Name": "device"}]
    assert {query["MetricStat"]["Period"] for query in reading["MetricDataQueries"]} == {MINUTE}


def test_metrics_with_other_dimensions_and_places_that_are_not_watched_are_not_asked_for() -> None:
    cloud = FakeCloudWatch(
        {("a", "Average", START): 1.0, ("b", "Average", START): 2.0},
        others=({"device": "a", "hall": "1"}, {}),
    )
    plan = replace(PLAN, where=SeriesSelection(where={"device": ("b",)}))
    assert [each["device"] for each in fields(metrics(cloud, plan).lines(WINDOW))] == ["b"]
    assert len(cloud.asked[-1]["MetricDataQueries"]) == len(FEED.metrics)


def test_metrics_that_were_active_long_ago_are_looked_for_where_the_window_is_old() -> None:
    cloud = FakeCloudWatch({("a", "Average", START): 1.0})
    list(Metrics(cloud, FEED, PLAN, BEGIN + timedelta(days=3)).lines(WINDOW))  # type: ignore[arg-type]
    assert "RecentlyActive" not in cloud.asked[0]


def test_a_search_gives_each_metric_that_it_finds_with_its_name_as_a_dimension() -> None:
    cloud = FakeCloudWatch({("a", "Sum", START): 1.0, ("b", "Sum", START): 2.0})
    feed = MetricFeed("", (MetricColumn("", "Sum", "pressure", "{Plant,device} pressure NOT device=b"),))
    plan = make_plan(
        measures=(MeasurePlan("pressure", "pressure"),), dimensions=("MetricName", "device", "Namespace")
    )
    lines = Metrics(cloud, feed, plan, ASKED_AT).lines(WINDOW)  # type: ignore[arg-type]
    [found] = fields(lines)
    assert found == {
        "time": "2024-01-02T03:00:00Z",
        "device": "a",
        "MetricName": "Pressure",
        "Namespace": "Plant",
        "pressure": 1.0,
    }
    listing, reading = cloud.asked
    assert listing == {"RecentlyActive": "PT3H", "Namespace": "Plant", "Dimensions": [{"Name": "device"}]}
    assert [query["MetricStat"]["Metric"]["MetricName"] for query in reading["MetricDataQueries"]] == [
        "Pressure"
    ]


def test_no_request_has_more_queries_than_cloudwatch_takes() -> None:
    cloud = FakeCloudWatch({(f"d{number:03}", "Average", START): 1.0 for number in range(300)})
    assert len(fields(metrics(cloud).lines(WINDOW))) == 300
    assert [len(each["MetricDataQueries"]) for each in cloud.asked[1:]] == [500, 100]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("PartialData", UnavailableError),
        ("InternalError", UnavailableError),
        ("Forbidden", ContractViolationError),
    ],
)
def test_an_answer_that_is_not_whole_is_not_taken(status: str, error: type[Exception]) -> None:
    cloud = FakeCloudWatch({("a", "Average", START): 1.0}, status=status)
    with pytest.raises(error):
        list(metrics(cloud).lines(WINDOW))


def test_a_value_that_comes_late_is_delivered_once_and_what_was_there_is_not_repeated() -> None:
    store, cloud = FakeObjectStore(), FakeCloudWatch({("a", "Average", START): 1.0})

    def ask() -> Fetched:
        return deliver(metrics(cloud).lines(WINDOW), "cloudwatch", ASKED_AT, PLAN, store, BUCKET)

    assert ask() == Fetched(1, 0, 1)
    assert ask() == Fetched(0, 0, 0)
    cloud.values |= {("a", "p99", START): 9.0, ("b", "Average", START): 2.0, ("a", "Average", START): 1.5}
    assert ask() == Fetched(2, 0, 1)
    assert ask() == Fetched(0, 0, 0)
    assert delivered(store) == [
        {"time": "2024-01-02T03:00:00Z", "device": "a", "pressure": 1.0},
        {"time": "2024-01-02T03:00:00Z", "device": "a", "peak": 9.0},
        {"time": "2024-01-02T03:00:00Z", "device": "b", "pressure": 2.0},
    ]
    assert all(
        key.startswith(f"raw/workload={WORKLOAD}/year=2024/month=01/day=02/") for key in store.under("raw/")
    )


def test_a_delivery_that_died_half_way_is_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "LINES_AN_OBJECT", 2)
    store = FakeObjectStore()
    cloud = FakeCloudWatch({(device, "Average", START): 1.0 for device in "abcde"})
    lines = list(metrics(cloud).lines(WINDOW))
    deliver(lines[:2], "cloudwatch", ASKED_AT, PLAN, store, BUCKET)

    assert deliver(lines, "cloudwatch", ASKED_AT, PLAN, store, BUCKET) == Fetched(3, 0, 2)
    assert [each["device"] for each in delivered(store)] == list("abcde")


def test_two_deliveries_at_once_are_told_apart() -> None:
    store, cloud = FakeObjectStore(), FakeCloudWatch({("a", "Average", START): 1.0})
    lines = list(metrics(cloud).lines(WINDOW))

    class Blind(FakeObjectStore):
        def keys_under(self, prefix: ObjectUri, after: str = "") -> list[str]:
            return []

    deliver(lines, "cloudwatch", ASKED_AT, PLAN, store, BUCKET)
    cloud.values["b", "Average", START] = 2.0
    with pytest.raises(UnavailableError, match="another delivery"):
        deliver(
            metrics(cloud).lines(WINDOW), "cloudwatch", ASKED_AT, PLAN, Blind(objects=store.objects), BUCKET
        )


def test_what_is_refused_is_kept_once_however_often_it_is_asked() -> None:
    store = FakeObjectStore()
    error = InvalidInputError("no number", reason="bad_number")
    for _ in range(2):
        told = deliver([HistoryLine(2, "x", {}, error)], "athena", ASKED_AT, PLAN, store, BUCKET)
    assert told == Fetched(0, 1, 0)
    [body] = store.under("quarantine/").values()
    assert json.loads(body)["reason"] == "bad_number"


def test_rows_of_one_time_and_place_count_by_their_record_id() -> None:
    plan = make_plan(record_id_field="id")
    store = FakeObjectStore()
    rows = [{"time": "2024-01-02T03:00:00Z", "device": "a", "pressure": 1.0, "id": str(n)} for n in range(3)]
    reader = delivering.reader_of(plan)

    def lines(some: Sequence[dict[str, Any]]) -> list[HistoryLine]:
        return [HistoryLine(n, "", each, reader.record_of(each)) for n, each in enumerate(some)]

    deliver(lines(rows[:2]), "athena", ASKED_AT, plan, store, BUCKET)
    deliver(lines(rows), "athena", ASKED_AT, plan, store, BUCKET)
    assert [each["id"] for each in delivered(store)] == ["0", "1", "2"]


def test_folders_of_a_window_are_listed_in_the_zone_of_the_source() -> None:
    store, feed = FakeObjectStore(), FolderFeed("plant", "gases/{{yyyyMMdd}}/{{HHmm}}/")
    keys = [
        f"gases/20240102/{clock}/{name}"
        for clock in ("0400", "0401", "0402")
        for name in ("a.csv", "_SUCCESS")
    ]
    for key in keys:
        store.objects[ObjectUri("plant", key)] = b"x"
    plan = make_plan(timestamp=TimestampPlan("time", timezone="Europe/Berlin"))

    found = list(FolderListing(store, feed, plan).files(WINDOW))

    assert [each.key for each in found] == ["gases/20240102/0400/a.csv", "gases/20240102/0401/a.csv"]
    assert {(each.n_bytes, each.version_id) for each in found} == {(1, None)}


@dataclass
class FakeAthena:
    """Queries by their token; each ends in the next of the states."""

    store: FakeObjectStore
    states: list[dict[str, Any]]
    result: str = (
        '"time","device","pressure"\n"2024-01-02T03:00:00Z","a","1.5"\n"2024-01-02T03:00:00Z","b",""\n'
    )
    queries: dict[str, dict[str, Any]] = field(default_factory=dict)
    started: int = 0

    def start_query_execution(self, **asked: Any) -> dict[str, str]:
        token = asked["ClientRequestToken"]
        assert 32 <= len(token) <= 128
        if token not in self.queries:
            self.started += 1
            place = f"{asked['ResultConfiguration']['OutputLocation']}q{self.started}.csv"
            self.store.objects[ObjectUri.parse(place)] = self.result.encode()
            status = self.states.pop(0)
            self.queries[token] = {
                "id": f"q{self.started}",
                "asked": asked,
                "QueryExecution": {"Status": status, "ResultConfiguration": {"OutputLocation": place}},
            }
        return {"QueryExecutionId": self.queries[token]["id"]}

    def get_query_execution(self, QueryExecutionId: str) -> dict[str, Any]:
        [found] = [each for each in self.queries.values() if each["id"] == QueryExecutionId]
        return found


def query(athena: FakeAthena, plan: WorkloadPlan | None = None) -> Query:
    feed = QueryFeed("SELECT * FROM t WHERE at >= '{from}' AND at < '{to}'", "plant", "primary")
    return Query(athena, athena.store, feed, plan or make_plan(), BUCKET, sleep=lambda seconds: None)


DONE = {"State": "SUCCEEDED"}


def test_rows_of_a_query_are_lines_whatever_files_of_history_are_like() -> None:
    athena = FakeAthena(FakeObjectStore(), [DONE])
    lines = list(query(athena, make_plan(dialect=Dialect(";", ","))).lines(WINDOW))

    assert [line.fields["device"] for line in lines] == ["a", "b"]
    assert isinstance(lines[1].outcome, InvalidInputError)  # it has no measure
    [asked] = [each["asked"] for each in athena.queries.values()]
    assert asked["QueryString"] == (
        "SELECT * FROM t WHERE at >= '2024-01-02 03:00:00' AND at < '2024-01-02 03:02:00'"
    )
    assert asked["ResultConfiguration"]["OutputLocation"] == f"s3://{BUCKET}/queries/{WORKLOAD}/"


def test_a_second_delivery_asks_the_query_that_was_asked() -> None:
    athena = FakeAthena(FakeObjectStore(), [DONE])
    for _ in range(2):
        assert len(list(query(athena).lines(WINDOW))) == 2
    assert athena.started == 1


def test_a_query_that_still_runs_comes_again_and_is_not_asked_twice() -> None:
    athena = FakeAthena(FakeObjectStore(), [{"State": "RUNNING"}])
    with pytest.raises(UnavailableError, match="still runs"):
        list(query(athena).lines(WINDOW))
    [found] = athena.queries.values()
    found["QueryExecution"]["Status"] = DONE
    assert len(list(query(athena).lines(WINDOW))) == 2


def test_a_failure_that_may_pass_is_asked_anew_and_another_one_is_told() -> None:
    passing = {"State": "FAILED", "AthenaError": {"Retryable": True}}
    assert len(list(query(FakeAthena(FakeObjectStore(), [passing, DONE])).lines(WINDOW))) == 2
    wrong = {"State": "FAILED", "StateChangeReason": "TABLE_NOT_FOUND: line 1"}
    with pytest.raises(ContractViolationError, match=f"the query of {WORKLOAD} failed: TABLE_NOT_FOUND"):
        list(query(FakeAthena(FakeObjectStore(), [wrong])).lines(WINDOW))


def test_the_schedules_message_says_what_is_due() -> None:
    assert due_of(due_message(WORKLOAD, "2024-01-02T03:05:00Z")) == Due(WORKLOAD, ASKED_AT)


@pytest.mark.parametrize(
    "message",
    ["", "[]", "{}", due_message(WORKLOAD, "soon"), '{"source": "x", "workload": "w", "time": "t"}'],
)
def test_another_message_is_refused(message: str) -> None:
    with pytest.raises(InvalidInputError, match="not a message of a source's schedule"):
        due_of(message)
