"""Everything that is deployed as a file: code and the definitions of state machines."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from infra.settings import Settings, Stage
from pipeline.definition import build_definition
from pipeline.drift import build_drift_definition
from pipeline.packaging import (
    ANALYSIS_ARCHIVE,
    CODE_ARCHIVE,
    FRAUD_ARCHIVE,
    SPARK_PACKAGE,
    build_analysis_code,
    build_console_code,
    build_fraud_api_code,
    build_fraud_code,
    build_history_code,
    build_lambda_code,
    build_loading_code,
    build_model_code,
    build_scoring_code,
    build_service_code,
    build_spark_code,
)
from pipeline.service.definition import service_definitions
from pipeline.settings import ServiceSettings
from watchkeeper.core.errors import ContractViolationError
from watchkeeper.core.layout import short_hash
from watchkeeper.service.tasks import Task
from watchkeeper.spec import FraudWorkload, RegressionWorkload, WorkloadSpec
from watchkeeper.spec.explaining import Drift

MODEL_CODE_TARGETS: Mapping[Stage, Literal["sagemaker", "here"]] = {"aws": "sagemaker", "laptop": "here"}

API_TARGETS: Mapping[Stage, Literal["lambda", "here"]] = {"aws": "lambda", "laptop": "here"}
STREAM_TARGETS: Mapping[Stage, Literal["glue", "here"]] = {"aws": "glue", "laptop": "here"}


@dataclass(frozen=True)
class Bundles:
    """Files that are deployed."""

    functions: Path
    """Folder with the Lambda functions that need nothing compiled, and what they import."""
    scoring: Path
    """Folder with the scoring loop, whose packages are compiled."""
    api: Path
    """Folder with the anomaly service's API, whose packages are compiled."""
    fraud_api: Path
    """Folder with the API of fraud workloads, whose packages are compiled."""
    console_api: Path
    """Folder with the console's API, whose packages are compiled."""
    history: Path
    """Folder with the functions that merge and read scores, and that fetch telemetry: they need pyarrow."""
    loading: Path
    """Folder with the functions between graph store and training, whose packages are compiled."""
    model: Path
    """`.tar.gz` with what SageMaker runs."""
    analysis: Path
    """The same with the packages of the jobs that explain."""
    fraud: Path | None
    """The same with the packages of the training of fraud models; None where none is made."""
    stream: Path
    """Wheel with what the Spark job runs."""
    definitions: Mapping[str, Path]
    """Each workload's training workflow in the Amazon States Language."""
    service_definitions: Mapping[Task, Path]
    """The state machine of each task of the anomaly service."""
    drift_definitions: Mapping[str, Path]
    """The attribution drift monitor of each workload that has one."""

    @property
    def of_fraud(self) -> Path:
        """The archive of the training of fraud models.

        Raises
        ------
        ContractViolationError
            If it was built for no fraud workload.
        """
        if self.fraud is None:
            raise ContractViolationError("no fraud workload was among those that the bundles were built for")
        return self.fraud


def build_bundles(settings: Settings, workloads: Sequence[WorkloadSpec]) -> Bundles:
    """Build every file for the settings' stage and region.

    Raises
    ------
    InvalidInputError
        If a spec asks for what AWS cannot do.
    UnavailableError
        If third-party packages cannot be fetched.
    """
    target = MODEL_CODE_TARGETS[settings.stage]
    return _with_definitions(
        settings,
        workloads,
        functions=build_lambda_code(settings.build),
        scoring=build_scoring_code(API_TARGETS[settings.stage], settings.build),
        api=build_service_code(API_TARGETS[settings.stage], settings.build),
        fraud_api=build_fraud_api_code(API_TARGETS[settings.stage], settings.build),
        console_api=build_console_code(API_TARGETS[settings.stage], settings.build),
        history=build_history_code(API_TARGETS[settings.stage], settings.build),
        loading=build_loading_code(API_TARGETS[settings.stage], settings.build),
        model=build_model_code(target, settings.build),
        analysis=build_analysis_code(target, settings.build),
        fraud=build_fraud_code(target, settings.build) if _has_fraud(workloads) else None,
        stream=build_spark_code(STREAM_TARGETS[settings.stage], settings.build),
    )


def stand_in_bundles(settings: Settings, workloads: Sequence[WorkloadSpec], folder: Path) -> Bundles:
    """Build the definitions alone, for whom the templates are all: the code is small files in `folder`."""
    archives = {
        "model": folder / CODE_ARCHIVE,
        "analysis": folder / ANALYSIS_ARCHIVE,
        "fraud": folder / FRAUD_ARCHIVE,
    }
    functions = folder / "functions"
    stream = folder / f"{SPARK_PACKAGE}-1-py3-none-any.whl"
    functions.mkdir()
    for file in (functions / "code.py", *archives.values(), stream):
        file.write_text(file.name)
    folders = ("functions", "scoring", "api", "fraud_api", "console_api", "history", "loading")
    small = dict.fromkeys(folders, functions)
    return _with_definitions(settings, workloads, **small, **archives, stream=stream)


def _has_fraud(workloads: Sequence[WorkloadSpec]) -> bool:
    return any(isinstance(spec, FraudWorkload) for spec in workloads)


def _with_definitions(settings: Settings, workloads: Sequence[WorkloadSpec], **code: Path | None) -> Bundles:
    return Bundles(
        **code,  # type: ignore[arg-type]  # by the fields' names
        definitions=write_definitions(settings, workloads),
        service_definitions=write_service_definitions(settings),
        drift_definitions=write_drift_definitions(settings, watched_for_drift(workloads)),
    )


def watched_for_drift(workloads: Sequence[WorkloadSpec]) -> list[tuple[RegressionWorkload, Drift]]:
    """Return the workloads whose attributions are watched, each with the settings of its monitor."""
    return [
        (spec, spec.explain.drift)
        for spec in workloads
        if isinstance(spec, RegressionWorkload) and spec.explain.drift is not None
    ]


def write_drift_definitions(
    settings: Settings, watched: Sequence[tuple[RegressionWorkload, Drift]]
) -> dict[str, Path]:
    """Write the state machine of each attribution drift monitor to a file."""
    return {
        spec.name: _written(
            settings, f"{spec.name}.drift", build_drift_definition(spec, drift, region=settings.region)
        )
        for spec, drift in watched
    }


def write_definitions(settings: Settings, workloads: Sequence[WorkloadSpec]) -> dict[str, Path]:
    """Write each workload's workflow to a file.

    In the template itself a definition would take a twelfth of the megabyte that CloudFormation allows.
    """
    return {
        spec.name: _written(settings, spec.name, build_definition(spec, region=settings.region))
        for spec in workloads
    }


def write_service_definitions(settings: Settings) -> dict[Task, Path]:
    """Write the state machine of each task of the anomaly service to a file."""
    definitions = service_definitions(ServiceSettings(region=settings.region))
    return {task: _written(settings, task.value, definition) for task, definition in definitions.items()}


def _written(settings: Settings, name: str, definition: Mapping[str, Any]) -> Path:
    """Write a definition under the name of its content: another synthesis may write its own meanwhile."""
    text = json.dumps(definition, indent=1)
    path = settings.build / "definitions" / f"{name}.{short_hash(text)}.asl.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.write_text(text)
    return partial.replace(path)
