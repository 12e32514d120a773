"""Which detector a workload trains and serves. A new algorithm is one class here and nothing elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from stepfunctions.steps.states import Task

from pipeline.contracts import path
from pipeline.jobs import Jobs, channel
from pipeline.tasks import JsonObject
from watchkeeper.errors import InvalidInputError
from watchkeeper.feature_schema import feature_dim


class Detector(Protocol):
    """Trains on feature vectors and scores them."""

    def train(self) -> Task:
        """Return the state `TrainDetector`."""

    def container(self) -> JsonObject:
        """Return the container that scores feature vectors, last of the model's pipeline."""


@dataclass(frozen=True)
class RandomCutForest:
    """SageMaker's built-in Random Cut Forest."""

    jobs: Jobs

    def train(self) -> Task:
        """Train the built-in image on the feature vectors."""
        return self.jobs.training(
            "TrainDetector",
            image=self.jobs.rcf_image,
            job_name=path("run.names.detector_job"),
            # the built-in image refuses a fully replicated channel
            channels={"train": channel(path("run.uris.features"), "text/csv;label_size=0", sharded=True)},
            output=path("run.uris.detector_output"),
            hyperparameters=self._hyperparameters(),
        )

    def container(self) -> JsonObject:
        """Score with the built-in image."""
        return {"Image": self.jobs.rcf_image, "ModelDataUrl": path("detector.uri")}

    def _hyperparameters(self) -> dict[str, str]:
        plan = self.jobs.settings.plan
        return {
            "num_trees": "100",
            "num_samples_per_tree": "256",
            "eval_metrics": json.dumps(["accuracy", "precision_recall_fscore"]),
            **{name: str(value) for name, value in plan.detector.hyperparameters.items()},
            "feature_dim": str(feature_dim(plan)),
        }


_DETECTORS: dict[str, Callable[[Jobs], Detector]] = {"rcf": RandomCutForest}


def detector_of(jobs: Jobs) -> Detector:
    """Return the detector that the workload asks for.

    Raises
    ------
    InvalidInputError
        If the workflow cannot train it.
    """
    algorithm = jobs.settings.plan.detector.algorithm
    if algorithm not in _DETECTORS:
        raise InvalidInputError(
            f"workload {jobs.settings.workload}: the workflow cannot train detector.algorithm "
            f"{algorithm!r}; use one of: {', '.join(sorted(_DETECTORS))}"
        )
    return _DETECTORS[algorithm](jobs)
