"""A gateway in a process of its own, for the tests of the laptop's SageMaker."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import psutil
from botocore.config import Config

from localcloud.environment import server_environment
from localcloud.settings import Settings
from tests.contract.localcloud.cloud import free_ports

REPOSITORY = Path(__file__).parents[3]
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/test:1"
ROLE = "arn:aws:iam::123456789012:role/test-role"
BUCKET = "sagemaker-tests"
PROGRAM = Path(__file__).with_name("program.py")


class Gateway:
    """One server process."""

    def __init__(self, home: Path) -> None:
        self.home = home
        port, mqtt = free_ports(2)
        self.settings = Settings(home=home, port=port, mqtt_tls_port=mqtt, health_check_seconds=10)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        (self.home / "ready").unlink(missing_ok=True)
        environment = server_environment(self.settings)
        environment.update(
            LOCALCLOUD_HEALTH_CHECK_SECONDS="10",
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
        return (self.home / "ready").exists()

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
        home = str(self.home)
        return [item for item in psutil.process_iter(["cwd"]) if (item.info["cwd"] or "").startswith(home)]


def wait_until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := condition():
            return result
        time.sleep(0.05)
    raise AssertionError(f"did not happen in {seconds} s: {condition}")
