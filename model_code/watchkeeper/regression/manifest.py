"""The manifest in a regression artifact: what it was made from, and whether it fits who loads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from watchkeeper import __version__
from watchkeeper.core.documents import Document
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.core.layout import short_hash
from watchkeeper.lifecycle.manifest import check_package, compatible
from watchkeeper.regression.plan import REGRESSION, RegressionPlan

MANIFEST_VERSION = 1


def schema_hash(plan: RegressionPlan) -> str:
    """Return what identifies a request row's meaning: the target, and the features in their order."""
    schema = {"target": plan.target, "features": [[each.name, each.encoding] for each in plan.features]}
    return short_hash(json.dumps(schema, sort_keys=True))


@dataclass(frozen=True)
class RegressionManifest(Document, name="manifest", remedy="train again", indent=2):
    """What is in a `model.tar.gz`."""

    workload: str
    schema_hash: str
    target: str
    features: list[str]
    package_version: str
    """Release of the shared package that wrote the artifact."""
    libraries: dict[str, str]
    """Version by library; the estimator can be read by the same ones only."""
    estimator_sha256: str
    """Of the estimator's file: it is read only if it is the one that training wrote."""
    categories: dict[str, list[str]]
    """Known values of each one-hot column; another value is in none of them."""
    n_rows: int
    hyperparameters: dict[str, Any]
    kind: Literal["regression"] = REGRESSION
    version: int = MANIFEST_VERSION

    @classmethod
    def of(cls, plan: RegressionPlan, **fields: Any) -> RegressionManifest:
        """Return the manifest of an artifact that this release makes for a plan."""
        return cls(
            workload=plan.workload,
            schema_hash=schema_hash(plan),
            target=plan.target,
            features=list(plan.feature_names),
            package_version=__version__,
            **fields,
        )


def check_artifact(
    manifest: RegressionManifest, plan: RegressionPlan, libraries: Mapping[str, str], sha256: str
) -> None:
    """Refuse an artifact that does not fit.

    Parameters
    ----------
    libraries
        The versions that are installed here.
    sha256
        Of the estimator's file as it is.

    Raises
    ------
    ContractViolationError
        If its rows are not the plan's, its file was changed, or other libraries or an incompatible release of
        the shared package wrote it.
    """
    if manifest.workload != plan.workload or manifest.schema_hash != schema_hash(plan):
        raise ContractViolationError(
            f"the artifact of workload {manifest.workload} takes {','.join(manifest.features)}, the plan of "
            f"{plan.workload} has {','.join(plan.feature_names)}: train again"
        )
    if manifest.estimator_sha256 != sha256:
        raise ContractViolationError(
            f"the estimator's SHA-256 is {sha256}, its manifest says {manifest.estimator_sha256}: "
            "the file is not the one that was trained"
        )
    check_package(manifest.package_version)
    for name, version in manifest.libraries.items():
        if compatible(libraries.get(name, "")) != compatible(version):
            raise ContractViolationError(
                f"the estimator was made with {name} {version}, this container has "
                f"{libraries.get(name) or 'none'}: train again"
            )
