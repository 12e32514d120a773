"""Measurements: processor seconds, memory and differences."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shap
from numpy.typing import NDArray
from scipy.stats import spearmanr

from benchmarks.explain import subjects
from benchmarks.explain.subjects import Subject
from benchmarks.processes import in_a_process
from containers.explain.measures.attribution import global_importance
from containers.explain.shap.kernel import kernel_shap
from containers.explain.shap.trees import NotTraceableError, find_trees, tree_shap
from containers.runtime.memory import peak_memory_bytes

SEED = 7
SAMPLES, ENOUGH = 100, 254
PLAIN_ROWS, OUR_ROWS = 20, 1_000


@dataclass(frozen=True)
class Speed:
    """Processor seconds per 1,000 rows of one model."""

    model: str
    plain: float
    kernel: float
    tree: float | None
    difference: float
    """Largest difference of the kernel's values from shap's own at the same seed."""
    tree_difference: float | None
    """Largest difference of the tree's values from the kernel's with all coalitions."""


@dataclass(frozen=True)
class Cost:
    """What a run costs."""

    method: str
    rows: int
    features: int
    seconds: float
    peak_bytes: int


def speeds(plain_rows: int = PLAIN_ROWS, our_rows: int = OUR_ROWS) -> list[Speed]:
    """Measure each model."""
    return [
        speed(subjects.abalone(name, model, our_rows), plain_rows)
        for name, model in subjects.models().items()
    ]


def speed(subject: Subject, plain_rows: int) -> Speed:
    """Measure shap row by row on some of the rows, and ours on all."""
    rows = subject.rows[:plain_rows].to_numpy()
    plain_seconds, expected = timed(lambda: plain(subject, rows, SAMPLES))
    kernel_seconds, found = timed(lambda: kernel(subject, SAMPLES))
    tree_seconds = tree_difference = None
    try:
        tree(subject)  # compiles
        tree_seconds, values = timed(lambda: tree(subject))
        tree_difference = float(np.abs(values - kernel(subject, ENOUGH)).max())
    except NotTraceableError:
        pass
    return Speed(
        subject.name,
        plain_seconds * 1_000 / plain_rows,
        kernel_seconds * 1_000 / len(subject.rows),
        None if tree_seconds is None else tree_seconds * 1_000 / len(subject.rows),
        float(np.abs(found[:plain_rows] - expected).max()),
        tree_difference,
    )


def plain(subject: Subject, rows: NDArray[np.float64], num_samples: int) -> NDArray[np.float64]:
    """Return what shap's `KernelExplainer` gives, the generator being set before each row as ours is."""
    explainer = shap.KernelExplainer(subject.predict, subject.baseline.to_numpy())
    found = []
    for row in rows:
        np.random.seed(SEED)
        found.append(explainer.shap_values(row, nsamples=num_samples, l1_reg=0, silent=True))
    return np.array(found)


def kernel(subject: Subject, num_samples: int) -> NDArray[np.float64]:
    """Return what the job's Kernel SHAP gives."""
    found = kernel_shap(
        subject.predict_table, subject.rows, subject.baseline, num_samples=num_samples, seed=SEED
    )
    return found.values[:, :, 0]


def tree(subject: Subject) -> NDArray[np.float64]:
    """Return what the job's tree method gives."""
    found = tree_shap(
        find_trees(subject.model, tuple(subject.rows.columns)),
        subject.rows,
        subject.baseline,
        subject.predict_table(subject.rows),
        subject.predict_table(subject.baseline),
    )
    return found.values[:, :, 0]


def agreement() -> dict[str, Any]:
    """Measure how exact the values are, and how well few samples rank the features."""
    name, model = next(iter(subjects.models().items()))
    subject = subjects.abalone(name, model, 500)
    exact = kernel_shap(subject.predict_table, subject.rows, subject.baseline, num_samples=ENOUGH, seed=SEED)
    importance = global_importance(exact.values)[:, 0]
    ranks = {}
    for num_samples in (20, 50, 100):
        few = kernel_shap(
            subject.predict_table, subject.rows, subject.baseline, num_samples=num_samples, seed=SEED
        )
        ranks[num_samples] = {
            "rank_correlation": float(spearmanr(importance, global_importance(few.values)[:, 0]).statistic),
            "difference": float(np.abs(few.values - exact.values).max()),
            "additivity": few.additivity_error,
        }
    found: dict[str, Any] = {"samples": ranks, "additivity": exact.additivity_error}
    for key, forest in (
        ("whole", subjects.whole_numbers(200)),
        ("published", subjects.published_numbers(200)),
    ):
        explainer = shap.TreeExplainer(
            forest.model, forest.baseline.to_numpy(), feature_perturbation="interventional"
        )
        theirs = explainer.shap_values(forest.rows.to_numpy(), check_additivity=False)
        ours = tree(forest)
        predicted = forest.predict_table(forest.rows)[:, 0]
        start = forest.predict_table(forest.baseline)[0, 0]
        found[key] = {
            "rows": len(forest.rows),
            "difference": float(np.abs(ours - theirs).max()),
            "our_additivity": float(np.abs(ours.sum(axis=1) + start - predicted).max()),
            "shap_additivity": float(np.abs(theirs.sum(axis=1) + start - predicted).max()),
            "kernel_difference": float(np.abs(ours - kernel(forest, 126)).max()),
        }
    return found


def growth() -> list[Cost]:
    """Measure costs by rows and by features, each in a process of its own."""
    methods = ("tree", "kernel")
    by_rows = [(method, rows, 8) for method in methods for rows in (1_000, 8_000)]
    by_features = [(method, 200, features) for method in methods for features in (10, 40)]
    return [in_a_process(cost, *case) for case in [("plain", 100, 8), *by_rows, *by_features]]


def cost(method: str, rows: int, features: int) -> Cost:
    """Measure one run in this process."""
    if features == len(subjects.FEATURES):
        name, model = next(iter(subjects.models().items()))
        subject = subjects.abalone(name, model, rows)
    else:
        subject = subjects.wide(features, rows)
    if method == "tree":
        tree(Subject(subject.name, subject.model, subject.rows[:1], subject.baseline))  # compiles
        seconds, _ = timed(lambda: tree(subject))
    elif method == "kernel":
        seconds, _ = timed(lambda: kernel(subject, SAMPLES))
    else:
        seconds, _ = timed(lambda: plain(subject, subject.rows.to_numpy(), SAMPLES))
    return Cost(method, rows, features, seconds, peak_memory_bytes())


def timed(work: Callable[[], NDArray[np.float64]]) -> tuple[float, NDArray[np.float64]]:
    """Return processor seconds and the result."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result
