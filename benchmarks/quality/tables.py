"""The tables of `docs/benchmarks.md`, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from benchmarks.pages import table
from benchmarks.quality.corpus import load_json
from benchmarks.quality.measurements import CorpusScores
from benchmarks.quality.operations import MetricsSummary, delay_f1
from benchmarks.quality.ordinary import DAY_ROWS, SPANS, HolidaySummary, OrdinaryAlerts
from watchkeeper.core.severity import SCORE_RARITY
from watchkeeper.detectors.protocol.calibration import false_alarm_rate
from watchkeeper.detectors.streaming.detector import DEFAULT_ALERT_RARITY

PUBLISHED = {
    "ARTime": ("ARTime", "no: the file's range"),
    "numenta": ("Numenta HTM", "no: the file's range"),
    "contextOSE": ("CAD OSE", "no: the file's range"),
    "htmjava": ("HTM (Java)", "no: the file's range"),
    "knncad": ("KNN CAD", "no: the file's length"),
    "relativeEntropy": ("Relative Entropy", "no: the file's range"),
    "randomCutForest": ("AWS Random Cut Forest", "yes"),
    "windowedGaussian": ("Windowed Gaussian", "yes"),
}
"""Published detectors by their name in the results file: name in the table, and whether a score reads only
the past."""

ALERT_SCORE = DEFAULT_ALERT_RARITY / SCORE_RARITY
NYC_TAXI = "realKnownCause/nyc_taxi.csv"
MACHINE_TEMPERATURE = "realKnownCause/machine_temperature_system_failure.csv"
_WEEKS_A_MONTH = 365.25 / 12 / 7
_COARSE_BUFFERS = 10
_LONG = np.timedelta64(28, "D")


def leaderboard(measured: dict[str, CorpusScores]) -> str:
    """Return the benchmark's scores of the measured and the published detectors, highest first."""
    rows: list[tuple[float, list[str]]] = []
    for name, scores in measured.items():
        standard, low_fp, low_fn = scores.by_profile()
        others = scores.with_threshold_from_other_files()
        cells = [f"**{name}** (measured here)", "yes", _one(standard), _one(low_fp), _one(low_fn)]
        cells.append(f"{others.mean():.1f} ± {others.std():.1f}")
        rows.append((standard, cells))
    for key, result in load_json("results/final_results.json").items():
        if key in PUBLISHED:
            name, causal = PUBLISHED[key]
            profiles = ("standard", "reward_low_FP_rate", "reward_low_FN_rate")
            rows.append((result["standard"], [name, causal, *(_one(result[one]) for one in profiles), "–"]))
    ordered = [cells for _, cells in sorted(rows, key=lambda row: -row[0])]
    header = ["detector", "causal", "standard", "low FP", "low FN", "standard, threshold from other files"]
    return table(header, ordered)


def threshold_free(measured: dict[str, CorpusScores]) -> str:
    """Return VUS-PR and PR-AUC."""
    rows = [[name, f"{one.vus_pr():.3f}", f"{one.pr_auc():.3f}"] for name, one in measured.items()]
    return table(["detector", "VUS-PR", "PR-AUC"], rows)


def halves(scores: CorpusScores, development: set[str]) -> str:
    """Return the two halves of the corpus side by side."""
    names = {series.name for series in scores.corpus}
    threshold = scores.of(development).threshold()
    rows = []
    for title, part in (("development", development), ("validation", names - development), ("all", names)):
        half = scores.of(part)
        standard, low_fp, low_fn = half.by_profile()
        others = half.with_threshold_from_other_files().mean()
        row = [
            title,
            str(len(half.corpus)),
            str(half.alerts(threshold).windows),
            _one(standard),
            _one(low_fp),
        ]
        row += [_one(low_fn), _one(others), _one(half.standard_with(threshold)), f"{half.vus_pr():.3f}"]
        rows.append(row)
    header = ["half", "files", "windows", "standard", "low FP", "low FN", "threshold from other files"]
    return table([*header, "threshold from the development half", "VUS-PR"], rows)


def categories(scores: CorpusScores) -> str:
    """Return, by category, the score with the corpus threshold and what the default settings find."""
    threshold = scores.threshold()
    rows = []
    for category in scores.categories():
        part = scores.of_category(category)
        windows = part.alerts(threshold).windows
        rows.append([category, str(windows), _one(part.standard_with(threshold)) if windows else "–"])
        rows[-1] += _alert_cells(part, ALERT_SCORE)
    rows.append(["all", str(scores.alerts(threshold).windows), _one(scores.standard_with(threshold))])
    rows[-1] += _alert_cells(scores, ALERT_SCORE)
    header = [
        "category",
        "windows",
        "standard",
        "found at default",
        "false alerts",
        "a week of one series",
        "F1",
    ]
    return table(header, rows)


def showcase(scores: CorpusScores) -> str:
    """Return what the default settings find of the machine's failures."""
    summary = scores.of({MACHINE_TEMPERATURE}).alerts(ALERT_SCORE)
    a_month = summary.false_alerts / summary.weeks * _WEEKS_A_MONTH
    return (
        f"At the default settings the detector finds {summary.found} of the {summary.windows} windows of "
        f"`{MACHINE_TEMPERATURE}` with {summary.false_alerts} false alerts in {summary.weeks:.1f} weeks: "
        f"{a_month:.1f} a month.\n"
    )


