"""Every kind of route gets an incident once, whatever is delivered again, refused for a while, or killed."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from lambdas.adapters.incident_store import TableIncidents
from lambdas.alerting.links import Answer, token_of
from lambdas.alerting.sample import sample_of
from tests.local.laptop import Laptop
from tests.local.receivers import NAME, Receivers
from tests.local.scored import until_drained
from tests.local.waiting import until
from watchkeeper.anomalies.event import EVENT_DETAIL_TYPE
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.incidents.incident import Incident
from watchkeeper.spec import load_workload

pytestmark = pytest.mark.local

TOLD = ("webhook", "slack", "program", "bus", "queue")
SEEN = {"webhook": "delivered", "broken": "refused", "slack": "delivered", "bus": "delivered"}
SENT = {"program": "sent", "phone": "sent", "queue": "sent", "managers": "sent"}


def send(laptop: Laptop, queue: str, message: dict[str, Any]) -> None:
    """Send what a schedule sends, at a time that the test chooses."""
    sqs = laptop.client("sqs")
    [url] = [
        url
        for url in sqs.list_queues(QueueNamePrefix=queue)["QueueUrls"]
        if "DeadLetters" not in url.rpartition("/")[2]
    ]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(message))


def arrived(found: Receivers, *channels: str) -> bool:
    got = found.by_channel()
    return all(got[channel] for channel in channels)


def test_every_route_gets_an_incident_once(laptop: Laptop, alert_receivers: Receivers) -> None:
    found = alert_receivers
    with found.ending:
        plan = load_workload(laptop.workloads / f"{NAME}.yaml").plan()
        assert isinstance(plan, WorkloadPlan)
        each_is_tested(laptop, found)
        anomaly = sample_of(plan, datetime.now(UTC)).to_dict()
        a_webhook_that_fails_and_a_kill_lose_nothing(laptop, found, anomaly)
        nothing_comes_twice(laptop, found, anomaly)
        what_nobody_answers_goes_to_the_next(laptop, found)
        a_digest_is_told_once(laptop, found)
        a_link_answers_by_its_button_and_only_while_it_is_good(laptop, found)
        assert {channel: len(got) for channel, got in found.by_channel().items()} == {
            **dict.fromkeys(TOLD, 1),
            "managers": 2,
        }


def each_is_tested(laptop: Laptop, found: Receivers) -> None:
    channels = [part for name in (*SEEN, *SENT) if name != "broken" for part in ("--channel", name)]
    said = laptop.watchkeeper("alerts", "test", NAME, "--json", "--wait", "120", *channels).stdout
    outcomes = [json.loads(line) for line in said.splitlines()]
    expected = {**SEEN, **SENT}
    del expected["broken"]
    assert {each["channel"]: each["verdict"] for each in outcomes} == expected
    with pytest.raises(AssertionError, match=r"127\.0\.0\.1 answered 500"):  # and status 1
        laptop.watchkeeper("alerts", "test", NAME, "--channel", "broken", "--json", "--wait", "120")
    until(lambda: found.bodies("/program") and found.messages("queue"), what="samples that SNS delivers")
    assert all("test" in each for each in found.bodies("/webhook") + found.bodies("/program"))
    assert "TEST" in found.bodies("/slack")[0]["text"]
    books = {book["sk"] for book in laptop.items("Incidents", "books")}
    assert NAME not in books  # no incident, and nobody counts one
    assert found.refused["/broken"] == 1  # a test is one attempt


def a_webhook_that_fails_and_a_kill_lose_nothing(
    laptop: Laptop, found: Receivers, anomaly: dict[str, Any]
) -> None:
    found.refusals["/webhook"] = 1
    laptop.tell(EVENT_DETAIL_TYPE, anomaly)
    others = [channel for channel in TOLD if channel != "webhook"]
    until(lambda: found.refused["/webhook"] and arrived(found, *others), what="the alert at the others")
    until(lambda: only_a_target_is_waited_for(laptop), what="the end of all else")
    machine = until_kept(laptop)
    laptop.kill()
    laptop.cloud.start()
    laptop.client("stepfunctions").delete_state_machine(stateMachineArn=machine)
    until(lambda: arrived(found, *TOLD), what="the alert at each receiver", seconds=300)
    headers, body = next(each for each in found.posted["/webhook"] if "test" not in json.loads(each[1]))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    signature = b64encode(hmac.new(b"k" * 32, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{signature}"
    assert b64decode(signature)
    ids = {
        each["alert_id"] for channel in ("webhook", "program", "bus") for each in found.by_channel()[channel]
    }
    assert ids == {headers["webhook-id"]}


def only_a_target_is_waited_for(laptop: Laptop) -> bool:
    """Tell whether nothing is being done: what a kill interrupts is done again, minutes later."""
    waiting = [name for name, count in laptop.waiting_messages().items() if count]
    table = laptop.outputs["IdempotencyTableName"]
    items = laptop.client("dynamodb").scan(TableName=table, ConsistentRead=True)["Items"]
    return all("AlertDeliveryWork" in name or "FailedRunsKept" in name for name in waiting) and not any(
        item.get("status") == {"S": "INPROGRESS"} for item in items
    )


def until_kept(laptop: Laptop) -> str:
    """Return when what is true now outlives a power cut: the start of an execution is answered then.

    Returns
    -------
    str
        ARN of the state machine that was made for it.
    """
    states = laptop.client("stepfunctions")
    arn: str = states.create_state_machine(
        name="route-check",
        definition=json.dumps({"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}),
        roleArn=laptop.cloud.role("route-check-states", "states"),
    )["stateMachineArn"]
    states.start_execution(stateMachineArn=arn)
    return arn


def nothing_comes_twice(laptop: Laptop, found: Receivers, anomaly: dict[str, Any]) -> None:
    """Deliver again what each function has handled."""
    alert = found.by_channel()["queue"][0]
    notice = {name: alert[name] for name in ("what", "incident", "anomaly", "version")}
    laptop.tell(EVENT_DETAIL_TYPE, anomaly)
    laptop.tell("Incident Opened", notice)
    name = f"Watchkeeper-{NAME.replace('_', '-')}-AlertDeliveryWork"
    send(laptop, name, {**alert, "routes": ["webhook", "slack", "bus"]})
    until_drained(laptop)


def what_nobody_answers_goes_to_the_next(laptop: Laptop, found: Receivers) -> None:
    later = format_instant(datetime.now(UTC) + timedelta(minutes=7))
    for _ in range(2):
        tick = {"detail-type": "Scheduled Event", "time": later}
        send(laptop, "WatchkeeperAlerting-IncidentsWork", tick)
    until(lambda: found.by_channel()["managers"], what="the escalation")
    until_drained(laptop)
    [escalated] = found.by_channel()["managers"]
    assert escalated["what"] == "unanswered"
    assert escalated["incident"] == found.by_channel()["queue"][0]["incident"]


def a_digest_is_told_once(laptop: Laptop, found: Receivers) -> None:
    due = format_instant(datetime.now(UTC) + timedelta(hours=1))
    asked = {
        "detail-type": "Digest Due",
        "time": due,
        "detail": {"workload": NAME, "channel": "managers"},
    }
    for _ in range(2):
        send(laptop, "WatchkeeperAlerting-WorkQueue", asked)
    until(lambda: len(found.by_channel()["managers"]) > 1, what="the digest")
    until_drained(laptop)
    digest = found.by_channel()["managers"][1]["digest"]
    assert digest["counts"] == {"opened": 1, "open": 1, "closed": 0, "silent": 0}
    assert digest["alerts_of_week"] == 1


def a_link_answers_by_its_button_and_only_while_it_is_good(laptop: Laptop, found: Receivers) -> None:
    """The redelivered alert has come once, and its link is pressed as often as people like."""
    [alert] = found.by_channel()["queue"]
    link, incident_id = urlsplit(alert["answer_links"]["urls"]["noise"]), alert["incident"]["incident_id"]
    page = f"{laptop.service_url}{link.path}"  # this machine's resolver does not know API Gateway's own name
    url = f"{page}?{link.query}"
    kept = TableIncidents(laptop.client("dynamodb"), laptop.outputs["IncidentsTableName"])

    def now() -> Incident:
        incident = kept.find(incident_id)
        assert incident is not None
        return incident

    before = now()
    for _ in range(2):
        assert "Nothing happened</button>" in requests.get(url, timeout=60).text
    assert now() == before
    assert "Take it back" in requests.post(url, timeout=60).text  # the page that it leads to
    answered = now()
    assert (answered.feedback, answered.timeline[-1].who[:7]) == ("noise", "by link")
    assert requests.post(url, timeout=60).status_code == 200
    assert now() == answered
    assert requests.post(f"{url}&undo=1", timeout=60).status_code == 200
    assert now().feedback is None

    token = parse_qs(link.query)["t"][0]
    secrets = laptop.client("secretsmanager")
    key = secrets.get_secret_value(SecretId=laptop.outputs["LinkKeyArn"])["SecretString"].encode()
    past = Answer(NAME, incident_id, "noise", ("queue",), int(datetime.now(UTC).timestamp()) - 1)
    for wrong, status in ((token[:-8] + "AAAAAAAA", 403), (token_of(past, key), 410)):
        for ask in (requests.get, requests.post):
            refused = ask(page, params={"t": wrong}, timeout=60)
            assert (refused.status_code, "Nothing was changed" in refused.text) == (status, True)
    assert now().feedback is None
