"""Rows a CPU-second and peak memory of the judging job, in a process of its own, as the table grows."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from containers.runtime.memory import peak_memory_bytes

COLUMNS = 4
TRAINING_ROWS = 5_000

NEEDED = {"DBSCAN": ("sklearn.neighbors",)}
"""What a detector imports when it judges."""


@dataclass(frozen=True)
class Judged:
    """One run of the job."""

    what: str
    rows: int
    by_hand: bool
    """By pandas with PyOD or scikit-learn on the whole table, instead of the job."""
    seconds: float
    """Of processor time, from the start of the work to its end, without the start of the process."""
    peak_mib: float
    """Resident memory at its highest, with the libraries."""

    @property
    def rows_a_second(self) -> float:
        """Rows that are read, judged and written."""
        return self.rows / self.seconds


def judge_growing(
    sizes: tuple[int, ...], algorithms: tuple[str, ...], methods: tuple[str, ...]
) -> Iterator[Judged]:
    """Judge tables of several sizes by models and by rules, with the job and by hand."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        models = {algorithm: _models(folder, algorithm) for algorithm in algorithms}
        for rows in sizes:
            features = _table(folder / f"{rows}.csv", rows)
            for algorithm, (model, fitted) in models.items():
                yield _run(folder, algorithm, rows, features, model)
                yield _by_hand(folder, algorithm, rows, features, str(fitted))
            for method in methods:
                yield _run(folder, method, rows, features, None)
                yield _by_hand(folder, method, rows, features, "")


def _table(path: Path, rows: int) -> Path:
    rng = np.random.default_rng(rows)
    frame = pd.DataFrame(
        rng.normal(size=(rows, COLUMNS)), columns=[f"c{number}" for number in range(COLUMNS)]
    )
    frame.insert(0, "time", pd.date_range("2020-01-01", periods=rows, freq="min"))
    frame.to_csv(path, index=False, float_format="%.6f")
    return path


def _models(folder: Path, algorithm: str) -> tuple[Path, Path]:
    """Return the service's model and the library's, fitted to the same rows."""
    from benchmarks.service_jobs.by_hand import save_fitted  # not needed, nor paid for, by a measured job
    from containers.service.artifact import ServiceManifest, ServiceModel, save_model
    from containers.service.tables import read_table
    from watchkeeper.detectors.catalogue import algorithm_of
    from watchkeeper.detectors.scorer import fit_detector

    training = _table(folder / "training.csv", TRAINING_ROWS)
    table = read_table(training)
    detector = fit_detector(algorithm, {}, table.values, table.times)
    manifest = ServiceManifest(
        algorithm=algorithm_of(algorithm).name,
        hyperparameters=detector.get_params(),
        columns=list(table.columns),
        threshold=detector.threshold_score,
        n_rows=len(table),
        n_rows_learned=len(table),
        has_time=True,
    )
    save_model(ServiceModel(detector, manifest), folder / "model")
    path = folder / algorithm / "model.tar.gz"
    path.parent.mkdir()
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder / "model", ".")
    eps = getattr(detector, "eps_", None)
    return path, save_fitted(algorithm, training, folder / f"{algorithm}.pickle", eps)


def _run(folder: Path, what: str, rows: int, features: Path, model: Path | None) -> Judged:
    root = folder / "job"
    shutil.rmtree(root, ignore_errors=True)
    inputs = {"features": features} | ({"model": model} if model else {})
    for name, source in inputs.items():
        place = root / "processing" / "input" / name
        place.mkdir(parents=True)
        (place / source.name).symlink_to(source)
    settings = {
        "SAGEMAKER_BASE_DIR": str(root),
        "WATCHKEEPER_TASK": "infer",
        "WATCHKEEPER_FEATURES": features.name,
        "WATCHKEEPER_PREDICTIONS": "predictions.csv",
        "WATCHKEEPER_MODEL": "model.tar.gz" if model else "",
        "WATCHKEEPER_METHOD": "" if model else what,
    }
    job = "predict" if model else "judge_columns"
    measured = _measured(["benchmarks.service_jobs.growth", job, *NEEDED.get(what, ())], settings)
    return Judged(what, rows, False, **measured)


def _by_hand(folder: Path, what: str, rows: int, features: Path, fitted: str) -> Judged:
    command = ["benchmarks.service_jobs.by_hand", str(features), what, fitted, str(folder / "by_hand.csv")]
    return Judged(what, rows, True, **_measured(command, {}))


def _measured(command: list[str], environment: dict[str, str]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _work(job: str, modules: Sequence[str]) -> None:
    from containers.service import predict_job, univariate_job

    for module in ("pandas", *modules):
        importlib.import_module(module)  # time begins after the imports, as by hand
    began = time.process_time()
    (predict_job.predict if job == "predict" else univariate_job.judge_columns)()
    seconds = time.process_time() - began
    print(json.dumps({"seconds": seconds, "peak_mib": peak_memory_bytes() / 2**20}))


if __name__ == "__main__":
    _work(sys.argv[1], sys.argv[2:])
