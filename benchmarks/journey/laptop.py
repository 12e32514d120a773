"""A local cloud of the benchmark's own, with a workload deployed and trained."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3

from benchmarks.pages import FOLDER
from cli.datasets import dataset_of
from cli.demo.live_data import DemoData, prepared
from cli.deployer import Deployer, Stage
from cli.device import Broker, broker_of
from cli.executions import follow, start, succeeded
from cli.specs import ROOT, anomaly_spec_of
from cli.stacks import Deployment
from cli.train import upload_history
from lambdas.console.training_runs import execution_input
from localcloud.environment import client_environment
from localcloud.settings import Settings
from watchkeeper.spec import AnomalyWorkload


@dataclass(frozen=True)
class Trained:
    """A workload that scores."""

    settings: Settings
    session: boto3.Session
    deployment: Deployment
    broker: Broker
    spec: AnomalyWorkload
    material: DemoData


@contextmanager
def running(freshness_seconds: float) -> Iterator[Settings]:
    """Start an empty local cloud on free loopback ports, point this process at it, and end it.

    Parameters
    ----------
    freshness_seconds
        What delivery streams wait, in place of what workloads say.
    """
    port, mqtt_port, service_port = _free_ports()
    variables = {
        "LOCALCLOUD_HOME": str(FOLDER / "cloud"),
        "LOCALCLOUD_PORT": str(port),
        "LOCALCLOUD_MQTT_TLS_PORT": str(mqtt_port),
        "LOCALCLOUD_SERVICE_PORT": str(service_port),
        "LOCALCLOUD_FIREHOSE_INTERVAL_SECONDS": str(freshness_seconds),
    }
    settings = Settings.from_environment(variables)
    os.environ.update(variables)
    os.environ.update(client_environment(settings))
    localcloud("down", "--quiet")
    localcloud("reset", "--yes", "--quiet")
    localcloud("up", "--detach", "--quiet")
    try:
        yield settings
    finally:
        localcloud("down", "--quiet")


def trained(settings: Settings, workload: str, *, deploy: bool = True) -> Trained:
    """Deploy the project, unless that was done, and train and release a model of the workload."""
    spec = anomaly_spec_of(workload, "benchmark")
    session = boto3.Session()
    deployment = Deployment(session)
    if deploy:
        Deployer(session, Stage.LAPTOP).deploy()
    material = prepared(dataset_of(workload), spec.plan(), FOLDER / workload)
    upload_history(session, deployment.bucket, workload, [material.history_file], material.labels_file)
    execution = start(session, deployment.state_machine_arn(workload), execution_input("benchmark"))
    succeeded(follow(session, execution))
    authority = f"{settings.endpoint_url}/_ministack/iot/ca.pem"
    broker = broker_of(session, settings.host, settings.mqtt_tls_port, authority)
    return Trained(settings, session, deployment, broker, spec, material)


def localcloud(*arguments: str, quiet: bool = False) -> None:
    """Run a command of the local cloud; `quiet`: without what it prints."""
    command = [sys.executable, "-m", "localcloud", *arguments]
    subprocess.run(command, cwd=Path(ROOT), check=True, stdout=subprocess.DEVNULL if quiet else None)


def _free_ports() -> tuple[int, int, int]:
    address = ("127.0.0.1", 0)
    with (
        socket.create_server(address) as one,
        socket.create_server(address) as other,
        socket.create_server(address) as third,
    ):
        return one.getsockname()[1], other.getsockname()[1], third.getsockname()[1]
