"""The simulation counts answers beside a truth that it does not send."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, cast

import pytest

from cli.demo.transaction_files import write_history
from cli.demo.transaction_report import TransactionReport, explained
from cli.simulate import Simulation, strongest_reason, summary
from watchkeeper.client import ServiceProblemError, TransactionClient
from watchkeeper.core.errors import UnavailableError
from watchkeeper.fraud.evaluation import FraudEvaluation, FraudMetrics
from watchkeeper.fraud.generator import LABEL_COLUMN, World, world_of
from watchkeeper.fraud.simulation import percentile

WORLD = World(customers=100, terminals=20, transactions_a_day=200, fraud_share=0.1)
LIMIT = 100.0


class FakeClient:
    """Flags what costs more than a limit."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.problems: list[Exception] = []
        self._lock = threading.Lock()

    def decide(self, transactions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        with self._lock:
            if self.problems:
                raise self.problems.pop()
            self.sent += map(dict, transactions)
        return [
            {
                "id": str(each["TransactionID"]),
                "flag": each["TransactionAmt"] > LIMIT,
                "pred_prob": min(1.0, each["TransactionAmt"] / 1000),
                "reasons": [{"relation": "card", "entity": each["card1"], "contribution": 0.4}],
            }
            for each in transactions
        ]


def simulated(count: int = 60) -> tuple[Simulation, FakeClient]:
    client = FakeClient()
    simulation = Simulation(cast(TransactionClient, client))
    simulation.run(islice(WORLD.stream(3), count), rate=100_000.0, clients=4)
    return simulation, client


def test_every_transaction_is_sent_once_without_its_truth() -> None:
    simulation, client = simulated()
    sent = [each.fields for each in islice(WORLD.stream(3), 60)]
    assert sorted(client.sent, key=lambda each: each["TransactionID"]) == sent
    assert all(LABEL_COLUMN not in each and "scenario" not in each for each in client.sent)
    assert simulation.report.sent == 60


def test_precision_and_recall_are_those_of_the_truth() -> None:
    simulation, _ = simulated(200)
    whole = list(islice(WORLD.stream(3), 200))
    flagged = [each for each in whole if each.fields["TransactionAmt"] > LIMIT]
    found = [each for each in flagged if each.fraud]
    frauds = [each for each in whole if each.fraud]
    assert found
    assert simulation.report.precision == len(found) / len(flagged)
    assert simulation.report.recall == len(found) / len(frauds)
    assert f"{len(frauds)} of them fraud, {len(flagged)} flagged" in summary(simulation.report)


def test_what_is_not_answered_is_counted_by_its_reason() -> None:
    client = FakeClient()
    client.problems = [
        UnavailableError("no model yet"),
        ServiceProblemError("other content", reason="conflict", status=409, errors=[], instance=""),
    ]
    simulation = Simulation(cast(TransactionClient, client))
    simulation.run(islice(WORLD.stream(), 10), rate=100_000.0, clients=1)
    assert dict(simulation.report.refused) == {"no model yet": 1, "conflict": 1}
    assert simulation.report.sent == 8


def test_the_strongest_reason_is_the_one_that_raised_most() -> None:
    reasons = [
        {"relation": "card", "entity": "c1", "contribution": 0.2},
        {"relation": "device", "entity": "d1", "contribution": 0.5},
    ]
    assert strongest_reason({"reasons": reasons}) == "device d1 (+0.500)"
    assert strongest_reason({"reasons": [{"relation": "card", "entity": "c", "contribution": -1.0}]}) == ""


@pytest.mark.parametrize(("share", "expected"), [(0.5, 2.0), (0.95, 4.0), (0.01, 1.0)])
def test_a_percentile_is_one_of_the_times(share: float, expected: float) -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], share) == expected


def test_the_history_of_a_seed_is_the_same_bytes_and_ends_before_the_simulation(tmp_path: Path) -> None:
    world = world_of(7, 0.02)
    first, second = (write_history(world, 2, tmp_path / name) for name in ("a", "b"))
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]
    last = first[0].read_text().splitlines()[-1].split(",")
    assert int(last[1]) <= next(world.stream(2)).fields["TransactionDT"]
    assert last[-1] in ("0", "1")


def test_the_report_has_models_scenarios_and_one_fraud(tmp_path: Path) -> None:
    simulation, _ = simulated(100)
    metrics = FraudMetrics(100, 10, 0.5, 0.9, 0.6, 0.5, 0.55, pr_auc_interval=(0.4, 0.6))
    evaluation = FraudEvaluation(
        "card_fraud", "run", "hash", "graph", 0.3, metrics, metrics, {"graph": metrics}, None, 500
    )
    chart = tmp_path / "curve.png"
    chart.write_bytes(b"png")
    report = TransactionReport(
        "card_fraud",
        evaluation,
        ["good <enough>"],
        [chart],
        simulation,
        [("curl", "curl 'x'")],
        [("train", 2.0)],
    )
    report.write(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "graph (serves)" in text
    assert "0.400–0.600" in text
    assert "good &lt;enough&gt;" in text
    assert "<td>ring</td>" in text
    assert '"pred_prob"' in explained(simulation)
    assert "$" not in text.replace("$TOKEN", "")
