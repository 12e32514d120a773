"""A laptop with many series and incidents: pages, scores, anomalies and incidents as the loop leaves them."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import boto3
import numpy as np
import pyarrow as pa
from rich.progress import track

from cli.stacks import Deployment
from lambdas.adapters.incident_store import TableIncidents
from lambdas.history.merging import FIRST, LAST
from lambdas.scoring.effects import AnomalyTable
from watchkeeper.anomalies import merged
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.command.screen import console
from watchkeeper.core import layout
from watchkeeper.core.timestamps import epoch_seconds, format_instant
from watchkeeper.detectors.streaming.state import new_states
from watchkeeper.features.contributions import Contribution, Explanation
from watchkeeper.incidents.grouping import GroupingRule, incidents_of
from watchkeeper.incidents.incident import Entry, Incident, State
from watchkeeper.incidents.progress import Change
from watchkeeper.stream.page import Page, new_page, with_series
from watchkeeper.stream.page_format import to_bytes
from watchkeeper.stream.placement import SHELF_SERIES, bits_of

WORKLOAD = "air_quality"
STEP = 300
DAYS = 90
OPEN = 20
"""Incidents that are not over."""
AT_ONCE = 50
"""Incidents of one change."""
MEASURES = ("co", "so2", "no2")


@dataclass(frozen=True)
class Names:
    """What there is, to ask for."""

    series: str
    incident: str


def fill(session: boto3.Session, deployment: Deployment, series: int, incidents: int, now: datetime) -> Names:
    """Write what a loop would leave that watched so many series, and return what to ask for."""
    names = sorted(f"{MEASURES[n % 3]}|LOCATION_ID=B-{n // 3:04}" for n in range(series))
    outputs = deployment.outputs("WatchkeeperStorage")
    end = epoch_seconds(now) // STEP * STEP
    s3: Any = session.client("s3")
    for page in track(list(_pages(names, end)), "pages", console=console):
        s3.put_object(
            Bucket=outputs["PageBucketName"], Key=layout.page_key(WORKLOAD, page.shelf), Body=to_bytes(page)
        )
    _put_scores(s3, outputs["DataBucketName"], names, end)
    dynamodb: Any = session.client("dynamodb")
    store = TableIncidents(dynamodb, outputs["IncidentsTableName"], outputs["SeriesTableName"])
    anomalies = AnomalyTable(dynamodb, outputs["AnomaliesTableName"])
    found: list[Incident] = []
    for incident, events in track(list(_incidents(names, incidents, end)), "incidents", console=console):
        anomalies.put(events)
        found.append(incident)
    for first in range(0, len(found), AT_ONCE):
        some = tuple(found[first : first + AT_ONCE])
        book = store.book(WORKLOAD)
        after = dataclasses.replace(
            book, last=end, open_since=found[-OPEN].opened, open_count=OPEN, longest_seconds=86_400
        )
        if not store.commit(WORKLOAD, book, after, Change(some)):
            raise AssertionError("somebody else writes incidents")
    for key, _ in store.unsent(WORKLOAD):
        store.sent(WORKLOAD, key)
    return Names(names[len(names) // 2], found[-1].incident_id)


def _pages(names: list[str], end: int) -> Iterator[Page]:
    depth = max(0, int(np.ceil(np.log2(max(1.0, 1.3 * len(names) / SHELF_SERIES)))))
    shelves: dict[str, list[str]] = {}
    for name in names:
        shelves.setdefault(bits_of(name)[:depth], []).append(name)
    for shelf, members in sorted(shelves.items()):
        page = with_series(new_page(WORKLOAD, shelf, STEP), members)
        newest = page.newest.copy()
        newest["start"], newest["value"] = end - STEP, 20.0
        newest["silent"][: len(members) // 100] = 1
        yield dataclasses.replace(
            page,
            newest=newest,
            closed_until=np.full(len(members), end),
            states=new_states(len(members)),
        )


def _put_scores(s3: Any, bucket: str, names: list[str], end: int) -> None:
    """Write a day of all series as merging leaves it."""
    count = 86_400 // STEP
    starts = np.arange(end - count * STEP, end, STEP, dtype=np.int64) * 1000
    rows = len(names) * count
    values = np.random.default_rng(0).normal(20, 1, rows).round(3)
    columns: dict[str, Any] = {
        "series": pa.array(np.repeat(np.array(names, dtype=object), count)),
        "interval_start": pa.array(np.tile(starts, len(names))).cast(merged.schema().field(1).type),
        "value": pa.array(values),
        **{name: pa.array(np.full(rows, level)) for name, level in _LEVELS.items()},
        "anomaly_score": pa.array(np.abs(values - 20.0) / 30.0),
        "is_anomaly": pa.array(np.zeros(rows, dtype=bool)),
    }
    table = pa.table(
        {field.name: columns.get(field.name, pa.nulls(rows, field.type)) for field in merged.schema()}
    ).cast(merged.schema())
    first, last = (format_instant(int(each) // 1000) for each in (starts[0], starts[-1]))
    s3.put_object(
        Bucket=bucket,
        Key=layout.merged_day_key(WORKLOAD, last[:10]),
        Body=merged.written(table),
        Metadata={FIRST: first, LAST: last},
    )


_LEVELS = {"expected": 20.0, "lower": 17.0, "upper": 23.0, "threshold": 0.3, "severity": 40.0}


def _incidents(names: list[str], count: int, end: int) -> Iterator[tuple[Incident, list[AnomalyEvent]]]:
    """Yield incidents of three months, the oldest first, with their anomalies."""
    chance = random.Random(0)
    rule = GroupingRule(gap_seconds=3 * STEP)
    distance = int(timedelta(days=DAYS).total_seconds()) // count // STEP * STEP
    for number in range(count):
        begin = end - (count - number) * distance
        location = f"B-{chance.randrange(max(1, len(names) // 3)):04}"
        events = [
            _event(f"{measure}|LOCATION_ID={location}", begin + at * STEP, chance.uniform(70, 99))
            for measure in MEASURES
            for at in range(4)
        ]
        found = incidents_of(events, rule)[0]
        state: State = "open" if number >= count - OPEN else "closed"
        opened = Entry(found.opened_at, "opened", severity=found.severity)
        yield dataclasses.replace(found, state=state, timeline=(opened,)), events


def _event(series: str, start: int, severity: float) -> AnomalyEvent:
    return AnomalyEvent(
        workload=WORKLOAD,
        series=series,
        interval_start=format_instant(start),
        interval_seconds=STEP,
        observed=31.0,
        expected=20.0,
        lower=17.0,
        upper=23.0,
        score=1.2,
        threshold=0.3,
        severity=severity,
        run_id="20261101020000-abcdef",
        execution_arn="",
        model_package_arn="",
        contributions=(Contribution("value", series.partition("|")[0], 0, 1.2),),
        explanation=Explanation("detector"),
    )
