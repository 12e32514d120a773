"""Deliveries that are repeated, reordered, late and poisoned end as one clean delivery does."""

import gzip
import json
import random
import time
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.local.air import LIVE, MEASURES, WORKLOAD, closed, deliver, reading, readings
from tests.local.histories import FIVE_MINUTES, air_quality
from tests.local.inbox import alerts_of
from tests.local.laptop import Laptop
from tests.local.redelivering import announcements, forget_what_was_done, pages_of, redeliver, written
from tests.local.scored import lines, quarantined, until_drained, until_scored
from tests.local.training import champion
from tests.local.waiting import until
from watchkeeper.core import layout
from watchkeeper.core.timestamps import format_instant
from watchkeeper.stream.tick_message import TICK_SOURCE

pytestmark = pytest.mark.local

COUNT, PEAK = 24, 12
CLEAN, ROUGH = "clean", "rough"
CHUNK = 4
"""Readings of two intervals: what is held back for one chunk is still within the lateness of 10 minutes."""
LATE = 2
LONG_AFTER = 500
"""Intervals; a reading may be two days after `LIVE`, or it is refused as being of the future."""
POISON = {
    b"{not json": "not_json",
    b'{"LOCATION_ID":"rough","CO":40}': "missing_timestamp",
    b'{"TIMESTAMP":"yesterday","LOCATION_ID":"rough","CO":40}': "bad_timestamp",
    b'{"TIMESTAMP":"2024-02-07 00:00","CO":40}': "missing_dimension",
    b'{"TIMESTAMP":"2024-02-07 00:00","LOCATION_ID":"rough","CO":"hot"}': "not_a_number",
    b'{"TIMESTAMP":"2024-02-07 00:00","LOCATION_ID":"rough","CO":NaN}': "not_finite",
    b'{"TIMESTAMP":"2024-02-07 00:00","LOCATION_ID":"rough"}': "missing_measures",
    b'{"TIMESTAMP":"2124-02-07 00:00","LOCATION_ID":"rough","CO":40,"received_at":1}': "future_timestamp",
}


def rough_chunks() -> list[list[dict[str, Any]]]:
    """Return a station's readings in chunks: shuffled, one of each held back for one chunk, many twice."""
    order = random.Random(3)
    whole = readings(ROUGH, 0, COUNT, peak=PEAK)
    plain = [whole[first : first + CHUNK] for first in range(0, len(whole), CHUNK)]
    chunks: list[list[dict[str, Any]]] = []
    held: list[dict[str, Any]] = []
    again: list[dict[str, Any]] = []
    for number, chunk in enumerate(plain):
        keep = [order.choice(chunk)] if number < len(plain) - 1 else []
        now = [record for record in chunk if record not in keep] + held
        sent = [*now, *order.sample(now, 2), *again]
        order.shuffle(sent)
        chunks.append(sent)
        held, again = keep, now[:1]
    return chunks


def deliver_roughly(laptop: Laptop) -> None:
    """Deliver every chunk, by turns through the stream and as an object that has poison in it."""
    poison = list(POISON)
    prefix = layout.raw_prefix(WORKLOAD)
    for number, chunk in enumerate(rough_chunks()):
        before = len(laptop.keys(prefix))
        if number % 2:
            records = [json.dumps(record).encode() for record in chunk]
            content = b"\n".join([*records, *poison[number - 1 : number + 1]]) + b"\n"
            key = f"{prefix}year=2024/month=02/day=07/hour=00/{uuid4()}.gz"
            laptop.client("s3").put_object(Bucket=laptop.bucket, Key=key, Body=gzip.compress(content))
        else:
            deliver(laptop, chunk)
        until(lambda seen=before: len(laptop.keys(prefix)) > seen, what="the delivered object")
    late = reading(LIVE + timedelta(minutes=1), ROUGH, (0.0, 0.0, 0.0))
    deliver(laptop, [late] * LATE)


def known(laptop: Laptop, station: str) -> dict[str, Any]:
    """Return what the pages hold of a station's series."""
    found = {}
    for page in pages_of(laptop, WORKLOAD):
        for position, series in enumerate(page.series):
            measure, _, place = series.partition("|LOCATION_ID=")
            if place == station:
                rows = (page.readings[["series", "start", "value"]], page.waiting, page.context)
                of_series = [part[part["series"] == position].tolist() for part in rows]
                values = [sorted(row[1:] for row in part) for part in of_series]
                found[measure] = (values, page.watermark[position], page.closed_until[position])
    return found


def scores(laptop: Laptop, station: str) -> dict[tuple[str, str], Any]:
    """Return the scored intervals of a station by measure and start, but for identities."""
    return {
        (series.partition("|")[0], start): _without(line.to_dict(), "series", "anomaly")
        for (series, start), line in lines(laptop, WORKLOAD).items()
        if series.endswith(f"={station}")
    }


def anomalies(laptop: Laptop, station: str) -> list[dict[str, Any]]:
    """Return the anomalies of a station in order, but for identities."""
    events = [json.loads(item["document"]) for item in laptop.items("Anomalies", WORKLOAD)]
    return [
        _without(event, "series", "anomaly_id") for event in events if event["series"].endswith(f"={station}")
    ]


