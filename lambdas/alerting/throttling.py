"""How often one series may alert one channel: at most once in `throttle_seconds` of event time.

An anomaly that is let through claims the time around it, under its own id. The rule looks at event times
only, and to both sides, so:

- two alerts of a series and channel are never less than `throttle_seconds` apart, whatever the order;
- the same anomaly always gets the same answer, however often it comes;
- which of several anomalies close together is let through does depend on the order: the first to come.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

MAX_CLAIMS = 100
"""Claims that are remembered, the newest in event time."""


@dataclass(frozen=True)
class Claims:
    """Anomalies of one series that one channel was told of."""

    entries: tuple[tuple[int, str], ...] = ()
    """Interval start, in seconds since 1970, and anomaly id; ascending."""

    def to_json(self) -> str:
        """Return the claims as JSON."""
        return json.dumps(self.entries, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Claims:
        """Read what `to_json` returned."""
        return cls(tuple((int(at), str(anomaly_id)) for at, anomaly_id in json.loads(text)))

    def holds(self, anomaly_id: str) -> bool:
        """Tell whether the anomaly has a claim."""
        return any(claimed_by == anomaly_id for _, claimed_by in self.entries)

    def with_claim(self, anomaly_id: str, at: int, throttle_seconds: int) -> Claims:
        """Return the claims with the anomaly's, unless it has one or another one is too near."""
        if self.holds(anomaly_id) or any(abs(at - other) < throttle_seconds for other, _ in self.entries):
            return self
        return Claims(tuple(sorted((*self.entries, (at, anomaly_id)))[-MAX_CLAIMS:]))
