"""One suite for the fake sink, the anomalies table and the alert bus, and what is special about each."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from lambdas.adapters import clients
from lambdas.scoring.effects import ANOMALY_DAYS, AlertBus, AnomalySink, AnomalyTable
from tests.unit.lambdas.builders import make_event
from tests.unit.lambdas.conftest import ANOMALIES_TABLE, sqs
from tests.unit.lambdas.fakes import FakeSink
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.core.errors import UnavailableError

Ids = Callable[[], set[str]]


def ids_in_table() -> set[str]:
    items = clients.dynamodb().scan(TableName=ANOMALIES_TABLE)["Items"]
    return {item["anomaly_id"]["S"] for item in items}


def envelopes_on_queue(queue_url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while messages := sqs().receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
        found += [json.loads(message["Body"]) for message in messages]
    return found


@pytest.fixture(params=["fake", "table", "bus"])
def sink(request: pytest.FixtureRequest) -> tuple[AnomalySink, Ids]:
    if request.param == "fake":
        fake = FakeSink()
        return fake, lambda: set(fake.events)
    aws: SimpleNamespace = request.getfixturevalue("aws")
    if request.param == "table":
        return AnomalyTable(clients.dynamodb(), ANOMALIES_TABLE), ids_in_table
    return AlertBus(clients.events(), aws.bus), lambda: {
        envelope["detail"]["anomaly_id"] for envelope in envelopes_on_queue(aws.queue_url)
    }


def test_takes_more_anomalies_than_one_request_holds(sink: tuple[AnomalySink, Ids]) -> None:
    events = [make_event(minute) for minute in range(57)]
    sink[0].put(events)
    assert sink[1]() == {event.anomaly_id for event in events}


def test_repetition_changes_nothing_in_the_end(sink: tuple[AnomalySink, Ids]) -> None:
    for _ in range(2):
        sink[0].put([make_event(1)])
    assert sink[1]() == {make_event(1).anomaly_id}


def test_item_has_the_attributes_that_others_read(aws: object) -> None:
    event = make_event(3)
    AnomalyTable(clients.dynamodb(), ANOMALIES_TABLE, clock=lambda: 7.0).put([event])
    (item,) = clients.dynamodb().scan(TableName=ANOMALIES_TABLE)["Items"]
    assert item["pk"] == {"S": "pump"}
    assert item["sk"] == {"S": f"2024-01-01T00:03:00Z#{event.anomaly_id}"}
    assert item["series"] == {"S": "pressure|device=a"}
    assert float(item["severity"]["N"]) == event.severity
    assert AnomalyEvent.from_json(item["document"]["S"]) == event
    assert item["expires_at"] == {"N": str(7 + ANOMALY_DAYS * 86_400)}


def test_event_on_the_bus_is_the_anomaly(aws: SimpleNamespace) -> None:
    AlertBus(clients.events(), aws.bus).put([make_event(3)])
    (envelope,) = envelopes_on_queue(aws.queue_url)
    assert (envelope["source"], envelope["detail-type"]) == ("watchkeeper", "Anomaly Detected")
    assert AnomalyEvent.from_json(json.dumps(envelope["detail"])) == make_event(3)


class PartialBus:
    """Takes every other entry."""

    def __init__(self, *, takes: bool = True) -> None:
        self.takes = takes
        self.taken: list[str] = []
        self.sizes: list[int] = []

    def put_events(self, Entries: Sequence[dict[str, str]]) -> dict[str, Any]:
        self.sizes.append(len(Entries))
        answers = []
        for position, entry in enumerate(Entries):
            taken = self.takes and position % 2 == 0
            if taken:
                self.taken.append(json.loads(entry["Detail"])["anomaly_id"])
            answers.append({"EventId": "1"} if taken else {"ErrorCode": "ThrottlingException"})
        return {"FailedEntryCount": sum("ErrorCode" in a for a in answers), "Entries": answers}


def test_sends_only_the_entries_again_that_were_not_taken() -> None:
    bus = PartialBus()
    events = [make_event(minute) for minute in range(10)]
    AlertBus(bus, "alerts", pause=lambda attempt: None).put(events)  # type: ignore[arg-type]  # a client with one call
    assert sorted(bus.taken) == sorted(event.anomaly_id for event in events)
    assert bus.sizes == [10, 5, 2, 1]


def test_bus_that_takes_nothing_is_unavailable() -> None:
    bus = AlertBus(PartialBus(takes=False), "alerts", pause=lambda attempt: None)  # type: ignore[arg-type]  # a client with one call
    with pytest.raises(UnavailableError, match="1 events were not taken by alerts"):
        bus.put([make_event()])
