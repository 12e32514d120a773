"""The IoT rules that make records of what devices do."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from aws_cdk import aws_events as events
from constructs import Construct

from infra.constructs.topic_rule import TopicRule
from watchkeeper.anomalies.event import EVENT_DETAIL_TYPE, EVENT_SOURCE
from watchkeeper.core import layout
from watchkeeper.core.behaviour import DEVICE, RECORD_ID, TIMESTAMP
from watchkeeper.spec.behaviour import Quarantine

PRESENCE = "$aws/events/presence"
"""Beginning of the topics on which AWS IoT tells of connections."""
_OF_EVENT = f"clientId AS {DEVICE}, timestamp AS {TIMESTAMP}"
_OF_MESSAGE = f"timestamp() AS {TIMESTAMP}"
_BYTES = "length(encode(*, 'base64')) * 3 / 4"
"""Of a payload: three bytes are four characters."""
_ITS_OWN = "topic(2) = clientid()"
"""On topics below `devices/THING/`: the device itself has sent it."""


@dataclass(frozen=True)
class _Seen:
    """What is selected of one kind of message.

    Attributes
    ----------
    measures : dict
        Expression of IoT SQL by the field that it makes.
    """

    name: str
    topic: str
    about: str
    measures: dict[str, str]
    where: str = ""

    def select(self, wanted: Collection[str]) -> str:
        """Return the columns of a record with the wanted measures."""
        chosen = [
            f"{expression} AS {field}" for field, expression in self.measures.items() if field in wanted
        ]
        return ", ".join([*chosen, self.about, f"newuuid() AS {RECORD_ID}"])


_SEEN = (
    _Seen(
        "messages",
        f"{layout.DEVICE_TOPICS}/#",
        f"clientid() AS {DEVICE}, {_OF_MESSAGE}",
        {"messages_sent": "1", "bytes_sent": _BYTES},
        _ITS_OWN,
    ),
    _Seen(
        "commands",
        layout.device_topic("+", f"{layout.COMMANDS}/#"),
        f"topic(2) AS {DEVICE}, {_OF_MESSAGE}",
        {"messages_received": "1", "bytes_received": _BYTES},
    ),
    _Seen(
        "connected",
        f"{PRESENCE}/connected/+",
        _OF_EVENT,
        {"connection_attempts": "1", "source_addresses": "ipAddress"},
    ),
    _Seen(
        "refused",
        f"{PRESENCE}/connect_failed/+",
        _OF_EVENT,
        {"connection_attempts": "1", "authorization_failures": "1"},
    ),
    _Seen("disconnected", f"{PRESENCE}/disconnected/+", _OF_EVENT, {"disconnects": "1"}),
    _Seen(
        "unauthorized",
        f"{PRESENCE}/disconnected/+",
        _OF_EVENT,
        {"authorization_failures": "1"},
        "disconnectReason = 'AUTH_ERROR'",
    ),
)
METRICS = _Seen(
    "metrics",
    layout.device_topic("+", "metrics"),
    f"topic(2) AS {DEVICE}, {_OF_MESSAGE}",
    {},
    _ITS_OWN,
)


class BehaviourRules(Construct):
    """A rule for each kind of message or event that says something of the behaviours that are watched.

    Parameters
    ----------
    behaviours
        Their names.
    metrics
        Whether numbers that devices publish of themselves are watched, too.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workload: str,
        behaviours: Collection[str],
        metrics: bool,
        delivery_stream_name: str,
        bucket_name: str,
        role_arn: str,
    ) -> None:
        super().__init__(scope, construct_id)
        for seen, select in _selections(behaviours, metrics=metrics):
            TopicRule(
                self,
                seen.name.capitalize(),
                workload=workload,
                topic=seen.topic,
                select=select,
                where=seen.where,
                part=seen.name,
                delivery_stream_name=delivery_stream_name,
                bucket_name=bucket_name,
                role_arn=role_arn,
            )


def _selections(behaviours: Collection[str], *, metrics: bool) -> Iterator[tuple[_Seen, str]]:
    for seen in _SEEN:
        if seen.measures.keys() & set(behaviours):
            yield seen, seen.select(behaviours)
    if metrics:
        yield METRICS, f"*, {METRICS.select(())}"


class QuarantineRule(Construct):
    """A rule of the alert bus that hands the anomalies of a workload that it wants to `quarantine_device`.

    Parameters
    ----------
    queue_arn, undelivered_arn
        Queues of the fleet's stack.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        workload: str,
        quarantine: Quarantine,
        bus_name: str,
        queue_arn: str,
        undelivered_arn: str,
    ) -> None:
        super().__init__(scope, construct_id)
        detail: dict[str, list[object]] = {
            "workload": [workload],
            "severity": [{"numeric": [">=", quarantine.severity_at_least]}],
        }
        if quarantine.measures:
            detail["series"] = [{"prefix": f"{name}|"} for name in quarantine.measures]
        events.CfnRule(
            self,
            "Rule",
            description=f"Anomalies of {workload} that quarantine their device",
            event_bus_name=bus_name,
            event_pattern={
                "source": [EVENT_SOURCE],
                "detail-type": [EVENT_DETAIL_TYPE],
                "detail": detail,
            },
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="Target0",
                    arn=queue_arn,
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=undelivered_arn),
                )
            ],
        )
