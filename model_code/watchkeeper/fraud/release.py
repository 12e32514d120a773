"""A fraud model in service: where it is, and from which probability on a transaction is flagged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from watchkeeper.fraud.plan import FRAUD
from watchkeeper.lifecycle.release import RELEASE_VERSION, ServedModel


@dataclass(frozen=True)
class FraudRelease(ServedModel, name="release", remedy="train again"):
    """A model that gives a transaction's probability of fraud."""

    schema_hash: str
    """Of the features: a later candidate is compared with this model, and stored vectors can be asked for,
    only if it is the same. See `watchkeeper.fraud.schema.FeatureSchema`."""
    threshold: float
    """Probability from which on a transaction is flagged."""
    choice: str
    """Which of the models in the artifact answers."""
    artifact: str
    """`s3://` location of the `model.tar.gz`, for the comparison with a later candidate."""
    kind: Literal["fraud"] = FRAUD
    version: int = RELEASE_VERSION