def calibration(scores: CorpusScores, development: set[str]) -> str:
    """Return what a rarity states against what it measures outside the labelled windows."""
    first = scores.of(development)
    second = scores.of({series.name for series in scores.corpus} - development)
    rows = []
    for rarity in (1.0, 1.5, 2.0, 3.0, 3.25, 3.5, 3.75, 4.0, 4.5):
        level = rarity / SCORE_RARITY
        cells = [f"{rarity:g}", _rate(false_alarm_rate(rarity))]
        rows.append([*cells, *(_rate(half.rate_outside_windows(level)) for half in (first, second))])
    return table(["rarity", "stated", "measured, development half", "measured, validation half"], rows)


def first_rows(measured: Iterable[OrdinaryAlerts]) -> str:
    """Return how often series in which nothing happens alert at the default settings, by age."""
    rows = []
    for kind in measured:
        rates = [_rate(alerts / rows) for alerts, rows in zip(kind.alerts, kind.rows, strict=True)]
        rows.append([kind.kind, f"{kind.first_day:.2f}", *rates])
    rows.append(["stated", f"{false_alarm_rate(DEFAULT_ALERT_RARITY) * DAY_ROWS:.2f}"])
    rows[-1] += [_rate(false_alarm_rate(DEFAULT_ALERT_RARITY))] * len(SPANS)
    spans = [f"rows {first:,} to {last:,}" for first, last in SPANS]
    return table(["series", "alerts on the first day", *spans], rows)


def happenings_found(found: Mapping[str, int], series: int) -> str:
    """Return in how many series the alert comes for what happens at a known row."""
    return table(["what happens", "found"], [[name, f"{count} of {series}"] for name, count in found.items()])


def quiet_series(alerts: Mapping[str, tuple[float, float]]) -> str:
    """Return the alerts a week of series in which nothing happens: the first week, and later ones."""
    rows = [[name, f"{first:.1f}", f"{later:.2f}"] for name, (first, later) in alerts.items()]
    stated = false_alarm_rate(DEFAULT_ALERT_RARITY) * 7 * DAY_ROWS
    return table(
        ["series", "first week", "a week, later"], [*rows, ["stated", f"{stated:.2f}", f"{stated:.2f}"]]
    )


def operations(kpis: CorpusScores, metrics: MetricsSummary) -> str:
    """Return what the detector is worth on the sets of server operations."""
    alerts = kpis.alerts(ALERT_SCORE)
    rows = [
        [
            f"KPIs of servers, {len(kpis.corpus)} series",
            f"delay-F1 {delay_f1(kpis.corpus, kpis.scores):.3f}",
            f"{alerts.f1:.3f}",
            f"{alerts.found} of {alerts.windows}",
            f"{alerts.false_alerts / alerts.weeks:.2f}",
        ],
        [
            f"application metrics, {metrics.tables} × 19 columns",
            f"AP {metrics.average_precision:.3f}",
            f"{metrics.f1:.3f}",
            f"{metrics.found} of {metrics.windows}",
            f"{metrics.false_alerts / metrics.weeks:.2f}",
        ],
    ]
    return table(
        ["set", "by ranking", "event F1 at the default", "stretches found", "false alerts a week"], rows
    )


def weekly_rhythm(with_week: HolidaySummary, without: HolidaySummary) -> str:
    """Return what the week's profile finds of holidays."""
    rows = [
        [name, f"{one.found} of {one.series}", f"{one.rarity:.2f}", str(one.false_alerts)]
        for name, one in (("with the week's profile", with_week), ("without", without))
    ]
    return table(["", "holidays found", "median rarity", "false alerts, weeks 3 to 5"], rows)


def long_series(with_week: CorpusScores, without: CorpusScores, development: set[str]) -> str:
    """Return what the week's profile changes in the benchmark's series of four weeks and more."""
    names = {
        series.name for series in with_week.corpus if series.timestamps[-1] - series.timestamps[0] > _LONG
    }
    parts = {"development": names & development, "validation": names - development, "of it": {NYC_TAXI}}
    rows = []
    for title, part in parts.items():
        for name, scores in (("with the week's profile", with_week), ("without", without)):
            own = scores.of(part)
            summary = own.alerts(ALERT_SCORE)
            cells = [f"{title}: {len(part)} files" if len(part) > 1 else f"`{NYC_TAXI}`", name]
            cells += [_one(own.standard_with(ALERT_SCORE)), f"{own.vus_pr(buffer_step=_COARSE_BUFFERS):.3f}"]
            rows.append([*cells, f"{summary.found} of {summary.windows}", str(summary.false_alerts)])
    header = ["files", "", "standard, default threshold", "VUS-PR", "found", "false alerts"]
    return table(header, rows)


def ablation(measured: dict[str, CorpusScores], development: set[str]) -> str:
    """Return what each part adds, on both halves."""
    rows = []
    for name, scores in measured.items():
        validation = {series.name for series in scores.corpus} - development
        cells = [name]
        for half in (scores.of(development), scores.of(validation)):
            cells += [_one(half.by_profile()[0]), f"{half.vus_pr(buffer_step=_COARSE_BUFFERS):.3f}"]
        standard, low_fp, _ = scores.by_profile()
        cells += [_one(standard), _one(low_fp), _one(scores.with_threshold_from_other_files().mean())]
        rows.append(cells)
    header = ["variant", "development: standard", "VUS-PR", "validation: standard", "VUS-PR"]
    return table([*header, "all: standard", "low FP", "threshold from other files"], rows)


def _alert_cells(scores: CorpusScores, threshold: float) -> list[str]:
    summary = scores.alerts(threshold)
    a_week = summary.false_alerts / summary.weeks
    return [str(summary.found), str(summary.false_alerts), f"{a_week:.2f}", f"{summary.f1:.2f}"]


def _one(value: float) -> str:
    return f"{value:.1f}"


def _rate(rate: float) -> str:
    return f"1 in {1 / rate:,.0f}" if rate else "none"
