"""What a workflow deploys: the containers of a model, whatever it learnt."""

from __future__ import annotations

from typing import Protocol

from pipeline.tasks import JsonObject


class ServedModel(Protocol):
    """A trained model as SageMaker serves it."""

    def containers(self) -> list[JsonObject]:
        """Return the model's containers, in the order in which a request passes them: rows in, scores out."""
