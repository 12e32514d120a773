"""The release of a workload of any kind: a document without `kind` is of an anomaly workload."""

from __future__ import annotations

import json

from watchkeeper.regression.plan import REGRESSION
from watchkeeper.regression.release import RegressionRelease
from watchkeeper.release import Release

AnyRelease = Release | RegressionRelease


def release_from_json(text: str | bytes) -> AnyRelease:
    """Read a release of any kind.

    Raises
    ------
    ContractViolationError
        If it is not of this release of the software.
    """
    document = json.loads(text)
    if document.get("kind") == REGRESSION:
        return RegressionRelease.from_dict(document)
    return Release.from_json(text)
