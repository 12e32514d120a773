"""How long telemetry waits: what a workload asks for, where devices publish, what figures say of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from benchmarks.journey.account import parts
from cli.device import topic_of
from cli.freshness import told
from cli.specs import WORKLOADS
from watchkeeper.spec import AnomalyWorkload, load_workload
from watchkeeper.spec.delivery import Delivery

SPEC = load_workload(WORKLOADS / "water_flow.yaml")
assert isinstance(SPEC, AnomalyWorkload)


def waiting(seconds: float) -> AnomalyWorkload:
    assert isinstance(SPEC, AnomalyWorkload)
    return SPEC.model_copy(update={"freshness": timedelta(seconds=seconds)})


@pytest.mark.parametrize(
    ("seconds", "delivery", "longest"),
    [
        (900, Delivery(60, partitioned=True), 90),
        (90, Delivery(60, partitioned=True), 90),
        (89, Delivery(89, partitioned=False), 89),
        (0, Delivery(0, partitioned=False), 0),
    ],
)
def test_a_stream_with_partitions_is_shared_only_by_who_can_wait_for_it(
    seconds: float, delivery: Delivery, longest: float
) -> None:
    assert waiting(seconds).delivery == delivery
    assert waiting(seconds).delivery.longest_seconds == longest


def test_figures_name_the_freshness_that_they_were_made_with() -> None:
    assert told(waiting(300), None) == "freshness 5m: up to 90 s in the stream that workloads share"
    assert told(waiting(0), 0.3) == (
        "freshness 0s: a few seconds in a stream of its own, in an account; here it was overridden by 0.3 s"
    )


def test_devices_of_basic_ingest_publish_to_the_rule() -> None:
    source = {"topic": "plant/+/flow", "basic_ingest": True}
    spec = waiting(90).model_copy(update={"source": waiting(90).source.model_copy(update=source)})
    assert topic_of(spec, "pump") == "$aws/rules/watchkeeper_water_flow/plant/pump/flow"


def test_the_way_in_an_account_is_the_sum_of_its_parts() -> None:
    """Without a buffer Firehose gives words and no figure, as S3 does of its notifications."""
    shared, own, at_once = (list(parts(timedelta(seconds=seconds))) for seconds in (90, 10, 0))
    assert sum(part.seconds or 0 for part in shared) - sum(part.seconds or 0 for part in own) == 80
    assert [part.what for part in at_once if part.seconds is None] == [
        "delivery stream of its own",
        "S3's notification",
    ]
    assert all(part.source.startswith("https://") for part in shared)
