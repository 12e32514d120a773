"""The type of a fraud workload's spec: each transaction of a table is judged by those that it shares entities
with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import TimestampPlan
from watchkeeper.core.timestamps import epoch_seconds, parse_instant
from watchkeeper.fraud.plan import (
    FraudGatePlan,
    FraudHistoryPlan,
    FraudPlan,
    FraudSplitPlan,
    FraudThresholdPlan,
    LabelPlan,
    RelationPlan,
    TableFilesPlan,
)
from watchkeeper.spec.alerting import Alerts
from watchkeeper.spec.deployment import Endpoint, Training
from watchkeeper.spec.fields import Duration, Name, Tenant, TimestampFormat, TimeZone, WorkloadName
from watchkeeper.spec.history import HistoryFiles, Window, leaves_a_test_part
from watchkeeper.spec.section import Section, refuse_repeats
from watchkeeper.spec.table import MAX_COLUMNS, ColumnName

MOST_RELATIONS = 8
"""Reasons are exact shares over all sets of relations."""
_RANGE = re.compile(r"(.*?)(\d+)-(.*?)(\d+)")
_EVERY_HISTORY = "*"


def _category(value: object) -> object:
    """Read a value of a column as the table's text says it: 1 is the text 1."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Category = Annotated[
    str, BeforeValidator(_category), WithJsonSchema({"type": ["string", "integer"]}), Field(min_length=1)
]


def expanded(columns: Sequence[str]) -> list[str]:
    """Write ranges of columns out: `V1-V339`, and `id_01-id_38` with as many digits as the first has.

    Examples
    --------
    >>> expanded(["amount", "C1-C3", "id_09-id_11"])
    ['amount', 'C1', 'C2', 'C3', 'id_09', 'id_10', 'id_11']
    """
    return [name for column in columns for name in _names(column)]


def _names(column: str) -> Iterator[str]:
    if "*" in column or "?" in column:
        raise ValueError(
            f"{column!r}: a pattern does not say which columns a request has; write a range such as C1-C14"
        )
    found = _RANGE.fullmatch(column)
    if found is None or found[1] != found[3]:
        yield column
        return
    first, last = int(found[2]), int(found[4])
    if not first < last or last - first >= MAX_COLUMNS:
        raise ValueError(
            f"{column!r}: a range goes from a smaller number to a larger, at most {MAX_COLUMNS} columns"
        )
    for number in range(first, last + 1):
        yield f"{found[1]}{number:0{len(found[2])}d}"


class EventTime(Section):
    """Where a transaction's time is and how it is written."""

    field: ColumnName
    """Column of the transactions."""
    origin: str | None = None
    """Instant (ISO 8601) from which the column counts seconds; without it, the format says what is there."""
    format: TimestampFormat = Field(
        default_factory=lambda validated: "epoch_seconds" if validated.get("origin") else "iso8601"
    )
    """iso8601, epoch_seconds, epoch_milliseconds, or a strptime format."""
    timezone: TimeZone = "UTC"
    """IANA zone of times that carry none."""

    @field_validator("origin", mode="before")
    @classmethod
    def _is_an_instant(cls, origin: object) -> object:
        # YAML reads 2017-12-01 as a date
        text = origin.isoformat() if hasattr(origin, "isoformat") else origin
        if isinstance(text, str):
            try:
                parse_instant(text)
            except InvalidInputError as error:
                raise ValueError("must be an instant such as 2017-12-01 or 2017-12-01T00:00:00Z") from error
        return text

    @field_validator("format")
    @classmethod
    def _counts_from_the_origin(cls, name: str, info: ValidationInfo) -> str:
        if info.data.get("origin") is not None and not name.startswith("epoch_"):
            raise ValueError("must be a number's format beside origin, such as epoch_seconds")
        return name

    @property
    def origin_seconds(self) -> int:
        """What a time of the column is counted from, in seconds since 1970."""
        return 0 if self.origin is None else epoch_seconds(parse_instant(self.origin))


class Label(Section):
    """What is known of a transaction later: whether it was fraud."""

    field: ColumnName
    """Column of the transactions. A value that is in neither list, or none, is: not known."""
    fraud: list[Category] = Field(default=["1"], min_length=1, max_length=20)
    """Values of a fraud."""
    legitimate: list[Category] = Field(default=["0"], max_length=20)
    """Values of a legitimate transaction."""
    delay: Duration
    """How long after the transaction its label is known: until then, no feature sees it."""

    @field_validator("legitimate")
    @classmethod
    def _are_others(cls, legitimate: list[str], info: ValidationInfo) -> list[str]:
        refuse_repeats([*info.data.get("fraud", []), *legitimate], "value")
        return legitimate


