"""Workloads that watch what devices do: what follows from the behaviours, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from watchkeeper.spec import DeviceBehaviourWorkload, WorkloadSpec, WorkloadSpecError

Load = Callable[..., WorkloadSpec]
WATCHED = """\
name: press
kind: device_behaviour
interval: 5m
behaviours:
  - {name: messages_sent, allowed: {upper: 600}}
  - {name: authorization_failures}
  - {name: source_addresses}
metrics:
  - {field: battery, name: battery, direction: below}
mitigation: {quarantine: {severity_at_least: 80, measures: [messages_sent]}}
"""


def test_source_measures_and_dimension_follow_from_what_is_watched(load: Load) -> None:
    spec = load(text=WATCHED)
    plan = spec.plan()

    assert isinstance(spec, DeviceBehaviourWorkload)
    assert plan.dimensions == ("device",)
    assert [(each.name, each.aggregate, each.fill) for each in plan.measures] == [
        ("messages_sent", "sum", 0.0),
        ("authorization_failures", "sum", 0.0),
        ("source_addresses", "distinct", 0.0),
        ("battery", "avg", "ignore"),
    ]
    assert plan.measures[0].rules is not None
    assert (plan.measures[0].rules.allowed_to, plan.measures[0].rules.direction) == (600, "above")
    assert (plan.timestamp.field, plan.timestamp.format) == ("at", "epoch_milliseconds")
    assert plan.record_id_field == "record_id"
    assert spec.is_streaming
    assert spec.endpoint is None
    assert spec.mitigation is not None
    assert spec.mitigation.quarantine.severity_at_least == 80


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("kind: device_behaviour", "kind: device_behaviour\ndimensions: [site]"), "follows from behaviours"),
        (("name: messages_sent, a", "name: message_sent, a"), "did you mean messages_sent"),
        (("{name: authorization_failures}", "{name: messages_sent}"), "is there 2 times"),
        (("measures: [messages_sent]", "measures: [disconnects]"), "known: messages_sent"),
        (("severity_at_least: 80", "severity_at_least: 10"), "at least 70"),
        (("name: battery, d", "name: messages_sent, d"), "is there 2 times"),
    ],
)
def test_a_mistake_is_told_once_where_it_is(load: Load, change: tuple[str, str], message: str) -> None:
    with pytest.raises(WorkloadSpecError, match=message) as caught:
        load(text=WATCHED.replace(*change))
    assert len(caught.value.problems) == 1


def test_a_workload_that_watches_nothing_is_refused(load: Load) -> None:
    with pytest.raises(WorkloadSpecError, match="neither behaviours nor metrics"):
        load(text="name: press\nkind: device_behaviour\ninterval: 5m\n")
