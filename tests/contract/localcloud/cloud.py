"""A local cloud of its own for tests: free ports, a temporary home, clients."""

import fcntl
import functools
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

import boto3
import psutil
from botocore.config import Config

from localcloud.settings import Settings
from localcloud.supervisor import Running

APP = Path(__file__).parent / "app"
FRESHNESS_SECONDS = 0.3
"""In place of what streams buffer, so that tests need not wait for a minute as in an account."""
_BLOCKS = [range(first, first + 20) for first in range(18500, 18900, 20)]
_Found = TypeVar("_Found")


class Cloud:
    """Starts, asks and stops a local cloud through its command line."""

    def __init__(self, home: Path, **variables: str) -> None:
        port, mqtt, service = free_ports(3)
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("AWS_", "LOCALCLOUD_"))
            },
            "LOCALCLOUD_HOME": str(home),
            "LOCALCLOUD_PORT": str(port),
            "LOCALCLOUD_MQTT_TLS_PORT": str(mqtt),
            "LOCALCLOUD_SERVICE_PORT": str(service),
            "LOCALCLOUD_FIREHOSE_INTERVAL_SECONDS": str(FRESHNESS_SECONDS),
            **variables,
        }
        self.settings = Settings.from_environment(self.environment)

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one command of ``python -m localcloud``."""
        command = [sys.executable, "-m", "localcloud", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise AssertionError(
                f"{' '.join(arguments)} failed\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            )
        return done

    def start(self) -> None:
        """Start it in the background."""
        self.run("up", "--detach", "--quiet")

    def stop(self) -> None:
        """Stop it."""
        self.run("down", "--quiet")

    def client(self, service: str, config: Config | None = None) -> Any:
        """Return a stock boto3 client."""
        return boto3.client(
            service,
            endpoint_url=self.settings.endpoint_url,
            region_name=self.settings.region,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=config,
        )

    def role(self, name: str, trusted: str, *statements: dict[str, Any]) -> str:
        """Make a role that services (`lambda states`), or an account, may assume, and return its ARN."""
        services = [f"{service}.amazonaws.com" for service in trusted.split()]
        principal: dict[str, Any] = {"AWS": trusted} if ":" in trusted else {"Service": services}
        trust = [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]
        client = self.client("iam")
        role = client.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": trust}))
        if statements:
            document = json.dumps({"Statement": [{"Effect": "Allow", **each} for each in statements]})
            client.put_role_policy(RoleName=name, PolicyName=f"{name}Permissions", PolicyDocument=document)
        return str(role["Role"]["Arn"])

    def outputs(self, *stacks: str) -> dict[str, str]:
        """Return the outputs of deployed stacks."""
        client = self.client("cloudformation")
        return {
            output["OutputKey"]: output["OutputValue"]
            for stack in stacks
            for output in client.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
        }

    def server(self) -> psutil.Process:
        """Return the server process."""
        running = Running.read(self.settings)
        assert running is not None
        return psutil.Process(running.server)


@contextmanager
def running_cloud(home: Path, **variables: str) -> Iterator[Cloud]:
    """Yield a cloud that is up; it is down afterwards."""
    cloud = Cloud(home, **variables)
    cloud.start()
    try:
        yield cloud
    finally:
        cloud.stop()


def eventually(find: Callable[[], _Found], *, what: str, seconds: float = 30.0) -> _Found:
    """Return the first truthy result; fail with ``what`` when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = find()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds:.0f} s")


def free_ports(count: int) -> list[int]:
    """Return free ports of this process's own block, so that no other run takes them meanwhile."""
    found: list[int] = []
    block, _ = _own_block()
    for port in block:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
        if len(found) == count:
            return found
    raise AssertionError("no free port")


@functools.cache
def _own_block() -> tuple[range, IO[str]]:
    """Return a block of ports and the lock on it, which is kept for as long as this process lives."""
    for block in _BLOCKS:
        lock = Path(tempfile.gettempdir(), f"watchkeeper-tests-{block.start}.lock").open("w")  # noqa: SIM115 - held on purpose
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
        else:
            return block, lock
    raise AssertionError(f"{len(_BLOCKS)} processes run tests here already")