class Transactions(HistoryFiles):
    """The table of transactions: files under `history/NAME/`."""

    files: str = Field(default=_EVERY_HISTORY, min_length=1, max_length=128)
    """Names of its files, such as train_transaction.csv or *transaction*; CSV with a header, or Parquet."""
    id: ColumnName
    """Column that identifies a transaction."""
    time: EventTime
    """Where its time is and how it is written."""
    amount: ColumnName
    """Column of its amount, 0 or more."""
    label: Label
    """Where it stands whether it was fraud."""
    window: Window = None
    """How much of the newest history is read; without a value, all of it."""


class Identities(Section):
    """A second table with more columns of some transactions."""

    files: str = Field(min_length=1, max_length=128)
    """Names of its files, such as *identity*."""
    key: ColumnName
    """Column with the transaction's id."""


class TransactionFeatures(Section):
    """Columns of both tables that say something of a transaction by itself."""

    numeric: list[ColumnName] = Field(default_factory=list, max_length=MAX_COLUMNS)
    """Columns of numbers; V1-V339 is a range. A cell may be empty."""
    categorical: list[ColumnName] = Field(default_factory=list, max_length=MAX_COLUMNS)
    """Columns of categories. A value that training has not seen is one of all such."""

    @field_validator("numeric", "categorical")
    @classmethod
    def _are_written_out(cls, columns: list[str]) -> list[str]:
        names = expanded(columns)
        if len(names) > MAX_COLUMNS:
            raise ValueError(f"are {len(names)} columns, at most {MAX_COLUMNS} are possible")
        return names

    @field_validator("categorical")
    @classmethod
    def _are_named_once(cls, categorical: list[str], info: ValidationInfo) -> list[str]:
        refuse_repeats([*info.data.get("numeric", []), *categorical], "column")
        return categorical


class Relation(Section):
    """Transactions with the same value share an entity: a card, a device, an address."""

    name: Name
    """What the entity is."""
    columns: list[ColumnName] = Field(
        default_factory=lambda validated: [str(validated.get("name"))], min_length=1, max_length=8
    )
    """Column whose value the entity is, or several that are one together; without them, the name's. Where one
    is empty, the transaction has no such entity."""

    @field_validator("columns")
    @classmethod
    def _differ(cls, columns: list[str]) -> list[str]:
        refuse_repeats(columns, "column")
        return columns


class Capacity(Section):
    """Of Neptune Serverless, in NCU (2 GB of memory each)."""

    least: float = Field(default=1.0, ge=1, le=128, multiple_of=0.5)
    """Paid for every hour, also without a request."""
    most: float = Field(default=8.0, ge=2.5, le=128, multiple_of=0.5)
    """What a load may grow to."""

    @field_validator("most")
    @classmethod
    def _is_not_less(cls, most: float, info: ValidationInfo) -> float:
        if most < info.data.get("least", most):
            raise ValueError("must be at least what least says")
        return most


class Graph(Section):
    """What is looked at around a transaction, and where it is kept."""

    neighbours: int = Field(default=8, ge=1, le=32)
    """Latest earlier transactions of each entity that the model sees."""
    hops: Literal[2] = 2
    """To the entities of a transaction, and on to their other transactions."""
    least_entities: int = Field(default=100, ge=2)
    """A relation with fewer different values in the history is refused: its entities are hubs, which nearly
    every transaction shares. Such a column belongs to features.categorical."""
    store: Literal["dynamodb", "neptune"] = "dynamodb"
    """A table that costs nothing idle, or the graph database Neptune, which costs its least capacity."""

    @field_validator("store")
    @classmethod
    def _is_there(cls, store: str) -> str:
        if store == "neptune":
            raise ValueError("neptune is not available yet: say dynamodb, which keeps the same graph")
        return store

    capacity: Capacity | None = None
    """Of Neptune; without it, from 1 to 8 NCU."""

    @field_validator("capacity")
    @classmethod
    def _is_of_neptune(cls, capacity: Capacity | None, info: ValidationInfo) -> Capacity | None:
        if capacity is not None and info.data.get("store") == "dynamodb":
            raise ValueError("must be left out beside store dynamodb: it is paid by request")
        return capacity


class TransactionSplit(Section):
    """Parts of the history in time order; what is left after both is the test part."""

    train: float = Field(default=0.7, ge=0.1, le=0.9)
    """Fraction of the transactions that the models are trained on."""
    validation: float = Field(default=0.15, ge=0.02, le=0.5, validate_default=True)
    """Fraction on which the best of them is chosen and the threshold fitted."""

    _leaves_a_test_part = field_validator("validation")(leaves_a_test_part)


