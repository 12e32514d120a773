"""Runs containers as the laptop does: as processes, with a root of their own in place of `/opt/ml`."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.images.registry import LocalImage, ensure_environment, resolve
from pipeline.packaging import (
    DETECTOR,
    PREPROCESSOR,
    REGISTERED_DETECTOR,
    SERVICE_DETECTOR,
    build_model_code,
    processing_entrypoint,
    script_mode_hyperparameters,
    serving_environment,
)

PROJECT = Path(__file__).resolve().parents[3]
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
SKLEARN = f"{REGISTRY}/sagemaker-scikit-learn:1.4-2-cpu-py3"
RCF = f"{REGISTRY}/randomcutforest:1"
START_SECONDS = 60.0


class JobFailedError(Exception):
    """A job ended with a non-zero exit code; the text is its failure file."""


@dataclass(frozen=True)
class Reply:
    status: int
    content_type: str
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


def image(uri: str) -> LocalImage:
    found = resolve(uri)
    ensure_environment(found)
    return found


def code_archive() -> Path:
    return build_model_code("here", PROJECT / "build")


def run_processing(
    root: Path,
    module: str,
    inputs: Mapping[str, Path],
    environment: Mapping[str, str],
    code: Path | None = None,
) -> Path:
    """Run a processing job; return the folder of its outputs."""
    for name, source in {**inputs, "code": code or code_archive()}.items():
        folder = root / "processing" / "input" / name
        if source.is_dir():
            shutil.copytree(source, folder)
        else:
            folder.mkdir(parents=True)
            shutil.copy(source, folder)
    _run(processing_entrypoint(module), root, image(SKLEARN), environment)
    return root / "processing" / "output"


def run_training(
    root: Path,
    uri: str,
    channels: Mapping[str, Path],
    hyperparameters: Mapping[str, str],
    config: Mapping[str, object] | None = None,
) -> Path:
    """Run a training job; return the folder of its model, as an endpoint gets it out of `model.tar.gz`."""
    for name, source in channels.items():
        folder = root / "input" / "data" / name
        if source.is_dir():
            shutil.copytree(source, folder)
        else:
            folder.mkdir(parents=True)
            shutil.copy(source, folder)
    (root / "model").mkdir()
    documents = {
        "hyperparameters": hyperparameters,
        "inputdataconfig": config or {name: {"TrainingInputMode": "File"} for name in channels},
        "resourceconfig": {
            "current_host": "localhost",
            "hosts": ["localhost"],
            "network_interface_name": "lo",
        },
    }
    (root / "input" / "config").mkdir(parents=True)
    for name, document in documents.items():
        (root / "input" / "config" / f"{name}.json").write_text(json.dumps(document))
    found = image(uri)
    _run(found.train, root, found, {})
    archive = root / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(root / "model", ".")
    return archive


def train_preprocessor(root: Path, rows: Path, plan: Path) -> Path:
    return run_training(
        root,
        SKLEARN,
        {"train": rows, "plan": plan, "code": code_archive()},
        script_mode_hyperparameters(PREPROCESSOR),
    )


def train_service_detector(root: Path, table: Path, algorithm: str) -> Path:
    return run_training(
        root,
        SKLEARN,
        {"features": table, "code": code_archive()},
        {
            **script_mode_hyperparameters(SERVICE_DETECTOR),
            "model_name": algorithm,
            "features": table.name,
        },
    )


def adopt_detector(root: Path, model: Path, rows: Path, plan: Path) -> Path:
    return run_training(
        root,
        SKLEARN,
        {"model": model, "train": rows, "plan": plan, "code": code_archive()},
        {**script_mode_hyperparameters(REGISTERED_DETECTOR), "version": "7"},
    )


def train_forest(root: Path, features: Path, hyperparameters: Mapping[str, str]) -> Path:
    config = {"train": {"ContentType": "text/csv;label_size=0", "S3DistributionType": "ShardedByS3Key"}}
    return run_training(root, RCF, {"train": features}, hyperparameters, config)


@dataclass
class Container:
    """A serving process."""

    connection: http.client.HTTPConnection

    def post(self, body: bytes | str, content_type: str, accept: str | None = None) -> Reply:
        headers = {"Content-Type": content_type, **({"Accept": accept} if accept else {})}
        return self._reply("POST", "/invocations", body, headers)

    def get(self, path: str) -> Reply:
        return self._reply("GET", path)

    def _reply(self, *request: Any) -> Reply:
        self.connection.close()  # the server ends connections that were idle, as between two slow tests
        self.connection.request(*request)
        response = self.connection.getresponse()
        return Reply(response.status, response.getheader("Content-Type", ""), response.read())


@contextmanager
def serving(root: Path, uri: str, model: Path, environment: Mapping[str, str]) -> Iterator[Container]:
    """Start a container on a model, wait until it is healthy, and end it afterwards."""
    (root / "model").mkdir(parents=True)
    with tarfile.open(model) as tar:
        tar.extractall(root / "model", filter="data")
    found = image(uri)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    variables = {**_environment(root, found), **environment, "SAGEMAKER_BIND_TO_PORT": str(port)}
    process = subprocess.Popen(found.serve, env=variables, cwd=root)
    try:
        connection = _healthy(process, port)
        yield Container(connection)
        connection.close()
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def serve_preprocessor(root: Path, model: Path):  # type: ignore[no-untyped-def]
    return serving(root, SKLEARN, model, serving_environment(PREPROCESSOR, "us-east-1", accept="text/csv"))


def serve_detector(root: Path, model: Path):  # type: ignore[no-untyped-def]
    return serving(
        root, SKLEARN, model, serving_environment(DETECTOR, "us-east-1", accept="application/json")
    )


def serve_registered_detector(root: Path, model: Path):  # type: ignore[no-untyped-def]
    variables = serving_environment(REGISTERED_DETECTOR, "us-east-1", accept="application/json")
    return serving(root, SKLEARN, model, variables)


def serve_service_detector(root: Path, model: Path):  # type: ignore[no-untyped-def]
    variables = serving_environment(SERVICE_DETECTOR, "us-east-1", accept="application/json")
    return serving(root, SKLEARN, model, variables)


def serve_forest(root: Path, model: Path):  # type: ignore[no-untyped-def]
    return serving(root, RCF, model, {})


def _healthy(process: subprocess.Popen[bytes], port: int) -> http.client.HTTPConnection:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise JobFailedError(f"the container ended with {process.returncode}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", "/ping")
            if connection.getresponse().read() == b"":
                return connection
        except OSError:
            time.sleep(0.05)
    raise JobFailedError("the container is not healthy")


def _run(argv: list[str], root: Path, found: LocalImage, environment: Mapping[str, str]) -> None:
    root.mkdir(parents=True, exist_ok=True)
    result = subprocess.run(
        argv,
        env={**_environment(root, found), **environment},
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        failure = root / "output" / "failure"
        raise JobFailedError(failure.read_text() if failure.exists() else result.stdout[-4000:])


def _environment(root: Path, found: LocalImage) -> dict[str, str]:
    return {
        "PATH": f"{found.python.parent}{os.pathsep}{os.environ['PATH']}",
        "SAGEMAKER_BASE_DIR": str(root),
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "OMP_NUM_THREADS": "1",
        "HOME": str(root),
    }
