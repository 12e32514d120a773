"""What a fraud spec means, for the tables of three public data sets as they are; what a wrong one says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from watchkeeper.core.plan import AlertRoute, TimestampPlan
from watchkeeper.fraud.plan import FraudPlan, FraudThresholdPlan, LabelPlan, RelationPlan, TableFilesPlan
from watchkeeper.fraud.transaction import read_label, read_transaction
from watchkeeper.spec import FraudWorkload, Problem, load_workload

HANDBOOK = """\
name: handbook
kind: fraud
transactions:
  id: transaction_id
  time: {field: tx_datetime}
  amount: tx_amount
  label: {field: tx_fraud, delay: 7d}
relations:
  - {name: customer, columns: [customer_id]}
  - {name: terminal, columns: [terminal_id]}
"""

S_FFSD = """\
name: s_ffsd
kind: fraud
transactions:
  id: Time
  time: {field: Time, origin: 2020-01-01}
  amount: Amount
  label: {field: Labels, delay: 1h}
features: {categorical: [Location, Type]}
relations:
  - {name: source, columns: [Source]}
  - {name: target, columns: [Target]}
"""

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guides" / "fraud.md"
IEEE_CIS = GUIDE.read_text().partition("```yaml\n")[2].partition("```")[0]

Planned = Callable[..., FraudPlan]


def spec_of(folder: Path, text: str) -> FraudWorkload:
    path = folder / f"{text.partition(chr(10))[0].removeprefix('name: ')}.yaml"
    path.write_text(text)
    spec = load_workload(path)
    assert isinstance(spec, FraudWorkload)
    return spec


@pytest.fixture
def plan(tmp_path: Path) -> Planned:
    return lambda text, more="": spec_of(tmp_path, text + more).plan()


def test_a_short_spec_has_the_defaults_of_the_reference_and_no_graph_database(plan: Planned) -> None:
    found = plan(HANDBOOK)

    assert found.label == LabelPlan("tx_fraud", ("1",), ("0",), 7 * 86_400.0)
    assert found.relations[1] == RelationPlan("terminal", ("terminal_id",))
    assert (found.neighbours, found.store, found.threshold.rule) == (8, "dynamodb", "f1")
    assert found.hyperparameters == {
        "embedding_size": 64,
        "n_layers": 2,
        "n_epochs": 10,
        "optimizer": "adam",
        "lr": 0.01,
        "batch_size": 1024,
        "dropout": 0.2,
        "n_trees": 400,
        "tree_lr": 0.05,
        "n_leaves": 31,
        "least_leaf": 50,
        "seed": 0,
    }
    assert found.history.files == TableFilesPlan("*", None, None)
    assert FraudPlan.from_json(found.to_json()) == found


def test_the_tables_of_ieee_cis_are_taken_as_they_are(plan: Planned) -> None:
    found = plan(IEEE_CIS)

    assert len(found.numeric) == 2 + 14 + 15 + 339 + 11
    assert found.numeric[-2:] == ("id_10", "id_11"), "with the zeros that the first number has"
    assert found.categorical[-2:] == ("id_38", "DeviceType")
    assert found.history.files == TableFilesPlan("*transaction*", "*identity*", "TransactionID")
    row = {"TransactionID": "2987000", "TransactionDT": "86400", "TransactionAmt": "68.5", "isFraud": "0"}
    more = {"card1": "13926", "card2": "", "addr1": "315.0", "P_emaildomain": "gmail.com", "C1": "1.0"}
    read = read_transaction(row | more, found)
    assert read.time == 1_512_172_800.0, "2017-12-02, counted from the origin"
    assert read.entities == {"account": "13926|315|gmail.com", "address": "315"}, "no card: card2 is empty"
    assert read_label(row, found) is False


def test_a_label_of_neither_list_is_not_known(plan: Planned) -> None:
    found = plan(S_FFSD)

    assert [read_label({"Labels": value}, found) for value in ("0", "1", "2", "")] == [
        False,
        True,
        None,
        None,
    ]
    row = {"Time": "30", "Source": "S1", "Target": "T1", "Amount": "3", "Location": "L1", "Type": "TP1"}
    assert read_transaction(row, found).id == "30"
    assert read_transaction(row, found).time == 1_577_836_830.0


def test_every_key_reaches_the_plan(plan: Planned, tmp_path: Path) -> None:
    more = """\
