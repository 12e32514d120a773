"""Files of telemetry and of labels."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli import publisher
from cli.device import Broker, Identity, concrete_topic
from cli.publisher import Pace
from cli.replay import send
from cli.telemetry import read_telemetry
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan

CSV = """Time,Water flow [l/s]
2022-03-20T13:00:00+01:00,100.5
2022-03-20T11:00:00+01:00,100.59
2022-03-20T12:00:00+01:00,not a number
2022-03-20T12:00:00+01:00,100.89
"""


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    path = tmp_path / "flow.csv"
    path.write_text("\ufeff" + CSV)
    return path


def test_readings_are_in_order_of_time_and_the_rest_is_named(csv_file: Path, plan: WorkloadPlan) -> None:
    telemetry = read_telemetry(csv_file, plan)

    assert [reading.event_time.hour for reading in telemetry.readings] == [10, 11, 12]
    assert "flow.csv, line 4" in telemetry.tally.first_refusal


def test_a_message_has_the_cells_as_the_device_measured_them(csv_file: Path, plan: WorkloadPlan) -> None:
    first = read_telemetry(csv_file, plan).readings[0]

    assert json.loads(first.message) == {"Time": "2022-03-20T11:00:00+01:00", "Water flow [l/s]": 100.59}


def test_gzip_reads_the_same(csv_file: Path, plan: WorkloadPlan) -> None:
    packed = csv_file.with_name("flow.csv.gz")
    packed.write_bytes(gzip.compress(csv_file.read_bytes()))

    assert [r.message for r in read_telemetry(packed, plan).readings] == [
        r.message for r in read_telemetry(csv_file, plan).readings
    ]


def test_a_part_written_to_a_file_reads_back(csv_file: Path, plan: WorkloadPlan, tmp_path: Path) -> None:
    split = datetime(2022, 3, 20, 11, tzinfo=UTC)
    part = read_telemetry(csv_file, plan).between(None, split)

    part.write(tmp_path / "part.csv")

    again = read_telemetry(tmp_path / "part.csv", plan)
    assert [reading.record for reading in again.readings] == [reading.record for reading in part.readings]
    assert len(again.readings) == 1


def test_a_file_without_one_reading_is_refused(tmp_path: Path, plan: WorkloadPlan) -> None:
    path = tmp_path / "flow.csv"
    path.write_text("Time,Water flow [l/s]\nyesterday,1\n")

    with pytest.raises(InvalidInputError, match="not one reading"):
        read_telemetry(path, plan)


def test_messages_are_handed_over_in_order_and_counted(csv_file: Path, plan: WorkloadPlan) -> None:
    handed: list[tuple[bytes, datetime]] = []
    sent: list[None] = []
    readings = read_telemetry(csv_file, plan).readings

    send(
        readings,
        lambda *message: handed.append(message),
        Pace(None),
        lambda: sent.append(None),
    )

    assert handed == [(reading.message, reading.event_time) for reading in readings]
    assert len(sent) == 3


def test_what_is_on_its_way_together_is_within_the_lateness(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told: list[object] = []

    class Remembered:
        def __init__(self, *arguments: object) -> None:
            pass

        def publish(self, topic: str, payload: bytes) -> None:
            told.append(payload)

        def wait_until(self, pending: int) -> None:
            told.append(pending)

    monkeypatch.setattr(publisher, "_Connection", Remembered)
    paths = [tmp_path / name for name in ("ca", "certificate", "key")]
    device = publisher.Publisher(
        Broker("127.0.0.1", 8883, paths[0]),
        Identity("pump", *paths[1:]),
        timedelta(minutes=10),
        connections=1,
    )
    for minute in (0, 5, 10, 15, 20, 30):
        device.publish("plant/pump", b"%d" % minute, datetime(2026, 3, 1, 0, minute, tzinfo=UTC))
    assert told == [b"0", b"5", b"10", 0, b"15", b"20", 0, b"30"]


def test_after_a_broken_connection_a_message_waits_for_those_on_their_way(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told: list[str] = []

    class Info:
        def __init__(self, payload: bytes) -> None:
            self.payload = payload

        def wait_for_publish(self, timeout: float) -> None:
            told.append(f"acknowledged {self.payload.decode()}")

        def is_published(self) -> bool:
            return True

    class Client:
        on_disconnect: Callable[..., None]

        def __init__(self, *arguments: object, **options: object) -> None:
            clients.append(self)

        def __getattr__(self, name: str) -> Callable[..., None]:
            return lambda *arguments, **options: None

        def publish(self, topic: str, payload: bytes, qos: int) -> Info:
            told.append(f"sent {payload.decode()}")
            return Info(payload)

    clients: list[Client] = []
    monkeypatch.setattr("paho.mqtt.client.Client", Client)
    paths = [tmp_path / name for name in ("ca", "certificate", "key")]
    connection = publisher._Connection(
        Broker("127.0.0.1", 8883, paths[0]), Identity("pump", *paths[1:]), 0, 60.0
    )
    connection.publish("plant/pump", b"1")
    connection.publish("plant/pump", b"2")
    clients[0].on_disconnect(clients[0], None, None, None, None)
    connection.publish("plant/pump", b"3")
    connection.publish("plant/pump", b"4")

    assert told == ["sent 1", "sent 2", "acknowledged 1", "acknowledged 2", "sent 3", "sent 4"]


@pytest.mark.parametrize(
    ("topic_filter", "topic"),
    [("plant/+/flow", "plant/dev/flow"), ("plant/#", "plant/dev"), ("plant/flow", "plant/flow")],
)
def test_a_device_publishes_to_a_topic_that_the_filter_matches(topic_filter: str, topic: str) -> None:
    assert concrete_topic(topic_filter, "dev") == topic
