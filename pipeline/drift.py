"""The state machine that watches what a regression model predicts from, at set times.

Collect the traffic of the last while, explain it as the training's rows were, compare, tell.
"""

from __future__ import annotations

from typing import Any

from stepfunctions.steps.states import Graph, Succeed, Task

from lambdas.steps.collect_captures import Collected
from pipeline.composition import chain
from pipeline.contracts import path
from pipeline.jobs import Jobs
from pipeline.settings import settings_of
from pipeline.step import COLLECT_CAPTURES, PUBLISH_DRIFT
from pipeline.substitutions import Substitution
from pipeline.tasks import choose, step_state
from watchkeeper.spec import RegressionWorkload
from watchkeeper.spec.explaining import Drift

MAX_SECONDS = 4 * 3600


def build_drift_definition(spec: RegressionWorkload, drift: Drift, *, region: str) -> dict[str, Any]:
    """Return the monitor's state machine in the Amazon States Language.

    Values that only a deployment knows stand as `${Name}`: `pipeline.substitutions.Substitution` lists them.

    Parameters
    ----------
    drift
        The spec's `explain.drift`.
    region
        AWS region, which decides the images' registries.
    """
    jobs = Jobs(settings_of(spec, region))
    publish = chain(_publish(jobs), Succeed("Published"))
    compared = path("compare", Collected)
    enough = choose("EnoughTraffic?", compared, yes=chain(_compare(jobs), publish), no=publish)
    graph = Graph(
        chain(_collect(jobs, drift), enough),
        comment=f"Compares what the model of workload {spec.name} predicts from with its training",
        timeout_seconds=MAX_SECONDS,
    )
    definition: dict[str, Any] = graph.to_dict()
    return definition


def _collect(jobs: Jobs, drift: Drift) -> Task:
    return step_state(
        COLLECT_CAPTURES,
        {
            "workload": jobs.settings.workload,
            "execution_arn": "$$.Execution.Id",
            "started_at": "$$.Execution.StartTime",
            "window_seconds": int(drift.window.total_seconds()),
            "ndcg_at_least": drift.ndcg_at_least,
            "rows": drift.rows,
            "minimum_rows": drift.minimum_rows,
        },
    )


def _compare(jobs: Jobs) -> Task:
    uris = {
        "rows": "rows",
        "config": "config",
        "model": "model",
        "baseline": "baseline",
        "training": "training_analysis",
        "draft": "draft",
    }
    return jobs.processing(
        "CompareAttributions",
        "regression.attribution_drift",
        job_name=path("run.names.job", Collected),
        inputs={folder: path(f"run.uris.{field}", Collected) for folder, field in uris.items()},
        outputs={"drift": path("run.uris.result", Collected)},
        environment={"WATCHKEEPER_WORKLOAD": jobs.settings.workload},
        code=Substitution.ANALYSIS_CODE_URI,
    )


def _publish(jobs: Jobs) -> Task:
    return step_state(
        PUBLISH_DRIFT,
        {"workload": jobs.settings.workload, "report_uri": path("report_uri", Collected)},
    )
