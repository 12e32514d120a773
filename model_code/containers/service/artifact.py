"""The service's `model.tar.gz`: what a detector has learned, without pickle, and what serves it.

`detector.npz` is the detector's own state, `manifest.json` says what it was made from, `code/` serves it in
the SKLearn image.
"""

from __future__ import annotations

import dataclasses
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from containers.service.tables import Part
from watchkeeper import __version__
from watchkeeper.core.documents import Document
from watchkeeper.core.errors import InvalidInputError, WatchkeeperError
from watchkeeper.core.layout import short_hash
from watchkeeper.detectors.factory import detector_from_bytes
from watchkeeper.detectors.protocol.detector import Detector
from watchkeeper.lifecycle.manifest import MANIFEST_NAME

KIND = "watchkeeper-service"
MANIFEST_VERSION = 1
DETECTOR_NAME = "detector.npz"
READ = (MANIFEST_NAME, DETECTOR_NAME)
"""Members of an archive that are read; nothing else of it is unpacked, and none of its code is run."""
MAX_MEMBER_BYTES = 4 * 1024**3


@dataclass(frozen=True)
class ServiceManifest(Document, name="manifest", indent=2):
    """What a model of the service was made from."""

    algorithm: str
    hyperparameters: dict[str, Any]
    """All of them, the defaults included."""
    columns: list[str]
    """Names of the features in their order."""
    threshold: float
    """anomaly_score above which a row is an anomaly."""
    n_rows: int
    n_rows_learned: int
    has_time: bool
    training_start: str = ""
    """First time of the table; ISO 8601, UTC; empty where it has none."""
    training_end: str = ""
    """Its last time."""
    metrics: dict[str, Any] = field(default_factory=dict)
    """Of a search: `search`, `held_out`, `held_out_defaults`; see `search`."""
    candidates: list[dict[str, Any]] = field(default_factory=list)
    """What a search tried, with its measures."""
    schema_hash: str = ""
    package_version: str = __version__
    kind: str = KIND
    version: int = MANIFEST_VERSION

    def to_dict(self) -> dict[str, Any]:
        """Return the manifest as JSON-ready objects."""
        return {**super().to_dict(), "schema_hash": schema_hash(self.columns)}

    @classmethod
    def _refusal(cls, message: str) -> InvalidInputError:
        return _bad_model(f"its {message}")


@dataclass(frozen=True)
class ServiceModel:
    """A fitted detector with its manifest."""

    detector: Detector
    manifest: ServiceManifest

    def aligned(self, part: Part) -> Part:
        """Return a part of a table with the model's columns in the model's order.

        Columns are found by name. A table without a header, or a model that was trained on one, goes by
        position.

        Raises
        ------
        InvalidInputError
            If columns are missing, or there are others (reason `columns_mismatch`).
        """
        wanted, given = self.manifest.columns, list(part.columns)
        if given == wanted:
            return part
        if unnamed(given) or unnamed(wanted):
            if len(given) != len(wanted):
                raise _mismatch(f"{len(given)} columns", f"{len(wanted)}: {', '.join(wanted)}")
            return dataclasses.replace(part, columns=tuple(wanted))
        if set(given) != set(wanted):
            missing, other = sorted(set(wanted) - set(given)), sorted(set(given) - set(wanted))
            said = [f"without {', '.join(missing)}"] if missing else []
            said += [f"with {', '.join(other)} beside them"] if other else []
            raise _mismatch(" and ".join(said), ", ".join(wanted))
        values = part.values[:, [given.index(name) for name in wanted]]
        return dataclasses.replace(part, columns=tuple(wanted), values=values)


def save_model(model: ServiceModel, folder: Path) -> None:
    """Write state and manifest to a model folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DETECTOR_NAME).write_bytes(model.detector.to_bytes())
    (folder / MANIFEST_NAME).write_text(model.manifest.to_json())


def load_model(folder: Path) -> ServiceModel:
    """Read a model folder.

    Raises
    ------
    InvalidInputError
        If it is not a model of the service, or one that this release cannot read (reason `bad_model`).
    """
    members = {name: (folder / name).read_bytes() for name in READ if (folder / name).is_file()}
    return model_of(members)


def load_archive(path: Path) -> ServiceModel:
    """Read a `model.tar.gz`; see `load_model`."""
    return model_of(read_members(path, READ))


def read_members(path: Path, names: tuple[str, ...], folder: str | None = None) -> dict[str, bytes]:
    """Return files of a `model.tar.gz` by name; those that it does not have are left out.

    Parameters
    ----------
    folder
        Of which all files are wanted, too.

    Raises
    ------
    InvalidInputError
        If it is not such an archive (reason `bad_model`).
    """
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                name = member.name.removeprefix("./")
                wanted = name in names or (folder is not None and name.startswith(f"{folder}/"))
                if wanted and member.isfile():
                    if member.size > MAX_MEMBER_BYTES:
                        raise _bad_model(f"{name} has {member.size} bytes")
                    file = archive.extractfile(member)
                    found[name] = file.read() if file else b""
    except (tarfile.TarError, OSError, EOFError) as error:
        raise _bad_model(f"{path.name} is not a .tar.gz archive: {error}") from error
    return found


def schema_hash(columns: list[str]) -> str:
    """Return what identifies the features and their order."""
    return short_hash(json.dumps(columns))


def model_of(members: Mapping[str, bytes]) -> ServiceModel:
    """Read the files of a model by their names in `READ`; see `load_model`."""
    absent = [name for name in READ if name not in members]
    if absent:
        raise _bad_model(f"it has no {absent[0]}")
    manifest = ServiceManifest.from_json(members[MANIFEST_NAME])
    if manifest.schema_hash != schema_hash(manifest.columns):
        raise _bad_model("its schema hash is not that of its columns")
    try:
        detector = detector_from_bytes(members[DETECTOR_NAME])
    except WatchkeeperError as error:
        raise _bad_model(str(error)) from error
    if detector.n_features_in_ != len(manifest.columns):
        raise _bad_model("its detector has another number of columns than its manifest")
    return ServiceModel(detector, manifest)


def unnamed(columns: Sequence[str]) -> bool:
    """Whether a table of these columns had no header."""
    return list(columns) == [f"column_{number}" for number in range(1, len(columns) + 1)] or not np.any(
        [not name.startswith("column_") for name in columns]
    )


def _mismatch(given: str, wanted: str) -> InvalidInputError:
    return InvalidInputError(
        f"the file's columns are not the model's: {given}; the model takes {wanted}",
        reason="columns_mismatch",
    )


def _bad_model(why: str) -> InvalidInputError:
    return InvalidInputError(f"not a model that can be used here: {why}", reason="bad_model")
