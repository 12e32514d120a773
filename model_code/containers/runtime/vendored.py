"""Makes the packages in the archive's `vendor/` importable, after those of the image."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from watchkeeper.core.errors import ContractViolationError

VENDOR = Path(__file__).resolve().parents[2] / "vendor"


def use_vendored(folder: Path = VENDOR) -> None:
    """Append the folder to the import path; without one, what is installed has to do.

    Raises
    ------
    ContractViolationError
        If its compiled modules are for another Python.
    """
    if not folder.is_dir() or str(folder) in sys.path:
        return
    built_for = json.loads((folder / "target.json").read_text())["python"]
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if built_for != here:
        raise ContractViolationError(
            f"the code archive was built for Python {built_for} and this container has {here}: "
            "build it for the image's version (pipeline/vendoring.py)"
        )
    sys.path.append(str(folder))
