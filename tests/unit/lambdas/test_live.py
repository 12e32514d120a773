"""Who hears what, and what becomes of an event of the alert bus."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from lambdas.adapters.event_channels import EVENT_BYTES
from lambdas.http.roles import Caller, Role
from lambdas.live import publish_live
from lambdas.live.channels import EVERYTHING, channel_of, tenant_channel
from lambdas.live.events import events_in
from lambdas.live.let_subscribe import decide
from lambdas.live.publish_live import LiveEffects
from localcloud.appsync.channels import parse_channel
from tests.unit.lambdas.fakes import FakePlanStore
from watchkeeper.core.errors import InvalidInputError, UnavailableError
from watchkeeper.core.layout import state_machine_name
from watchkeeper.core.plan import TimestampPlan, WorkloadPlan

EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:watchkeeper-water-flow-training:e1"
MACHINE = f"arn:aws:states:us-east-1:123456789012:stateMachine:{state_machine_name('water_flow', 'training')}"
DECIDED = {
    "workload": "cards",
    "id": "t1",
    "time": 1_770_000_000.5,
    "amount": 12.5,
    "flag": True,
    "pred_prob": 0.97,
    "threshold": 0.5,
    "severity": 98.0,
    "model_version": "3",
    "version": 1,
}


def changed(*ids: str, workload: str = "water_flow", **detail: Any) -> str:
    events = [
        {"id": each, "at": "2026-11-30T10:00:00Z", "kind": "incident", "workload": workload, "detail": detail}
        for each in ids
    ]
    return envelope("Incident Changed", {"workload": workload, "events": events})


def envelope(detail_type: str, detail: dict[str, Any]) -> str:
    return json.dumps({"detail-type": detail_type, "detail": detail})


def record(number: int, body: str) -> SQSRecord:
    return SQSRecord({"messageId": f"m{number}", "body": body})


@dataclass
class Channels:
    """`EventChannels` in memory, which may refuse."""

    heard: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    refuses: dict[str, list[int]] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)

    def publish(self, channel: str, events: Sequence[str]) -> list[int]:
        if channel in self.away:
            raise UnavailableError("no answer")
        parse_channel(channel, subscribing=False)
        refused = self.refuses.get(channel, [])
        taken = [json.loads(event) for number, event in enumerate(events) if number not in refused]
        assert all(len(event.encode()) <= EVENT_BYTES for event in events)
        self.heard.setdefault(channel, []).extend(taken)
        return refused


@pytest.fixture
def channels(monkeypatch: pytest.MonkeyPatch) -> Channels:
    plan = WorkloadPlan("water_flow", TimestampPlan("at"), (), 300, readers=("acme", "other_tenant"))
    found = Channels()
    effects = LiveEffects(FakePlanStore({"water_flow": plan}), found)
    monkeypatch.setattr(publish_live, "effects", lambda: effects)
    return found


def test_an_event_goes_to_administrators_and_to_each_reader(channels: Channels) -> None:
    assert (
        publish_live.handle_batch([record(1, changed("i1:1", "i2:1")), record(2, changed("i1:2"))]) == set()
    )

    ids = {channel: [event["id"] for event in events] for channel, events in channels.heard.items()}
    assert ids == {
        channel: ["i1:1", "i2:1", "i1:2"]
        for channel in (EVERYTHING, tenant_channel("acme"), tenant_channel("other_tenant"))
    }


def test_a_workload_that_is_no_more_is_told_to_administrators(channels: Channels) -> None:
    assert publish_live.handle_batch([record(1, changed("i1:1", workload="gone"))]) == set()

    assert list(channels.heard) == [EVERYTHING]


def test_only_messages_of_which_something_was_not_taken_come_again(channels: Channels) -> None:
    channels.refuses[tenant_channel("acme")] = [2]

    failed = publish_live.handle_batch([record(1, changed("i1:1", "i1:2")), record(2, changed("i1:3"))])
    assert failed == {"m2"}

    channels.away.add(tenant_channel("acme"))
    assert publish_live.handle_batch([record(3, changed("i1:4"))]) == {"m3"}
    assert [event["id"] for event in channels.heard[EVERYTHING]] == ["i1:1", "i1:2", "i1:3", "i1:4"]


def test_what_cannot_be_read_fails_alone(channels: Channels) -> None:
    bodies = [envelope("Other", {}), "no json", envelope("Incident Changed", {}), changed("i1:1")]

    failed = publish_live.handle_batch([record(number, body) for number, body in enumerate(bodies)])

    assert failed == {"m0", "m1", "m2"}
    assert [event["id"] for event in channels.heard[EVERYTHING]] == ["i1:1"]


def test_what_is_too_large_is_told_without_its_detail(channels: Channels) -> None:
    assert publish_live.handle_batch([record(1, changed("i1:1", title="x" * EVENT_BYTES))]) == set()

    (event,) = channels.heard[EVERYTHING]
    assert (event["id"], event["detail"]) == ("i1:1", {"left_out": True})


def test_a_decision_has_the_same_id_each_time() -> None:
    (event,) = events_in(envelope("Transaction Decided", DECIDED))

    assert (event.id, event.kind, event.workload, event.at) == (
        "cards:t1",
        "decision",
        "cards",
        "2026-02-02T02:40:00.500000Z",
    )
    assert event.detail["pred_prob"] == 0.97


@pytest.mark.parametrize(
    ("status", "told"),
    [("RUNNING", "running"), ("SUCCEEDED", "succeeded"), ("TIMED_OUT", "failed"), ("ABORTED", "stopped")],
)
def test_a_run_is_told_by_its_status(status: str, told: str) -> None:
    stop = None if status == "RUNNING" else 1_770_000_060_000
    detail = {
        "executionArn": EXECUTION,
        "stateMachineArn": MACHINE,
        "status": status,
        "startDate": 1_770_000_000_000,
        "stopDate": stop,
    }

    (event,) = events_in(envelope("Step Functions Execution Status Change", detail))

    assert event.id == f"{EXECUTION}:{told}"
    assert (event.workload, event.detail["status"]) == ("water_flow", told)
    assert event.detail["run_id"].startswith("20260202024000-")
    assert event.at == ("2026-02-02T02:40:00Z" if stop is None else "2026-02-02T02:41:00Z")


def test_a_release_is_told_with_the_one_that_it_replaces() -> None:
    detail = {"workload": "water_flow", "run_id": "r2", "what": "published", "at": "2026-11-30T10:00:00Z"}

    (event,) = events_in(envelope("Release Published", {**detail, "previous": "r1", "version": 1}))

    assert (event.id, event.kind, event.at) == ("water_flow:r2:published", "release", detail["at"])
    assert event.detail == {"run_id": "r2", "what": "published", "previous": "r1"}


def test_an_unknown_status_is_refused() -> None:
    detail = {"executionArn": EXECUTION, "stateMachineArn": MACHINE, "status": "DANCING", "startDate": 1}
    with pytest.raises(InvalidInputError, match="DANCING"):
        events_in(envelope("Step Functions Execution Status Change", detail))


def asked(path: str, **claims: Any) -> dict[str, Any]:
    segments = path.strip("/").split("/")
    return {
        "info": {
            "channel": {"path": path, "segments": segments},
            "channelNamespace": {"name": segments[0]},
            "operation": "SUBSCRIBE",
        },
        "identity": {"claims": {"custom:tenant": "acme", "token_use": "id", **claims}},
        "events": None,
    }


def test_a_user_hears_the_channel_of_the_tenant_alone() -> None:
    assert decide(asked(tenant_channel("acme"))) is None
    for path in (
        EVERYTHING,
        tenant_channel("other"),
        "/watch/*",
        "/watch/tenant/*",
        "/watch",
        "/watch/tenant",
    ):
        answer = decide(asked(path))
        assert answer is not None, path
        assert "acme may not hear" in answer["error"]


@pytest.mark.parametrize("groups", [["viewer"], ["operator"], ["administrators"], []])
def test_no_other_group_hears_everything(groups: list[str]) -> None:
    assert decide(asked(EVERYTHING, **{"cognito:groups": groups})) is not None


def test_an_administrator_hears_every_channel_of_ours() -> None:
    for path in (EVERYTHING, tenant_channel("other"), "/watch/tenant/*"):
        assert decide(asked(path, **{"cognito:groups": ["admin"]})) is None
    assert decide(asked("/watch/else", **{"cognito:groups": ["admin"]})) is not None


@pytest.mark.parametrize(
    "claims", [{"custom:tenant": "a/b"}, {"custom:tenant": None}, {"token_use": "access"}]
)
def test_a_token_without_a_tenant_hears_nothing(claims: dict[str, Any]) -> None:
    answer = decide(asked(tenant_channel("acme"), **claims))

    assert answer is not None


def test_a_caller_by_keys_hears_nothing() -> None:
    assert decide({**asked(EVERYTHING), "identity": {"userArn": "arn:aws:iam::1:root"}}) is not None


@pytest.mark.parametrize(("role", "tenant"), [("viewer", "x" * 64), ("operator", "a_b"), ("admin", "a")])
def test_a_channel_is_one_that_appsync_takes(role: Role, tenant: str) -> None:
    parse_channel(channel_of(Caller("ann", tenant, role)), subscribing=True)
