"""The manifest in a fraud artifact: what it was made from, and whether it fits who loads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from watchkeeper import __version__
from watchkeeper.core.documents import Document
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.fraud.plan import FRAUD, FraudPlan
from watchkeeper.fraud.schema import schema_of
from watchkeeper.lifecycle.manifest import check_package

MANIFEST_VERSION = 1

Choice = Literal["row", "as_of", "graph", "ensemble"]
CHOICES: tuple[Choice, ...] = ("row", "as_of", "graph", "ensemble")
"""Trees on the row alone; trees that know the entities' histories too; the graph network; both together.

The simpler comes first: it is taken where another is not better by more than chance.
"""


@dataclass(frozen=True)
class FraudManifest(Document, name="manifest", remedy="train again", indent=2):
    """What is in a `model.tar.gz`."""

    workload: str
    schema_hash: str
    relations: list[str]
    neighbours: int
    package_version: str
    """Release of the shared package that wrote the artifact."""
    arrays_sha256: str
    """Of the file of arrays: it is read only if it is the one that training wrote."""
    choice: Choice
    threshold: float
    """Probability from which on a transaction is flagged."""
    ensemble_weight: float
    """Share of the graph network in the ensemble's log-odds, in [0, 1]."""
    validation_pr_auc: dict[str, float]
    """By model, on the validation time: what the choice was made by."""
    n_train: int
    n_train_frauds: int
    training_start: str
    training_end: str
    hyperparameters: dict[str, Any]
    kind: Literal["fraud"] = FRAUD
    version: int = MANIFEST_VERSION

    @classmethod
    def of(cls, plan: FraudPlan, **fields: Any) -> FraudManifest:
        """Return the manifest of an artifact that this release makes for a plan."""
        return cls(
            workload=plan.workload,
            schema_hash=schema_of(plan).hash,
            relations=[relation.name for relation in plan.relations],
            neighbours=plan.neighbours,
            package_version=__version__,
            **fields,
        )

    def check(self, plan: FraudPlan, sha256: str) -> None:
        """Refuse an artifact that does not fit.

        Parameters
        ----------
        sha256
            Of the file of arrays as it is.

        Raises
        ------
        ContractViolationError
            If its ego rows are not the plan's, its arrays were changed, or an incompatible release of the
            shared package wrote it.
        """
        theirs = (self.workload, self.schema_hash, tuple(self.relations), self.neighbours)
        relations = tuple(relation.name for relation in plan.relations)
        ours = (plan.workload, schema_of(plan).hash, relations, plan.neighbours)
        if theirs != ours:
            raise ContractViolationError(
                f"the artifact takes {theirs} (workload, features, relations, neighbours), the plan says "
                f"{ours}: train again"
            )
        if self.arrays_sha256 != sha256:
            raise ContractViolationError(
                f"the arrays' SHA-256 is {sha256}, their manifest says {self.arrays_sha256}: "
                "the file is not the one that was trained"
            )
        check_package(self.package_version)
