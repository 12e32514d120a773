"""Publishing over MQTT as AWS IoT takes it: so many a second and connection, again until acknowledged."""

from __future__ import annotations

import itertools
import ssl
import threading
import time
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from cli.device import Broker, Identity
from cli.failures import StepFailedError

CONNECTIONS = 16
"""Of one device: IoT takes `LIMIT_PER_SECOND` from each."""
LIMIT_PER_SECOND = 100
"""Publishes a second and connection; IoT discards what is beyond, and does not raise this quota."""
PUBLISHES_PER_SECOND = 0.8 * LIMIT_PER_SECOND
IN_FLIGHT = 100
"""Messages that may wait for their acknowledgement; AWS IoT allows a connection 100."""
CONNECT_SECONDS = 30.0
"""A policy that was just attached takes a while to be known."""
RECONNECT_SECONDS = 4
"""Longest pause between two attempts to connect again."""
TRY_SECONDS = 5.0
RESEND_SECONDS = 10.0
ACKNOWLEDGE_SECONDS = 60.0


class Publisher:
    """Publishes with QoS 1 over several connections, which overtake each other.

    So what is on its way at any time is of one span of event time, not longer than the lateness that the
    workload allows: no reading comes too late.
    """

    def __init__(
        self,
        broker: Broker,
        identity: Identity,
        lateness: timedelta,
        connections: int = CONNECTIONS,
        *,
        patience_seconds: float = ACKNOWLEDGE_SECONDS,
    ) -> None:
        self._lateness = lateness
        self._oldest: datetime | None = None
        self._connections = [
            _Connection(broker, identity, number, patience_seconds) for number in range(connections)
        ]
        self._turns = itertools.cycle(self._connections)
        self._open = ExitStack()

    def __enter__(self) -> Publisher:
        """Connect; `StepFailedError` when the broker does not take the certificate in time."""
        with ExitStack() as opening:
            for connection in self._connections:
                connection.open()
                opening.callback(connection.close)
            self._open = opening.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        """Disconnect."""
        self._open.close()

    def publish(self, topic: str, payload: bytes, event_time: datetime) -> None:
        """Hand a message over; blocks while its connection may send no more, or older ones are on their way.

        Raises
        ------
        StepFailedError
            If no acknowledgement comes in time.
        """
        if self._oldest is not None and event_time - self._oldest > self._lateness:
            self.drain()
        self._oldest = self._oldest or event_time
        next(self._turns).publish(topic, payload)

    def drain(self) -> None:
        """Wait until every message is acknowledged; see `publish`."""
        for connection in self._connections:
            connection.wait_until(0)
        self._oldest = None


@dataclass(frozen=True)
class _Sent:
    """A message on its way."""

    topic: str
    payload: bytes
    info: mqtt.MQTTMessageInfo

    def acknowledged(self) -> bool:
        """Wait for the broker's acknowledgement as long as is usual, and tell whether it came."""
        try:
            self.info.wait_for_publish(RESEND_SECONDS)
            return self.info.is_published()
        except RuntimeError:  # it was handed over while the connection was broken
            return False


class _Connection:
    """One connection, its pace, and what is not acknowledged yet."""

    def __init__(self, broker: Broker, identity: Identity, number: int, patience_seconds: float) -> None:
        self._broker = broker
        self._patience_seconds = patience_seconds
        self._answered = threading.Event()
        self._refused: str | None = None
        self._sendable_at = 0.0
        self._pending: deque[_Sent] = deque()
        self._broken = threading.Event()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=f"{identity.name}-{number}", clean_session=False
        )
        self._client.max_inflight_messages_set(IN_FLIGHT)
        self._client.reconnect_delay_set(max_delay=RECONNECT_SECONDS)
        self._client.tls_set(
            ca_certs=str(broker.ca_file),
            certfile=str(identity.certificate_file),
            keyfile=str(identity.key_file),
            cert_reqs=ssl.CERT_REQUIRED,
        )
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = lambda *_: self._broken.set()

    def open(self) -> None:
        """Connect, again while the broker does not know the certificate's policy yet."""
        deadline = time.monotonic() + CONNECT_SECONDS
        while not self._accepted():
            if time.monotonic() > deadline:
                raise StepFailedError(
                    f"MQTT broker {self._broker.host}:{self._broker.port} did not accept the device: "
                    f"{self._refused or 'no answer'}"
                )
            time.sleep(0.5)

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: bytes) -> None:
        """Send a message when its turn has come; after a connection broke, behind all that were on their way.

        A client that is connecting again would send it before those, which might then come too late.
        """
        self.wait_until(IN_FLIGHT - 1)
        now = time.monotonic()
        time.sleep(max(0.0, self._sendable_at - now))
        self._sendable_at = max(now, self._sendable_at) + 1 / PUBLISHES_PER_SECOND
        while self._broken.is_set():
            self._broken.clear()
            self.wait_until(0)
        self._send(topic, payload)

    def wait_until(self, pending: int) -> None:
        """Wait until so few messages are not acknowledged, and send what is not in time again."""
        deadline = time.monotonic() + self._patience_seconds
        while len(self._pending) > pending:
            if self._pending[0].acknowledged():
                self._pending.popleft()
                deadline = time.monotonic() + self._patience_seconds
            elif time.monotonic() > deadline:
                raise StepFailedError(
                    f"the MQTT broker has acknowledged nothing for {self._patience_seconds:.0f} seconds"
                )
            elif self._client.is_connected():  # else paho sends them again itself when it is
                lost, self._pending = self._pending, deque()
                for message in lost:
                    self._send(message.topic, message.payload)
                    time.sleep(1 / PUBLISHES_PER_SECOND)
            else:
                time.sleep(1 / PUBLISHES_PER_SECOND)

    def _send(self, topic: str, payload: bytes) -> None:
        self._pending.append(_Sent(topic, payload, self._client.publish(topic, payload, qos=1)))

    def _accepted(self) -> bool:
        self._answered.clear()
        self._refused = None
        try:
            self._client.connect(self._broker.host, self._broker.port, keepalive=60)
        except OSError as error:
            self._refused = str(error)
            return False
        self._client.loop_start()
        if self._answered.wait(TRY_SECONDS) and not self._refused:
            return True
        self.close()
        return False

    def _on_connect(
        self,
        client: mqtt.Client,
        userdata: object,
        flags: object,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if code.is_failure:
            self._refused = str(code)
        self._answered.set()


class Pace:
    """Waits so that event time passes `speed` times as fast as the clock; without a speed, not at all."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._started = time.monotonic()

    def wait_for(self, elapsed_event_seconds: float) -> None:
        """Wait until it is time for an event so long after the first one."""
        if self._speed is not None:
            due = self._started + elapsed_event_seconds / self._speed
            time.sleep(max(0.0, due - time.monotonic()))
