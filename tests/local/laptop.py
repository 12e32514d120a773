"""A local cloud with the real application deployed, and its resources as a stock boto3 client sees them."""

import contextlib
import json
import os
import subprocess
import sys
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import psutil

from localcloud.authorization.journal import Journal
from localcloud.environment import client_environment
from localcloud.supervisor import Running
from tests.contract.localcloud.cloud import Cloud
from watchkeeper.anomalies.event import EVENT_SOURCE
from watchkeeper.core import layout
from watchkeeper.kinds import AnyRelease, release_from_json
from watchkeeper.lifecycle.release import live_key

ROOT = Path(__file__).resolve().parents[2]
TIME_SCALE = 10
"""A workflow that waits 5 s before it looks again waits half a second here."""
STACKS = (
    "Storage",
    "Alerting",
    "Scoring",
    "History",
    "Ingestion",
    "Training",
    "ServiceTasks",
    "Service",
    "Fleet",
    "Monitoring",
)


class Laptop:
    """The local cloud that all journeys share.

    Its clients are made by `boto3.client(service)`: what points them at the laptop is `AWS_ENDPOINT_URL`.
    """

    def __init__(self, home: Path) -> None:
        self.cloud = Cloud(home, LOCALCLOUD_TIME_SCALE=str(TIME_SCALE))
        self.cloud.run("reset", "--yes", "--quiet")  # it also ends what an interrupted run has left
        self.workloads = ROOT / "workloads"
        """Folder of what `deploy` deploys."""
        self._clients: dict[str, Any] = {}

    @property
    def variables(self) -> dict[str, str]:
        """Environment of an AWS client."""
        return client_environment(self.cloud.settings)

    def watchkeeper(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the `watchkeeper` command."""
        return self.command("watchkeeper", *arguments)

    def command(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the virtual environment as a user of the laptop's cloud would."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        # where links of alerts lead, as `watchkeeper env` says: without it the shared stacks were others
        told = {"WATCHKEEPER_SERVICE_URL": self.service_url, "WATCHKEEPER_WORKLOADS": str(self.workloads)}
        done = subprocess.run(
            [Path(sys.executable).with_name(program), *arguments],
            cwd=ROOT,
            env={**inherited, **self.variables, **told},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise AssertionError(
                f"{program} {arguments} ended with {done.returncode}\n"
                f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
            )
        return done

    def deploy(self, workload: str | None = None) -> None:
        """Deploy the application with one workload, or with all, unless it is deployed."""
        complete = ["CREATE_COMPLETE", "UPDATE_COMPLETE"]
        found = self.client("cloudformation").list_stacks(StackStatusFilter=complete)["StackSummaries"]
        names = [workload] if workload else [path.stem for path in self.workloads.glob("*.yaml")]
        wanted = {*(f"Watchkeeper{name}" for name in STACKS), *map(layout.workload_stack, names)}
        if not wanted <= {stack["StackName"] for stack in found}:
            self.__dict__.pop("outputs", None)
            chosen = ["--workload", workload] if workload else []
            self.watchkeeper("deploy", "--stage", "laptop", *chosen)

    def client(self, service: str) -> Any:
        """Return a stock client."""
        if service not in self._clients:
            self._clients[service] = boto3.client(service)
        return self._clients[service]

    @cached_property
    def session(self) -> boto3.Session:
        """A session of the commands' own functions; `AWS_ENDPOINT_URL` points it at the laptop."""
        return boto3.Session()

    @cached_property
    def outputs(self) -> dict[str, str]:
        """Outputs of the stacks that all workloads share."""
        return self.cloud.outputs(*(f"Watchkeeper{name}" for name in STACKS))

    @property
    def service_url(self) -> str:
        """Address of the anomaly service, where a request without a token is a developer's."""
        return f"http://localhost:{self.cloud.settings.service_port}"

    @property
    def bucket(self) -> str:
        """The data bucket."""
        return self.outputs["DataBucketName"]

    def keys(self, prefix: str) -> list[str]:
        """Return the keys of the data bucket's objects under a prefix."""
        return list(self.entity_tags(prefix))

    def entity_tags(self, prefix: str) -> dict[str, str]:
        """Return the entity tag of each of the data bucket's objects under a prefix, by its key."""
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return {found["Key"]: found["ETag"] for page in pages for found in page.get("Contents", [])}

    def read(self, key: str) -> bytes:
        """Return an object of the data bucket."""
        content: bytes = self.client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return content

    def items(self, table: str, partition: str) -> list[dict[str, Any]]:
        """Return the items of a partition of one of the tables, plain values."""
        pages = (
            self.client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=self.outputs[f"{table}TableName"],
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": partition}},
                ConsistentRead=True,
            )
        )
        return [
            {name: next(iter(value.values())) for name, value in item.items()}
            for page in pages
            for item in page["Items"]
        ]

    def tell(self, detail_type: str, detail: dict[str, Any]) -> None:
        """Put an event of ours on the alert bus."""
        entry = {
            "EventBusName": self.outputs["AlertBusName"],
            "Source": EVENT_SOURCE,
            "DetailType": detail_type,
            "Detail": json.dumps(detail),
        }
        assert self.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0

    def live(self, workload: str) -> AnyRelease | None:
        """Return the published release."""
        key = live_key(workload)
        found = [item for item in self.items("Series", key["pk"]) if item["sk"] == key["sk"]]
        return release_from_json(found[0]["document"]) if found else None

    def ask(self, workload: str, *rows: str) -> list[float]:
        """Send rows to a workload's endpoint and return their scores."""
        answer = self.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=layout.endpoint_name(workload),
            ContentType="text/csv",
            Accept="application/json",
            Body="\n".join(rows),
        )
        return [score["score"] for score in json.load(answer["Body"])["scores"]]

    def journal(self) -> Journal:
        """Return what was asked for and decided until now."""
        self.cloud.run("status", check=False)  # it writes what was recorded; a cloud that is down has done so
        return Journal.read(self.cloud.settings.home / "iam")

    def denied(self) -> list[str]:
        """Return AWS's sentences about the calls that were denied; none where nothing was called yet."""
        with contextlib.suppress(FileNotFoundError):
            return [entry.message for entry in self.journal().entries if not entry.allowed]
        return []

    def waiting_messages(self) -> dict[str, int]:
        """Return how many messages each queue of the application holds, dead letters included."""
        return {url.rpartition("/")[2]: self.messages_in(url) for url in self.queues()}

    def queues(self) -> list[str]:
        """Return the URLs of the application's queues."""
        found: list[str] = self.client("sqs").list_queues(QueueNamePrefix="Watchkeeper")["QueueUrls"]
        return found

    def messages_in(self, url: str) -> int:
        """Return how many messages a queue holds, whoever has them."""
        found = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return sum(int(found[f"ApproximateNumberOfMessages{kind}"]) for kind in ("", "NotVisible", "Delayed"))

    def processes(self) -> list[psutil.Process]:
        """Return the supervisor and everything below it."""
        running = Running.read(self.cloud.settings)
        tops = running.processes() if running else []
        return list(
            dict.fromkeys(process for top in tops for process in [top, *top.children(recursive=True)])
        )

    def kill(self) -> None:
        """Kill supervisor and server at once, as a power cut would, and wait until all processes are gone."""
        running = Running.read(self.cloud.settings)
        assert running is not None
        family = self.processes()
        for process in running.processes():
            process.kill()
        _, alive = psutil.wait_procs(family, timeout=30)
        assert alive == []
