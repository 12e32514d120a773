"""What is where in a transaction's feature vector. No numpy: the workflow's functions compare schemas."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from watchkeeper.core.layout import short_hash
from watchkeeper.fraud.plan import FraudPlan

ROW_FEATURES = ("log_amount", "hour_sin", "hour_cos", "weekday_sin", "weekday_cos")
"""First of the vector; the amount comes first, for neighbours tell theirs by it."""


@dataclass(frozen=True)
class FeatureSchema:
    """What is where in a vector."""

    names: tuple[str, ...]
    numeric: slice
    categorical: slice
    """Hashes of categories (`category_hash`), NaN where there is none."""
    as_of: tuple[slice, ...]
    """Of each relation, in the plan's order; first in each is its count, NaN without an entity."""

    @property
    def n_row(self) -> int:
        """How many features come from the row alone: the first ones."""
        return len(ROW_FEATURES) + len(self.names[self.numeric]) + len(self.names[self.categorical])

    @property
    def hash(self) -> str:
        """What tells one schema from another: 16 hexadecimal characters."""
        return short_hash("\n".join(self.names))


@cache
def gap_positions(neighbours: int) -> tuple[int, ...]:
    """Return which of the K latest have a gap of their own in the vector, from 0: 1st, 2nd, 4th, 8th, …"""
    return tuple(2**power - 1 for power in range(neighbours.bit_length()) if 2**power <= neighbours)


def schema_of(plan: FraudPlan) -> FeatureSchema:
    """Return the schema of a plan's vectors."""
    per_relation = [
        "log_count",
        "log_labelled",
        "fraud_share",
        "log_since_fraud",
        "amount_difference",
        *(f"log_gap_{position + 1}" for position in gap_positions(plan.neighbours)),
    ]
    first_numeric = len(ROW_FEATURES)
    first_category = first_numeric + len(plan.numeric)
    n_row, width = first_category + len(plan.categorical), len(per_relation)
    return FeatureSchema(
        names=(
            *ROW_FEATURES,
            *plan.numeric,
            *plan.categorical,
            *(f"{relation.name}.{name}" for relation in plan.relations for name in per_relation),
        ),
        numeric=slice(first_numeric, first_category),
        categorical=slice(first_category, n_row),
        as_of=tuple(slice(n_row + at * width, n_row + (at + 1) * width) for at in range(len(plan.relations))),
    )
