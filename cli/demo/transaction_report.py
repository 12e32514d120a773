"""The report of the demo of a fraud workload: one HTML file that needs no other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from cli.demo.page import examples, items, picture, write_page
from cli.simulate import Simulation, latency_text, summary
from watchkeeper.fraud.evaluation import FraudEvaluation, FraudMetrics

_COLUMNS = ("model", "PR-AUC", "95 %", "ROC-AUC", "95 %", "precision", "recall", "F1")


@dataclass(frozen=True)
class TransactionReport:
    """Everything that the report tells."""

    workload: str
    evaluation: FraudEvaluation
    decision: Sequence[str]
    charts: Sequence[Path]
    simulation: Simulation
    invocations: Sequence[tuple[str, str]]
    """What it is for, and the lines."""
    timings: Sequence[tuple[str, float]]

    def write(self, path: Path) -> None:
        """Write the HTML file."""
        rows = [list(_COLUMNS), *model_rows(self.evaluation)]
        scenarios = [
            ["scenario", "sent", "flagged"],
            *(
                ["genuine" if name == "none" else name, str(count.sent), str(count.flagged)]
                for name, count in self.simulation.report.by_scenario.items()
            ),
        ]
        write_page(
            path,
            "transactions.html",
            workload=self.workload,
            summary=escape(summary(self.simulation.report)),
            models=_table(rows),
            decision=items(self.decision),
            charts="".join(
                f'<img alt="{escape(chart.stem)}" src="{picture(chart)}">' for chart in self.charts
            ),
            scenarios=_table(scenarios),
            latency=escape(latency_text(self.simulation)),
            explained=escape(explained(self.simulation)),
            invocations=examples(self.invocations),
            timings=_table([["stage", "time"], *([name, f"{s:.1f} s"] for name, s in self.timings)]),
        )


def model_rows(evaluation: FraudEvaluation) -> list[list[str]]:
    """Return what each model reached, the baseline first; the one that serves is marked."""
    named = {"prevalence": evaluation.baseline, **evaluation.rows}
    if evaluation.champion is not None:
        named["champion"] = evaluation.champion
    return [
        [f"{name} (serves)" if name == evaluation.choice else name, *_cells(metrics)]
        for name, metrics in named.items()
    ]


def explained(simulation: Simulation) -> str:
    """Return the answer to the fraud that was found with the largest probability, as the API gave it."""
    found = [
        each for each in simulation.answered if each.transaction.fraud and each.answer["flag"]
    ] or simulation.answered
    if not found:
        return "no transaction was answered"
    best = max(found, key=lambda each: float(each.answer["pred_prob"]))
    shown: dict[str, Any] = {"sent": best.transaction.fields, "answer": dict(best.answer)}
    return json.dumps(shown, indent=2)


def _cells(metrics: FraudMetrics) -> list[str]:
    at_threshold = [metrics.precision, metrics.recall, metrics.f1]
    return [
        f"{metrics.pr_auc:.3f}",
        _interval(metrics.pr_auc_interval),
        _figure(metrics.roc_auc),
        _interval(metrics.roc_auc_interval),
        *map(_figure, at_threshold),
    ]


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _interval(interval: tuple[float, float] | None) -> str:
    return "–" if interval is None else f"{interval[0]:.3f}–{interval[1]:.3f}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = rows
    lines = ["<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in body]
    return "".join(lines)
