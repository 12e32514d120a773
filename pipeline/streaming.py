"""The training workflow of a streaming detector, which scores in the scoring loop and learns there.

Nothing is fitted: the history is replayed into warm pages, as the loop would have seen it, and the held-back
part is scored on the way. Where the workload has an endpoint, the same artifact answers requests there with
what the pages know (docs/adr/0028).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stepfunctions.steps.states import State, Task

from pipeline import composition, evaluation, release
from pipeline.composition import chain
from pipeline.contracts import path
from pipeline.jobs import Jobs
from pipeline.packaging import DETECTOR
from pipeline.step import SMOKE_TEST, TRY_RELEASE, VERIFY_DEPLOYMENT
from pipeline.tasks import JsonObject, formatted

MODEL_FILE = "model.tar.gz"


@dataclass(frozen=True)
class WarmModel:
    """The artifact of the warm-up: pages, parameters, and the code that answers requests with them."""

    jobs: Jobs

    def containers(self) -> list[JsonObject]:
        """Return the one container."""
        artifact = formatted(f"{{}}{MODEL_FILE}", path("run.uris.detector_output"))
        return [self.jobs.script_mode_container(DETECTOR, artifact, accept="application/json")]


def streaming_definition(jobs: Jobs) -> dict[str, Any]:
    """Return the state machine of a workload whose detector learns as it goes."""
    cleaning = composition.fail(jobs)
    judging = composition.decided(
        jobs, approved=_register_and_publish(jobs, broken=cleaning), rejected=composition.reject(jobs)
    )
    champion = path("run.uris.champion")
    evaluating = evaluation.evaluate(jobs, "anomaly.evaluate", champion=champion)
    first = composition.prepared(jobs, then=chain(_warm_up(jobs), evaluating, judging))
    return composition.state_machine(jobs, first, clean_up=cleaning)


def _warm_up(jobs: Jobs) -> Task:
    return jobs.processing(
        "WarmUp",
        "anomaly.warm_up",
        job_name=path("run.names.warm_up_job"),
        inputs={name: path(f"run.uris.{name}") for name in ("plan", "prepared", "champion")},
        outputs={
            "pages": path("run.uris.pages"),
            "candidate": path("run.uris.candidate_scores"),
            "model": path("run.uris.detector_output"),
        },
        environment={"WATCHKEEPER_RUN_ID": path("run.run_id")},
    )


def _register_and_publish(jobs: Jobs, *, broken: State) -> State:
    model = WarmModel(jobs)
    registering = release.register_model_package(jobs, model)
    if jobs.settings.serving is None:
        stage = release.stage_release(jobs, endpoint=False)
        return chain(registering, composition.publish(jobs, stage, broken=broken))
    stage = release.stage_release(jobs)
    checks = (VERIFY_DEPLOYMENT, SMOKE_TEST, TRY_RELEASE)
    deploying = composition.deploy(jobs, stage, broken=broken, checks=checks)
    return chain(registering, evaluation.create_model(jobs, model), deploying)
