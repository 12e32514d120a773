"""`watchkeeper fetch`: a workload's past from its source, as a file to train on."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer

from cli.specs import WorkloadName, anomaly_spec_of
from cli.stacks import Deployment
from cli.telemetry import instant_of
from lambdas.adapters.object_store import S3ObjectStore
from lambdas.sources.asking import Asker
from watchkeeper.command.screen import done, say
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import epoch_seconds, format_instant
from watchkeeper.spec import AnomalyWorkload
from watchkeeper.telemetry.feeds import MetricFeed, QueryFeed, Window
from watchkeeper.telemetry.records import Record
from watchkeeper.telemetry.tally import Tally

RETENTION = ((60, 15), (300, 63), (3600, 455))
"""Of metrics: for how many days CloudWatch has periods shorter than the next one.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html"""
INTERVALS_AT_ONCE = 500
"""Of metrics, in one question."""


def fetch(
    workload: WorkloadName,
    output: Annotated[Path | None, typer.Option(help="File; NAME-history.jsonl.gz without.")] = None,
    since: Annotated[
        str | None,
        typer.Option("--from", help="From this time on: ISO 8601; of metrics all that there is without."),
    ] = None,
    until: Annotated[str | None, typer.Option("--to", help="Before this time; now without.")] = None,
) -> None:
    """Write what a workload's source has of the past to a file, to train on it: metrics of CloudWatch, rows
    of a query of Athena, or the files of a bucket's folders."""
    spec = anomaly_spec_of(workload, "fetch")
    asked = spec.source.scheduled or spec.source.folders
    if asked is None:
        raise InvalidInputError(
            f"workload {spec.name}: source.{spec.source.place} keeps no past to fetch: name files in "
            f"`watchkeeper train {spec.name} --history`"
        )
    plan, session, now = spec.plan(), boto3.Session(), datetime.now(timezone.utc)
    whole = _window(spec, since, until, now)
    bucket = Deployment(session).bucket if isinstance(asked.feed(), QueryFeed) else ""
    asker = Asker(_Clients(session), S3ObjectStore(session.client("s3")), bucket, now)
    source, file, tally = (
        asker.source_of(asked.feed(), plan),
        output or Path(f"{spec.name}-history.jsonl.gz"),
        Tally(),
    )
    at_once = INTERVALS_AT_ONCE if isinstance(asked.feed(), MetricFeed) else None
    with gzip.open(file, "wt", encoding="utf-8") as lines:
        for window in _parts(whole, at_once):
            for line in source.lines(window):
                if isinstance(line.outcome, Record):
                    tally.accept()
                    lines.write(json.dumps(line.fields, default=str) + "\n")
                else:
                    tally.refuse(line.outcome, f"source.{spec.source.place}", line.number)
    span = f"from {format_instant(whole.begin)} to {format_instant(whole.end)}"
    if not tally.accepted:
        file.unlink()
        raise InvalidInputError(
            f"source.{spec.source.place} of {spec.name} has nothing {span}: {tally.sentence()}"
        )
    done(f"{tally.accepted:,} records {span} are in {file}")
    if tally.n_refused:
        say(tally.sentence())
    say(f"watchkeeper train {spec.name} --history {file}")


def _window(spec: AnomalyWorkload, since: str | None, until: str | None, now: datetime) -> Window:
    zone, length = spec.timezone, int(spec.interval.total_seconds())
    end = instant_of(until, "--to", zone) or now
    begin = instant_of(since, "--from", zone)
    if begin is None and spec.source.cloudwatch is not None:
        days = next((days for period, days in reversed(RETENTION) if length >= period), RETENTION[0][1])
        begin = now - timedelta(days=days)
    if begin is None:
        raise InvalidInputError(
            f"--from is missing: source.{spec.source.place} does not say how far it goes back"
        )
    if begin >= end:
        raise InvalidInputError(f"--from {begin.isoformat()} is not before --to {end.isoformat()}")
    first, last = (epoch_seconds(each) // length * length for each in (begin, end))
    return Window(first, max(last, first + length), length)


def _parts(whole: Window, intervals: int | None) -> Iterator[Window]:
    step = whole.end - whole.begin if intervals is None else intervals * whole.interval_seconds
    for begin in range(whole.begin, whole.end, step):
        yield Window(begin, min(begin + step, whole.end), whole.interval_seconds)


@dataclass(frozen=True)
class _Clients:
    session: boto3.Session

    def cloudwatch(self) -> Any:
        return self.session.client("cloudwatch")

    def athena(self) -> Any:
        return self.session.client("athena")
