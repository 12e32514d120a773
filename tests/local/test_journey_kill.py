"""A power cut in the middle of a training: after a restart with the same state everything goes on."""

import pytest

from tests.local.air import WORKLOAD, closed, deliver, readings
from tests.local.histories import air_quality
from tests.local.laptop import Laptop
from tests.local.scored import until_drained, until_scored
from tests.local.training import ended, start, until_entered, upload

pytestmark = pytest.mark.local

STATION, COUNT = "kerb", 24


def test_killed_cloud_completes_the_training_and_loses_no_record(laptop: Laptop) -> None:
    upload(laptop, WORKLOAD, air_quality())
    arn = start(laptop, WORKLOAD)
    until_entered(laptop, arn, "WarmUp")
    deliver(laptop, readings(STATION, 0, COUNT))

    laptop.kill()
    laptop.cloud.start()

    outcome = ended(laptop, arn)
    assert (outcome.status, outcome.cause) == ("SUCCEEDED", "")
    release = laptop.live(WORKLOAD)
    assert release is not None
    assert release.execution_arn == arn
    until_scored(laptop, WORKLOAD, closed(STATION, 0, COUNT))

    deliver(laptop, readings(STATION, COUNT, COUNT))
    lines = until_scored(laptop, WORKLOAD, closed(STATION, 0, 2 * COUNT))
    until_drained(laptop)
    ours = {interval: line for interval, line in lines.items() if interval[0].endswith(f"={STATION}")}
    assert ours.keys() == closed(STATION, 0, 2 * COUNT)
    later = closed(STATION, COUNT, COUNT)
    assert {ours[interval].run_id for interval in later} == {release.run_id}
    # what was sent before the model was there may have been read before it was there, too
    assert {ours[interval].reason for interval in ours.keys() - later} <= {None, "no live model"}
