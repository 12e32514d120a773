"""One machine's temperature, a served forest, its surrogate, and how their explanations compare."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.corpus import load_corpus
from localcloud.images.randomcutforest.forest import Forest, train
from localcloud.images.randomcutforest.hyperparameters import Hyperparameters
from watchkeeper.core.plan import FeaturePlan, MeasurePlan, TimestampPlan, WorkloadPlan
from watchkeeper.detectors.forest.surrogate_fit import FittedSurrogate, fit_surrogate, rank_agreement
from watchkeeper.features.matrix import feature_matrix, row_arrays
from watchkeeper.features.schema import feature_dim
from watchkeeper.telemetry.rows import Row

SERIES = "realKnownCause/machine_temperature_system_failure.csv"
TRAIN, CALIBRATE = 0.4, 0.2
ANOMALIES = 200
"""Spread evenly over those that are found."""
SPIKES = 200
SPIKE_SCALES = 6.0

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Agreement:
    """What was measured for one feature vector."""

    features: str
    dimensions: int
    anomalies: int
    rank_all: float
    """Spearman's correlation of surrogate and model on all rows after training."""
    rank_anomalies: float
    share_distance: float
    """Mean sum of absolute differences of the shares from the model's own, 0 to 2."""
    share_distance_of_seeds: float
    """The same between the model and one of the same kind that was trained with other random cuts."""
    oracle_rank: float
    """Mean rank correlation with how far the model's score falls when a feature is usual."""
    oracle_rank_of_model: float
    """The same for the model's own attribution."""
    oracle_first: float
    """How often the largest contribution is the feature whose repair lowers the score most, or second."""
    spikes_found: float
    """How often a spike at a known lag is the largest contribution by lag."""
    milliseconds: float
    kilobytes: float


def measure(features: FeaturePlan, name: str) -> Agreement:
    """Train model and surrogate on the first part of the series, and compare them on the rest."""
    plan = WorkloadPlan(
        "machine", TimestampPlan("t"), (MeasurePlan("temperature", "value"),), 300, features=features
    )
    rows = _rows(features.shingle)
    cut = int(TRAIN * len(rows))
    surrogate = fit_surrogate(rows[:cut], plan)
    vectors = feature_matrix(row_arrays(rows, plan), plan, surrogate.scales).astype(np.float32)
    model = _served(vectors[:cut], plan, seed_offset=0)
    following = vectors[cut:]
    scores = model.scores(following).astype(np.float64)
    own = surrogate.score(rows[cut:])
    calibrate = scores[: int(CALIBRATE * len(rows))]
    found = np.flatnonzero(scores > calibrate.mean() + 3 * calibrate.std())
    chosen = found[np.linspace(0, len(found) - 1, ANOMALIES).astype(int)]
    model_shares, other_shares = (
        _shares(_attributions(engine, following[chosen]))
        for engine in (model, _served(vectors[:cut], plan, seed_offset=1))
    )
    portable = surrogate.portable()
    started = time.process_time()
    shares = _shares(np.array([portable.attribute(vector) for vector in following[chosen].tolist()]))
    elapsed = time.process_time() - started
    drops = _drops(model, following[chosen], np.median(vectors[:cut], axis=0))
    return Agreement(
        features=name,
        dimensions=feature_dim(plan),
        anomalies=len(found),
        rank_all=_rank(own, scores),
        rank_anomalies=_rank(own[found], scores[found]),
        share_distance=float(np.abs(shares - model_shares).sum(axis=1).mean()),
        share_distance_of_seeds=float(np.abs(other_shares - model_shares).sum(axis=1).mean()),
        oracle_rank=_mean_rank(shares, drops),
        oracle_rank_of_model=_mean_rank(model_shares, drops),
        oracle_first=_first_or_second(shares, drops),
        spikes_found=_spikes_found(surrogate, rows[cut:], scores),
        milliseconds=1000 * elapsed / len(chosen),
        kilobytes=len(portable.to_bytes()) / 1024,
    )


def _rows(shingle: int) -> list[Row]:
    (series,) = (item for item in load_corpus() if item.name == SERIES)
    start = datetime(2013, 12, 2, tzinfo=timezone.utc)
    values = series.values.tolist()
    return [
        Row(
            start + timedelta(minutes=5 * at),
            "temperature",
            values[at],
            tuple(values[at - shingle + 1 : at][::-1]),
        )
        for at in range(shingle - 1, len(values))
    ]


def _served(vectors: NDArray[np.float32], plan: WorkloadPlan, *, seed_offset: int) -> Forest:
    """Train the laptop's stand-in of the built-in image; other cuts by another order of the rows."""
    order = np.random.default_rng(seed_offset).permutation(len(vectors)) if seed_offset else slice(None)
    hyperparameters = Hyperparameters(feature_dim=feature_dim(plan), num_trees=100, num_samples_per_tree=256)
    return train(vectors[order], hyperparameters)


def _attributions(model: Forest, vectors: NDArray[np.float32]) -> Floats:
    parts = [model.engine.attribution(vector) for vector in vectors.astype(np.float64)]
    return np.array([np.add(part["high"], part["low"]) for part in parts])


def _shares(parts: Floats) -> Floats:
    shares: Floats = parts / parts.sum(axis=1, keepdims=True)
    return shares


def _drops(model: Forest, vectors: NDArray[np.float32], usual: NDArray[np.float32]) -> Floats:
    """Return how far each row's score falls when one feature is the training's median."""
    drops = np.empty(vectors.shape)
    whole = model.scores(vectors)
    for feature in range(vectors.shape[1]):
        repaired = vectors.copy()
        repaired[:, feature] = usual[feature]
        drops[:, feature] = whole - model.scores(repaired)
    return drops


def _mean_rank(shares: Floats, drops: Floats) -> float:
    found = [rank_agreement(part, drop) for part, drop in zip(shares, drops, strict=True)]
    return float(np.mean([value for value in found if value is not None]))


def _first_or_second(shares: Floats, drops: Floats) -> float:
    most = np.argsort(-drops, axis=1)[:, :2]
    return float((shares.argmax(axis=1)[:, np.newaxis] == most).any(axis=1).mean())


def _spikes_found(surrogate: FittedSurrogate, rows: list[Row], scores: Floats) -> float:
    """Put a spike at each lag in turn into ordinary rows, and look where the contributions see it."""
    portable = surrogate.portable()
    ordinary = np.argsort(scores)[: len(scores) // 2]
    chosen = ordinary[np.linspace(0, len(ordinary) - 1, SPIKES).astype(int)]
    height = SPIKE_SCALES * surrogate.scales.of("temperature").scale
    hits = 0
    for position, at in enumerate(chosen):
        window = [rows[at].value, *rows[at].lags]
        lag = position % len(window)
        window[lag] += height
        spiked = Row(rows[at].timestamp, rows[at].series, window[0], tuple(window[1:]))
        parts = portable.explain(spiked, 1.0).contributions
        by_lag: dict[int, float] = {}
        for part in parts:
            if part.feature == "value" and part.lag is not None:
                by_lag[part.lag] = by_lag.get(part.lag, 0.0) + part.score
        hits += max(by_lag, key=by_lag.__getitem__) == lag
    return hits / len(chosen)


def _rank(first: Floats, second: Floats) -> float:
    agreement = rank_agreement(first, second)
    return float("nan") if agreement is None else agreement
