"""States of the release before pages are taken over by the first object that meets their series."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from lambdas.adapters import clients
from lambdas.adapters.object_store import ObjectUri
from lambdas.scoring.earlier_states import TableStates
from tests.unit.lambdas.builders import (
    BEGIN,
    BUCKET,
    WORKLOAD,
    make_event,
    make_moving_threshold,
    make_plan,
    make_release,
    raw_object,
    reading,
)
from tests.unit.lambdas.conftest import SERIES_TABLE
from tests.unit.lambdas.fakes import ScoringFakes
from tests.unit.lambdas.test_score_object import CLOSE, score_lines
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core.errors import ContractViolationError, UnavailableError
from watchkeeper.core.layout import series_scores_key, short_hash
from watchkeeper.judgement.adaptation import Adaptation
from watchkeeper.stream.takeover import SeriesState
from watchkeeper.telemetry.records import parse_record

SERIES = "pressure|device=a"
START = int(BEGIN.timestamp())
OPEN_READING = reading(130, 30.0)


def item(**changes: Any) -> bytes:
    """A state as the release before pages wrote it: two intervals wait, one is open."""
    document = {
        "version": 1,
        "series": SERIES,
        "interval_seconds": 60,
        "open": [[START + 120, 1, 30, 1, 30.0, 30.0]],
        "record_ids": [[START + 120, parse_record(OPEN_READING, make_plan()).record_id]],
        "watermark_microseconds": (START + 420) * 1_000_000,
        "closed_until": START + 120,
        "context": [[START - 60, 8.0]],
        "outbox": [[START, 10.0], [START + 60, 90.0]],
        "applied": [[short_hash(raw_object("in flight").object_id), START]],
        **changes,
    }
    return gzip.compress(json.dumps(document).encode(), mtime=0)


def fakes_with(content: bytes, **changes: Any) -> ScoringFakes:
    fakes = ScoringFakes(make_plan(**changes), make_release())
    fakes.earlier.states[SERIES] = SeriesState.from_bytes(content)
    return fakes


def found(fakes: ScoringFakes) -> list[tuple[Any, ...]]:
    return [
        (line["interval_start"][14:19], line["value"], line["anomaly_score"]) for line in score_lines(fakes)
    ]


def test_what_waited_is_scored_with_its_context_and_what_was_open_goes_on() -> None:
    fakes = fakes_with(item())
    fakes.deliver("1", reading(150, 50.0), OPEN_READING, reading(CLOSE, 1))
    assert found(fakes) == [("00:00", 10.0, 1.0), ("01:00", 90.0, 9.0), ("02:00", 40.0, 4.0)]
    assert score_lines(fakes)[0]["expected"] == 8.0
    assert len(fakes.anomalies.events) == 1


def test_an_object_that_was_taken_in_before_the_update_is_not_taken_in_again() -> None:
    fakes = fakes_with(item())
    report = fakes.deliver(
        "in flight", reading(-30, 7.0), OPEN_READING, reading(CLOSE, 1), reading(0, 4, "b")
    )
    assert found(fakes) == [("00:00", 10.0, 1.0), ("01:00", 90.0, 9.0)]
    assert (report.records, report.quarantined) == (3, 1)
    fakes.deliver("2", reading(CLOSE, 1), reading(CLOSE, 1, "b"))
    assert found(fakes)[2:] == [("02:00", 30.0, 3.0), ("00:00", 4.0, 0.4)]


def test_an_interval_that_has_its_line_already_is_not_scored_again_and_its_alert_is_told() -> None:
    fakes = ScoringFakes(make_plan(), make_release(threshold=make_moving_threshold()))
    fakes.earlier.states[SERIES] = SeriesState.from_bytes(item(adaptation=["run", 4.0, False]))
    line = ScoreLine(
        WORKLOAD,
        SERIES,
        "2024-01-01T00:00:00Z",
        10.0,
        expected=8.0,
        lower=1.0,
        upper=9.0,
        anomaly_score=7.0,
        threshold=4.0,
        severity=80.0,
        is_anomaly=True,
        run_id=make_release().run_id,
        next_threshold=6.5,
        anomaly=make_event(),
    )
    key = series_scores_key(WORKLOAD, SERIES, line.interval_start)
    fakes.objects.objects[ObjectUri(BUCKET, key)] = line.to_json().encode()
    fakes.deliver("1", reading(CLOSE, 1))
    assert [start for start, *_ in found(fakes)] == ["01:00", "02:00"]
    assert score_lines(fakes)[0]["threshold"] == 6.5
    assert make_event().anomaly_id in fakes.alerts.events


def test_states_of_another_interval_leave_lines_without_score_for_what_waited() -> None:
    fakes = fakes_with(item(), interval_seconds=300)
    report = fakes.deliver("1", reading(150, 50.0), reading(300, 9.0), reading(CLOSE, 1))
    assert found(fakes) == [("00:00", 10.0, None), ("01:00", 90.0, None), ("05:00", 9.0, 0.9)]
    assert report.quarantined == 1


def test_a_state_is_read_once() -> None:
    fakes = fakes_with(item())
    fakes.deliver("1", reading(CLOSE, 1))
    fakes.earlier.states.clear()
    fakes.deliver("2", reading(2 * CLOSE, 1))
    assert len(found(fakes)) == 4


def test_a_state_of_an_older_release_yet_is_refused() -> None:
    with pytest.raises(ContractViolationError, match="version 0, this release takes over 1"):
        SeriesState.from_bytes(item(version=0))


def test_a_states_threshold_stands_where_it_stood() -> None:
    assert SeriesState.from_bytes(item(adaptation=["run", 4.0, True])).adaptation == Adaptation(
        "run", 4.0, True
    )


def put(count: int) -> list[str]:
    names = [f"pressure|device={number}" for number in range(count)]
    for name in names:
        clients.dynamodb().put_item(
            TableName=SERIES_TABLE,
            Item={
                "pk": {"S": f"series#{WORKLOAD}"},
                "sk": {"S": name},
                "document": {"B": item(series=name)},
            },
        )
    return names


def test_loads_more_series_than_one_request_takes_and_only_those_that_exist(aws: object) -> None:
    names = put(130)
    states = TableStates(clients.dynamodb(), SERIES_TABLE).load(WORKLOAD, [*names, "pressure|device=x"])
    assert [states[name].series for name in names] == names
    assert len(states) == 130
    assert TableStates(clients.dynamodb(), SERIES_TABLE).load("other", names) == {}


class Throttled:
    """A table that leaves keys out of its answers."""

    def __init__(self, client: Any, rounds: int) -> None:
        self.client, self.rounds = client, rounds

    def batch_get_item(self, RequestItems: dict[str, Any]) -> Any:
        if self.rounds:
            self.rounds -= 1
            return {"Responses": {}, "UnprocessedKeys": RequestItems}
        return self.client.batch_get_item(RequestItems=RequestItems)


def test_asks_again_for_what_was_left_out(aws: object) -> None:
    [name] = put(1)
    pauses: list[int] = []
    throttled = TableStates(Throttled(clients.dynamodb(), 2), SERIES_TABLE, pause=pauses.append)  # type: ignore[arg-type]  # a client with one call
    assert len(throttled.load(WORKLOAD, [name])) == 1
    assert pauses == [0, 1]


def test_gives_up_when_keys_are_left_out_each_time(aws: object) -> None:
    throttled = Throttled(clients.dynamodb(), 1000)
    states = TableStates(throttled, SERIES_TABLE, pause=lambda attempt: None)  # type: ignore[arg-type]  # a client with one call
    with pytest.raises(UnavailableError, match="1 series states were not read"):
        states.load(WORKLOAD, [SERIES])
