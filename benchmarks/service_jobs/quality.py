"""F1 with a search beside F1 with the defaults, on rows that neither the search nor the fit has seen."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.service_jobs.labelled_sets import LabelledSet
from benchmarks.service_jobs.peers import CONTAMINATION, flags_by_hand, has_peer, noise_by_hand
from containers.service.search import best_of, measure_held_out, share_of, try_candidates
from containers.service.splits import Split, split_rows
from watchkeeper.detectors.scorer import fit_detector

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
    at_peers_default: float
    """F1 of the default hyperparameters with PyOD's default contamination, on the same rows."""
    searched: float
    """F1 of the found hyperparameters on the same rows."""
    in_search: float
    """F1 on the rows that the search compares candidates on."""
    chosen: str
    equal: int | None
    """Labels that are those of the library called by hand, of `judged`; None where there is no library."""
    judged: int
    seconds: float


def compare(labelled: LabelledSet, algorithms: tuple[str, ...] = ALGORITHMS) -> Iterator[Compared]:
    """Search, then measure what was found and the defaults on the held-out rows."""
    split = split_rows(labelled.labels, None)
    for algorithm in algorithms:
        began = time.perf_counter()
        tried = try_candidates(algorithm, share_of(algorithm, 0, 1), labelled.table, labelled.labels, split)
        best = best_of(tried)
        found, of_defaults, at_peers_default = (
            measure_held_out(algorithm, hyperparameters, labelled.table, labelled.labels, split)
            for hyperparameters in (best.hyperparameters, {}, {"contamination": CONTAMINATION})
        )
        equal, judged = _equal_labels(labelled, algorithm, split)
        chosen = ", ".join(f"{name} {value}" for name, value in best.hyperparameters.items())
        yield Compared(
            labelled.name,
            algorithm,
            len(tried),
            of_defaults.f1 or 0.0,
            at_peers_default.f1 or 0.0,
            found.f1 or 0.0,
            best.f1 or 0.0,
            chosen or "the defaults",
            equal,
            judged,
            time.perf_counter() - began,
        )


def _equal_labels(labelled: LabelledSet, algorithm: str, split: Split) -> tuple[int | None, int]:
    """Count labels that the library called by hand gives too.

    They are those of the held-out rows, and of DBSCAN, which knows no other rows, of the rows that it fits.
    """
    rows, queries = (labelled.table.values[chosen] for chosen in (split.search, split.held_out))
    learned = labelled.table.at(split.search)
    if not has_peer(algorithm):
        return None, len(queries)
    if algorithm == "DBSCAN":
        detector = fit_detector(algorithm, {}, learned.values)
        theirs = noise_by_hand(rows, detector.eps_, detector.min_samples)  # type: ignore[attr-defined]
        return int(((detector.predict(rows) < 0) == theirs).sum()), len(rows)
    detector = fit_detector(algorithm, {"contamination": CONTAMINATION}, learned.values)
    ours = detector.predict(queries) < 0
    return int((ours == flags_by_hand(algorithm, rows, queries)).sum()), len(queries)
