"""Is the candidate good enough to serve: score the held-back rows, compare, decide.

Candidate and champion are scored by batch transform, by the very containers that would serve, because the
artifact of the built-in detector can be read by its own image only (docs/adr/0002).
"""

from __future__ import annotations

from stepfunctions.steps.choice_rule import ChoiceRule
from stepfunctions.steps.states import Choice, State, Task

from pipeline.contracts import path
from pipeline.jobs import Jobs
from pipeline.serving import ServedModel
from pipeline.settings import InstanceHosting
from pipeline.substitutions import Substitution
from pipeline.tasks import JsonObject, service_task

SCORES_TYPE = "application/jsonlines"


def create_model(jobs: Jobs, served: ServedModel) -> Task:
    """Make the candidate."""
    containers = served.containers()
    serving: JsonObject = {"PrimaryContainer": containers[0]}
    if len(containers) > 1:
        serving = {"Containers": containers, "InferenceExecutionConfig": {"Mode": "Serial"}}
    return service_task(
        "CreateModel",
        "aws-sdk:sagemaker:createModel",
        {
            "ModelName": path("run.names.model"),
            "ExecutionRoleArn": Substitution.MODEL_ROLE_ARN.placeholder,
            **serving,
            # Serverless Inference takes no model that is isolated from the network.
            "EnableNetworkIsolation": isinstance(jobs.settings.hosting, InstanceHosting),
            "Tags": jobs.tag_list,
        },
    )


def score_holdback(jobs: Jobs) -> Task:
    """Score the held-back rows with the candidate."""
    return jobs.transform(
        "ScoreHoldback",
        model=path("run.names.model"),
        job_name=path("run.names.holdback_job"),
        rows=path("run.uris.holdback_rows"),
        output=path("run.uris.candidate_scores"),
        accept=SCORES_TYPE,
    )


def champion_exists(*, yes: State, no: State) -> Choice:
    """Go to `yes` when a model serves now."""
    choice = Choice("ChampionExists?")
    choice.add_choice(ChoiceRule.BooleanEquals(variable=path("champion.exists"), value=True), yes)
    choice.default_choice(no)
    return choice


def score_champion(jobs: Jobs) -> Task:
    """Score the same rows with the model that serves now."""
    return jobs.transform(
        "ScoreChampion",
        model=path("champion.model"),
        job_name=path("run.names.champion_job"),
        rows=path("run.uris.holdback_rows"),
        output=path("run.uris.champion_scores"),
        accept=SCORES_TYPE,
    )


def evaluate(jobs: Jobs, module: str) -> Task:
    """Measure the candidate with `containers.MODULE`."""
    return _evaluate(jobs, "Evaluate", module, {})


def evaluate_against_champion(jobs: Jobs, module: str) -> Task:
    """Measure candidate and champion: a job may not name an input that is empty."""
    return _evaluate(jobs, "EvaluateAgainstChampion", module, {"champion": path("run.uris.champion_scores")})


def approved(*, yes: State, no: State) -> Choice:
    """Go to `yes` when the candidate may serve."""
    choice = Choice("Approved?")
    choice.add_choice(ChoiceRule.BooleanEquals(variable=path("decision.approved"), value=True), yes)
    choice.default_choice(no)
    return choice


def _evaluate(jobs: Jobs, name: str, module: str, champion: dict[str, str]) -> Task:
    return jobs.processing(
        name,
        module,
        job_name=path("run.names.evaluate_job"),
        inputs={
            "plan": path("run.uris.plan"),
            "prepared": path("run.uris.prepared"),
            "candidate": path("run.uris.candidate_scores"),
            **champion,
        },
        outputs={"evaluation": path("run.uris.evaluation")},
        environment={"WATCHKEEPER_RUN_ID": path("run.run_id")},
    )
