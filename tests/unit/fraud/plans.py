"""A small fraud plan, and transactions by a rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from watchkeeper.core.plan import TimestampPlan
from watchkeeper.fraud.plan import FraudPlan, LabelPlan, RelationPlan

PLAN = FraudPlan(
    workload="cards",
    id_field="id",
    timestamp=TimestampPlan("at", "epoch_seconds"),
    amount_field="amount",
    label=LabelPlan("fraud", delay_seconds=100.0),
    relations=(RelationPlan("card", ("card", "issuer")), RelationPlan("device", ("device",))),
    numeric=("distance",),
    categorical=("product",),
    neighbours=4,
)


def row(**fields: Any) -> dict[str, Any]:
    """Return the fields of a transaction; `fields` replaces some, and None removes one."""
    whole = {
        "id": "t1",
        "at": 1000,
        "amount": 12.5,
        "card": "c1",
        "issuer": "i1",
        "device": "d1",
        "distance": 3.0,
        "product": "W",
        **fields,
    }
    return {name: value for name, value in whole.items() if value is not None}


def random_rows(n: int, seed: int) -> list[dict[str, Any]]:
    """Return rows with ties in time, gaps, entities of every size, and labels of all three kinds."""
    random = np.random.default_rng(seed)
    times = random.integers(0, 3 * n, n)
    return [
        row(
            id=f"t{number}",
            at=int(times[number]),
            amount=float(random.gamma(2.0, 20.0)),
            card=f"c{int(random.integers(0, 6) ** 2)}",
            device=f"d{int(random.integers(0, n))}" if random.random() < 0.7 else None,
            distance=float(random.normal()) if random.random() < 0.8 else None,
            product=str(random.choice(["W", "H", "C"])) if random.random() < 0.9 else None,
            fraud=str(random.choice(["0", "1", "2"], p=[0.6, 0.2, 0.2])),
        )
        for number in range(n)
    ]
