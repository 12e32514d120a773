"""Which states train a workload's detector, and which containers serve it.

Which algorithms there are stands elsewhere: the detectors in `watchkeeper.detectors`, the keys of a workload
file in `watchkeeper.spec.detection`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol

from stepfunctions.steps.states import State

from pipeline import preparation
from pipeline.contracts import path
from pipeline.jobs import Jobs, channel
from pipeline.packaging import REGISTERED_DETECTOR
from pipeline.serving import ScriptModeModel, ServedModel
from pipeline.tasks import JsonObject
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.features.schema import feature_dim


class Detector(ServedModel, Protocol):
    """Learns the training rows and scores rows."""

    def fit(self) -> list[State]:
        """Return the states from the training rows to the artifact at `$.detector`, in order."""


@dataclass(frozen=True)
class RandomCutForest:
    """SageMaker's built-in Random Cut Forest, on the feature vectors of our preprocessor."""

    jobs: Jobs
    plan: WorkloadPlan

    def fit(self) -> list[State]:
        """Fit the preprocessor, transform the training rows, train the built-in image on the vectors."""
        train = self.jobs.training(
            "TrainDetector",
            image=self.jobs.rcf_image,
            job_name=path("run.names.detector_job"),
            # the built-in image refuses a fully replicated channel
            channels={"train": channel(path("run.uris.features"), "text/csv;label_size=0", sharded=True)},
            output=path("run.uris.detector_output"),
            hyperparameters=self._hyperparameters(),
        )
        return [
            *preparation.preprocessor(self.jobs).fit(),
            preparation.create_preprocessor_model(self.jobs),
            preparation.transform_training_rows(self.jobs),
            train,
        ]

    def containers(self) -> list[JsonObject]:
        """Preprocess, then score with the built-in image."""
        return [
            *preparation.preprocessor(self.jobs).containers(),
            {"Image": self.jobs.rcf_image, "ModelDataUrl": path("detector.uri")},
        ]

    def _hyperparameters(self) -> dict[str, str]:
        return {
            "num_trees": "100",
            "num_samples_per_tree": "256",
            "eval_metrics": json.dumps(["accuracy", "precision_recall_fscore"]),
            **{name: str(value) for name, value in self.plan.detector.hyperparameters.items()},
            "feature_dim": str(feature_dim(self.plan)),
        }


def detector_of(jobs: Jobs, plan: WorkloadPlan) -> Detector:
    """Return the detector that the workload asks for.

    Raises
    ------
    InvalidInputError
        If the workflow cannot train it.
    """
    given = plan.detector.hyperparameters
    match plan.detector.algorithm:
        case "rcf":
            return RandomCutForest(jobs, plan)
        case "registered":  # a model that the anomaly service trained, as the workload's own (docs/adr/0015)
            model = {"model": channel(path("registered.uri"))}
            version = {"version": given["version"]}
            return ScriptModeModel(jobs, "AdoptDetector", REGISTERED_DETECTOR, "detector", version, model)
        case other:
            raise InvalidInputError(
                f"workload {plan.workload}: the workflow cannot train detector.algorithm {other!r}; "
                "use one of: rcf, registered, watchkeeper"
            )
