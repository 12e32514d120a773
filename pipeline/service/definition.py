"""The state machines of the service: which state follows which."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from stepfunctions.steps.choice_rule import ChoiceRule
from stepfunctions.steps.states import Graph, Map, Pass, State, Succeed
from stepfunctions.steps.states import Task as TaskStep

from pipeline.composition import chain
from pipeline.contracts import task_path as path
from pipeline.packaging import SERVICE_DETECTOR, serving_environment
from pipeline.service import requests
from pipeline.service.task_jobs import TaskJobs
from pipeline.settings import ServiceSettings
from pipeline.substitutions import Substitution
from pipeline.tasks import choose, formatted, result_path, service_task
from watchkeeper.service.tasks import Task

MAX_TASK_SECONDS = 12 * 3600
ACCEPT = "application/json"


def service_definitions(settings: ServiceSettings) -> Mapping[Task, dict[str, Any]]:
    """Return the state machine of each task in the Amazon States Language.

    Values that only a deployment knows stand as `${Name}`: see `pipeline.substitutions.Substitution`.
    """
    jobs = TaskJobs(settings)
    machines = {Task.TRAIN: _train(jobs), Task.VALID: _valid(jobs), Task.INFER: _infer(jobs)}
    comments = {
        Task.TRAIN: "Trains a detector on a tenant's table; with labels, searches its hyperparameters",
        Task.VALID: "Measures a model on a labelled table",
        Task.INFER: "Judges a table by a model, or its columns by a rule",
    }
    return {
        task: Graph(start, comment=comments[task], timeout_seconds=MAX_TASK_SECONDS).to_dict()
        for task, start in machines.items()
    }


def _train(jobs: TaskJobs) -> State:
    shares = jobs.settings.search_jobs
    plain, searched = 2, 2 + shares
    with_labels = _chain(
        requests.mark_running("MarkSearching", searched, "searching hyperparameters"),
        _plan_search(shares),
        _search(jobs),
        requests.report("ReportFitting", shares, searched, "fitting the best detector"),
        jobs.fit_best(),
        requests.report("ReportJudging", shares + 1, searched, "judging the rows"),
        jobs.judge("JudgeLabelled", Task.TRAIN, labelled=True),
        _register(jobs, "RegisterBestModel"),
        requests.mark_succeeded("MarkSearchSucceeded", searched),
        Succeed("SearchedAndTrained"),
    )
    without = _chain(
        requests.mark_running("MarkRunning", plain, "fitting the detector"),
        jobs.fit(),
        requests.report("ReportJudgingUnlabelled", 1, plain, "judging the rows"),
        jobs.judge("Judge", Task.TRAIN, labelled=False),
        _register(jobs, "RegisterModel"),
        requests.mark_succeeded("MarkSucceeded", plain),
        Succeed("Trained"),
    )
    labelled = ChoiceRule.IsString(variable=path("files.labels"), value=True)
    return choose("Labelled?", labelled, yes=with_labels, no=without)


def _valid(jobs: TaskJobs) -> State:
    return _chain(
        requests.mark_running("MarkRunning", 1, "measuring the model"),
        jobs.judge("JudgeLabelled", Task.VALID, labelled=True),
        requests.mark_succeeded("MarkSucceeded", 1),
        Succeed("Validated"),
    )


def _infer(jobs: TaskJobs) -> State:
    done = _chain(requests.mark_succeeded("MarkSucceeded", 1), Succeed("Inferred"))
    univariate = ChoiceRule.StringEquals(variable=path("parameters.detection_type"), value="univariate")
    by_columns = _chain(jobs.judge_columns(), done)
    by_model = _chain(jobs.judge("Judge", Task.INFER, labelled=False), done)
    judging = choose("Univariate?", univariate, yes=by_columns, no=by_model)
    return _chain(requests.mark_running("MarkRunning", 1, "judging the rows"), judging)


def _plan_search(shares: int) -> State:
    return Pass("PlanSearch", result={"chunks": list(range(shares))}, result_path=result_path("PlanSearch"))


def _search(jobs: TaskJobs) -> State:
    search = Map(
        "SearchHyperparameters",
        items_path=path("search.chunks"),
        max_concurrency=jobs.settings.search_concurrency,
        parameters={
            "chunk.$": "$$.Map.Item.Value",
            **{
                f"{name}.$": path(name)
                for name in ("tenant", "id", "bucket", "parameters", "files", "outputs")
            },
        },
        result_path=None,
    )
    search.attach_iterator(_chain(jobs.search_share(), requests.count_share(), Pass("ShareTried")))
    return search


def _register(jobs: TaskJobs, name: str) -> TaskStep:
    """Register the model with the service's others; whether it may serve a workload is decided later."""
    return service_task(
        name,
        "aws-sdk:sagemaker:createModelPackage",
        {
            "ClientToken": path("id"),
            "ModelPackageGroupName": Substitution.MODEL_PACKAGE_GROUP_NAME.placeholder,
            "ModelPackageDescription": formatted(
                "Trained by request {} of {}", path("parameters.request_id"), path("tenant")
            ),
            "ModelApprovalStatus": "PendingManualApproval",
            "InferenceSpecification": {
                "Containers": [
                    {
                        "Image": jobs.sklearn_image,
                        "ModelDataUrl": formatted("s3://{}/{}", path("bucket"), path("outputs.model")),
                        "Environment": serving_environment(
                            SERVICE_DETECTOR, jobs.settings.region, accept=ACCEPT
                        ),
                    }
                ],
                "SupportedContentTypes": ["text/csv", ACCEPT],
                "SupportedResponseMIMETypes": [ACCEPT, "application/jsonlines"],
                "SupportedTransformInstanceTypes": [jobs.settings.job_instance],
                "SupportedRealtimeInferenceInstanceTypes": [jobs.settings.job_instance],
            },
            "CustomerMetadataProperties": {
                "tenant": path("tenant"),
                "request": path("parameters.request_id"),
                "algorithm": path("parameters.model_name"),
            },
        },
        keep={"arn": "$.ModelPackageArn"},
    )


def _chain(*states: State) -> State:
    for state, following in itertools.pairwise(states):
        requests.pass_over(state, then=following)
    return chain(*states)
