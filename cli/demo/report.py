"""The demo's report: one HTML file that needs no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from cli.demo.inbox import Alert
from cli.demo.page import examples, items, picture, write_page
from cli.demo.scores import mean_shares
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.judgement.evaluation import Evaluation, Metrics

_WORDS = {
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "pr_auc": "PR-AUC",
    "windows_found": "Labelled windows found",
    "windows_total": "Labelled windows",
    "alerts_per_week": "Alerts a week",
    "false_alerts_per_week": "False alerts a week",
    "anomalies": "Anomalous intervals",
    "n": "Intervals",
    "threshold": "Threshold",
}


@dataclass(frozen=True)
class Report:
    """Everything that the report tells."""

    workload: str
    live: Metrics
    """Of the telemetry that came over MQTT."""
    evaluation: Evaluation
    """Of the held-back part of the history."""
    decision: Sequence[str]
    """Why the gate let the model pass."""
    alert: Alert
    timings: Sequence[tuple[str, float]]
    """Stage and seconds."""
    waited: str
    """How long telemetry waited in the delivery stream: `cli.freshness.told`."""
    endpoint: str | None
    """None where the detector scores in the loop itself."""
    invocations: Sequence[tuple[str, str]]
    """What it is for, and the lines."""
    chart: Path
    scores: Sequence[ScoreLine]
    """Of the telemetry that came over MQTT."""
    timezone: str = "UTC"
    """IANA name of the source's zone, in which times are told."""

    def write(self, path: Path) -> None:
        """Write the HTML file."""
        metrics = {
            "Live telemetry": self.live,
            "Model, held-back test part": self.evaluation.candidate,
            "Trivial baseline, same part": self.evaluation.baseline,
        }
        if self.evaluation.champion is not None:
            metrics["Champion, same part"] = self.evaluation.champion
        total = sum(seconds for _, seconds in self.timings)
        timings = [*self.timings, ("total", total)]
        write_page(
            path,
            "report.html",
            workload=self.workload,
            where=escape(f"on endpoint {self.endpoint}" if self.endpoint else "in the scoring loop"),
            summary=escape(summary(self.live)),
            chart=picture(self.chart),
            metrics=_metrics_rows(metrics),
            decision=items(self.decision),
            alert_subject=escape(self.alert.subject),
            alert_text=escape(self.alert.text(self.timezone)),
            alert_message=escape(self.alert.message),
            reasons=_reasons_rows(self.scores),
            explained=escape(explained(self.scores, self.evaluation)),
            timings="".join(
                f"<tr><td>{escape(name)}</td><td>{seconds:.1f} s</td></tr>" for name, seconds in timings
            ),
            waited=escape(self.waited),
            invocations=("<h2>Invoke the endpoint</h2>" if self.invocations else "")
            + examples(self.invocations),
        )


def summary(live: Metrics) -> str:
    """Return the result in one sentence; what needs labels is left out without them."""
    text = f"{live.anomalies} anomalous of {live.n} intervals, {live.alerts_per_week:.2g} alerts a week"
    if live.precision is None or live.recall is None or live.f1 is None:
        return f"{text}. There are no labels: precision, recall and F1 are not known."
    return (
        f"{text}, {live.windows_found} of {live.windows_total} labelled windows found: "
        f"precision {live.precision:.2f}, recall {live.recall:.2f}, F1 {live.f1:.2f}."
    )


def boto3_lines(endpoint: str, row: str) -> str:
    """Return the lines that ask an endpoint about a row with boto3."""
    return (
        'import boto3\n\nanswer = boto3.client("sagemaker-runtime").invoke_endpoint(\n'
        f'    EndpointName="{endpoint}", ContentType="text/csv", Accept="application/json", Body="{row}"\n)\n'
        'print(answer["Body"].read().decode())'
    )


def explained(scores: Sequence[ScoreLine], evaluation: Evaluation) -> str:
    """Return in words where the contributions come from and how many anomalies have them."""
    anomalies = [score.anomaly for score in scores if score.anomaly is not None]
    count = sum(bool(event.contributions) for event in anomalies)
    text = f"{count} of {len(anomalies)} anomalies are explained; the parts of each add up to its score."
    explainer = evaluation.explainer
    if explainer.method != "forest":
        return text
    agreement = "is not known" if explainer.rank_agreement is None else f"is {explainer.rank_agreement:.2f}"
    return (
        f"{text} They come from a forest that was fitted on the same vectors as the model; the rank "
        f"correlation of its scores with the model's {agreement}, on {explainer.rows} held-back rows."
    )


def _reasons_rows(scores: Sequence[ScoreLine]) -> str:
    return "".join(
        f"<tr><td>{escape(words)}</td><td>{share:.0%}</td>"
        f'<td class="bar"><span style="width:{100 * share:.1f}%"></span></td></tr>'
        for words, share in mean_shares(scores)
    )


def _metrics_rows(metrics: dict[str, Metrics]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in metrics)
    rows = [f"<tr><th></th>{head}</tr>"]
    for field, word in _WORDS.items():
        cells = "".join(f"<td>{_shown(getattr(item, field))}</td>" for item in metrics.values())
        rows.append(f"<tr><td>{word}</td>{cells}</tr>")
    return "".join(rows)


def _shown(value: float | int | None) -> str:
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.3g}"
