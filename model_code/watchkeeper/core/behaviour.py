"""What is known of a device's behaviour: the names of its measures and of the fields that its records have.

The records are made by rules of AWS IoT, one of each message and of each event of a connection.
"""

from __future__ import annotations

from typing import Literal

Behaviour = Literal[
    "messages_received",
    "bytes_received",
    "connection_attempts",
    "disconnects",
    "authorization_failures",
]
"""What a device does in an interval. Device Defender Detect said `aws:num-messages-received`,
`aws:message-byte-size` (here their sum), `aws:num-connection-attempts`, `aws:num-disconnects` and
`aws:num-authorization-failures`. What the broker sends to a device is in no event."""

DEVICE = "device"
"""The dimension: the MQTT client id, which is a device's thing."""
TIMESTAMP, RECORD_ID = "at", "record_id"
"""Fields of a record: epoch milliseconds; the same for every delivery of what a rule has made once."""
