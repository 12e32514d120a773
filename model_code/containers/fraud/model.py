"""The fraud model: all that its choice may need, as arrays, asked with numpy alone."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from containers.fraud import network
from containers.fraud.encoding import Encoding
from containers.fraud.trees import Trees
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.fraud.ego import EgoRows
from watchkeeper.fraud.manifest import Choice, FraudManifest
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.schema import schema_of
from watchkeeper.lifecycle.manifest import MANIFEST_NAME

ARRAYS_NAME = "arrays.npz"
PLAN_NAME = "plan.json"
_CHUNK = 1024
"""Ego rows that the network takes at once."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FraudModel:
    """Two ensembles of trees, a network, and which of them answers."""

    plan: FraudPlan
    encoding: Encoding
    row: Trees
    """Of what the row alone says."""
    as_of: Trees
    """Of the whole vector."""
    parameters: Mapping[str, NDArray[np.float32]]
    typical: NDArray[np.float32]
    """The vector of a transaction of which nothing is special: the medians of those that trained."""
    weight: float
    """Share of the network in the ensemble's log-odds, in [0, 1]."""
    choice: Choice
    threshold: float
    """Probability from which on a transaction is flagged."""

    def probabilities(self, rows: EgoRows, choice: Choice | None = None) -> Floats:
        """Return the probability of fraud of each row, of shape (B,), by the choice or another model."""
        return probability(self.logits(rows, choice))

    def logits(self, rows: EgoRows, choice: Choice | None = None) -> Floats:
        """Return the log-odds of fraud; see `probabilities`."""
        choice = choice or self.choice
        if choice == "graph":
            return self._network(rows)
        if choice == "ensemble":
            trees = self.as_of.logits(self.encoding.numbers(rows.x))
            return self.weight * self._network(rows) + (1.0 - self.weight) * trees
        numbers = self.encoding.numbers(rows.x)
        return (self.row if choice == "row" else self.as_of).logits(numbers)

    def _network(self, rows: EgoRows) -> Floats:
        parts = [np.empty(0)]
        for start in range(0, len(rows), _CHUNK):
            part = slice(start, start + _CHUNK)
            parts.append(
                network.logits(
                    self.parameters,
                    self.scaled(rows.x[part]),
                    self.scaled(rows.neighbours[part]),
                    rows.edges[part],
                    rows.mask[part],
                ).astype(np.float64)
            )
        return np.concatenate(parts)

    def scaled(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return vectors as the network takes them."""
        return self.encoding.scaled(self.encoding.numbers(vectors))


def probability(logits: Floats) -> Floats:
    """Return the probability of log-odds."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)))


def arrays_of(model: FraudModel) -> bytes:
    """Return the model's arrays as an npz file."""
    content = io.BytesIO()
    np.savez(
        content,
        allow_pickle=False,
        **{f"encoding.{name}": array for name, array in vars(model.encoding).items()},
        **{f"row.{name}": array for name, array in vars(model.row).items()},
        **{f"as_of.{name}": array for name, array in vars(model.as_of).items()},
        **{f"network.{name}": array for name, array in model.parameters.items()},
        typical=model.typical,
    )
    return content.getvalue()


def save_model(model: FraudModel, folder: Path, arrays: bytes, manifest: FraudManifest) -> None:
    """Write arrays, plan and manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ARRAYS_NAME).write_bytes(arrays)
    (folder / PLAN_NAME).write_text(model.plan.to_json())
    (folder / MANIFEST_NAME).write_text(manifest.to_json())


def load_model(folder: Path) -> tuple[FraudModel, FraudManifest]:
    """Read what `save_model` wrote.

    Raises
    ------
    ContractViolationError
        If a file is absent or was changed, or was written by an incompatible release.
    """
    try:
        content = (folder / ARRAYS_NAME).read_bytes()
        plan = FraudPlan.from_json((folder / PLAN_NAME).read_bytes())
        manifest = FraudManifest.from_json((folder / MANIFEST_NAME).read_bytes())
    except FileNotFoundError as error:
        raise ContractViolationError(f"not a fraud artifact: {error.filename} is missing") from error
    manifest.check(plan, hashlib.sha256(content).hexdigest())
    with np.load(io.BytesIO(content), allow_pickle=False) as found:
        arrays = {name: found[name] for name in found.files}

    def part(prefix: str) -> dict[str, Any]:
        return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}

    model = FraudModel(
        plan=plan,
        encoding=Encoding(**part("encoding.")),
        row=Trees(**part("row.")),
        as_of=Trees(**part("as_of.")),
        parameters=part("network."),
        typical=arrays["typical"],
        weight=manifest.ensemble_weight,
        choice=manifest.choice,
        threshold=manifest.threshold,
    )
    if len(model.typical) != len(schema_of(plan).names):
        raise ContractViolationError(f"{ARRAYS_NAME} is of another schema than {PLAN_NAME}: train again")
    return model, manifest
