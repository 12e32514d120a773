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
from benchmarks.faults.matrix import alerts_wrong, exact_mean
from watchkeeper.anomalies.score_line import Interval, ScoreLine
from watchkeeper.core.timestamps import epoch_seconds, format_instant, parse_instant
from watchkeeper.incidents.incident import Incident
from watchkeeper.incidents.notice import notice_of
from watchkeeper.incidents.touched import Touched

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


def incident(series: str, minutes: tuple[int, int], name: str = "i") -> Incident:
    first, last = (format_instant(START + timedelta(minutes=each)) for each in minutes)
    touched = Touched(
        series, ((epoch_seconds(parse_instant(first)), 1),), 1, 0, 1, {}, 90.0, first, 9.0, 1.0, 0.0, 3.0, "a"
    )
    return Incident(
        incident_id=name,
        workload="w",
        interval_seconds=300,
        opened_at=first,
        last_at=last,
        state="open",
        severity=90.0,
        title="high",
        opened_by=series,
        touched=(touched,),
    )


def test_what_came_twice_and_what_nobody_was_told_of_are_counted() -> None:
    one, later = incident("a", (0, 5)), incident("a", (60, 65), "j")
    told = notice_of("opened", one)
    inside, outside = ("a", format_instant(START)), ("b", format_instant(START))

    assert alerts_wrong([told], [one], [inside], 3600) == (0, 0)
    assert alerts_wrong([told, told], [one], [inside], 3600) == (1, 0)
    assert alerts_wrong([], [one], [inside], 3600) == (0, 1)
    assert alerts_wrong([told], [one], [inside, outside], 3600) == (0, 1)
    assert alerts_wrong([told], [one, later], [inside], 3601) == (0, 0)
    assert alerts_wrong([told], [one, later], [inside], 3600) == (0, 1)
