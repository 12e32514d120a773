"""Is the candidate good enough to serve: score the held-back rows, compare, decide.

Candidate and champion are scored by batch transform, by the very containers that would serve, because the
artifact of the built-in detector can be read by its own image only (docs/adr/0002).
"""

from __future__ import annotations

from stepfunctions.steps.states import Task

from pipeline.contracts import path
from pipeline.jobs import Jobs
from pipeline.serving import ServedModel
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
            "EnableNetworkIsolation": jobs.settings.isolates_models,
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


def evaluate(
    jobs: Jobs,
    module: str,
    *,
    name: str = "Evaluate",
    rows: str = "prepared",
    candidate: str | None = None,
    champion: str | None = None,
) -> Task:
    """Measure the candidate with `containers.MODULE`, alone or beside the champion.

    They are two states: a job may not name an input that is empty.

    Parameters
    ----------
    rows
        The run's location of what it is measured on, and the input's name.
    candidate, champion
        What tells of the two: scores, which are the candidate's default, an artifact or, of a streaming
        detector, its release.
    """
    inputs = {
        "plan": path("run.uris.plan"),
        rows: path(f"run.uris.{rows}"),
        "candidate": candidate or path("run.uris.candidate_scores"),
    }
    if champion:
        inputs["champion"] = champion
    return jobs.processing(
        name,
        module,
        job_name=path("run.names.evaluate_job"),
        inputs=inputs,
        outputs={"evaluation": path("run.uris.evaluation")},
        environment={"WATCHKEEPER_RUN_ID": path("run.run_id")},
    )
