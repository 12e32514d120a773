"""Would a random cut forest help the streaming detector? `python -m benchmarks.quality.forest_channel`.

A forest's score of normalised features becomes one more channel: what breaks the record of that score counts
as evidence, as in the detector's own channels, or its mean over the last hour joins the level. Everything is
causal: features are normalised by what came before. ADR 13 has the table and what follows from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.quality.calibrating import kernel_outputs
from benchmarks.quality.contenders import streaming_scores
from benchmarks.quality.corpus import LabelledSeries, load_corpus
from benchmarks.quality.measurements import CorpusScores
from benchmarks.quality.ordinary import KINDS
from benchmarks.quality.splits import development_files
from watchkeeper.detectors.forest.forest import FrozenForest
from watchkeeper.detectors.protocol import calibration
from watchkeeper.detectors.protocol.compiled import compiled
from watchkeeper.detectors.streaming.evidence import break_of_range
from watchkeeper.detectors.streaming.kernel import AFTERMATH_WEIGHT, WARM_ROWS, unless_suppressed
from watchkeeper.detectors.streaming.state import PATTERN, VALUE, Parameters, new_states
from watchkeeper.detectors.streaming.times import hours_of_week, to_seconds

FloatArray = npt.NDArray[np.float64]

FEATURES = 8
MEMORY_ROWS = 2000
LARGEST_FEATURE = 20.0
FIRST_ROWS = 300
TRAINING_SERIES, TRAINING_ROWS = 5, 3000
LEVEL_ROWS = 12
WEIGHTS = (0.5, 1.0)
COARSE_BUFFERS = 10


@compiled
def normalised_features(values: Any, hours: Any, features: Any) -> None:
    """Write each row's features: four standardised values, two differences, two residuals against the hour of
    the day. Means and mean absolute deviations are of the rows before, and forget with `MEMORY_ROWS`."""
    profile, seen = np.zeros(24), np.zeros(24)
    mean, smooth, scales = values[0], 0.0, np.zeros(4)
    for row in range(len(values)):
        x, hour = values[row], hours[row]
        weight = max(1.0 / (row + 1), 1.0 / MEMORY_ROWS)
        residual = x - (profile[hour] if seen[hour] > 0 else mean)
        smooth += (residual - smooth) / 6.0
        raw = (x - mean, x - values[max(row - 1, 0)], x - values[max(row - 3, 0)], residual)
        for index in range(4):
            scale = max(scales[index], 1e-12 * abs(mean), 1e-300)
            value = min(max(raw[index] / scale, -LARGEST_FEATURE), LARGEST_FEATURE)
            if index == 0:
                for age in range(3, 0, -1):
                    features[row, age] = features[max(row - 1, 0), age - 1]
                features[row, 0] = value
            else:
                features[row, 3 + index] = value
            scales[index] += (abs(raw[index]) - scales[index]) * weight
        scale = max(scales[3], 1e-12 * abs(mean), 1e-300)
        features[row, 7] = min(max(smooth / scale, -LARGEST_FEATURE), LARGEST_FEATURE)
        mean += (x - mean) * weight
        seen[hour] += 1
        profile[hour] += (x - profile[hour]) * max(1.0 / seen[hour], 0.0625)


def features_of(values: FloatArray, hours: npt.NDArray[np.int64]) -> FloatArray:
    """Return the normalised features of a series, shape (n_rows, FEATURES)."""
    features = np.zeros((len(values), FEATURES))
    normalised_features(values, hours % 24, features)
    return features


def shared_forest() -> FrozenForest:
    """Return one forest for all series, of ordinary synthetic ones."""
    hours = np.arange(TRAINING_ROWS) // 12
    parts = [
        features_of(draw(np.random.default_rng(seed), TRAINING_ROWS), hours)[FIRST_ROWS:]
        for draw in KINDS.values()
        for seed in range(TRAINING_SERIES)
    ]
    return FrozenForest().fit(np.concatenate(parts))


@compiled
def _evidence_of(scores: Any, state: Any, p: Any, evidence: Any) -> None:
    for row in range(len(scores)):
        high = state["high"][VALUE]
        found = break_of_range(state, p, PATTERN, VALUE, row, scores[row], p["profile_memory"])
        evidence[row] = found if scores[row] > high else 0.0
        state["rows"] += 1


@compiled
def _combined(outputs: Any, evidence: Any, state: Any, p: Any, onset: Any) -> None:
    for row in range(len(evidence)):
        channels = outputs[row]["channels"]
        strongest, total = evidence[row], evidence[row]
        for channel in range(3):
            strongest = max(strongest, channels[channel])
            total += channels[channel]
        together = strongest + (total - strongest) * min(row / WARM_ROWS, 1.0)
        onset[row] = unless_suppressed(state, p, together)


@compiled
def _aftermath(onset: Any, half_life: float, aftermath: Any) -> None:
    level = 0.0
    for row in range(len(onset)):
        level = max(level * 0.5 ** (1.0 / half_life), onset[row])
        aftermath[row] = level


def score_with_channel(outputs: npt.NDArray[np.void], forest_scores: FloatArray, weight: float) -> FloatArray:
    """Return the anomaly score with the forest's evidence added to that of the channels, shape (n_rows,)."""
    parameters = Parameters()
    record = parameters.record()[0]
    evidence, onset = np.zeros(len(outputs)), np.zeros(len(outputs))
    _evidence_of(forest_scores, new_states(1)[0], record, evidence)
    _combined(outputs, weight * evidence, new_states(1)[0], record, onset)
    before, after = np.zeros(len(outputs)), np.zeros(len(outputs))
    _aftermath(outputs["onset"], parameters.aftermath_rows, before)
    _aftermath(onset, parameters.aftermath_rows, after)
    level = outputs["level"] + AFTERMATH_WEIGHT * (after - before)
    return calibration.rarity_of(onset, level) / calibration.SCORE_RARITY


