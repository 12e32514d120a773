"""What a candidate is chosen by: `python -m benchmarks.quality.development`, on development data alone.

One screen: the development half of NAB, the KPIs of servers, the metrics of applications, and the synthetic
series with known truth. The validation half of NAB is read by `--validation`, once for a candidate that was
chosen before.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import typer

from benchmarks.quality import happenings
from benchmarks.quality.contenders import watchkeeper
from benchmarks.quality.corpus import LabelledSeries, load_corpus
from benchmarks.quality.measurements import CorpusScores
from benchmarks.quality.operations import delay_f1, load_application_metrics, load_kpis, summarize_metrics
from benchmarks.quality.splits import development_files
from benchmarks.quality.tables import ALERT_SCORE
from watchkeeper.detectors.streaming.detector import score_series


def main(
    validation: bool = typer.Option(False, help="Also print the validation half of NAB."),
    nab: bool = True,
    kpis: int = typer.Option(15, help="How many of the KPIs; 0 is none."),
    metrics: int = typer.Option(6, help="How many of the applications; 0 is none."),
    synthetic: int = typer.Option(20, help="Series of each class; 0 is none."),
) -> None:
    """Print what the detector is worth on development data."""
    started = time.monotonic()
    if nab:
        corpus = load_corpus()
        development = development_files(corpus)
        scores = _scores(corpus if validation else [one for one in corpus if one.name in development])
        _print_nab("NAB, development", scores.of(development))
        if validation:
            _print_nab("NAB, validation", scores.of({one.name for one in corpus} - development))
            _print_nab("NAB, all", scores)
    if kpis:
        scores = _scores(load_kpis()[-kpis:])
        f1 = delay_f1(scores.corpus, scores.scores)
        print(f"KPIs, {len(scores.corpus)}: delay-F1 {f1:.3f}  {_alerts(scores)}", flush=True)
    if metrics:
        _print_metrics(metrics)
    if synthetic:
        _print_synthetic(synthetic)
    print(f"{time.monotonic() - started:.0f} s")


def _scores(corpus: Sequence[LabelledSeries]) -> CorpusScores:
    score = watchkeeper()
    return CorpusScores(corpus, [score(series) for series in corpus])


def _alerts(scores: CorpusScores) -> str:
    summary = scores.alerts(ALERT_SCORE)
    a_week = summary.false_alerts / summary.weeks
    best = max((scores.alerts(severity / 200) for severity in range(68, 100)), key=lambda summary: summary.f1)
    return (
        f"event F1 {summary.f1:.3f} ({summary.found} of {summary.windows}), false a week {a_week:.2f}; "
        f"at its best severity {best.f1:.3f} ({best.false_alerts / best.weeks:.2f})"
    )


def _print_nab(title: str, scores: CorpusScores) -> None:
    standard, low_fp, low_fn = scores.by_profile()
    others = scores.with_threshold_from_other_files()
    print(
        f"{title}: standard {standard:.1f}  low FP {low_fp:.1f}  low FN {low_fn:.1f}  "
        f"other files {others.mean():.1f}  VUS-PR {scores.vus_pr(buffer_step=10):.3f}  {_alerts(scores)}",
        flush=True,
    )


def _print_metrics(count: int) -> None:
    one = summarize_metrics(load_application_metrics()[:count])
    print(
        f"application metrics, {one.tables}: AP {one.average_precision:.3f}  event F1 {one.f1:.3f} "
        f"({one.found} of {one.windows}), false a week {one.false_alerts / one.weeks:.2f}",
        flush=True,
    )


def _print_synthetic(series: int) -> None:
    for happening in happenings.HAPPENINGS:
        print(f"{happening.name:42} {happenings.found(happening, score_series, series):3d} of {series}")
    for kind in happenings.QUIET:
        first, later = happenings.alerts_a_week(kind, score_series, max(series // 4, 2))
        print(f"{kind:42} {first:5.1f} {later:5.2f} a week", flush=True)


if __name__ == "__main__":
    typer.run(main)
