"""Webhooks, Slack and event buses: signed, tried again until they are taken, and once."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from pytest_socket import enable_socket

from lambdas.adapters import clients
from lambdas.adapters.secret_store import CACHE_SECONDS, SecretsManager
from lambdas.alerting import deliver_alert
from lambdas.alerting.alert import Delivered, delivered, structured
from lambdas.alerting.deliver_alert import DeliverAlertEnvironment
from lambdas.alerting.posting import ALERT_DETAIL_TYPE, Delivery, HttpPoster
from lambdas.alerting.signing import signed_headers
from lambdas.alerting.target import Target, Targets
from lambdas.runtime.queue_handler import seconds_until_again
from tests.unit.lambdas.builders import make_notice
from tests.unit.lambdas.conftest import IDEMPOTENCY_TABLE
from watchkeeper.core.errors import ContractViolationError, InvalidInputError, UnavailableError
from watchkeeper.fraud.decided import DecidedTransaction

KEY = "whsec_" + b64encode(b"k" * 32).decode()
WEBHOOK = Target("webhook", "https://example.com/alerts", "plant/webhook")
SLACK = Target("slack", secret="plant/slack")  # the secret's name
BUS = Target("event_bus", bus_arn="arn:aws:events:us-east-1:123456789012:event-bus/plant")


@dataclass
class Outside:
    """A target, Secrets Manager and a bus, and what they got."""

    answers: list[int] = field(default_factory=lambda: [200])
    """The last one again and again."""
    posted: list[tuple[str, bytes, Mapping[str, str]]] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)
    texts: dict[str, str] = field(
        default_factory=lambda: {WEBHOOK.secret: KEY, SLACK.secret: "https://hooks.example.com/T0/SECRET"}
    )

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.posted.append((url, body, headers))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def text(self, name: str) -> str:
        return self.texts[name]

    def put(self, detail_type: str, details: list[str]) -> None:
        self.events += [(detail_type, detail) for detail in details]

    @property
    def delivery(self) -> Delivery:
        return Delivery(self, self, lambda arn: self, "UTC", clock=lambda: 1_000_000.5)  # type: ignore[arg-type, return-value]


def alert() -> Delivered:
    return Delivered(make_notice(), ("oncall",))


def test_a_webhook_gets_the_alert_signed_over_id_time_and_body() -> None:
    outside = Outside()
    outside.delivery.attempt(alert(), WEBHOOK)
    [(url, body, headers)] = outside.posted
    assert url == WEBHOOK.url
    assert delivered(body.decode()) == alert()
    signed = f"{alert().event.alert_id}.1000000.".encode() + body
    expected = hmac.new(b"k" * 32, signed, hashlib.sha256).digest()
    assert headers["webhook-id"] == alert().event.alert_id
    version, _, signature = headers["webhook-signature"].partition(",")
    assert (version, b64decode(signature)) == ("v1", expected)


def test_each_of_several_keys_signs() -> None:
    both = signed_headers("id", 1, b"x", f"{KEY} {'plain-key-of-24-letters.'}")["webhook-signature"].split()
    assert both[0] == signed_headers("id", 1, b"x", KEY)["webhook-signature"]
    assert len(set(both)) == 2


@pytest.mark.parametrize("secret", ["", "short", "whsec_###", "whsec_c2hvcnQ="])
def test_a_secret_that_signs_nothing_is_refused(secret: str) -> None:
    with pytest.raises(ContractViolationError, match="webhook"):
        signed_headers("id", 1, b"x", secret)


@pytest.mark.parametrize("name", ["markdown", "text"])
def test_a_webhook_may_ask_for_words(name: str) -> None:
    outside = Outside()
    outside.delivery.attempt(alert(), Target("webhook", WEBHOOK.url, WEBHOOK.secret, name))  # type: ignore[arg-type]
    text = json.loads(outside.posted[0][1])["text"]
    assert text.startswith("**" if name == "markdown" else "[pump]")


def test_slack_gets_its_payload_at_the_url_that_is_the_secret() -> None:
    outside = Outside()
    outside.delivery.attempt(alert(), SLACK)
    [(url, body, headers)] = outside.posted
    assert url == "https://hooks.example.com/T0/SECRET"
    assert json.loads(body).keys() == {"text"}
    assert "webhook-signature" not in headers


def test_what_is_no_url_is_refused_without_telling_the_secret() -> None:
    outside = Outside(texts={SLACK.secret: "xoxb-token"})
    with pytest.raises(ContractViolationError) as refused:
        outside.delivery.attempt(alert(), SLACK)
    assert "xoxb" not in str(refused.value)


def test_a_bus_gets_an_event_that_no_rule_of_the_alert_bus_takes() -> None:
    outside = Outside()
    outside.delivery.attempt(alert(), BUS)
    [(detail_type, detail)] = outside.events
    assert detail_type == ALERT_DETAIL_TYPE
    assert delivered(detail) == alert()


@pytest.mark.parametrize("status", [301, 400, 401, 404, 410, 429, 500, 503])
def test_whatever_does_not_take_it_is_tried_again_and_the_url_is_not_told(status: int) -> None:
    outside = Outside([status])
    with pytest.raises(UnavailableError, match=f"hooks.example.com answered {status}") as failed:
        outside.delivery.attempt(alert(), SLACK)
    assert "SECRET" not in str(failed.value)


def test_a_message_is_read_as_what_was_told() -> None:
    transaction = DecidedTransaction("card_fraud", "t1", 1000.0, 12.5, True, 0.9, 0.5, 94.0, "run-1")
    assert delivered(structured(transaction, ["a"])) == Delivered(transaction, ("a",))
    for text in ("", "[]", "{}", '{"routes": ["a"], "incident": {}}'):
        with pytest.raises(InvalidInputError):
            delivered(text)


@pytest.fixture
def server() -> Iterator[tuple[HTTPServer, list[tuple[str, bytes]]]]:
    enable_socket()
    got: list[tuple[str, bytes]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(302 if self.path == "/moved" else 204)
            self.send_header("location", "/elsewhere")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    receiver = HTTPServer(("127.0.0.1", 0), Receiver)
    Thread(target=receiver.serve_forever, daemon=True).start()
    yield receiver, got
    receiver.shutdown()
    receiver.server_close()


def test_over_http_a_body_arrives_and_a_redirection_is_not_followed(
    server: tuple[HTTPServer, list[tuple[str, bytes]]],
) -> None:
    receiver, got = server
    poster = HttpPoster.over_network()
    root = f"http://127.0.0.1:{receiver.server_port}"
    assert poster.post(f"{root}/hook", b"body", {"content-type": "application/json"}) == 204
    assert poster.post(f"{root}/moved", b"body", {}) == 302
    assert got == [("/hook", b"body"), ("/moved", b"body")]


def test_who_is_not_there_is_tried_again() -> None:
    enable_socket()
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1 did not answer") as failed:
        HttpPoster.over_network().post("http://127.0.0.1:9/SECRET", b"", {})
    assert "SECRET" not in str(failed.value)


def test_an_exchanged_secret_takes_effect_within_minutes(aws: object) -> None:
    client = clients.secrets()
    client.create_secret(Name="plant/key", SecretString=f" {KEY}\n")
    now = [0.0]
    store = SecretsManager(client, clock=lambda: now[0])
    assert store.text("plant/key") == KEY
    client.put_secret_value(SecretId="plant/key", SecretString="another-key-of-letters")
    assert store.text("plant/key") == KEY
    now[0] = CACHE_SECONDS
    assert store.text("plant/key") == "another-key-of-letters"
    with pytest.raises(ContractViolationError, match="read secret plant/none"):
        store.text("plant/none")


def test_a_target_that_fails_for_an_hour_gets_every_alert_once(
    aws: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function as it is deployed, by deliveries at the times at which the queue brings them again."""
    environment = DeliverAlertEnvironment(
        targets=Targets({"oncall": WEBHOOK}).to_json(), timezone="UTC", idempotency_table=IDEMPOTENCY_TABLE
    )
    for name, value in environment.variables().items():
        monkeypatch.setenv(name, value)
    clients.sqs().create_queue(QueueName="oncall")
    outside = Outside()
    monkeypatch.setattr(deliver_alert, "delivery", lambda: outside.delivery)
    bodies = [structured(make_notice(minute), ["oncall"]) for minute in range(5)]
    clock = [0.0]
    due = [(0.0, 1, body) for body in bodies]
    taken: list[str] = []
    while due:
        due.sort()
        assert due[0][0] < 2 * 3600
        at, received, body = due.pop(0)
        clock[0] = at
        outside.answers = [500 if at < 3600 else 200]
        outcome = _receive(body, received)
        if outcome:
            due.append((at + seconds_until_again(received), received + 1, body))
        else:
            taken.append(body)
            assert not _receive(body, received + 1), "a second delivery of what was taken is no failure"
    accepted = [body for _, body, _ in outside.posted[-len(bodies) :]]
    assert sorted(taken) == sorted(bodies)
    assert sorted(body.decode() for body in accepted) == sorted(bodies)
    assert clock[0] < 3600 + 900


def _receive(body: str, received: int) -> list[dict[str, str]]:
    record = {
        "messageId": "m1",
        "receiptHandle": "r1",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(received), "SentTimestamp": "0"},
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:oncall",
        "awsRegion": "us-east-1",
    }

    class Context:
        function_name = "deliver"
        memory_limit_in_mb = 128
        invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:deliver"
        aws_request_id = "request"

        def get_remaining_time_in_millis(self) -> int:
            return 30_000

    answer = deliver_alert.handle({"Records": [record]}, Context())  # type: ignore[arg-type]
    return list(answer["batchItemFailures"])  # type: ignore[arg-type]
