"""A streaming workload's model as one of the service's.

A model that came from the service is what it was. The `watchkeeper` detector goes on where its training
ended.

Each series of the workload is a column, named by its series key; a file without a header, with as many
columns, is taken in the order of the keys. A row is an anomaly from the detector's own alert rarity: the
threshold of the workload's release is not in its model.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from containers.anomaly.pages import PAGES_NAME
from containers.anomaly.snapshots import PLAN_NAME, SNAPSHOTS_NAME, load_snapshots
from containers.service.adoption import TABLE_FOLDER
from containers.service.artifact import (
    READ,
    ServiceManifest,
    ServiceModel,
    load_archive,
    model_of,
    read_members,
)
from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.detectors.catalogue import WATCHKEEPER
from watchkeeper.detectors.streaming.detector import WatchkeeperDetector
from watchkeeper.detectors.streaming.series_detector import SeriesDetector
from watchkeeper.lifecycle.manifest import MANIFEST_NAME, ArtifactManifest

ADOPTED = {name: f"{TABLE_FOLDER}/{name}" for name in READ}
"""Where a workload that serves a table's model of the service keeps it."""
MEMBERS = (SNAPSHOTS_NAME, PLAN_NAME, MANIFEST_NAME, *ADOPTED.values())
ONLY_SERIES = "value"
"""Column of a workload whose rows name no series."""


def load_any_model(path: Path) -> ServiceModel:
    """Read a `model.tar.gz` of the service, or of a workload whose detector is `watchkeeper` or `registered`.

    Raises
    ------
    InvalidInputError
        If it is neither, or one that this release cannot read (reason `bad_model`).
    """
    members = read_members(path, MEMBERS, PAGES_NAME)
    if SNAPSHOTS_NAME in members or any(name.startswith(f"{PAGES_NAME}/") for name in members):
        return _of_workload(members)
    if set(ADOPTED.values()) <= set(members):
        return model_of({name: members[place] for name, place in ADOPTED.items()})
    if MANIFEST_NAME not in members:
        raise InvalidInputError(
            f"not a model that can be used here: it has no {' and no '.join(READ)}. The model of a workload "
            "with the rcf detector is readable by its own image only",
            reason="bad_model",
        )
    return load_archive(path)


def _of_workload(members: dict[str, bytes]) -> ServiceModel:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, content in members.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        try:
            snapshots, plan = load_snapshots(folder)
            written = ArtifactManifest.from_json(members[MANIFEST_NAME])
        except (ContractViolationError, InvalidInputError) as error:
            raise InvalidInputError(
                f"not a model that can be used here: {error}", reason="bad_model"
            ) from error
    states = np.concatenate([each.states_ for each in snapshots.detectors.values()])
    together = WatchkeeperDetector.of_states(states, interval_seconds=plan.interval_seconds)
    detector = SeriesDetector.from_bytes(together.to_bytes())
    manifest = ServiceManifest(
        algorithm=WATCHKEEPER,
        hyperparameters=detector.get_params(),
        columns=[series or ONLY_SERIES for series in snapshots.detectors],
        threshold=detector.threshold_score,
        n_rows=written.n_rows,
        n_rows_learned=written.n_rows,
        has_time=True,
    )
    return ServiceModel(detector, manifest)
