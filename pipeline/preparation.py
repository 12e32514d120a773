"""From telemetry to rows; for a detector that wants feature vectors, from rows to those."""

from __future__ import annotations

from stepfunctions.steps.choice_rule import ChoiceRule
from stepfunctions.steps.states import Choice, State, Task

from pipeline.contracts import path
from pipeline.jobs import Jobs
from pipeline.packaging import PREPROCESSOR
from pipeline.substitutions import Substitution
from pipeline.tasks import JsonObject, service_task


def sources_present(*, both: State, history: State, telemetry: State) -> Choice:
    """Choose by where there is something to read: a job may not name an input that is empty."""
    has_history = ChoiceRule.BooleanEquals(variable=path("sources.history"), value=True)
    has_raw = ChoiceRule.BooleanEquals(variable=path("sources.raw"), value=True)
    choice = Choice("SourcesPresent?")
    choice.add_choice(ChoiceRule.And([has_history, has_raw]), both)
    choice.add_choice(has_raw, telemetry)
    choice.default_choice(history)
    return choice


def prepare_data(jobs: Jobs) -> Task:
    """Parse, aggregate and split the user's history and the telemetry that has arrived since."""
    return _prepare(jobs, "PrepareData", {"history": path("run.uris.history"), "raw": path("run.uris.raw")})


def prepare_history(jobs: Jobs) -> Task:
    """Do the same before any telemetry has arrived."""
    return _prepare(jobs, "PrepareHistory", {"history": path("run.uris.history")})


def prepare_telemetry(jobs: Jobs) -> Task:
    """Do the same where no history was uploaded."""
    return _prepare(jobs, "PrepareTelemetry", {"raw": path("run.uris.raw")})


def train_preprocessor(jobs: Jobs) -> Task:
    """Fit the scikit-learn preprocessor on the training part."""
    return jobs.script_mode_training(
        "TrainPreprocessor",
        PREPROCESSOR,
        job_name=path("run.names.preprocessor_job"),
        output=path("run.uris.preprocessor_output"),
    )


def create_preprocessor_model(jobs: Jobs) -> Task:
    """Make a model of the preprocessor alone, to transform the training rows with."""
    return service_task(
        "CreatePreprocessorModel",
        "sagemaker:createModel",
        {
            "ModelName": path("run.names.preprocessor_model"),
            "ExecutionRoleArn": Substitution.MODEL_ROLE_ARN.placeholder,
            "PrimaryContainer": preprocessor_container(jobs),
            "EnableNetworkIsolation": True,
            "Tags": jobs.tag_list,
        },
    )


def transform_training_rows(jobs: Jobs) -> Task:
    """Turn the training rows into the feature vectors that the detector learns."""
    return jobs.transform(
        "TransformTrainingRows",
        model=path("run.names.preprocessor_model"),
        job_name=path("run.names.transform_job"),
        rows=path("run.uris.train_rows"),
        output=path("run.uris.features"),
        accept="text/csv",
    )


def preprocessor_container(jobs: Jobs) -> JsonObject:
    """Return the container that turns rows into feature vectors."""
    return jobs.script_mode_container(PREPROCESSOR, path("preprocessor.uri"), accept="text/csv")


def prepare_table(jobs: Jobs) -> Task:
    """Parse and split the user's table."""
    return _prepare(jobs, "PrepareTable", {"history": path("run.uris.history")}, module="regression.prepare")


def _prepare(jobs: Jobs, name: str, sources: dict[str, str], module: str = "anomaly.prepare") -> Task:
    return jobs.processing(
        name,
        module,
        job_name=path("run.names.prepare_job"),
        inputs={"plan": path("run.uris.plan"), **sources},
        outputs={"prepared": path("run.uris.prepared"), "quarantine": path("run.uris.quarantine")},
        environment={"WATCHKEEPER_START": path("window.start"), "WATCHKEEPER_END": path("window.end")},
    )
