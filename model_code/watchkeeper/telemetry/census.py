"""How many series a workload has, and values each dimension: a part of an evaluation and of a release."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from watchkeeper.telemetry.series import parse_series_key

MOST_BYTES = 50_000
"""Of keys that are listed: a release is one item of a table, and read by every function that judges."""


@dataclass(frozen=True)
class Census:
    """What training has seen of a workload's series."""

    measures: dict[str, int] = field(default_factory=dict)
    """Series by measure; none where nothing is known."""
    dimensions: dict[str, int] = field(default_factory=dict)
    """Values by dimension."""
    series: tuple[str, ...] = ()
    """All keys, by name; none where they are more than 50 KB."""


def census_of(series: Collection[str]) -> Census:
    """Return the census of series keys.

    Examples
    --------
    >>> census_of(["no2|station=a", "no2|station=b"]).dimensions
    {'station': 2}
    """
    measures: Counter[str] = Counter()
    values: dict[str, set[str]] = defaultdict(set)
    names = sorted(series)
    for name in names:
        key = parse_series_key(name)
        measures[key.measure] += 1
        for dimension, value in key.dimensions:
            values[dimension].add(value)
    listed = names if sum(len(name.encode()) for name in names) <= MOST_BYTES else []
    return Census(
        dict(sorted(measures.items())),
        {dimension: len(of_dimension) for dimension, of_dimension in sorted(values.items())},
        tuple(listed),
    )
