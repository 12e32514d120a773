"""The benchmark of faults: its orders break no promise, its line loses answers, and its checks can fail."""

from __future__ import annotations

import random
import socket
import threading
from datetime import datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.faults import lossy_line as lossy
from benchmarks.faults.equality import Said, compared
from benchmarks.faults.loop import Message, repeated, shuffled
from benchmarks.faults.matrix import exact_mean
from watchkeeper.anomalies.score_line import Interval, ScoreLine

START = datetime(2024, 1, 1, tzinfo=timezone.utc)
INTERVAL: Interval = ("co|place=a", "2024-01-01T00:00:00Z")


def messages(count: int) -> list[Message]:
    return [Message(START + timedelta(minutes=number), f"{number}".encode()) for number in range(count)]


def line(value: float = 2.0, score: float | None = 0.5) -> ScoreLine:
    return ScoreLine(
        workload="w",
        series=INTERVAL[0],
        interval_start=INTERVAL[1],
        value=value,
        expected=1.0,
        lower=0.0,
        upper=3.0,
        anomaly_score=score,
        threshold=1.0,
        severity=10.0,
        is_anomaly=False,
        run_id="r",
    )


@given(seed=st.integers(0, 1000), minutes=st.integers(1, 30))
def test_no_message_comes_after_one_that_is_newer_than_is_allowed(seed: int, minutes: int) -> None:
    order = random.Random(seed)
    sent = shuffled(repeated(messages(60), 0.3, order), timedelta(minutes=minutes), order)

    newest = START
    for message in sent:
        assert newest - message.event_time <= timedelta(minutes=minutes)
        newest = max(newest, message.event_time)
    assert {message.body for message in sent} == {message.body for message in messages(60)}


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ([line()], (0, 0, 0, 0)),
        ([], (1, 0, 0, 0)),
        ([line(), line()], (0, 1, 0, 0)),
        ([line(value=2.0000000000000004)], (0, 0, 1, 0)),
        ([line(score=0.5000000000000001)], (0, 0, 0, 1)),
        ([line(score=None)], (0, 0, 0, 1)),
    ],
)
def test_what_is_lost_said_twice_or_another_number_is_counted(
    said: list[ScoreLine], counts: tuple[int, ...]
) -> None:
    expected = {INTERVAL: Said.of(line(), own=True)}

    assert compared({INTERVAL: said}, expected, own=True) == counts


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_means_are_exact_and_rounded_once(values: list[float]) -> None:
    assert exact_mean(values) == float(sum(map(Fraction, values)) / len(values))


def test_what_a_device_sends_arrives_though_the_answer_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lossy, "HEALTHY_SECONDS", (0.0, 0.0))
    arrived: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as broker:

        def acknowledge() -> None:
            device, _ = broker.accept()
            with device:
                arrived.append(device.recv(100))
                device.sendall(b"acknowledged")
                device.recv(100)

        thread = threading.Thread(target=acknowledge)
        thread.start()
        with lossy.lossy_line("127.0.0.1", broker.getsockname()[1], seed=1) as line_:
            with socket.create_connection(("127.0.0.1", line_.port)) as device:
                device.sendall(b"reading")
                answer = device.recv(100)
            thread.join(10)

    assert (arrived, answer, line_.lost) == ([b"reading"], b"", 1)
