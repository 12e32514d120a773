"""F1 with a search beside F1 with the defaults, on rows that neither the search nor the fit has seen."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.service_jobs.labelled_sets import LabelledSet
from containers.service.search import best_of, measure_held_out, share_of, try_candidates
from containers.service.splits import split_rows

ALGORITHMS = (
    *("DBSCAN", "IsolationForest", "LOF", "OneClassSVM", "EllipticEnvelope", "ECOD"),
    *("HBOS", "COPOD", "KNN", "PCA", "RCF"),
)


@dataclass(frozen=True)
class Compared:
    """One algorithm on one set."""

    set_name: str
    algorithm: str
    tried: int
    defaults: float
    """F1 of the defaults on the held-out rows."""
    searched: float
    """F1 of the found hyperparameters on the same rows."""
    in_search: float
    """F1 on the rows that the search compares candidates on."""
    chosen: str
    seconds: float


def compare(labelled: LabelledSet, algorithms: tuple[str, ...] = ALGORITHMS) -> Iterator[Compared]:
    """Search, then measure what was found and the defaults on the held-out rows."""
    split = split_rows(labelled.labels, None)
    for algorithm in algorithms:
        began = time.perf_counter()
        tried = try_candidates(algorithm, share_of(algorithm, 0, 1), labelled.table, labelled.labels, split)
        best = best_of(tried)
        found, of_defaults = (
            measure_held_out(algorithm, hyperparameters, labelled.table, labelled.labels, split)
            for hyperparameters in (best.hyperparameters, {})
        )
        chosen = ", ".join(f"{name} {value}" for name, value in best.hyperparameters.items())
        yield Compared(
            labelled.name,
            algorithm,
            len(tried),
            of_defaults.f1 or 0.0,
            found.f1 or 0.0,
            best.f1 or 0.0,
            chosen or "the defaults",
            time.perf_counter() - began,
        )
