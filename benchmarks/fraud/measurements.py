"""One model, fitted on the time that trains, chosen by the validation time, measured on the test time."""

from __future__ import annotations

import logging
import resource
import sys
import time
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.fraud.subjects import SUBJECTS
from containers.fraud.fit import fit_model
from containers.fraud.hyperparameters import Hyperparameters
from watchkeeper.fraud.manifest import CHOICES
from watchkeeper.fraud.measures import areas
from watchkeeper.fraud.split import PARTS, TEST, boundaries_of, parts_of
from watchkeeper.fraud.table import graph_of_table

_CHUNK = 4096


def measure(name: str, seed: int) -> dict[str, Any]:
    """Return what a subject says with a seed; meant for a process of its own, whose memory is told."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    subject = next(each for each in SUBJECTS if each.name == name)
    plan, table = subject.read(seed)
    begun, cpu = time.perf_counter(), time.process_time()
    graph = graph_of_table(table, plan)
    graph_seconds, graph_cpu = time.perf_counter() - begun, time.process_time() - cpu
    parts = parts_of(table.times, table.labels, boundaries_of(table.times, plan.history.split))
    begun, cpu = time.perf_counter(), time.process_time()
    fitted = fit_model(graph, parts, plan, Hyperparameters(seed=seed))
    fit_seconds, fit_cpu = time.perf_counter() - begun, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    test = np.flatnonzero(parts == TEST)
    fraud, times = table.labels.verdicts[test] > 0, table.times[test]
    chunks = [test[start : start + _CHUNK] for start in range(0, len(test), _CHUNK)]
    scores: dict[str, NDArray[np.float64]] = {
        choice: np.concatenate([fitted.model.logits(graph.ego_rows(chunk), choice) for chunk in chunks])
        for choice in CHOICES
    }
    scores["prevalence"] = np.zeros(len(test))
    measured = {choice: areas(fraud, each, times, seed=seed) for choice, each in scores.items()}
    return {
        "transactions": len(table.times),
        "relations": len(plan.relations),
        "features": graph.vectors.shape[1],
        "parts": {
            part: {
                "n": int((parts == code).sum()),
                "frauds": int((table.labels.verdicts[parts == code] > 0).sum()),
            }
            for code, part in enumerate(PARTS)
        },
        "choice": fitted.model.choice,
        "weight": fitted.model.weight,
        "validation_pr_auc": fitted.validation_pr_auc,
        "areas": {
            choice: {"roc_auc": asdict(roc), "pr_auc": asdict(pr)} for choice, (roc, pr) in measured.items()
        },
        "epochs": [asdict(epoch) for epoch in fitted.log],
        "seconds": {
            "graph": graph_seconds,
            "graph_cpu": graph_cpu,
            "fit": fit_seconds,
            "fit_cpu": fit_cpu,
            **fitted.seconds,
        },
        "peak_memory_bytes": peak,
    }
