"""What a simulation found: the answers of the API beside the truth, which only this report knows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from watchkeeper.fraud.generator import SCENARIOS, GeneratedTransaction, Scenario


@dataclass(frozen=True)
class Answered:
    """A transaction with the API's answer."""

    transaction: GeneratedTransaction
    answer: Mapping[str, Any]
    seconds: float
    """From the request to the answer."""


@dataclass
class ScenarioCount:
    """How the frauds of a scenario, or genuine transactions, were answered."""

    sent: int = 0
    flagged: int = 0


@dataclass
class SimulationReport:
    """Counts of a simulation; two of parts add up."""

    by_scenario: dict[Scenario, ScenarioCount] = field(
        default_factory=lambda: {name: ScenarioCount() for name in SCENARIOS}
    )
    refused: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Requests without an answer, by what the API said."""

    def add(self, answered: Answered) -> None:
        """Count one answer."""
        count = self.by_scenario[answered.transaction.scenario]
        count.sent += 1
        count.flagged += bool(answered.answer["flag"])

    def refuse(self, reason: str) -> None:
        """Count a request that had none."""
        self.refused[reason] = self.refused.get(reason, 0) + 1

    @property
    def sent(self) -> int:
        """Transactions that were answered."""
        return sum(count.sent for count in self.by_scenario.values())

    @property
    def frauds(self) -> int:
        """Those of them that are fraud."""
        return self.sent - self.by_scenario["none"].sent

    @property
    def flagged(self) -> int:
        """Those that were flagged."""
        return sum(count.flagged for count in self.by_scenario.values())

    @property
    def found(self) -> int:
        """Frauds that were flagged."""
        return self.flagged - self.by_scenario["none"].flagged

    @property
    def precision(self) -> float | None:
        """Share of the flagged ones that is fraud; None where none is flagged."""
        return self.found / self.flagged if self.flagged else None

    @property
    def recall(self) -> float | None:
        """Share of the frauds that was flagged; None where there are none."""
        return self.found / self.frauds if self.frauds else None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready objects."""
        return {
            "sent": self.sent,
            "frauds": self.frauds,
            "flagged": self.flagged,
            "precision": self.precision,
            "recall": self.recall,
            "by_scenario": {
                name: {"sent": count.sent, "flagged": count.flagged}
                for name, count in self.by_scenario.items()
            },
            "refused": dict(self.refused),
        }


def percentile(seconds: Sequence[float], share: float) -> float:
    """Return the smallest of some times that a share of them does not exceed.

    Examples
    --------
    >>> percentile([0.1, 0.2, 0.3, 0.4], 0.5)
    0.2
    """
    ordered = sorted(seconds)
    return ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)]
