"""The transactions that models are measured on: a generated world, and two public sets where they are at
hand.

The Handbook's and S-FFSD come under the GPL: they are read from `$WATCHKEEPER_DATA_DIR`, and none of them
is shipped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cli.datasets import KeptFile, located
from watchkeeper.core.plan import TimestampPlan
from watchkeeper.fraud.features import category_hash
from watchkeeper.fraud.generator import LABEL_COLUMN, World
from watchkeeper.fraud.plan import FraudHistoryPlan, FraudPlan, FraudSplitPlan, LabelPlan, RelationPlan
from watchkeeper.fraud.table import Labels, TransactionTable

DAY = 86_400.0
HANDBOOK = KeptFile(
    "fraud/handbook-simulated.parquet",
    "https://github.com/Fraud-Detection-Handbook/simulated-data-raw",
    "0ab211a7f30d3f7e9e2c2d34c51cf120bd6f62e298778e04f41affdbc5c04f70",
)
SFFSD = KeptFile(
    "fraud/S-FFSD.csv.gz",
    "https://github.com/AI4Risk/antifraud",
    "bef9745e4737db50fb390b32221982da6063f52dc4f7d65af3a14d8206b192bb",
)
_WORLD_DAYS = 150
_HANDBOOK_DAYS = (70, 110)
_STEP_SECONDS = 60.0
"""S-FFSD has no clock, only an order: a step is taken for a minute, which makes it 54 days."""


@dataclass(frozen=True)
class Subject:
    """A set of transactions."""

    name: str
    title: str
    read: Callable[[int], tuple[FraudPlan, TransactionTable]]
    """Takes the seed; only a generated set depends on it."""


def generated(seed: int) -> tuple[FraudPlan, TransactionTable]:
    """Return the world of a seed: about 150,000 transactions with five relations."""
    plan = _plan(
        "generated",
        LABEL_COLUMN,
        7 * DAY,
        {
            "card": "card1",
            "device": "DeviceInfo",
            "email": "email",
            "address": "addr1",
            "terminal": "terminal",
        },
        FraudSplitPlan(),
        numeric=("dist1", "D1", "V1", "V2", "V3", "V4"),
        categorical=("ProductCD", "card4", "card6", "P_emaildomain", "DeviceType", "id_31"),
    )
    columns = pd.DataFrame(World(seed=seed).table(_WORLD_DAYS))
    times = columns["TransactionDT"].to_numpy(np.float64)
    return plan, _table(
        columns, plan, "TransactionID", times, "TransactionAmt", columns[LABEL_COLUMN].to_numpy()
    )


def handbook(_: int) -> tuple[FraudPlan, TransactionTable]:
    """Return 40 days of the Handbook's simulated transactions, about 380,000."""
    columns = pd.read_parquet(located(HANDBOOK))
    times = columns["tx_datetime"].astype("datetime64[s]").astype("int64").to_numpy(np.float64)
    day = (times - times.min()) // DAY
    chosen = (day >= _HANDBOOK_DAYS[0]) & (day < _HANDBOOK_DAYS[1])
    columns, times = columns[chosen].reset_index(drop=True), times[chosen]
    relations = {"customer": "customer_id", "terminal": "terminal_id"}
    plan = _plan("handbook", "tx_fraud", 7 * DAY, relations, FraudSplitPlan(0.5, 0.25))
    return plan, _table(columns, plan, "transaction_id", times, "tx_amount", columns["tx_fraud"].to_numpy())


def sffsd(_: int) -> tuple[FraudPlan, TransactionTable]:
    """Return S-FFSD: 77,881 transactions, three fifths of them without a label."""
    columns = pd.read_csv(located(SFFSD))
    columns["id"] = [f"{number:06d}" for number in range(len(columns))]
    relations = {"source": "Source", "target": "Target", "location": "Location", "type": "Type"}
    categorical = ("Location", "Type")
    plan = _plan("sffsd", "Labels", DAY, relations, FraudSplitPlan(0.6, 0.2), categorical=categorical)
    times = columns["Time"].to_numpy(np.float64) * _STEP_SECONDS
    return plan, _table(columns, plan, "id", times, "Amount", columns["Labels"].to_numpy())


SUBJECTS = (
    Subject("generated", "Generated world", generated),
    Subject("handbook", "Handbook, simulated", handbook),
    Subject("sffsd", "S-FFSD", sffsd),
)


def _plan(
    name: str,
    label: str,
    delay: float,
    relations: dict[str, str],
    split: FraudSplitPlan,
    numeric: tuple[str, ...] = (),
    categorical: tuple[str, ...] = (),
) -> FraudPlan:
    return FraudPlan(
        workload=name,
        id_field="id",
        timestamp=TimestampPlan("time", "epoch_seconds"),
        amount_field="amount",
        label=LabelPlan(label, delay_seconds=delay),
        relations=tuple(RelationPlan(relation, (column,)) for relation, column in relations.items()),
        numeric=numeric,
        categorical=categorical,
        history=FraudHistoryPlan(split=split),
    )


def _table(
    columns: pd.DataFrame,
    plan: FraudPlan,
    id_column: str,
    times: NDArray[np.float64],
    amount_column: str,
    labels: NDArray[Any],
) -> TransactionTable:
    """Return columns as the table that the processing job makes of them."""
    n = len(columns)
    verdicts = np.select([labels == 1, labels == 0], [1, -1], 0).astype(np.int8)
    return TransactionTable(
        ids=columns[id_column].astype(str).to_numpy(dtype=np.str_),
        times=times,
        amounts=columns[amount_column].to_numpy(np.float64),
        numeric=columns[list(plan.numeric)].to_numpy(np.float64).reshape(n, len(plan.numeric)),
        categorical=np.column_stack(
            [np.empty((n, 0)), *(_hashes(columns[name]) for name in plan.categorical)]
        ),
        entities=[_codes(columns[relation.columns[0]]) for relation in plan.relations],
        labels=Labels(verdicts, times + plan.label.delay_seconds),
    )


def _hashes(column: pd.Series[Any]) -> NDArray[np.float64]:
    codes, values = pd.factorize(column)
    hashes = [category_hash(str(value) if value != "" else None) for value in values]
    return np.asarray(np.array(hashes)[codes], np.float64)


def _codes(column: pd.Series[Any]) -> NDArray[np.int64]:
    codes, _ = pd.factorize(column.replace("", None))
    return np.asarray(codes, np.int64)
