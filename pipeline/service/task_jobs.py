"""The jobs of a task: their names, what they read, what they write."""

from __future__ import annotations

from dataclasses import dataclass

from sagemaker.inputs import TrainingInput
from stepfunctions.steps import states

from pipeline.contracts import task_path as path
from pipeline.jobs import Jobs, channel
from pipeline.packaging import CODE_CHANNEL, SERVICE_DETECTOR, SERVICE_SEARCH, script_mode_hyperparameters
from pipeline.settings import ServiceSettings
from pipeline.substitutions import Substitution
from pipeline.tasks import JsonObject, formatted
from watchkeeper.service import job_names
from watchkeeper.service.tasks import MODEL_FILE, Task

SERVICE_TAG = "watchkeeper:service"
REQUEST_TAG = "watchkeeper:request"


@dataclass(frozen=True)
class TaskJobs(Jobs):
    """Makes the job states of the service's tasks."""

    settings: ServiceSettings  # type: ignore[assignment]  # of no workload: names and tags are the task's

    @property
    def tags(self) -> dict[str, str]:
        """Tags of everything that a task makes."""
        return {SERVICE_TAG: "anomaly_detection", REQUEST_TAG: path("parameters.request_id")}

    def search_share(self) -> states.Task:
        """Try one share of the candidates, in the iteration over shares."""
        return self._script(
            "SearchShare",
            SERVICE_SEARCH,
            job_name=formatted(job_names.SEARCH, path("id"), path("chunk")),
            channels={"features": _file("features"), "labels": _file("labels")},
            output=_search_prefix(),
            hyperparameters={
                "labels": path("files.labels"),
                "chunk": formatted("{}", path("chunk")),
                "chunks": str(self.settings.search_jobs),
            },
        )

    def fit(self) -> states.Task:
        """Fit the detector with its defaults."""
        return self._script(
            "FitDetector",
            SERVICE_DETECTOR,
            job_name=formatted(job_names.FIT, path("id")),
            channels={"features": _file("features")},
            output=_below_results("fit/"),
            hyperparameters={},
        )

    def fit_best(self) -> states.Task:
        """Fit the detector with the best hyperparameters of the search."""
        return self._script(
            "FitBestDetector",
            SERVICE_DETECTOR,
            job_name=formatted(job_names.FIT, path("id")),
            channels={
                "features": _file("features"),
                "labels": _file("labels"),
                "search": channel(_search_prefix()),
            },
            output=_below_results("fit/"),
            hyperparameters={"labels": path("files.labels")},
        )

    def judge(self, name: str, task: Task, *, labelled: bool) -> states.Task:
        """Judge a table by a model: of a training task the one that it has fitted."""
        trained = task is Task.TRAIN
        inputs = {"features": _uri("features"), "model": path("model.uri") if trained else _uri("model")}
        environment: JsonObject = {
            "WATCHKEEPER_TASK": task.value,
            "WATCHKEEPER_MODEL": MODEL_FILE if trained else _base_name("files.model"),
        }
        if labelled:
            inputs["labels"] = _uri("labels")
            environment["WATCHKEEPER_LABELS"] = _base_name("files.labels")
        if task is not Task.INFER:
            environment["WATCHKEEPER_CHARTS"] = f"States.JsonToString({path('parameters.save_charts')})"
        return self._judging(name, "service.predict_job", inputs, environment)

    def judge_columns(self) -> states.Task:
        """Judge each column of a table by a rule of its own."""
        return self._judging(
            "JudgeColumns",
            "service.univariate_job",
            {"features": _uri("features")},
            {
                "WATCHKEEPER_TASK": Task.INFER.value,
                "WATCHKEEPER_METHOD": path("parameters.method_name"),
                "WATCHKEEPER_PARAMETERS": f"States.JsonToString({path('parameters.parameters')})",
            },
        )

    def _script(
        self,
        name: str,
        what: str,
        *,
        job_name: str,
        channels: dict[str, TrainingInput],
        output: str,
        hyperparameters: dict[str, str],
    ) -> states.Task:
        archive = Substitution.MODEL_CODE_ARCHIVE_NAME.placeholder
        return self.training(
            name,
            image=self.sklearn_image,
            job_name=job_name,
            channels={**channels, CODE_CHANNEL: channel(Substitution.MODEL_CODE_URI.placeholder)},
            output=output,
            hyperparameters={
                "model_name": path("parameters.model_name"),
                "features": path("files.features"),
                "decimal": path("parameters.decimal"),
                **hyperparameters,
                **script_mode_hyperparameters(what, archive),
            },
        )

    def _judging(
        self, name: str, module: str, inputs: dict[str, str], environment: JsonObject
    ) -> states.Task:
        return self.processing(
            name,
            module,
            job_name=formatted(job_names.JUDGE, path("id")),
            inputs=inputs,
            outputs={"results": _below_results("")},
            environment={
                "WATCHKEEPER_FEATURES": _base_name("files.features"),
                "WATCHKEEPER_PREDICTIONS": _base_name("outputs.predictions"),
                "WATCHKEEPER_DECIMAL": path("parameters.decimal"),
                **environment,
            },
            keep={"metrics": "$.ExitMessage"},
        )


def _file(name: str) -> TrainingInput:
    return channel(_uri(name))


def _uri(name: str) -> str:
    return formatted("s3://{}/{}", path("bucket"), path(f"files.{name}"))


def _search_prefix() -> str:
    return _below_results("search/")


def _below_results(folder: str) -> str:
    return formatted(f"s3://{{}}/{{}}{folder}", path("bucket"), path("outputs.folder"))


def _base_name(fields: str) -> str:
    """Return the expression for the last part of a key: all that a job needs, and short enough for it."""
    parts = f"States.StringSplit({path(fields)}, '/')"
    return f"States.ArrayGetItem({parts}, States.MathAdd(States.ArrayLength({parts}), -1))"
