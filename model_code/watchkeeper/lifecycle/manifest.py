"""The manifest in every model artifact: what it was made from, and whether it fits who loads it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from watchkeeper import __version__
from watchkeeper.core.documents import Document
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.features.schema import feature_names, schema_hash

MANIFEST_NAME = "manifest.json"
MANIFEST_VERSION = 1


@dataclass(frozen=True)
class ArtifactManifest(Document, name="manifest", remedy="train again", indent=2):
    """What is in a `model.tar.gz`."""

    workload: str
    schema_hash: str
    """See `watchkeeper.features.schema.schema_hash`."""
    features: list[str]
    package_version: str
    """Release of the shared package that wrote the artifact."""
    training_start: str
    """First interval of the training part; ISO 8601, UTC."""
    training_end: str
    """End of its last interval."""
    n_rows: int
    hyperparameters: dict[str, Any] = dataclasses.field(default_factory=dict)
    metrics: dict[str, Any] = dataclasses.field(default_factory=dict)
    version: int = MANIFEST_VERSION

    @classmethod
    def of(cls, plan: WorkloadPlan, **fields: Any) -> ArtifactManifest:
        """Return the manifest of an artifact that this release makes for a plan."""
        return cls(
            workload=plan.workload,
            schema_hash=schema_hash(plan),
            features=feature_names(plan),
            package_version=__version__,
            **fields,
        )


def check(manifest: ArtifactManifest, plan: WorkloadPlan) -> None:
    """Refuse an artifact that does not fit.

    Raises
    ------
    ContractViolationError
        If the artifact is another workload's, was made for other feature vectors, or by an incompatible
        release of the shared package (another number before the last dot).
    """
    if manifest.workload != plan.workload:
        raise ContractViolationError(
            f"the artifact is of the workload {manifest.workload}, not of {plan.workload}"
        )
    if manifest.schema_hash != schema_hash(plan):
        raise ContractViolationError(
            f"the artifact's feature schema {manifest.schema_hash} ({', '.join(manifest.features)}) "
            f"is not the plan's {schema_hash(plan)} ({', '.join(feature_names(plan))}): train again"
        )
    check_package(manifest.package_version)


def check_package(version: str) -> None:
    """Refuse an artifact of another release of the shared package.

    Raises
    ------
    ContractViolationError
        If the number before the last dot is another one.
    """
    if compatible(version) != compatible(__version__):
        raise ContractViolationError(
            f"the artifact was made by watchkeeper {version}, this is {__version__}: train again"
        )


def compatible(version: str) -> str:
    """Return the part of a version that compatible releases share: all before the last dot."""
    return version.rpartition(".")[0]
