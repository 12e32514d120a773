"""A running gateway with the laptop's SageMaker, and the clients of a stock boto3."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from botocore.config import Config

from localcloud.environment import server_environment
from localcloud.settings import Settings

REPOSITORY = Path(__file__).parents[3]
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/test:1"
ROLE = "arn:aws:iam::123456789012:role/test-role"
BUCKET = "sagemaker-tests"


class Gateway:
    """One server process."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.settings = Settings(home=home, port=free_port(18400), mqtt_tls_port=free_port(18450), health_check_seconds=10)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = server_environment(self.settings)
        environment.update(
            LOCALCLOUD_HEALTH_CHECK_SECONDS="10",
            LOCALCLOUD_MOTO_PORT=str(self.settings.moto_port),
            PYTHONPATH=str(REPOSITORY),
        )
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(Path(__file__).with_name("server.py"))],
                env=environment,
                cwd=REPOSITORY,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_until(self.ready, seconds=60)

    def ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.home / "server.log").read_text()
        try:
            with urllib.request.urlopen(f"{self.settings.endpoint_url}/_localcloud/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def end(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(30)

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.settings.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 1}),
        )

    def processes(self) -> list[psutil.Process]:
        """Return what runs under the home of this gateway, the server itself excluded."""
        found = []
        for process in psutil.process_iter(["pid", "cwd"]):
            if (process.info["cwd"] or "").startswith(str(self.home)):
                found.append(process)
        return found


def free_port(start: int) -> int:
    for port in range(start, start + 50):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no free port from {start}")


def wait_until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := condition():
            return result
        time.sleep(0.05)
    raise AssertionError(f"did not happen in {seconds} s: {condition}")


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    home = tmp_path_factory.mktemp("localcloud")
    running = Gateway(home)
    running.start()
    try:
        running.client("s3").create_bucket(Bucket=BUCKET)
        yield running
    finally:
        running.end()
        shutil.rmtree(home / "s3", ignore_errors=True)


@pytest.fixture(scope="session")
def s3(gateway: Gateway) -> Any:
    return gateway.client("s3")


@pytest.fixture(scope="session")
def sagemaker(gateway: Gateway) -> Any:
    return gateway.client("sagemaker")


@pytest.fixture(scope="session")
def runtime(gateway: Gateway) -> Any:
    return gateway.client("sagemaker-runtime")


def processes_gone(gateway: Gateway) -> bool:
    return not gateway.processes()


os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
