"""The Numenta Anomaly Benchmark's series, windows and published results, from one loader.

A file is looked for in `$WATCHKEEPER_DATA_DIR/nab`, then in the cache, then downloaded at the pinned
commit. What is downloaded is accepted only with the SHA-256 that `nab.sha256` states.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import urllib.request
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

COMMIT = "ea702d75cc2258d9d7dd35ca8e5e2539d71f3140"
HOME = f"https://raw.githubusercontent.com/numenta/NAB/{COMMIT}"
PROBATION_FRACTION = 0.15
PROBATION_ROWS_LIMIT = 5000


@dataclass(frozen=True)
class LabelledSeries:
    """One series of the corpus.

    Attributes
    ----------
    name : str
        `CATEGORY/FILE.csv`.
    timestamps : ndarray of datetime64[s], shape (n_rows,)
        As written in the file: local time, duplicates and gaps included.
    values : ndarray of float64, shape (n_rows,)
    windows : tuple of (int, int)
        First and last row of each labelled window, both included.
    """

    name: str
    timestamps: npt.NDArray[np.datetime64]
    values: npt.NDArray[np.float64]
    windows: tuple[tuple[int, int], ...]

    @property
    def category(self) -> str:
        """The folder that the benchmark files the series under."""
        return self.name.split("/")[0]

    @property
    def probation_rows(self) -> int:
        """Rows at the start that the benchmark does not score: 15 %, 750 at most."""
        rows = len(self.values)
        return int(np.ceil(min(int(PROBATION_FRACTION * rows), PROBATION_FRACTION * PROBATION_ROWS_LIMIT)))

    @cached_property
    def labels(self) -> npt.NDArray[np.bool_]:
        """True inside a window, shape (n_rows,)."""
        inside = np.zeros(len(self.values), dtype=bool)
        for first, last in self.windows:
            inside[first : last + 1] = True
        return inside


def load_corpus() -> list[LabelledSeries]:
    """Return the 58 series in the order of their names."""
    windows = load_json("labels/combined_windows.json")
    return [_load_series(name, windows[name]) for name in sorted(windows)]


def load_json(path: str) -> Any:
    """Return the content of one of the benchmark's JSON files, `path` relative to its root."""
    return json.loads(locate(path).read_text(encoding="utf-8"))


def locate(path: str) -> Path:
    """Return where a file of the benchmark is on this machine, downloading it when it is nowhere.

    Raises
    ------
    FileNotFoundError
        The pinned list does not have the file, or it could not be downloaded.
    ValueError
        The downloaded content has another SHA-256 than the pinned list states.
    """
    configured = os.environ.get("WATCHKEEPER_DATA_DIR")
    if configured and (here := Path(configured) / "nab" / path).is_file():
        return here
    cached = (
        Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "watchkeeper" / "nab" / COMMIT / path
    )
    if not cached.is_file():
        _download(path, cached)
    return cached


def _download(path: str, destination: Path) -> None:
    expected = _pinned().get(path)
    if expected is None:
        raise FileNotFoundError(f"{path} is not a pinned file of the benchmark")
    try:
        with urllib.request.urlopen(f"{HOME}/{path}", timeout=60) as answer:
            content: bytes = answer.read()
    except OSError as error:
        raise FileNotFoundError(
            f"nab/{path} is not in $WATCHKEEPER_DATA_DIR and could not be downloaded ({error}); "
            "set WATCHKEEPER_DATA_DIR to a folder with the benchmark in nab/"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ValueError(f"{HOME}/{path}: SHA-256 is {found}, pinned is {expected}")
    destination.parent.mkdir(parents=True, exist_ok=True)
    partial = destination.with_suffix(".partial")
    partial.write_bytes(content)
    partial.rename(destination)


def _pinned() -> dict[str, str]:
    lines = (Path(__file__).parent / "nab.sha256").read_text(encoding="utf-8").splitlines()
    return {path: digest for digest, path in (line.split(maxsplit=1) for line in lines)}


def _load_series(name: str, windows: list[list[str]]) -> LabelledSeries:
    with locate(f"data/{name}").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    timestamps = np.array([row["timestamp"] for row in rows], dtype="datetime64[s]")
    values = np.array([float(row["value"]) for row in rows])
    limits = [[np.datetime64(edge.split(".")[0], "s") for edge in window] for window in windows]
    spans = tuple(
        (int(np.argmax(timestamps == start)), int(np.argmax(timestamps == end))) for start, end in limits
    )
    return LabelledSeries(name, timestamps, values, spans)
