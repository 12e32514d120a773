"""A run's beginning: its input is checked, it gets its names, data becomes rows and, for a detector that
wants them, rows become feature vectors."""

from __future__ import annotations

from stepfunctions.steps.choice_rule import ChoiceRule
from stepfunctions.steps.states import Choice, Pass, State, Task

from pipeline.contracts import path
from pipeline.jobs import Jobs
from pipeline.packaging import PREPROCESSOR
from pipeline.serving import ScriptModeModel
from pipeline.settings import WorkflowSettings
from pipeline.step import VALIDATE_INPUT
from pipeline.substitutions import Substitution
from pipeline.tasks import service_task, step_state
from watchkeeper.kinds import digest_of


def open_run() -> Pass:
    """Replace whatever was sent by a state in which clean-up finds `$.run`, be the input valid or not."""
    return Pass("OpenRun", result={"run": None})


def validate_input(settings: WorkflowSettings) -> Task:
    """Check the execution's input, name the run, and look for the champion."""
    return step_state(
        VALIDATE_INPUT,
        {
            "workload": settings.workload,
            "plan": digest_of(settings.plan),
            "execution_arn": "$$.Execution.Id",
            "execution_name": "$$.Execution.Name",
            "started_at": "$$.Execution.StartTime",
            "state_machine_arn": "$$.StateMachine.Id",
            "input": "$$.Execution.Input",
        },
    )


def sources_present(*, both: State, history: State, telemetry: State) -> Choice:
    """Choose by where there is something to read: a job may not name an input that is empty."""
    has_history = ChoiceRule.BooleanEquals(variable=path("sources.history"), value=True)
    has_raw = ChoiceRule.BooleanEquals(variable=path("sources.raw"), value=True)
    choice = Choice("SourcesPresent?")
    choice.add_choice(ChoiceRule.And([has_history, has_raw]), both)
    choice.add_choice(has_raw, telemetry)
    choice.default_choice(history)
    return choice


def prepare(jobs: Jobs, name: str, module: str, *sources: str) -> Task:
    """Parse and split what there is with `containers.MODULE`.

    Parameters
    ----------
    sources
        `history`, the user's own files, `raw`, the telemetry that has arrived since, and `feedback`, what
        people say of incidents.
    """
    return jobs.processing(
        name,
        module,
        job_name=path("run.names.prepare_job"),
        inputs={source: path(f"run.uris.{source}") for source in ("plan", *sources)},
        outputs={output: path(f"run.uris.{output}") for output in ("prepared", "quarantine")},
        environment={"WATCHKEEPER_START": path("window.start"), "WATCHKEEPER_END": path("window.end")},
    )


def preprocessor(jobs: Jobs) -> ScriptModeModel:
    """Return the scikit-learn preprocessor, which turns rows into feature vectors."""
    return ScriptModeModel(jobs, "TrainPreprocessor", PREPROCESSOR, "preprocessor", accept="text/csv")


def create_preprocessor_model(jobs: Jobs) -> Task:
    """Make a model of the preprocessor alone, to transform the training rows with."""
    (container,) = preprocessor(jobs).containers()
    return service_task(
        "CreatePreprocessorModel",
        "sagemaker:createModel",
        {
            "ModelName": path("run.names.preprocessor_model"),
            "ExecutionRoleArn": Substitution.MODEL_ROLE_ARN.placeholder,
            "PrimaryContainer": container,
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