class Processing(Section):
    """The Glue job that makes a graph of the tables."""

    worker_type: Literal["G.1X", "G.2X", "G.4X", "G.8X"] = "G.1X"
    """Size of a worker: G.1X has 4 vCPU and 16 GB, G.2X twice as much, and so on."""
    workers: int = Field(default=2, ge=2, le=299)
    """How many; one of them leads."""
    timeout: Duration = timedelta(hours=2)
    """After so long, the job is ended and the run has failed."""

    @field_validator("timeout")
    @classmethod
    def _is_one_of_glue(cls, timeout: timedelta) -> timedelta:
        if not timedelta(minutes=1) <= timeout <= timedelta(days=7):
            raise ValueError("must be from 1m to 7d")
        return timeout

    @property
    def worker_units(self) -> int:
        """How many DPU a worker is paid as: one for each 4 vCPU."""
        return int(self.worker_type[2:-1])


class GraphHyperparameters(Section):
    """Hyperparameters of the relational graph network, then of the trees beside it."""

    embedding_size: int = Field(default=64, ge=8, le=512)
    """Width of a transaction's and an entity's embedding."""
    n_layers: Literal[2] = 2
    """Layers of the network: one a hop."""
    n_epochs: int = Field(default=10, ge=1, le=200)
    """Passes over the training part, at most."""
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    """How the weights are moved."""
    lr: float = Field(default=1e-2, gt=0, le=1)
    """Learning rate at its highest: it rises at the beginning and falls to 0."""
    batch_size: int = Field(default=1024, ge=32, le=16_384)
    """Transactions of a step."""
    dropout: float = Field(default=0.2, ge=0, lt=1)
    """Share of inputs, of neighbours and of whole relations that a step does not see."""
    n_trees: int = Field(default=400, ge=1, le=5000)
    """Trees, at most: fewer where the validation part is predicted best by fewer."""
    tree_lr: float = Field(default=0.05, gt=0, le=1)
    """How much a tree changes."""
    n_leaves: int = Field(default=31, ge=2, le=1024)
    """Of a tree, at most."""
    least_leaf: int = Field(default=50, ge=1)
    """Transactions in a leaf, at least."""
    seed: int = Field(default=0, ge=0)
    """Of weights, order and dropout."""


class GraphModel(Section):
    """The models that are trained: the graph network, gradient-boosted trees, and both together."""

    algorithm: Literal["relational_graph"] = "relational_graph"
    """Which model is trained. The report has the trees on the row alone and with as-of features beside it,
    and what is best on the validation part serves."""
    hyperparameters: GraphHyperparameters = GraphHyperparameters()
    """Settings of the network and the trees."""


class F1Threshold(Section):
    """Where precision and recall have the largest harmonic mean."""

    rule: Literal["f1"] = "f1"
    """What the threshold is fitted by."""


class AlertBudgetThreshold(Section):
    """As many flagged transactions as people can look at."""

    rule: Literal["alert_budget"]
    """What the threshold is fitted by."""
    per_day: float = Field(gt=0)
    """Flagged transactions on a mean day."""


class CostThreshold(Section):
    """What costs least."""

    rule: Literal["cost"]
    """What the threshold is fitted by."""
    miss: float | None = Field(default=None, gt=0)
    """Of a fraud that is not flagged; without it, the transaction's amount."""
    false_alarm: float = Field(gt=0)
    """Of a legitimate transaction that is flagged, in the unit of amounts."""


FraudThreshold = Annotated[
    F1Threshold | AlertBudgetThreshold | CostThreshold, Field(discriminator="rule", title="Threshold")
]


class FraudGate(Section):
    """What a model must meet before it may serve, by its PR-AUC on the test part."""

    beat_baseline: bool = True
    """Whether it must be better than the share of frauds, which is what guessing has."""
    beat_champion: bool = True
    """Whether it must not be worse than the model in service."""
    tolerance: float = Field(default=0.0, ge=0, le=1)
    """How much smaller than the champion's its PR-AUC may be, as a share of the champion's."""
    min_pr_auc: float | None = Field(default=None, ge=0, le=1)
    """Smallest PR-AUC that may serve."""


