"""What is known of a device's behaviour: the names of its measures and of the fields that its records have.

The records are made by rules of AWS IoT, one of each message and of each event of a connection.
"""

from __future__ import annotations

from typing import Literal

Behaviour = Literal[
    "messages_sent",
    "bytes_sent",
    "messages_received",
    "bytes_received",
    "connection_attempts",
    "disconnects",
    "authorization_failures",
    "source_addresses",
]
"""What a device does in an interval. Device Defender Detect said `aws:num-messages-sent`,
`aws:message-byte-size` (here their sum), `aws:num-messages-received`, `aws:num-connection-attempts`,
`aws:num-disconnects`, `aws:num-authorization-failures` and `aws:source-ip-address` (here, how many)."""

COUNTED_ONCE: frozenset[Behaviour] = frozenset({"source_addresses"})
"""Behaviours that are the number of different values; the others are sums."""

DEVICE = "device"
"""The dimension: the MQTT client id, which is a device's thing."""
TIMESTAMP, RECORD_ID = "at", "record_id"
"""Fields of a record: epoch milliseconds; the same for every delivery of what a rule has made once."""
