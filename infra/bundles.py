"""Everything that is deployed as a file: code and the definitions of state machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from infra.definitions import drift_file, service_files, simulator_file, workflow_file
from infra.settings import Settings, Stage
from pipeline.packaging import (
    ANALYSIS_ARCHIVE,
    CODE_ARCHIVE,
    FRAUD_ARCHIVE,
    SPARK_PACKAGE,
    build_analysis_code,
    build_backtesting_code,
    build_console_code,
    build_fraud_api_code,
    build_fraud_code,
    build_history_code,
    build_lambda_code,
    build_loading_code,
    build_model_code,
    build_scoring_code,
    build_service_code,
    build_site_code,
    build_spark_code,
)
from pipeline.site import built_site
from watchkeeper.service.tasks import Task
from watchkeeper.spec import RegressionWorkload, WorkloadSpec
from watchkeeper.spec.explaining import Drift

MODEL_CODE_TARGETS: Mapping[Stage, Literal["sagemaker", "here"]] = {"aws": "sagemaker", "laptop": "here"}

API_TARGETS: Mapping[Stage, Literal["lambda", "here"]] = {"aws": "lambda", "laptop": "here"}
STREAM_TARGETS: Mapping[Stage, Literal["glue", "here"]] = {"aws": "glue", "laptop": "here"}


@dataclass(frozen=True)
class Bundles:
    """Files that are deployed, each built when a stack first asks for it, for the settings' stage and region.

    Raises
    ------
    InvalidInputError
        If a spec asks for what AWS cannot do.
    UnavailableError
        If third-party packages cannot be fetched.
    """

    settings: Settings

    @cached_property
    def functions(self) -> Path:
        """The Lambda functions that need nothing compiled, and what they import."""
        return build_lambda_code(self.settings.build)

    @cached_property
    def scoring(self) -> Path:
        """The scoring loop, whose packages are compiled."""
        return build_scoring_code(API_TARGETS[self.settings.stage], self.settings.build)

    @cached_property
    def api(self) -> Path:
        """The anomaly service's API, whose packages are compiled."""
        return build_service_code(API_TARGETS[self.settings.stage], self.settings.build)

    @cached_property
    def fraud_api(self) -> Path:
        """The API of fraud workloads, whose packages are compiled."""
        return build_fraud_api_code(API_TARGETS[self.settings.stage], self.settings.build)

    @cached_property
    def console_api(self) -> Path:
        """The console's API, whose packages are compiled."""
        return build_console_code(API_TARGETS[self.settings.stage], self.settings.build)

    @cached_property
    def backtesting(self) -> Path:
        """The function of backtests, with the detector's kernel and pyarrow."""
        return build_backtesting_code(API_TARGETS[self.settings.stage], self.settings.build)

    @cached_property
    def history(self) -> Path:
        """The functions that merge and read scores, and that fetch telemetry: they need pyarrow."""
        return build_history_code(API_TARGETS[self.settings.stage], self.settings.build)

    @cached_property
    def loading(self) -> Path:
        """The functions between graph store and training, whose packages are compiled."""
        return build_loading_code(API_TARGETS[self.settings.stage], self.settings.build)

    @cached_property
    def model(self) -> Path:
        """`.tar.gz` with what SageMaker runs."""
        return build_model_code(MODEL_CODE_TARGETS[self.settings.stage], self.settings.build)

    @cached_property
    def analysis(self) -> Path:
        """The same with the packages of the jobs that explain."""
        return build_analysis_code(MODEL_CODE_TARGETS[self.settings.stage], self.settings.build)

    @cached_property
    def fraud(self) -> Path:
        """The same with the packages of the training of fraud models."""
        return build_fraud_code(MODEL_CODE_TARGETS[self.settings.stage], self.settings.build)

    @cached_property
    def site(self) -> Path:
        """The function that deploys the console's site, and the site."""
        return build_site_code(built_site(), self.settings.build)

    @cached_property
    def stream(self) -> Path:
        """Wheel with what the Spark job runs."""
        return build_spark_code(STREAM_TARGETS[self.settings.stage], self.settings.build)

    def definition(self, spec: WorkloadSpec) -> Path:
        """A workload's training workflow in the Amazon States Language."""
        return workflow_file(self.settings, spec)

    def drift_definition(self, spec: RegressionWorkload, drift: Drift) -> Path:
        """The attribution drift monitor of a workload that has one."""
        return drift_file(self.settings, spec, drift)

    @cached_property
    def service_definitions(self) -> Mapping[Task, Path]:
        """The state machine of each task of the anomaly service."""
        return service_files(self.settings)

    @cached_property
    def simulator_definition(self) -> Path:
        """The state machine that simulates transactions."""
        return simulator_file(self.settings)


class StandInBundles(Bundles):
    """The definitions alone, for whom the templates are all: the code is small files."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        super().__init__(settings)
        functions = folder / "functions"
        functions.mkdir()
        archives = {
            "model": folder / CODE_ARCHIVE,
            "analysis": folder / ANALYSIS_ARCHIVE,
            "fraud": folder / FRAUD_ARCHIVE,
            "stream": folder / f"{SPARK_PACKAGE}-1-py3-none-any.whl",
        }
        for file in (functions / "code.py", *archives.values()):
            file.write_text(file.name)
        apis = ("api", "fraud_api", "console_api")
        folders = ("functions", "scoring", *apis, "backtesting", "history", "loading", "site")
        small = dict.fromkeys(folders, functions)
        vars(self).update(small, **archives)
