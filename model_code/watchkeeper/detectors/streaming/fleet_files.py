"""The format of a saved fleet, version 3: a folder with two files, without pickle.

- `fleet.npz`: the archive of `persistence` (format `watchkeeper-fleet`): the settings, among them `states`,
  the name of the other file, and the array `present`, whether each row of it is a series.
- `states-ID.npy`: one record of `state.STATE` a row, in numpy's own format, which can be mapped to memory.

`fleet.npz` is replaced in one step after the states are written, so a crash leaves the older fleet.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.detectors.protocol import persistence
from watchkeeper.detectors.streaming.state import STATE

FORMAT = "watchkeeper-fleet"
_INDEX = "fleet.npz"
_STATES = "states-{}.npy"

Present = npt.NDArray[np.bool_]
States = npt.NDArray[np.void]


def write(folder: Path, settings: dict[str, Any], present: Present, shelves: Sequence[States]) -> None:
    """Write a fleet, shelf by shelf, and remove the states of the one that it replaces."""
    folder.mkdir(parents=True, exist_ok=True)
    states = folder / _STATES.format(uuid.uuid4().hex)
    with states.open("wb") as file:
        header = {
            "descr": np.lib.format.dtype_to_descr(STATE),
            "fortran_order": False,
            "shape": (len(present),),
        }
        np.lib.format.write_array_header_2_0(file, header)
        for shelf in shelves:
            shelf.tofile(file)
    index = folder / (_INDEX + ".new")
    index.write_bytes(persistence.dump(FORMAT, {**settings, "states": states.name}, {"present": present}))
    index.replace(folder / _INDEX)
    for older in folder.glob(_STATES.format("*")):
        if older != states:
            older.unlink()


def read(folder: Path) -> tuple[dict[str, Any], Present, States]:
    """Return settings, which rows are series, and the states, mapped copy-on-write.

    Raises
    ------
    InvalidInputError
        There is no fleet in the folder.
    ContractViolationError
        Another version wrote it, or its files do not belong together.
    """
    try:
        settings, arrays = persistence.load(FORMAT, (folder / _INDEX).read_bytes())
    except OSError as error:
        raise InvalidInputError(f"{folder / _INDEX}: {error.strerror}") from error
    name, present = settings.pop("states", None), arrays.get("present")
    if not isinstance(name, str) or present is None or present.dtype != np.bool_:
        raise ContractViolationError(f"{folder / _INDEX}: has no states or no list of the series present")
    if not len(present):
        return settings, present, np.empty(0, dtype=STATE)
    try:
        states = np.load(folder / name, mmap_mode="c", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ContractViolationError(f"{folder / name}: {error}") from error
    return settings, present, np.asarray(states)
