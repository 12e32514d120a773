"""A detector of Lookout for Metrics: its template is imported, and its bucket of 5-minute folders is scored.

It is imported and deployed beside the workloads of all journeys: `tests.local.beside`.
"""

from typing import Any

import pytest

from tests.local.air import LIVE, closed, readings
from tests.local.beside import IMPORTED_WORKLOAD as WORKLOAD
from tests.local.beside import PLANT as BUCKET
from tests.local.histories import FIVE_MINUTES, air_quality
from tests.local.laptop import Laptop
from tests.local.scored import quarantined, until_scored
from tests.local.training import champion
from tests.local.waiting import until
from watchkeeper.core.timestamps import format_instant

pytestmark = [pytest.mark.local, pytest.mark.timeout(900)]

STATION, ELSEWHERE, COUNT, PEAK = "north", "south", 24, 12


def write(s3: Any, first: int, count: int) -> None:
    """Write a file for each interval, of two stations."""
    found = [each for station in (STATION, ELSEWHERE) for each in readings(station, first, count, peak=PEAK)]
    for index in range(first, first + count):
        begin = LIVE + index * FIVE_MINUTES
        times = {f"{begin + offset:%Y-%m-%d %H:%M}" for offset in (0 * FIVE_MINUTES, 3 * FIVE_MINUTES / 5)}
        rows = [each for each in found if each["TIMESTAMP"] in times]
        columns = ("TIMESTAMP", "LOCATION_ID", "CO", "SO2", "NO2")
        lines = [",".join(columns), *(",".join(str(row[name]) for name in columns) for row in rows)]
        s3.put_object(
            Bucket=BUCKET, Key=f"gases/{begin:%Y%m%d}/{begin:%H%M}/gases.csv", Body="\n".join(lines).encode()
        )


def test_an_imported_detector_scores_its_bucket_of_folders(laptop: Laptop) -> None:
    folders = laptop.client("s3")
    champion(laptop, WORKLOAD, air_quality(stations=(STATION, ELSEWHERE)))
    write(folders, 0, COUNT)
    folders.put_object(Bucket=BUCKET, Key=f"gases/{LIVE:%Y%m%d}/{LIVE:%H%M}/broken.csv", Body=b"%PDF-1.7")
    folders.put_object(Bucket=BUCKET, Key="gases/readme.txt", Body=b"not a file of a folder")
    scored = until_scored(laptop, WORKLOAD, closed(STATION, 0, COUNT) | closed(ELSEWHERE, 0, COUNT))
    write(folders, COUNT - 1, 1)  # delivered twice

    peak = format_instant(LIVE + PEAK * FIVE_MINUTES)
    anomalous = {interval for interval, line in scored.items() if line.is_anomaly}
    assert {(f"no2|LOCATION_ID={station}", peak) for station in (STATION, ELSEWHERE)} <= anomalous
    [refused] = until(lambda: quarantined(laptop, WORKLOAD), what="the refusal of a broken file")
    assert (refused["source"].rpartition("/")[2], refused["reason"]) == ("broken.csv", "unreadable_file")
    assert laptop.denied() == []
