"""Everybody who may get an alert: webhooks of the test's own, a function, an event bus, queues."""

from __future__ import annotations

import io
import json
import zipfile
from base64 import b64encode
from collections import defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests.local.laptop import Laptop

KEY = "whsec_" + b64encode(b"k" * 32).decode()
NAME = "route_check"
WEBHOOK_SECRET, SLACK_SECRET = "route-check/webhook", "route-check/slack"
FUNCTION = BUS = "route-check"
SOURCE = """\
import urllib.request
def handle(event, context):
    body = event["Records"][0]["Sns"]["Message"].encode()
    urllib.request.urlopen(urllib.request.Request({url!r}, data=body), timeout=10).close()
"""
SPEC = """\
name: {name}
kind: anomaly
source: {{topic: {name}}}
measures: [{{field: bar, name: pressure}}]
interval: 5m
detector: {{algorithm: watchkeeper}}
alerts:
  throttle: 1h
  answer_links: 1d
  routes:
    - channel: webhook
      webhook: {{url: "{url}/webhook", secret: {webhook}}}
    - channel: broken
      severity_at_least: 99
      webhook: {{url: "{url}/broken", secret: {webhook}}}
    - {{channel: slack, slack: {{secret: {slack}}}}}
    - {{channel: bus, event_bus: "{bus}"}}
    - {{channel: program, subscription: {{protocol: lambda, endpoint: "{function}"}}}}
    - {{channel: phone, subscription: {{protocol: sms, endpoint: "+14155550100"}}}}
    - channel: queue
      escalate_after: 5m
      escalate_to: managers
      subscription: {{protocol: sqs, endpoint: "{queue}"}}
    - channel: managers
      when: []
      digest: "{digest}"
      subscription: {{protocol: sqs, endpoint: "{managers}"}}
"""


@dataclass
class Receivers:
    """What came where, by what the alert says that it is."""

    laptop: Laptop
    url: str = ""
    posted: dict[str, list[tuple[Mapping[str, str], bytes]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """What was accepted, by path."""
    refused: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    refusals: dict[str, int] = field(default_factory=lambda: {"/broken": 10**6})
    """How many more posts a path answers with 500."""
    urls: dict[str, str] = field(default_factory=dict)
    """Of queues by name."""
    received: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    ending: ExitStack = field(default_factory=ExitStack)
    """Once it is closed they are gone: who looks for what a deployment leaves would find them."""

    def post(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        """Take a post, or refuse it."""
        if self.refusals.get(path, 0) > 0:
            self.refusals[path] -= 1
            self.refused[path] += 1
            return 500
        self.posted[path].append((headers, body))
        return 204

    def bodies(self, path: str) -> list[dict[str, Any]]:
        """Return what a path accepted."""
        return [json.loads(body) for _, body in self.posted[path]]

    def messages(self, name: str) -> list[dict[str, Any]]:
        """Return all that a queue got so far."""
        sqs = self.laptop.client("sqs")
        answer = sqs.receive_message(QueueUrl=self.urls[name], MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            body = json.loads(message["Body"])
            self.received[name].append(json.loads(body["Message"]) if "Message" in body else body["detail"])
            sqs.delete_message(QueueUrl=self.urls[name], ReceiptHandle=message["ReceiptHandle"])
        return self.received[name]

    def by_channel(self) -> dict[str, list[dict[str, Any]]]:
        """Return what each route's receiver got, samples of tests left out; Slack's text as it is."""
        found = {
            "webhook": self.bodies("/webhook"),
            "slack": self.bodies("/slack"),
            "program": self.bodies("/program"),
            "bus": self.messages("bus"),
            "queue": self.messages("queue"),
            "managers": self.messages("managers"),
        }
        return {
            channel: [each for each in alerts if "test" not in each and "TEST" not in each.get("text", "")]
            for channel, alerts in found.items()
        }


def receivers(laptop: Laptop, folder: Path) -> Receivers:
    """Make the receivers, and a workload's file with a route to each."""
    made = Receivers(laptop)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(made.post(self.path, dict(self.headers.items()), body))
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    made.ending.callback(server.server_close)
    made.ending.callback(server.shutdown)
    made.url = f"http://127.0.0.1:{server.server_port}"
    arns = {name: _queue(laptop, made, name) for name in ("queue", "managers", "bus")}
    (folder / f"{NAME}.yaml").write_text(
        SPEC.format(
            name=NAME,
            url=made.url,
            webhook=WEBHOOK_SECRET,
            slack=SLACK_SECRET,
            bus=_bus(laptop, arns["bus"]),
            function=_function(laptop, f"{made.url}/program"),
            queue=arns["queue"],
            managers=arns["managers"],
            digest=f"{datetime.now(UTC) + timedelta(hours=12):%H:%M}",  # none but the test's own
        )
    )
    secrets = laptop.client("secretsmanager")
    secrets.create_secret(Name=WEBHOOK_SECRET, SecretString=KEY)
    secrets.create_secret(Name=SLACK_SECRET, SecretString=f"{made.url}/slack")
    made.ending.callback(_remove, laptop, made)
    return made


def _remove(laptop: Laptop, made: Receivers) -> None:
    for url in made.urls.values():
        laptop.client("sqs").delete_queue(QueueUrl=url)
    events = laptop.client("events")
    events.remove_targets(Rule=BUS, EventBusName=BUS, Ids=["queue"])
    events.delete_rule(Name=BUS, EventBusName=BUS)
    events.delete_event_bus(Name=BUS)
    laptop.client("lambda").delete_function(FunctionName=FUNCTION)
    for name in (WEBHOOK_SECRET, SLACK_SECRET):
        laptop.client("secretsmanager").delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)


def _queue(laptop: Laptop, made: Receivers, name: str) -> str:
    sqs = laptop.client("sqs")
    url = sqs.create_queue(QueueName=f"route-check-{name}")["QueueUrl"]
    made.urls[name] = url
    arn: str = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sender = "events" if name == "bus" else "sns"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": f"{sender}.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [statement]})})
    return arn


def _bus(laptop: Laptop, queue_arn: str) -> str:
    events = laptop.client("events")
    arn: str = events.create_event_bus(Name=BUS)["EventBusArn"]
    pattern = json.dumps({"detail-type": ["Watchkeeper Alert"]})
    events.put_rule(Name=BUS, EventBusName=BUS, EventPattern=pattern)
    targets = [{"Id": "queue", "Arn": queue_arn}]
    events.put_targets(Rule=BUS, EventBusName=BUS, Targets=targets)
    return arn


def _function(laptop: Laptop, url: str) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("function.py", SOURCE.format(url=url))
    made = laptop.client("lambda").create_function(
        FunctionName=FUNCTION,
        Runtime="python3.11",
        Role=laptop.cloud.role(
            FUNCTION,
            "lambda",
            {"Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"},
        ),
        Handler="function.handle",
        Code={"ZipFile": archive.getvalue()},
        Timeout=20,
    )
    return str(made["FunctionArn"])