def counted(laptop: Laptop, metric: str) -> float:
    """Return a metric's sum over everything that was scored of the workload."""
    client, now = laptop.client("cloudwatch"), time.time()
    workload = [{"Name": "workload", "Value": WORKLOAD}]
    found = client.list_metrics(Namespace="Watchkeeper", MetricName=metric, Dimensions=workload)["Metrics"]
    return sum(
        point["Sum"]
        for one in found
        for point in client.get_metric_statistics(
            Namespace="Watchkeeper",
            MetricName=metric,
            Dimensions=one["Dimensions"],
            StartTime=now - 3600,
            EndTime=now + 60,
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
    )


def refused_by_log(laptop: Laptop) -> Counter[str]:
    """Return what was refused by the log, and by the pages, which have what is of open intervals."""
    span = (
        "--from",
        format_instant(LIVE - timedelta(days=1)),
        "--to",
        format_instant(LIVE + timedelta(days=3)),
    )
    told = laptop.watchkeeper("log", WORKLOAD, *span, "--json").stdout.splitlines()
    found = Counter[str]()
    for line in map(json.loads, told):
        found.update(line.get("refused", {}))
    for page in pages_of(laptop, WORKLOAD):
        for reasons in page.quality.refused.values():
            found.update(reasons)
    return found


def test_rough_deliveries_end_as_one_clean_delivery(laptop: Laptop) -> None:
    champion(laptop, WORKLOAD, air_quality())
    counted_before = counted(laptop, "quarantined")
    deliver(laptop, readings(CLEAN, 0, COUNT, peak=PEAK))
    until_scored(laptop, WORKLOAD, closed(CLEAN, 0, COUNT))

    deliver_roughly(laptop)
    until_scored(laptop, WORKLOAD, closed(ROUGH, 0, COUNT))
    until(lambda: len(quarantined(laptop, WORKLOAD)) >= len(POISON) + LATE, what="everything that is refused")
    until_drained(laptop)
    refused = quarantined(laptop, WORKLOAD)

    assert scores(laptop, ROUGH) == scores(laptop, CLEAN)
    assert anomalies(laptop, ROUGH) == anomalies(laptop, CLEAN) != []
    assert known(laptop, ROUGH) == known(laptop, CLEAN)
    assert known(laptop, ROUGH).keys() == set(MEASURES)
    assert Counter(line["reason"] for line in refused) == {**Counter(POISON.values()), "late": LATE}
    assert {line["text"].encode() for line in refused if line["reason"] != "late"} == POISON.keys()
    until(lambda: counted(laptop, "quarantined") - counted_before == len(refused), what="the count")
    assert refused_by_log(laptop) == Counter(POISON.values())


def test_redelivered_events_change_nothing(laptop: Laptop) -> None:
    champion(laptop, WORKLOAD, air_quality())
    with alerts_of(laptop, WORKLOAD) as alerts:
        deliver(laptop, readings("twice", 0, COUNT, peak=PEAK))
        until_scored(laptop, WORKLOAD, closed("twice", 0, COUNT))
        alerts.first()
        until_drained(laptop)
        final, told = written(laptop, WORKLOAD), alerts.receive()
        messages = announcements(laptop, WORKLOAD)
        random.Random(5).shuffle(messages)

        redeliver(laptop, messages)
        forget_what_was_done(laptop)
        redeliver(laptop, messages[::-1])
        until_drained(laptop)

        assert written(laptop, WORKLOAD) == final
        assert alerts.receive() == told
    identities = [json.loads(message["Message"])["alert_id"] for message in told]
    assert len(set(identities)) == len(identities)


def test_the_last_interval_of_a_burst_is_scored_by_a_tick_and_no_further_reading(laptop: Laptop) -> None:
    """The scheduler's own ticks are of today, far from the telemetry's time: they close nothing.

    The burst is later than what other journeys send, beside which it would be history.
    """
    begin = LIVE + LONG_AFTER * FIVE_MINUTES
    champion(laptop, WORKLOAD, air_quality())
    deliver(laptop, readings("burst", LONG_AFTER, 1))
    until(lambda: known(laptop, "burst").keys() == set(MEASURES), what="the page with the burst")
    until_drained(laptop)
    burst = {(f"{measure}|LOCATION_ID=burst", format_instant(begin)) for measure in MEASURES}
    assert not burst & lines(laptop, WORKLOAD).keys()

    tick = {
        "source": TICK_SOURCE,
        "workload": WORKLOAD,
        "time": format_instant(begin + timedelta(minutes=20)),
    }
    for _ in range(2):
        laptop.client("sqs").send_message(
            QueueUrl=laptop.outputs["ScoreQueueUrl"],
            MessageBody=json.dumps(tick),
            MessageGroupId=WORKLOAD,
            MessageDeduplicationId=str(uuid4()),
        )

    assert burst <= until_scored(laptop, WORKLOAD, burst).keys()
    until_drained(laptop)
    client = laptop.client("scheduler")
    schedules = [client.get_schedule(Name=each["Name"]) for each in client.list_schedules()["Schedules"]]
    ticks = [each for each in schedules if "SqsParameters" in each["Target"]]
    assert "rate(5 minutes)" in {each["ScheduleExpression"] for each in ticks}


def _without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}
