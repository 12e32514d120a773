"""Run the quality benchmark: scores, tables, charts.

Writes `build/benchmarks/nab/scores/CATEGORY/FILE.csv` (timestamp, value, anomaly_score, 0 to 1: what the
benchmark's own runner reads), the tables between the marks in `docs/benchmarks.md`, and the charts in
`docs/images/benchmarks/`.
"""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Sequence
from pathlib import Path

import typer

from benchmarks import pages
from benchmarks.quality import charts, happenings, tables
from benchmarks.quality.contenders import ABLATIONS, CONTENDERS, WATCHKEEPER, WITHOUT_WEEK, Contender
from benchmarks.quality.corpus import LabelledSeries, load_corpus
from benchmarks.quality.measurements import CorpusScores
from benchmarks.quality.operations import load_application_metrics, load_kpis, summarize_metrics
from benchmarks.quality.ordinary import holidays, ordinary_alerts
from benchmarks.quality.splits import development_files
from watchkeeper.detectors.streaming.detector import score_series
from watchkeeper.detectors.streaming.state import Parameters

PAGE = pages.DOCS / "benchmarks.md"
IMAGES = pages.DOCS / "images" / "benchmarks"
SCORES = pages.FOLDER / "nab" / "scores"


def main(
    ablation: bool = typer.Option(True, help="Also measure what each part of the detector adds."),
) -> None:
    """Measure the detectors on the Numenta Anomaly Benchmark and write the results down."""
    corpus = load_corpus()
    development = development_files(corpus)
    measured = {contender.name: _measure(contender, corpus) for contender in CONTENDERS}
    ours = measured[WATCHKEEPER.name]
    _write_scores(ours)
    results = {
        "leaderboard": tables.leaderboard(measured),
        "threshold-free": tables.threshold_free(measured),
        "halves": tables.halves(ours, development),
        "categories": tables.categories(ours),
        "showcase": tables.showcase(ours),
        "calibration": tables.calibration(ours, development),
        "first-rows": tables.first_rows(ordinary_alerts()),
        "weekly-rhythm": tables.weekly_rhythm(holidays(), holidays(Parameters(week_margin=0.0))),
    }
    found = {one.name: happenings.found(one, score_series) for one in happenings.HAPPENINGS}
    results["happenings"] = tables.happenings_found(found, happenings.SERIES)
    quiet = {kind: happenings.alerts_a_week(kind, score_series) for kind in happenings.QUIET}
    results["quiet"] = tables.quiet_series(quiet)
    kpis, metrics = load_kpis(), load_application_metrics()
    if kpis and metrics:
        of_kpis = CorpusScores(kpis, [WATCHKEEPER.score(series) for series in kpis])
        results["operations"] = tables.operations(of_kpis, summarize_metrics(metrics))
    if ablation:
        variants = {variant.name: _measure(variant, corpus) for variant in ABLATIONS}
        results["ablation"] = tables.ablation(variants, development)
        results["long-series"] = tables.long_series(ours, variants[WITHOUT_WEEK], development)
    for name, table in results.items():
        print(f"\n{name}\n{table}")
    write_between_marks(PAGE, results)
    charts.draw_leaderboard(measured, IMAGES / "nab.png")
    charts.draw_machine_temperature(ours, IMAGES / "machine-temperature.png")
    charts.draw_air_quality(IMAGES / "air-quality.png")


def write_between_marks(page: Path, results: dict[str, str]) -> None:
    """Replace what stands between `<!-- NAME -->` and `<!-- /NAME -->` for each name.

    Raises
    ------
    ValueError
        The page has no such marks.
    """
    text = page.read_text(encoding="utf-8")
    for name, table in results.items():
        pattern = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- /{re.escape(name)} -->)", re.DOTALL)
        count = len(pattern.findall(text))
        if count != 1:
            raise ValueError(f"{page}: expected one <!-- {name} --> … <!-- /{name} -->, found {count}")
        text = pattern.sub(rf"\g<1>{table}\g<2>", text)
    page.write_text(text, encoding="utf-8")


def _measure(contender: Contender, corpus: Sequence[LabelledSeries]) -> CorpusScores:
    started = time.monotonic()
    scores = CorpusScores(corpus, [contender.score(series) for series in corpus])
    print(f"{contender.name}: scored in {time.monotonic() - started:.0f} s", flush=True)
    return scores


def _write_scores(ours: CorpusScores) -> None:
    for series, scores in zip(ours.corpus, ours.scores, strict=True):
        destination = SCORES / series.name
        destination.parent.mkdir(parents=True, exist_ok=True)
        with destination.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["timestamp", "value", "anomaly_score"])
            for timestamp, value, score in zip(series.timestamps, series.values, scores, strict=True):
                writer.writerow([str(timestamp).replace("T", " "), repr(float(value)), repr(float(score))])


if __name__ == "__main__":
    typer.run(main)
