"""Releases: what the scoring loop knows of a model, and where it finds it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from watchkeeper.core.documents import Document, plain
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.features.contributions import NO_EXPLAINER, Explainer
from watchkeeper.features.relations import Relation
from watchkeeper.judgement.moved import NOTHING_MOVED, MovedThresholds
from watchkeeper.judgement.severity import SeverityCalibration
from watchkeeper.judgement.thresholds import Threshold
from watchkeeper.lifecycle.run import TrainingRun
from watchkeeper.telemetry.census import Census
from watchkeeper.telemetry.expectation import fleet_scale_of, fleet_scales

if TYPE_CHECKING:
    from typing import Self

RELEASE_VERSION = 1
LIVE = "LIVE"
"""Sort key of the published release."""
MOVED = "MOVED"
"""Sort key of where feedback has moved thresholds, beside the releases."""
SCORE_TOLERANCE = 1e-6


@dataclass(frozen=True)
class ServedModel(Document, name="release", remedy="train again"):
    """A model in service, of any kind of workload: its names in SageMaker, and how well it did."""

    workload: str
    run_id: str
    execution_arn: str
    endpoint: str
    endpoint_config: str
    model: str
    model_package_arn: str
    metrics: dict[str, Any]
    """The candidate's metrics of its evaluation."""
    released_at: str
    """ISO 8601, UTC."""

    @classmethod
    def of(cls, run: TrainingRun, *, package: str, metrics: Any, released_at: str, **fields: Any) -> Self:
        """Return the release of a run; `fields` are those that its kind has beside."""
        return cls(
            workload=run.workload,
            run_id=run.run_id,
            execution_arn=run.execution_arn,
            endpoint=run.names.endpoint,
            endpoint_config=run.names.endpoint_config,
            model=run.names.model,
            model_package_arn=package,
            metrics=plain(metrics),
            released_at=released_at,
            **fields,
        )


@dataclass(frozen=True)
class StreamModel:
    """The streaming detector of a release: it scores inside the scoring loop's step and learns as it goes."""

    parameters: dict[str, float]
    """Of `watchkeeper.detectors.streaming.state.Parameters`; what is left out has its default."""
    alert_rarity: float
    pages: str = ""
    """`s3://` prefix of the pages that the run's history was replayed into; empty where there are none."""
    heard_until: str = ""
    """An hour such as `2026-11-29T17`: the pages know all telemetry that was delivered before it."""


@dataclass(frozen=True)
class Release(ServedModel, name="release", remedy="train again"):
    """A model that scores telemetry, and how its scores are read."""

    threshold: Threshold
    severity: SeverityCalibration
    step_scales: dict[str, float]
    """By series key; see `watchkeeper.telemetry.expectation`."""
    probe_row: str
    """A row of the holdback, by whose score an answer of the endpoint shows which model gave it."""
    probe_score: float
    """The score that this release's own model gave to it in its evaluation."""
    explainer: Explainer = NO_EXPLAINER
    """How its anomalies are explained; a release of older software has none."""
    census: Census = field(default_factory=Census)
    """Of the history's series; older software counted none."""
    relations: tuple[Relation, ...] = ()
    """How measures moved with one another in the history, the strongest first."""
    stream: StreamModel | None = None
    """None where an endpoint scores. Otherwise none is asked, and there is no probe."""
    moved: MovedThresholds = NOTHING_MOVED
    """Where people's feedback has moved thresholds. It outlives releases: it is kept beside them, and laid on
    those that scoring reads; one that is stored has none."""
    version: int = RELEASE_VERSION

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready objects; without `moved` where nothing is, as older software reads it."""
        document = super().to_dict()
        return document if self.moved else {key: document[key] for key in document if key != "moved"}

    def gave(self, score: float) -> bool:
        """Tell whether this release's model gave that score to the probe row."""
        return same_score(score, self.probe_score)

    @property
    def streaming(self) -> StreamModel:
        """The streaming detector.

        Raises
        ------
        ContractViolationError
            If an endpoint scores.
        """
        if self.stream is None:
            raise ContractViolationError(f"release {self.run_id} has no streaming detector: train again")
        return self.stream

    def step_scale(self, series: str) -> float:
        """Return a series' step scale; of an unknown series, the median of its measure's.

        Raises
        ------
        ContractViolationError
            If the release has no series of that measure.
        """
        known = self.step_scales.get(series)
        return fleet_scale_of(series, self.fleet_scales) if known is None else known

    @cached_property
    def fleet_scales(self) -> dict[str, float]:
        """The median step scale of each measure that the model knows."""
        return fleet_scales(self.step_scales)


def same_score(score: float, expected: float, tolerance: float = SCORE_TOLERANCE) -> bool:
    """Tell whether two scores of one row came from one model; it may answer from another kind of machine.

    Parameters
    ----------
    tolerance
        Largest difference that counts as none, relative to the larger of 1 and the expected score.
    """
    return abs(score - expected) <= tolerance * max(1.0, abs(expected))


def release_pk(workload: str) -> str:
    """Partition key, in the series table, of a workload's releases."""
    return f"release#{workload}"


def release_key(workload: str, run_id: str) -> dict[str, str]:
    """Key of the release of a training run."""
    return {"pk": release_pk(workload), "sk": run_id}


def moved_key(workload: str) -> dict[str, str]:
    """Key of where feedback has moved the workload's thresholds."""
    return release_key(workload, MOVED)


def live_key(workload: str) -> dict[str, str]:
    """Key of the published release."""
    return release_key(workload, LIVE)
