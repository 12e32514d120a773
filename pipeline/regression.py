"""The training workflow of a regression workload.

Its states are those of every workflow, but for the regressor, the table, and the explanation between the gate
and the registry. The model is made before it is evaluated: the held-back rows are answered by the very
container that would serve (docs/adr/0002), and the shadow endpoint that Clarify asks is made of a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stepfunctions.steps.states import Catch, State

from pipeline import composition, evaluation, explanation, preparation, release, validation
from pipeline.composition import chain
from pipeline.contracts import path
from pipeline.jobs import Jobs
from pipeline.packaging import REGRESSOR
from pipeline.step import SUMMARIZE_EXPLANATION
from pipeline.tasks import JsonObject, run_state
from watchkeeper.regression.plan import RegressionPlan


@dataclass(frozen=True)
class RandomForest:
    """A random forest of scikit-learn behind its column transformer, in the SKLearn image."""

    jobs: Jobs
    plan: RegressionPlan

    def fit(self) -> State:
        """Return the state that trains it."""
        hyperparameters = self.plan.hyperparameters
        return self.jobs.script_mode_training(
            "TrainRegressor",
            REGRESSOR,
            job_name=path("run.names.regressor_job"),
            output=path("run.uris.regressor_output"),
            hyperparameters={name: str(value) for name, value in hyperparameters.items()},
        )

    def containers(self) -> list[JsonObject]:
        """Predict in one container."""
        return [self.jobs.script_mode_container(REGRESSOR, path("regressor.uri"), accept="application/json")]


def regression_definition(jobs: Jobs, plan: RegressionPlan) -> dict[str, Any]:
    """Return the state machine of a workload that predicts a column of a table."""
    forest = RandomForest(jobs, plan)
    cleaning = composition.fail(jobs)
    judging = composition.judge(
        jobs,
        module="regression.evaluate",
        approved=_explain_and_deploy(jobs, plan, forest, broken=cleaning),
        rejected=composition.reject(jobs),
    )
    first = chain(
        validation.open_run(),
        validation.validate_input(jobs.settings),
        preparation.prepare_table(jobs),
        forest.fit(),
        evaluation.create_model(jobs, forest),
        evaluation.score_holdback(jobs),
        judging,
    )
    return composition.state_machine(jobs, first, clean_up=cleaning)


def _explain_and_deploy(jobs: Jobs, plan: RegressionPlan, forest: RandomForest, *, broken: State) -> State:
    if plan.explain.engine == "none":
        stage = release.stage_release(jobs, explanations="")
        return chain(
            release.register_model_package(jobs, forest), composition.deploy(jobs, stage, broken=broken)
        )
    deploying = composition.deploy(
        jobs,
        release.stage_release(jobs, explanations=path("explanation.uri")),
        broken=broken,
        notes=(path("explanation.summary"),),
    )
    explaining = [
        explanation.write_explain_configuration(jobs),
        explanation.explain(jobs, plan),
        run_state(SUMMARIZE_EXPLANATION, jobs.settings.workload),
    ]
    if plan.explain.on_failure == "skip":
        skipped = chain(
            explanation.skip_explanation(jobs),
            release.register_model_package(jobs, forest, name="RegisterUnexplainedModelPackage"),
            deploying,
        )
        for state in explaining:
            state.add_catch(
                Catch(error_equals=["States.ALL"], result_path="$.explain_error", next_step=skipped)
            )
    registering = release.register_model_package(jobs, forest, more_metrics=explanation.model_metrics(plan))
    return chain(*explaining, registering, deploying)
