"""The streaming detector as an artifact that answers requests: what it knows of each series.

A workload's own has it in its warm pages. One that adopts a model of the anomaly service has `snapshots.npz`,
in the detector's own format of states (`watchkeeper.detectors.protocol.persistence`: exact, versioned, no
pickle): `states.npy` has one record a series, the header lists the series in that order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from containers.anomaly.pages import PAGES_NAME, page_files, read_page
from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.detectors.protocol import persistence
from watchkeeper.detectors.streaming.detector import WatchkeeperDetector
from watchkeeper.detectors.streaming.state import STATE
from watchkeeper.lifecycle.manifest import MANIFEST_NAME, ArtifactManifest, check
from watchkeeper.telemetry.series import known_of, parse_series_key

SNAPSHOTS_NAME = "snapshots.npz"
PLAN_NAME = "plan.json"
FORMAT = "watchkeeper-snapshots"


@dataclass(frozen=True)
class Snapshots:
    """The detector of each series. They are never changed: who scores works on a copy."""

    detectors: Mapping[str, WatchkeeperDetector]
    """By series key; an empty key where rows name no series."""

    @cached_property
    def measures(self) -> Mapping[str, WatchkeeperDetector]:
        """A detector that has seen nothing for each measure that was trained on."""
        measures = {parse_series_key(series).measure for series in self.detectors if series}
        return {measure: WatchkeeperDetector() for measure in measures}

    def of(self, series: str | None) -> WatchkeeperDetector:
        """Return a series' detector; of an unknown series of a known measure, one that has seen nothing.

        Raises
        ------
        InvalidInputError
            See `watchkeeper.telemetry.series.known_of`.
        """
        return known_of(series, self.detectors, self.measures)


def save_snapshots(
    snapshots: Snapshots, plan: WorkloadPlan, manifest: ArtifactManifest, folder: Path
) -> None:
    """Write the snapshots with their plan and manifest."""
    states = np.concatenate([detector.states_ for detector in snapshots.detectors.values()])
    content = persistence.dump(FORMAT, {"series": list(snapshots.detectors)}, {"states": states})
    (folder / SNAPSHOTS_NAME).write_bytes(content)
    (folder / PLAN_NAME).write_text(plan.to_json())
    (folder / MANIFEST_NAME).write_text(manifest.to_json())


def load_snapshots(folder: Path) -> tuple[Snapshots, WorkloadPlan]:
    """Read the snapshots and their plan; each detector goes on as the one that was saved would.

    Raises
    ------
    ContractViolationError
        If the files are absent, or were written by an incompatible release.
    """
    what = "an artifact of the detector"
    plan = load_plan(folder, what)
    if (folder / PAGES_NAME).is_dir():
        return _of_pages(folder / PAGES_NAME), plan
    content = _needed(folder / SNAPSHOTS_NAME, what)
    try:
        settings, arrays = persistence.load(FORMAT, content)
    except InvalidInputError as error:
        raise ContractViolationError(f"{SNAPSHOTS_NAME}: {error}; train again") from error
    series, states = settings.get("series", []), arrays.get("states")
    if states is None or states.dtype != STATE or states.shape != (len(series),):
        raise ContractViolationError(
            f"{SNAPSHOTS_NAME}: its states do not have this package's fields; train again"
        )
    return Snapshots(resumed(series, states)), plan


def _of_pages(folder: Path) -> Snapshots:
    """Return what the pages of a workload know, of the series that have learned anything."""
    found: dict[str, WatchkeeperDetector] = {}
    for page in map(read_page, page_files(folder)):
        known = np.flatnonzero(page.states["slots"] > 0)
        found |= resumed([page.series[at] for at in known], page.states[known])
    return Snapshots(dict(sorted(found.items())))


def load_plan(folder: Path, what: str) -> WorkloadPlan:
    """Read the plan of an artifact that its manifest fits.

    Parameters
    ----------
    what
        What it should be, for messages.

    Raises
    ------
    ContractViolationError
        If the files are absent, or were written by an incompatible release.
    """
    plan = WorkloadPlan.from_json(_needed(folder / PLAN_NAME, what))
    check(ArtifactManifest.from_json(_needed(folder / MANIFEST_NAME, what)), plan)
    return plan


def _needed(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ContractViolationError(f"not {what}: {error.filename} is missing") from error


def resumed(series: Sequence[str], states: NDArray[np.void]) -> dict[str, WatchkeeperDetector]:
    """Return a detector for each series that goes on from its state; states are in the order of the series.

    Without an interval, rows that follow are consecutive whatever their time: see
    `containers.anomaly.replay`.
    """
    return {name: _resumed(states[at : at + 1]) for at, name in enumerate(series)}


def _resumed(states: NDArray[np.void]) -> WatchkeeperDetector:
    return WatchkeeperDetector.of_states(states)
