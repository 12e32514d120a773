"""The functions of `lambdas/steps` as the workflows know them.

From one record derive the states that call a function, where its answer goes, the function's placeholder in a
definition and, in `infra`, the function with its role.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lambdas.loading.export_transactions import Exported, ExportTransactionsEnvironment
from lambdas.loading.load_graph import LoadedGraph, LoadGraphEnvironment
from lambdas.runtime.workflow_step import StepEnvironment
from lambdas.scoring.try_release import TryReleaseEnvironment
from lambdas.steps.clean_up import CleanedUp, CleanUpEnvironment
from lambdas.steps.collect_captures import CollectCapturesEnvironment, Collected
from lambdas.steps.decide_promotion import Decided, DecidePromotionEnvironment
from lambdas.steps.publish_drift import PublishDriftEnvironment
from lambdas.steps.publish_release import PublishReleaseEnvironment
from lambdas.steps.smoke_test import SmokeTestEnvironment
from lambdas.steps.stage_release import StageReleaseEnvironment
from lambdas.steps.summarize_explanation import Explanation, SummarizeExplanationEnvironment
from lambdas.steps.validate_input import Validated, ValidateInputEnvironment
from lambdas.steps.verify_deployment import VerifyDeploymentEnvironment
from lambdas.steps.write_explain_configuration import WriteExplainConfigurationEnvironment


@dataclass(frozen=True, kw_only=True)
class Step:
    """A function that states of a workflow call.

    Parameters
    ----------
    result
        What the function answers; the workflow keeps its fields. None: it keeps nothing.
    place
        Where in the workflow's state.
    constants
        What stands beside the answer.
    states
        Names of the states that call it, where that is not one with the function's own name.
    """

    environment: type[StepEnvironment]
    result: type | None = None
    place: str | None = None
    constants: Mapping[str, Any] = field(default_factory=dict)
    states: tuple[str, ...] = ()
    memory_mb: int = 512
    timeout_seconds: int = 60
    bundle: Literal["functions", "scoring", "loading"] = "functions"
    """`scoring` has numpy and the detector's kernel, `loading` numpy and pyarrow."""

    @property
    def name(self) -> str:
        """Name of the function in templates, and of its state."""
        return self.environment.__name__.removesuffix("Environment")

    @property
    def substitution(self) -> str:
        """Name of the substitution with the function's ARN."""
        return f"{self.name}FunctionArn"

    @property
    def outputs(self) -> dict[str, tuple[str, type]]:
        """Where each of its states puts its result, and the result's type."""
        if self.place is None or self.result is None:
            return {}
        return dict.fromkeys(self.states or (self.name,), (self.place, self.result))


@dataclass(frozen=True)
class Polls:
    """How often the deployment has been looked at."""

    count: int


@dataclass(frozen=True)
class OpenedRun(Validated):
    """Result of ValidateInput, with what the workflow itself counts; it replaces the whole state."""

    polls: Polls


VALIDATE_INPUT = Step(
    environment=ValidateInputEnvironment, result=OpenedRun, place="$", constants={"polls": {"count": 0}}
)
"""Check the execution's input, name the run, and look for the champion."""
DECIDE_PROMOTION = Step(environment=DecidePromotionEnvironment, result=Decided, place="$.decision")
"""Apply the promotion rule to the evaluation."""
STAGE_RELEASE = Step(environment=StageReleaseEnvironment)
"""Record what is known of the model before anything can be asked of it."""
VERIFY_DEPLOYMENT = Step(environment=VerifyDeploymentEnvironment)
"""Assert that the live configuration is the requested one: a rollback also ends in `InService`."""
SMOKE_TEST = Step(environment=SmokeTestEnvironment)
"""Send known rows to the endpoint and compare the answers with those of the evaluation."""
TRY_RELEASE = Step(environment=TryReleaseEnvironment, bundle="scoring", memory_mb=1024)
"""Go on from the pages of a streaming detector's release as the scoring loop will, and compare."""
PUBLISH_RELEASE = Step(environment=PublishReleaseEnvironment)
"""Make the release the live one."""
CLEAN_UP = Step(
    environment=CleanUpEnvironment,
    result=CleanedUp,
    place="$.cleanup",
    states=("CleanUp", "CleanUpRejected"),
)
"""Remove what a run made that did not end well."""
WRITE_EXPLAIN_CONFIGURATION = Step(environment=WriteExplainConfigurationEnvironment)
"""Write `analysis_config.json` for the run's model."""
SUMMARIZE_EXPLANATION = Step(
    environment=SummarizeExplanationEnvironment,
    result=Explanation,
    place="$.explanation",
    states=("SummarizeExplanation", "SkipExplanation"),
)
"""Read what the explain job found, or put in words why there is no explanation."""
EXPORT_TRANSACTIONS = Step(
    environment=ExportTransactionsEnvironment,
    result=Exported,
    place="$.exported",
    memory_mb=1769,
    timeout_seconds=900,
    bundle="loading",
)
"""Write what came by the fraud API beside the history."""
LOAD_GRAPH = Step(
    environment=LoadGraphEnvironment,
    result=LoadedGraph,
    place="$.graph",
    memory_mb=1769,
    timeout_seconds=900,
    bundle="loading",
)
"""Let the graph store have the history before a model asks it."""
COLLECT_CAPTURES = Step(
    environment=CollectCapturesEnvironment, result=Collected, place="$", memory_mb=1024, timeout_seconds=300
)
"""Sample the traffic of the last while."""
PUBLISH_DRIFT = Step(environment=PublishDriftEnvironment)
"""Tell what the drift monitor found."""

TRAINING = (
    VALIDATE_INPUT,
    DECIDE_PROMOTION,
    STAGE_RELEASE,
    VERIFY_DEPLOYMENT,
    SMOKE_TEST,
    PUBLISH_RELEASE,
    CLEAN_UP,
)
"""Of every training workflow."""
STREAMING = (TRY_RELEASE,)
"""Of the workflows of streaming detectors, besides."""
EXPLAINING = (WRITE_EXPLAIN_CONFIGURATION, SUMMARIZE_EXPLANATION)
"""Of the workflows that explain their models, besides."""
GRAPH = (EXPORT_TRANSACTIONS, LOAD_GRAPH)
"""Of the workflows of fraud workloads, besides."""
DRIFT = (COLLECT_CAPTURES, PUBLISH_DRIFT)
"""Of the attribution drift monitors."""

EVERY_STEP = (*TRAINING, *STREAMING, *EXPLAINING, *GRAPH, *DRIFT)