def score_with_level(outputs: npt.NDArray[np.void], forest_scores: FloatArray, weight: float) -> FloatArray:
    """Return the anomaly score with the mean of the forest's last scores, over their usual mean, joining the
    level."""
    recent = np.convolve(forest_scores, np.full(LEVEL_ROWS, 1 / LEVEL_ROWS))[: len(forest_scores)]
    usual = np.cumsum(forest_scores) / np.arange(1, len(forest_scores) + 1)
    level = (1 - weight / 2) * outputs["level"] + weight / 2 * recent / np.maximum(usual, 1e-9)
    return calibration.rarity_of(outputs["onset"], level) / calibration.SCORE_RARITY


def main() -> None:
    """Print the table."""
    corpus = load_corpus()
    development = development_files(corpus)
    outputs = [kernel_outputs(series) for series in corpus]
    features = [
        features_of(series.values, hours_of_week(to_seconds(series.timestamps, len(series.values))))
        for series in corpus
    ]
    shared = shared_forest()
    forests = {
        "one shared forest": [shared.score_samples(rows) for rows in features],
        "a forest a series, streaming (krcf)": [streaming_scores(rows) for rows in features],
    }
    print("| forest | use | weight | development: standard | low FP | other files | VUS-PR ", end="")
    print("| validation: standard |\n|" + " --- |" * 8)
    plain = [calibration.rarity_of(one["onset"], one["level"]) / calibration.SCORE_RARITY for one in outputs]
    _print_row("none", "", "", corpus, plain, development)
    uses: dict[str, Callable[[Any, FloatArray, float], FloatArray]] = {
        "channel": score_with_channel,
        "level": score_with_level,
    }
    for name, found in forests.items():
        for use, combine in uses.items():
            for weight in WEIGHTS:
                scores = [combine(one, own, weight) for one, own in zip(outputs, found, strict=True)]
                _print_row(name, use, f"{weight:g}", corpus, scores, development)


def _print_row(
    name: str,
    use: str,
    weight: str,
    corpus: Sequence[LabelledSeries],
    scores: Sequence[FloatArray],
    development: set[str],
) -> None:
    both = CorpusScores(corpus, scores)
    first = both.of(development)
    second = both.of({series.name for series in corpus} - development)
    standard, low_fp, _ = first.by_profile()
    others = first.with_threshold_from_other_files().mean()
    cells = [name, use, weight, f"{standard:.1f}", f"{low_fp:.1f}", f"{others:.1f}"]
    cells += [f"{first.vus_pr(buffer_step=COARSE_BUFFERS):.3f}", f"{second.by_profile()[0]:.1f}"]
    print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
