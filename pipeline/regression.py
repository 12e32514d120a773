"""The training workflow of a regression workload.

Its states are those of every workflow, but for the regressor, the table, and the explanation between the gate
and the registry. The model is made before it is evaluated: the held-back rows are answered by the very
container that would serve (docs/adr/0002), and the shadow endpoint that Clarify asks is made of a model.

The configuration of the analysis is Clarify's, so that Watchkeeper's own job and Clarify's image take the
same file and leave the same ones.
"""

from __future__ import annotations

from typing import Any

from stepfunctions.steps.states import Catch, State, Task

from pipeline import composition, evaluation, preparation, release
from pipeline.composition import chain
from pipeline.contracts import path
from pipeline.jobs import WHOLE_OUTPUT, Jobs
from pipeline.packaging import REGRESSOR
from pipeline.serving import ScriptModeModel
from pipeline.step import SUMMARIZE_EXPLANATION, WRITE_EXPLAIN_CONFIGURATION
from pipeline.substitutions import Substitution
from pipeline.tasks import JsonObject, formatted, run_state
from watchkeeper.regression.plan import RegressionPlan


def regression_definition(jobs: Jobs, plan: RegressionPlan) -> dict[str, Any]:
    """Return the state machine of a workload that predicts a column of a table."""
    forest = ScriptModeModel(jobs, "TrainRegressor", REGRESSOR, "regressor", plan.hyperparameters)
    cleaning = composition.fail(jobs)
    judging = composition.judge(
        jobs,
        module="regression.evaluate",
        approved=_explain_and_deploy(jobs, plan, forest, broken=cleaning),
        rejected=composition.reject(jobs),
    )
    first = chain(
        preparation.open_run(),
        preparation.validate_input(jobs.settings),
        preparation.prepare(jobs, "PrepareTable", "regression.prepare", "history"),
        *forest.fit(),
        evaluation.create_model(jobs, forest),
        evaluation.score_holdback(jobs),
        judging,
    )
    return composition.state_machine(jobs, first, clean_up=cleaning)


def _explain_and_deploy(jobs: Jobs, plan: RegressionPlan, forest: ScriptModeModel, *, broken: State) -> State:
    if plan.explain.engine == "none":
        stage = release.stage_release(jobs, explanations="")
        return chain(
            release.register_model_package(jobs, forest),
            composition.deploy(jobs, stage, broken=broken),
        )
    deploying = composition.deploy(
        jobs,
        release.stage_release(jobs, explanations=path("explanation.uri")),
        broken=broken,
        notes=(path("explanation.summary"),),
    )
    explaining = [
        _write_explain_configuration(jobs),
        _explain(jobs, plan),
        run_state(SUMMARIZE_EXPLANATION, jobs.settings.workload),
    ]
    if plan.explain.on_failure == "skip":
        skipped = chain(
            _skip_explanation(jobs),
            release.register_model_package(jobs, forest, name="RegisterUnexplainedModelPackage"),
            deploying,
        )
        for state in explaining:
            state.add_catch(
                Catch(error_equals=["States.ALL"], result_path="$.explain_error", next_step=skipped)
            )
    registering = release.register_model_package(jobs, forest, more_metrics=_model_metrics(plan))
    return chain(*explaining, registering, deploying)


def _write_explain_configuration(jobs: Jobs) -> Task:
    """Write `analysis_config.json` for the run's model."""
    settings = jobs.settings
    return run_state(WRITE_EXPLAIN_CONFIGURATION, settings.workload, instance_type=settings.endpoint_instance)


def _explain(jobs: Jobs, plan: RegressionPlan) -> Task:
    """Run the analysis, by our own job or by Clarify."""
    inputs = {"data": path("run.uris.explain_rows"), "config": path("run.uris.explain_config")}
    outputs = {WHOLE_OUTPUT: path("run.uris.explanations")}
    job_name = path("run.names.explain_job")
    if plan.explain.engine == "clarify":
        # it asks a shadow endpoint, so it has network
        return jobs.processing(
            "Explain", None, job_name=job_name, inputs=inputs, outputs=outputs, isolated=False
        )
    if plan.explain.predictor == "model":
        inputs["model"] = path("regressor.uri")
    if plan.explain.shap.baseline_uri:
        inputs["baseline"] = plan.explain.shap.baseline_uri
    return jobs.processing(
        "Explain",
        "explain",
        job_name=job_name,
        inputs=inputs,
        outputs=outputs,
        environment=_environment(plan),
        code=Substitution.ANALYSIS_CODE_URI,
        # a shadow endpoint is asked over the network; a model in the job's own process needs none
        isolated=plan.explain.predictor == "model",
    )


def _skip_explanation(jobs: Jobs) -> Task:
    """Put in words why there is no explanation."""
    error = path("explain_error")
    return run_state(SUMMARIZE_EXPLANATION, jobs.settings.workload, name="SkipExplanation", error=error)


def _model_metrics(plan: RegressionPlan) -> JsonObject:
    """Return what the model package says of its explanations."""
    analysis = {
        "ContentType": "application/json",
        "S3Uri": formatted("{}analysis.json", path("run.uris.explanations")),
    }
    metrics: JsonObject = {"Explainability": {"Report": analysis}}
    if plan.explain.bias is not None:
        metrics["Bias"] = {"Report": analysis}
    return metrics


def _environment(plan: RegressionPlan) -> JsonObject:
    environment = {"WATCHKEEPER_WORKLOAD": plan.workload}
    if plan.explain.examples:
        environment["WATCHKEEPER_EXAMPLES"] = ",".join(map(str, plan.explain.examples))
    return environment
