"""Releases: what the scoring loop knows of a model, and where it finds it."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from watchkeeper.errors import ContractViolationError
from watchkeeper.expectation import step_scale_of
from watchkeeper.severity import SeverityCalibration
from watchkeeper.thresholds import Threshold

RELEASE_VERSION = 1
LIVE = "LIVE"
"""Sort key of the published release."""


@dataclass(frozen=True)
class Release:
    """One model in service: its names in SageMaker and how its scores are read."""

    workload: str
    run_id: str
    execution_arn: str
    variant: str
    """Production variant of the endpoint; it belongs to this release alone."""
    endpoint: str
    endpoint_config: str
    model: str
    model_package_arn: str
    threshold: Threshold
    severity: SeverityCalibration
    step_scales: dict[str, float]
    """By series key; see `watchkeeper.expectation`."""
    metrics: dict[str, Any]
    """The candidate's metrics of its evaluation."""
    released_at: str
    """ISO 8601, UTC."""
    version: int = RELEASE_VERSION

    def to_json(self) -> str:
        """Return the release as one compact JSON document."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Release:
        """Read a release.

        Raises
        ------
        ContractViolationError
            If it has another version or other keys than this release of the software knows.
        """
        document = json.loads(text)
        if document.get("version") != RELEASE_VERSION:
            raise ContractViolationError(
                f"release version {document.get('version')!r}, this code reads {RELEASE_VERSION}: train again"
            )
        try:
            return cls(
                **{
                    **document,
                    "threshold": Threshold.from_dict(document["threshold"]),
                    "severity": SeverityCalibration.from_dict(document["severity"]),
                }
            )
        except (KeyError, TypeError) as error:
            raise ContractViolationError(f"release: {error}") from error

    def step_scale(self, series: str) -> float:
        """Return a series' step scale; of an unknown series, the median of its measure's.

        Raises
        ------
        ContractViolationError
            If the release has no series of that measure.
        """
        return step_scale_of(series, self.step_scales)


def release_pk(workload: str) -> str:
    """Partition key, in the series table, of a workload's releases."""
    return f"release#{workload}"


def release_key(workload: str, variant: str) -> dict[str, str]:
    """Key of the release that a production variant serves."""
    return {"pk": release_pk(workload), "sk": variant}


def live_key(workload: str) -> dict[str, str]:
    """Key of the published release."""
    return release_key(workload, LIVE)
