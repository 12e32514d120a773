"""How long telemetry waits before it is an object: the delivery stream that a workload's freshness asks for.

Amazon Data Firehose partitions by what is in a record (as the stream does that all workloads share) only
with a buffer of a minute or more, and may take half as long again. A workload that cannot wait so long has
a stream of its own, which needs no partitions.
https://docs.aws.amazon.com/firehose/latest/dev/buffering.html and buffering-hints.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

PARTITIONED_SECONDS = 60
"""The shortest buffer that Firehose allows a stream with dynamic partitioning."""
PARTITIONED_STRETCH = 1.5
"""Such a stream may take so many times its buffer."""
SHARED_FROM = timedelta(seconds=PARTITIONED_STRETCH * PARTITIONED_SECONDS)
"""A workload that may wait so long shares the partitioned stream."""
LONGEST = timedelta(seconds=900)
"""Firehose buffers no longer."""


@dataclass(frozen=True)
class Delivery:
    """The buffering of the delivery stream that takes a workload's telemetry."""

    buffer_seconds: int
    partitioned: bool
    """Whether it is the stream that workloads share."""

    @classmethod
    def within(cls, freshness: timedelta) -> Delivery:
        """Return how a workload is delivered that may wait so long.

        Examples
        --------
        >>> Delivery.within(timedelta(minutes=5))
        Delivery(buffer_seconds=60, partitioned=True)
        >>> Delivery.within(timedelta(seconds=5))
        Delivery(buffer_seconds=5, partitioned=False)
        """
        if freshness >= SHARED_FROM:
            return cls(PARTITIONED_SECONDS, partitioned=True)
        return cls.alone(freshness)

    @classmethod
    def alone(cls, freshness: timedelta) -> Delivery:
        """Return how a workload is delivered that has a stream of its own."""
        return cls(int(freshness.total_seconds()), partitioned=False)

    @property
    def longest_seconds(self) -> float:
        """How long a record waits at most; without a buffer Firehose says "within a few seconds"."""
        return self.buffer_seconds * (PARTITIONED_STRETCH if self.partitioned else 1)