graph: {neighbours: 4, least_entities: 10, store: dynamodb}
split: {train: 0.6, validation: 0.2}
processing: {worker_type: G.2X, workers: 4, timeout: 30m}
model: {hyperparameters: {n_epochs: 3, lr: 0.001}}
threshold: {rule: alert_budget, per_day: 50}
gate: {beat_champion: false, tolerance: 0.05, min_pr_auc: 0.2}
alerts: {throttle: 5m, routes: [{channel: fraud, severity_at_least: 90}]}
readers: [bank]
"""
    found = plan(HANDBOOK, more)

    assert (found.neighbours, found.least_entities, found.store) == (4, 10, "dynamodb")
    assert (found.history.split.train, found.history.split.validation) == (0.6, 0.2)
    assert found.threshold == FraudThresholdPlan("alert_budget", alerts_per_day=50)
    assert (found.gate.beat_champion, found.gate.min_pr_auc) == (False, 0.2)
    assert found.alerts.routes == (AlertRoute("fraud", 90.0),)
    assert found.readers == ("bank",)
    assert found.timestamp == TimestampPlan("tx_datetime", "iso8601")
    spec = spec_of(tmp_path, HANDBOOK + more)
    assert spec.processing.workers == 4
    costs = plan(HANDBOOK, "threshold: {rule: cost, false_alarm: 5}")
    assert costs.threshold == FraudThresholdPlan("cost", cost_of_miss=None, cost_of_alarm=5)


@pytest.mark.parametrize(
    ("old", "new", "key", "message"),
    [
        ("delay: 7d", "", "transactions.label.delay", "is missing: How long after the transaction"),
        ("tx_fraud, delay", "tx_fraud, legitimate: [1], delay", "transactions.label.legitimate", "2 times"),
        (
            "{field: tx_datetime}",
            "{field: tx_datetime, origin: long ago}",
            "transactions.time.origin",
            "such as 2017-12-01",
        ),
        (
            "{field: tx_datetime}",
            "{field: t, origin: 2017-12-01, format: iso8601}",
            "transactions.time.format",
            "must be a number's format beside origin",
        ),
        (
            "relations:",
            "features: {numeric: [C*]}\nrelations:",
            "features.numeric",
            "write a range such as C1-C14",
        ),
        (
            "relations:",
            "features: {numeric: [C9-C1]}\nrelations:",
            "features.numeric",
            "from a smaller number to a larger",
        ),
        (
            "relations:",
            "features: {numeric: [a], categorical: [a]}\nrelations:",
            "features.categorical",
            "'a' is there 2 times",
        ),
        ("relations:", "features: {numeric: [tx_fraud]}\nrelations:", "features", "is the label"),
        ("relations:", "identities: {files: b, key: id}\nrelations:", "identities", "must say which files"),
        ("name: terminal", "name: customer", "relations", "the name 'customer' is there 2 times"),
        ("[terminal_id]", "[customer_id]", "relations", "relation's columns"),
        ("[terminal_id]", "[tx_fraud]", "relations", "no entity"),
        ("relations:", "graph: {store: neo4j}\nrelations:", "graph.store", "must be 'dynamodb' or 'neptune'"),
        ("relations:", "graph: {store: neptune}\nrelations:", "graph.store", "neptune is not available yet"),
        (
            "relations:",
            "graph: {capacity: {least: 2}}\nrelations:",
            "graph.capacity",
            "must be left out beside store dynamodb",
        ),
        ("relations:", "graph: {neighbors: 3}\nrelations:", "graph.neighbors", "did you mean neighbours?"),
        ("relations:", "split: {train: 0.9}\nrelations:", "split.validation", "must leave"),
        (
            "relations:",
            "threshold: {rule: alert_budget}\nrelations:",
            "threshold.per_day",
            "is missing: Flagged transactions",
        ),
        ("relations:", "threshold: {rule: budget}\nrelations:", "threshold.rule", "must be one of f1"),
        (
            "relations:",
            "model: {hyperparameters: {optimizer: adm}}\nrelations:",
            "model.hyperparameters.optimizer",
            "did you mean adam?",
        ),
        ("relations:", "processing: {timeout: 30d}\nrelations:", "processing.timeout", "from 1m to 7d"),
        ("relations:", "source: {topic: a}\nrelations:", "source", "unknown key"),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(
    problems: Callable[[str], list[Problem]], old: str, new: str, key: str, message: str
) -> None:
    assert HANDBOOK.count(old) == 1
    found = problems(HANDBOOK.replace(old, new).replace("name: handbook", "name: press"))

    assert [problem.key for problem in found] == [key], found
    assert message in found[0].message
