"""What AWS IoT takes of one MQTT connection: what its policies allow, so many a second, so long.

Quotas: https://docs.aws.amazon.com/general/latest/gr/iot-core.html (message broker).
"""

import logging
import re
import time
from collections.abc import Callable
from typing import Any

from localcloud.seams import iot

PUBLISHES_PER_SECOND = 100
MAX_PAYLOAD_BYTES = 128 * 1024
MAX_SLASHES = 7
BASIC_INGEST = re.compile(r"\$aws/rules/[^/]+/?")
"""What names a rule before a topic; the quotas of topics do not count it."""

logger = logging.getLogger(__name__)


class Allowance:
    """Publishes that a connection may still make; they come back at the rate of the quota."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left = float(PUBLISHES_PER_SECOND)
        self._at = clock()

    def take(self) -> bool:
        """Use one, and tell whether there was one."""
        now = self._clock()
        self._left = min(PUBLISHES_PER_SECOND, self._left + (now - self._at) * PUBLISHES_PER_SECOND)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class LimitedSession(iot.Session):  # type: ignore[misc]  # ministack is not typed
    """A connection with AWS's quotas, held to the policies of its certificate."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._allowance = Allowance()

    def _evaluates_policies(self) -> bool:
        """Tell ministack to ask the policies: without this it does so only where it checks signatures too."""
        return self.certificate_id is not None

    async def handle_packet(self, pkt_type: int, flags: int, body: bytes) -> bool:
        """Handle a packet; a publish beyond the rate is discarded, without an acknowledgement."""
        if pkt_type == iot.PKT_PUBLISH:
            if len(body) - 2 - int.from_bytes(body[:2], "big") > MAX_PAYLOAD_BYTES:
                logger.warning("MQTT: a payload of more than %d bytes: disconnected", MAX_PAYLOAD_BYTES)
                return False
            if not self._allowance.take():
                logger.warning(
                    "MQTT: more than %d publishes a second on a connection: discarded, as AWS IoT does",
                    PUBLISHES_PER_SECOND,
                )
                return True
        handled: bool = await super().handle_packet(pkt_type, flags, body)
        return handled


def publishable(is_topic: Callable[[str], bool], topic: str) -> bool:
    """Tell whether AWS takes a publish to a topic; what it does not take ends the connection.

    Parameters
    ----------
    is_topic
        What ministack says of a topic without the part that names a rule.
    """
    rest = BASIC_INGEST.sub("", topic, count=1) if topic.startswith("$aws/rules/") else topic
    if rest.count("/") > MAX_SLASHES:
        logger.warning("MQTT: a topic with more than %d slashes: %s", MAX_SLASHES, topic)
        return False
    return bool(topic) and (not rest or is_topic(rest))
