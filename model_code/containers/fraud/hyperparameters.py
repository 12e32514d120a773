"""Hyperparameters of the training job."""

from __future__ import annotations

from dataclasses import dataclass

from watchkeeper.core.errors import InvalidInputError

OPTIMIZERS = ("adam", "adamw", "sgd")


@dataclass(frozen=True)
class Hyperparameters:
    """Of the network, then of the trees."""

    embedding_size: int = 64
    n_layers: int = 2
    """Two: to an entity, and from it to the transaction. An ego row has no more hops."""
    n_epochs: int = 10
    optimizer: str = "adam"
    lr: float = 1e-2
    """At its highest: it rises over a tenth of the steps and falls to 0 as a cosine."""
    batch_size: int = 1024
    dropout: float = 0.2
    """Share of inputs, of neighbours and of whole relations that a step does not see, each drawn anew."""
    n_trees: int = 400
    """At most: fewer where the validation time is predicted best by fewer."""
    tree_lr: float = 0.05
    n_leaves: int = 31
    least_leaf: int = 50
    """Transactions that a leaf has at least."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values that cannot be."""
        wrong = [
            name
            for name, right in {
                "embedding_size": 1 <= self.embedding_size <= 1024,
                "n_epochs": 1 <= self.n_epochs <= 1000,
                "lr": 0.0 < self.lr <= 1.0,
                "batch_size": 1 <= self.batch_size <= 65_536,
                "dropout": 0.0 <= self.dropout < 1.0,
                "n_trees": 1 <= self.n_trees <= 5_000,
                "tree_lr": 0.0 < self.tree_lr <= 1.0,
                "n_leaves": 2 <= self.n_leaves <= 1024,
                "least_leaf": self.least_leaf >= 1,
            }.items()
            if not right
        ]
        if wrong:
            raise InvalidInputError(f"hyperparameter {wrong[0]}={getattr(self, wrong[0])!r} is out of range")
        if self.n_layers != 2:
            raise InvalidInputError(
                f"hyperparameter n_layers={self.n_layers}: must be 2, to an entity and from it back"
            )
        if self.optimizer not in OPTIMIZERS:
            raise InvalidInputError(
                f"hyperparameter optimizer={self.optimizer!r}: must be one of {', '.join(OPTIMIZERS)}"
            )
