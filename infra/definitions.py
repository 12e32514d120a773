"""The state machines as files, written again only when something has changed that they are made from.

Making one imports the SageMaker SDK, which takes seconds; nothing else of a synthesis needs it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from infra.settings import ROOT, Settings
from pipeline.settings import ServiceSettings, settings_of
from watchkeeper.core.layout import short_hash
from watchkeeper.service.tasks import Task
from watchkeeper.spec import RegressionWorkload, WorkloadSpec
from watchkeeper.spec.explaining import Drift

SOURCES = ("pipeline", "lambdas", "model_code/watchkeeper", "requirements.txt")
"""What makes the definitions, besides the settings of each; the last pins the SDK."""


def workflow_file(settings: Settings, spec: WorkloadSpec) -> Path:
    """Return the file of a workload's training workflow.

    In the template itself a definition would take a twelfth of the megabyte that CloudFormation allows.
    """

    def make() -> dict[str, Any]:
        from pipeline.definition import build_definition

        return build_definition(spec, region=settings.region)

    return _file(settings, spec.name, settings_of(spec, settings.region), make)


def drift_file(settings: Settings, spec: RegressionWorkload, drift: Drift) -> Path:
    """Return the file of the state machine of an attribution drift monitor."""

    def make() -> dict[str, Any]:
        from pipeline.drift import build_drift_definition

        return build_drift_definition(spec, drift, region=settings.region)

    made_from = (settings_of(spec, settings.region), drift)
    return _file(settings, f"{spec.name}.drift", made_from, make)


def service_files(settings: Settings) -> dict[Task, Path]:
    """Return the file of the state machine of each task of the anomaly service."""
    constants = ServiceSettings(region=settings.region)

    def make(task: Task) -> Mapping[str, Any]:
        from pipeline.service.definition import service_definitions

        return service_definitions(constants)[task]

    return {task: _file(settings, task.value, constants, partial(make, task)) for task in Task}


def simulator_file(settings: Settings) -> Path:
    """Return the file of the state machine that simulates transactions."""

    def make() -> dict[str, Any]:
        from pipeline.simulator import simulator_definition

        return simulator_definition()

    return _file(settings, "simulator", None, make)


def _file(settings: Settings, name: str, made_from: object, make: Callable[[], Mapping[str, Any]]) -> Path:
    """Write a definition under the name of what it is made from: another synthesis may write it meanwhile."""
    key = short_hash(f"{_sources()}\n{made_from!r}")
    path = settings.build / "definitions" / f"{name}.{key}.asl.json"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        partial.write_text(json.dumps(make(), indent=1))
        partial.replace(path)
    return path


@cache
def _sources() -> str:
    digest = hashlib.sha256()
    for source in (ROOT / name for name in SOURCES):
        for file in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
            digest.update(f"{file.relative_to(ROOT)}\0".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