class FraudWorkload(Section):
    """A workload that judges transactions by a graph of what they share."""

    name: WorkloadName
    """The same as the file's name without .yaml."""
    kind: Literal["fraud"]
    """What the workload does."""
    description: str = ""
    """For people."""
    sample: bool = False
    """Whether it only shows what there is: a deployment into an account leaves it out unless it is named."""
    transactions: Transactions
    """The table of transactions."""
    identities: Identities | None = None
    """A second table, joined to it."""
    features: TransactionFeatures = TransactionFeatures()
    """What a transaction says by itself, beside its amount and time."""
    relations: list[Relation] = Field(min_length=1, max_length=MOST_RELATIONS)
    """Which entities transactions share. A column may also be a feature."""
    graph: Graph = Graph()
    """What is looked at around a transaction, and where it is kept."""
    split: TransactionSplit = TransactionSplit()
    """Parts of the history in time order."""
    processing: Processing = Processing()
    """The Glue job that makes a graph of the tables."""
    model: GraphModel = GraphModel()
    """What is trained."""
    threshold: FraudThreshold = F1Threshold()
    """From which probability on a transaction is flagged."""
    gate: FraudGate = FraudGate()
    """What a model must meet before it may serve."""
    training: Training = Training()
    """When and on what the model is trained."""
    endpoint: Endpoint = Endpoint()
    """What serves the model."""
    alerts: Alerts = Alerts()
    """Where flagged transactions are told; a severity is the probability times 100."""
    readers: list[Tenant] = Field(default_factory=list, max_length=100)
    """Tenants of the service that may send transactions and read decisions; by default none."""

    @field_validator("alerts")
    @classmethod
    def _choose_among_transactions(cls, alerts: Alerts) -> Alerts:
        alerts.refuse_what_is_of_incidents()
        return alerts

    @field_validator("identities")
    @classmethod
    def _are_other_files(cls, identities: Identities | None, info: ValidationInfo) -> Identities | None:
        transactions = info.data.get("transactions")
        if identities is None or transactions is None:
            return identities
        if transactions.files in (_EVERY_HISTORY, identities.files):
            raise ValueError("beside a second table, transactions.files must say which files are the first")
        return identities

    @field_validator("features")
    @classmethod
    def _leave_the_label_out(cls, features: TransactionFeatures, info: ValidationInfo) -> TransactionFeatures:
        transactions = info.data.get("transactions")
        if transactions is None:
            return features
        spent = {
            transactions.label.field: "the label: a model that sees it learns nothing else",
            transactions.amount: "the amount, which is a feature already",
            transactions.time.field: "the time, which is a feature already",
            transactions.id: "the id, which says nothing",
        }
        for column in [*features.numeric, *features.categorical]:
            if column in spent:
                raise ValueError(f"{column!r} is {spent[column]}")
        return features

    @field_validator("relations")
    @classmethod
    def _tell_entities_apart(cls, relations: list[Relation], info: ValidationInfo) -> list[Relation]:
        refuse_repeats([relation.name for relation in relations], "name")
        refuse_repeats([sorted(relation.columns) for relation in relations], "relation's columns")
        transactions = info.data.get("transactions")
        if transactions is not None:
            for relation in relations:
                for column in (transactions.label.field, transactions.id):
                    if column in relation.columns:
                        raise ValueError(f"{relation.name}: {column!r} is the label or the id: no entity")
        return relations

    @property
    def timezone(self) -> str:
        """IANA name of the zone of its source, in which people are told times."""
        return self.transactions.time.timezone

    @property
    def is_streaming(self) -> bool:
        """Never: its models are fitted."""
        return False

    def plan(self) -> FraudPlan:
        """Return what the running parts know of the workload."""
        table, time = self.transactions, self.transactions.time
        return FraudPlan(
            workload=self.name,
            id_field=table.id,
            timestamp=TimestampPlan(time.field, time.format, time.timezone),
            origin_seconds=time.origin_seconds,
            amount_field=table.amount,
            label=LabelPlan(
                table.label.field,
                tuple(table.label.fraud),
                tuple(table.label.legitimate),
                table.label.delay.total_seconds(),
            ),
            relations=tuple(RelationPlan(each.name, tuple(each.columns)) for each in self.relations),
            numeric=tuple(self.features.numeric),
            categorical=tuple(self.features.categorical),
            neighbours=self.graph.neighbours,
            least_entities=self.graph.least_entities,
            history=FraudHistoryPlan(
                files=TableFilesPlan(table.files)
                if self.identities is None
                else TableFilesPlan(table.files, self.identities.files, self.identities.key),
                dialect=table.dialect(),
                max_refused_share=table.max_refused_share,
                window_seconds=None if table.window is None else int(table.window.total_seconds()),
                split=FraudSplitPlan(**self.split.model_dump()),
            ),
            hyperparameters=self.model.hyperparameters.model_dump(),
            threshold=_threshold_plan(self.threshold),
            gate=FraudGatePlan(**self.gate.model_dump()),
            store=self.graph.store,
            alerts=self.alerts.plan(self.timezone),
            readers=tuple(self.readers),
        )


def _threshold_plan(threshold: F1Threshold | AlertBudgetThreshold | CostThreshold) -> FraudThresholdPlan:
    match threshold:
        case AlertBudgetThreshold(per_day=per_day):
            return FraudThresholdPlan("alert_budget", alerts_per_day=per_day)
        case CostThreshold(miss=miss, false_alarm=false_alarm):
            return FraudThresholdPlan("cost", cost_of_miss=miss, cost_of_alarm=false_alarm)
        case F1Threshold():
            return FraudThresholdPlan("f1")
