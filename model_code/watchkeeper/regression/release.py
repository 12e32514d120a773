"""A regression model in service. It has no threshold: nothing is anomalous here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from watchkeeper.lifecycle.release import RELEASE_VERSION, ServedModel
from watchkeeper.regression.plan import REGRESSION


@dataclass(frozen=True)
class RegressionRelease(ServedModel, name="release", remedy="train again"):
    """A model that predicts."""

    schema_hash: str
    """A later candidate is compared with this model only if its rows are the same."""
    explanations: str
    """S3 prefix of the explanations; empty where there are none."""
    kind: Literal["regression"] = REGRESSION
    version: int = RELEASE_VERSION
