"""The fraud plan: what the running parts know of a workload that scores transactions on a graph."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from watchkeeper.core.documents import Document
from watchkeeper.core.plan import MAX_REFUSED_SHARE, AlertPlan, Dialect, TimestampPlan

PLAN_VERSION = 1
FRAUD: Literal["fraud"] = "fraud"

ThresholdRule = Literal["f1", "alert_budget", "cost"]
StoreKind = Literal["dynamodb", "neptune"]


@dataclass(frozen=True)
class RelationPlan:
    """One kind of entity that transactions share, such as a card or a device."""

    name: str
    columns: tuple[str, ...]
    """Columns whose values together are the entity's key; a transaction that lacks one has no such entity."""


@dataclass(frozen=True)
class LabelPlan:
    """Where the history says whether a transaction was fraud, and since when that is known."""

    field: str
    fraud: tuple[str, ...] = ("1",)
    """Values that mean fraud."""
    legitimate: tuple[str, ...] = ("0",)
    """Values that mean no fraud; with any other the label is unknown."""
    delay_seconds: float = 0.0
    """Time from a transaction until its label is known, in history."""


@dataclass(frozen=True)
class FraudSplitPlan:
    """Fractions of the history, in time order: the rest after `train` and `validation` is the test part."""

    train: float = 0.7
    validation: float = 0.15


@dataclass(frozen=True)
class FraudThresholdPlan:
    """The rule that turns probabilities on the validation time into the threshold."""

    rule: ThresholdRule = "f1"
    alerts_per_day: float | None = None
    """Most flagged transactions a day, for `alert_budget`."""
    cost_of_miss: float | None = None
    """Cost of a fraud that is not flagged, for `cost`; None: its amount."""
    cost_of_alarm: float | None = None
    """Cost of a legitimate transaction that is flagged, for `cost`."""


@dataclass(frozen=True)
class FraudGatePlan:
    """What a model must meet before it may serve; compared is PR-AUC on the test time."""

    beat_baseline: bool = True
    """Whether it must be better than the prevalence: a model that knows nothing."""
    beat_champion: bool = True
    tolerance: float = 0.0
    """How much lower than the champion's its PR-AUC may be."""
    min_pr_auc: float | None = None


@dataclass(frozen=True)
class TableFilesPlan:
    """Which files of the history are which table, by patterns of their names as a shell has them."""

    transactions: str = "*"
    identities: str | None = None
    """A second table with more columns of some transactions; None: there is none."""
    identity_key: str | None = None
    """Its column with the transaction's id."""


@dataclass(frozen=True)
class FraudHistoryPlan:
    """How history files are read and split."""

    files: TableFilesPlan = TableFilesPlan()
    dialect: Dialect = dataclasses.field(default_factory=Dialect)
    """How CSV files are written."""
    max_refused_share: float = MAX_REFUSED_SHARE
    """Share of the rows in [0, 1] that may be unusable."""
    window_seconds: int | None = None
    """How much of the newest history is read; without a value, all of it."""
    split: FraudSplitPlan = FraudSplitPlan()


@dataclass(frozen=True)
class FraudPlan(Document, name="plan"):
    """Everything that the running parts know of one fraud workload."""

    workload: str
    id_field: str
    timestamp: TimestampPlan
    amount_field: str
    label: LabelPlan
    relations: tuple[RelationPlan, ...]
    """In the order of ego rows and of the vector's as-of features."""
    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    origin_seconds: int = 0
    """What the timestamp's numbers are counted from, in seconds since 1970."""
    neighbours: int = 8
    """K: latest earlier transactions of an entity that a model sees."""
    least_entities: int = 100
    """A relation with fewer entities in the history is one of hubs, and refused."""
    history: FraudHistoryPlan = FraudHistoryPlan()
    hyperparameters: dict[str, int | float | str] = dataclasses.field(default_factory=dict)
    """Of the training job; those that are absent have its defaults."""
    threshold: FraudThresholdPlan = FraudThresholdPlan()
    gate: FraudGatePlan = FraudGatePlan()
    store: StoreKind = "dynamodb"
    alerts: AlertPlan = dataclasses.field(default_factory=AlertPlan)
    readers: tuple[str, ...] = ()
    """Tenants of the API that may send and read transactions."""
    kind: Literal["fraud"] = FRAUD
    version: int = PLAN_VERSION

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of all fields of a transaction that the plan knows, the label's excepted, each once."""
        shared = (column for relation in self.relations for column in relation.columns)
        named = (self.id_field, self.timestamp.field, self.amount_field, *self.numeric, *self.categorical)
        return tuple(dict.fromkeys((*named, *shared)))
