"""What the scoring loop has written, waiting until that is everything, and what its anomalies are made of."""

from __future__ import annotations

import dataclasses
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import boto3

from cli.failures import StepFailedError
from watchkeeper.anomalies.score_line import Interval, ScoreLine, lines_of
from watchkeeper.core import layout
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import epoch_seconds, format_instant
from watchkeeper.features.contributions import mostly_by
from watchkeeper.telemetry.intervals import aggregate_records
from watchkeeper.telemetry.records import Record, by_series

POLL_SECONDS = 0.25
SILENCE_SECONDS = 180.0
"""Longest time without a new score before the wait is given up: more than a delivery stream's buffer."""


def expected_intervals(records: Iterable[Record], plan: WorkloadPlan) -> set[Interval]:
    """Return the intervals that close when these records are all that comes."""
    records = list(records)
    newest = {
        series: max(epoch_seconds(record.event_time) for record in members)
        for series, members in by_series(records, plan).items()
    }
    whole = dataclasses.replace(plan, history_seconds=None)
    return {
        (series, format_instant(start))
        for series, values in aggregate_records(records, whole).items()
        for start, _ in values
        if start + plan.interval_seconds + plan.lateness_seconds <= newest[series]
    }


class ScoreReader:
    """Reads the objects of scores, each one once."""

    def __init__(self, session: boto3.Session, bucket: str, workload: str) -> None:
        self._client = session.client("s3")
        self._bucket = bucket
        self._prefix = layout.scores_prefix(workload)
        self._seen: set[str] = set()
        self.scores: dict[Interval, ScoreLine] = {}

    def read_new(self) -> int:
        """Read the objects that are new and return how many intervals they brought."""
        before = len(self.scores)
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix
        )
        for key in [item["Key"] for page in pages for item in page.get("Contents", [])]:
            if key in self._seen:
                continue
            self._seen.add(key)
            body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            self.scores.update((score.interval, score) for score in lines_of(body))
        return len(self.scores) - before


def wait_until_scored(
    reader: ScoreReader,
    expected: set[Interval],
    progress: Callable[[int], None],
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> list[ScoreLine]:
    """Return the expected intervals' scores as `wait_until_judged`, all of which must have one.

    Raises
    ------
    StepFailedError
        If nothing new comes for a long time, or an interval was refused a score.
    """
    scores = wait_until_judged(reader, expected, progress, sleep=sleep, clock=clock)
    without = [score for score in scores if score.anomaly_score is None]
    if without:
        raise StepFailedError(
            f"{len(without)} intervals have no score; "
            f"the first: {without[0].series} at {without[0].interval_start}"
        )
    return scores


def wait_until_judged(
    reader: ScoreReader,
    expected: set[Interval],
    progress: Callable[[int], None],
    *,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> list[ScoreLine]:
    """Return the lines of the expected intervals, in order of time, when all of them are there.

    Raises
    ------
    StepFailedError
        If nothing new comes for a long time.
    """
    last_news = clock()
    while True:
        if reader.read_new():
            last_news = clock()
        found = expected & reader.scores.keys()
        progress(len(found))
        if found == expected:
            break
        if clock() - last_news > SILENCE_SECONDS:
            missing = sorted(expected - found)
            raise StepFailedError(
                f"{len(missing)} of {len(expected)} intervals were not scored, and nothing came "
                f"for {SILENCE_SECONDS:.0f} seconds; the first missing: {missing[0]}"
            )
        sleep(POLL_SECONDS)
    return sorted((reader.scores[key] for key in expected), key=lambda score: (score.start, score.series))


SHOWN_PARTS = 8


def reason_of(score: ScoreLine) -> str:
    """Return in one line what an anomaly is made of, or why that is not known."""
    if score.anomaly is None:
        return ""
    if not score.anomaly.contributions:
        return f"not explained: {score.anomaly.explanation.reason}"
    return f"mostly by: {mostly_by(score.anomaly.contributions, score.anomaly.interval_seconds)}"


def strongest(scores: Iterable[ScoreLine]) -> ScoreLine | None:
    """Return the most severe anomaly, the earliest of equals; None where there is none."""
    anomalies = [score for score in scores if score.anomaly is not None]
    return max(anomalies, key=lambda score: (score.severity or 0.0, -score.start), default=None)


def mean_shares(scores: Sequence[ScoreLine]) -> list[tuple[str, float]]:
    """Return each part's mean share of the explained anomalies' scores, in words, the largest first.

    Of more than `SHOWN_PARTS`, the smaller ones are counted together.
    """
    events = [score.anomaly for score in scores if score.anomaly is not None]
    explained = [event for event in events if event.contributions]
    shares: dict[str, float] = defaultdict(float)
    for event in explained:
        total = sum(part.score for part in event.contributions)
        for part in event.contributions:
            shares[part.in_words(event.interval_seconds)] += part.score / total / len(explained)
    ranked = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    rest = sum(share for _, share in ranked[SHOWN_PARTS:])
    return ranked[:SHOWN_PARTS] + ([("everything else", rest)] if rest else [])
