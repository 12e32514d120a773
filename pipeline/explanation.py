"""Why the model predicts what it does: the configuration of the analysis, the job, and what came of it.

The configuration is Clarify's, so that Watchkeeper's own job and Clarify's image take the same file and leave
the same ones.
"""

from __future__ import annotations

from stepfunctions.steps.states import Task

from pipeline.contracts import path
from pipeline.jobs import WHOLE_OUTPUT, Jobs
from pipeline.settings import InstanceHosting
from pipeline.step import SUMMARIZE_EXPLANATION, WRITE_EXPLAIN_CONFIGURATION
from pipeline.substitutions import Substitution
from pipeline.tasks import JsonObject, formatted, run_state
from watchkeeper.regression.plan import RegressionPlan


def write_explain_configuration(jobs: Jobs) -> Task:
    """Write `analysis_config.json` for the run's model."""
    hosting = jobs.settings.hosting
    instance_type = (
        hosting.instance_type if isinstance(hosting, InstanceHosting) else jobs.settings.job_instance
    )
    return run_state(WRITE_EXPLAIN_CONFIGURATION, jobs.settings.workload, instance_type=instance_type)


def explain(jobs: Jobs, plan: RegressionPlan) -> Task:
    """Run the analysis, by our own job or by Clarify."""
    inputs = {"data": path("run.uris.explain_rows"), "config": path("run.uris.explain_config")}
    outputs = {WHOLE_OUTPUT: path("run.uris.explanations")}
    job_name = path("run.names.explain_job")
    if plan.explain.engine == "clarify":
        return jobs.clarify("Explain", job_name=job_name, inputs=inputs, outputs=outputs)
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


def skip_explanation(jobs: Jobs) -> Task:
    """Put in words why there is no explanation."""
    error = path("explain_error")
    return run_state(SUMMARIZE_EXPLANATION, jobs.settings.workload, name="SkipExplanation", error=error)


def model_metrics(plan: RegressionPlan) -> JsonObject:
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
