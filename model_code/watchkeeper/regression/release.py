"""A regression model in service. It has no threshold: nothing is anomalous here."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, Literal

from watchkeeper.core.errors import ContractViolationError
from watchkeeper.regression.plan import REGRESSION

RELEASE_VERSION = 1


@dataclass(frozen=True)
class RegressionRelease:
    """One model in service: its names in SageMaker, and how well it did."""

    workload: str
    run_id: str
    execution_arn: str
    endpoint: str
    endpoint_config: str
    model: str
    model_package_arn: str
    schema_hash: str
    """A later candidate is compared with this model only if its rows are the same."""
    metrics: dict[str, Any]
    """The candidate's metrics of its evaluation."""
    explanations: str
    """S3 prefix of the explanations; empty where there are none."""
    released_at: str
    """ISO 8601, UTC."""
    kind: Literal["regression"] = REGRESSION
    version: int = RELEASE_VERSION

    def to_json(self) -> str:
        """Return the release as one compact JSON document."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> RegressionRelease:
        """Read a release.

        Raises
        ------
        ContractViolationError
            If it has another version or other keys than this release of the software knows.
        """
        if document.get("version") != RELEASE_VERSION:
            raise ContractViolationError(
                f"release version {document.get('version')!r}, this code reads {RELEASE_VERSION}: train again"
            )
        try:
            return cls(**document)
        except TypeError as error:
            raise ContractViolationError(f"release: {error}") from error
