"""Where telemetry is already: folders of a bucket, metrics of CloudWatch, a stream of Kinesis, a query."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.spec.fields import Duration, RecordField
from watchkeeper.spec.section import Section, refuse_repeats
from watchkeeper.telemetry.feeds import FolderFeed, MetricColumn, MetricFeed, QueryFeed, check_query
from watchkeeper.telemetry.folders import FolderPath
from watchkeeper.telemetry.metric_search import MetricSearch, search_of

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PLACE = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.*)")
_KEY = re.compile(r"arn:[^:]+:kms:[^:]+:\d{12}:key/.+")
_STREAM = re.compile(r"arn:[^:]+:kinesis:[^:]+:\d{12}:stream/[a-zA-Z0-9_.-]{1,128}")
_STATISTIC = re.compile(
    r"SampleCount|Average|Sum|Minimum|Maximum|IQM|(p|tm|wm|tc|ts)\d{1,2}(\.\d{1,10})?|p100"
    r"|(TM|WM|PR|TC|TS)\([\d.%:]+\)"
)
_NAMESPACE = r"[^:][^\x00-\x1f]*"
_CATALOG_NAME = r"[a-z0-9_]+"
LONGEST_OFFSET = timedelta(days=7)


def _matching(pattern: re.Pattern[str], told: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(told)
        return value

    return AfterValidator(check)


Bucket = Annotated[
    str, _matching(_BUCKET, "must be the name of a bucket: 3 to 63 of a-z, 0-9, . and -; no s3:// before it")
]
KmsKey = Annotated[str, _matching(_KEY, "must be the ARN of a key: arn:aws:kms:REGION:ACCOUNT:key/ID")]


def _folders(value: str) -> str:
    if value.startswith(("/", "s3://")):
        raise ValueError("must be a path in the bucket, such as gases/{{yyyyMMdd}}/{{HHmm}}/")
    return _checked(FolderPath, value)


def _query(value: str) -> str:
    return _checked(check_query, value)


def _checked(check: Any, value: str) -> str:
    try:
        check(value)
    except InvalidInputError as error:
        raise ValueError(str(error)) from error
    return value


def _offset(value: timedelta | None) -> timedelta | None:
    if value is not None and value > LONGEST_OFFSET:
        raise ValueError("must be at most 7d")
    return value


Offset = Annotated[Duration, AfterValidator(_offset)]


class Folders(Section):
    """A bucket in which other programs write a folder for each interval: CSV, JSON lines or Parquet."""

    bucket: Bucket
    """Its name. It lies in the region of the deployment and, without offset, sends its events to
    EventBridge."""
    path: Annotated[str, Field(min_length=1, max_length=512), AfterValidator(_folders)]
    """Path of the folders, with the date parts yyyy, MM, dd, HH and mm: gases/{{yyyyMMdd}}/{{HHmm}}/."""
    offset: Offset | None = None
    """How long after an interval's end its folder is listed, for a bucket that sends no events; without it,
    files are fetched when the bucket's events announce them."""
    kms_key: KmsKey | None = None
    """ARN of the key that the bucket is encrypted with, where that is one of your own."""

    @property
    def folder_path(self) -> FolderPath:
        """The path with its date parts understood."""
        return FolderPath(self.path)

    def feed(self) -> FolderFeed:
        """Return what the function is told that lists the folders."""
        return FolderFeed(self.bucket, self.path)


def _search(value: str | None) -> str | None:
    return value if value is None else _checked(search_of, value)


class CloudWatchMetric(Section):
    """Metrics of one name, or that a search finds, with one statistic, as a field of the records that are
    made of them."""

    metric: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    """Name of the metrics."""
    search: Annotated[str | None, AfterValidator(_search)] = None
    """Search expression of CloudWatch instead: {AWS/Lambda,FunctionName} MetricName="Errors" NOT test, or
    SEARCH('…', 'Sum', 300) as dashboards have it."""
    stat: Annotated[
        str,
        _matching(
            _STATISTIC,
            "must be a statistic of CloudWatch, such as Average, Sum, Minimum, Maximum, SampleCount or p99",
        ),
    ] = "Average"
    """Statistic of an interval: Average, Sum, Minimum, Maximum, SampleCount, p99, … A search may say it
    itself."""
    field: RecordField | None = None
    """Field that measures name; without it, the metrics' name."""

    @model_validator(mode="after")
    def _is_one_of_both(self) -> CloudWatchMetric:
        if (self.metric is None) == (self.search is None):
            raise ValueError("name either metric, or search, which is an expression that finds metrics")
        if self.found is None:
            return self
        if self.field is None and (self.found.names is None or len(self.found.names) > 1):
            raise ValueError(
                "field is missing: the search may find metrics of several names, so say what measures call it"
            )
        told = self.found.stat
        if told is not None and not _STATISTIC.fullmatch(told):
            raise ValueError(f"search: {told!r} is no statistic of CloudWatch, such as Average, Sum or p99")
        if told is not None and "stat" in self.model_fields_set and told != self.stat:
            raise ValueError(f"stat is {self.stat} and the search says {told}: leave stat out")
        return self

    @property
    def found(self) -> MetricSearch | None:
        """The search, understood."""
        return None if self.search is None else search_of(self.search)

    def column(self) -> MetricColumn:
        """Return what the function is told that asks for it."""
        if self.search is None or self.found is None:
            name = self.metric or ""
            return MetricColumn(name, self.stat, self.field or name)
        [name] = self.found.names or [""] if self.field is None else [self.field]
        return MetricColumn("", self.found.stat or self.stat, name, self.search)


class CloudWatch(Section):
    """Metrics of CloudWatch. The workload's dimensions are those of the metrics: each metric that has just
    these is watched."""

    namespace: Annotated[str, Field(min_length=1, max_length=255, pattern=_NAMESPACE)] | None = None
    """Such as AWS/EC2; may be left out if each of the metrics is a search that names one."""
    metrics: list[CloudWatchMetric] = Field(min_length=1, max_length=50)
    """What is asked for."""
    offset: Offset = timedelta(minutes=10)
    """How long after an interval's end it is asked for: metrics come late, and the first value counts."""

    @field_validator("metrics")
    @classmethod
    def _are_fields_of_their_own(cls, metrics: list[CloudWatchMetric]) -> list[CloudWatchMetric]:
        refuse_repeats([metric.column().field for metric in metrics], "field")
        return metrics

    @field_validator("metrics")
    @classmethod
    def _are_of_a_namespace(
        cls, metrics: list[CloudWatchMetric], info: ValidationInfo
    ) -> list[CloudWatchMetric]:
        if "namespace" not in info.data:
            return metrics
        named = [metric.metric for metric in metrics if metric.metric is not None]
        if named and info.data["namespace"] is None:
            raise ValueError(f"{named[0]} is in no namespace: add namespace beside metrics, such as AWS/EC2")
        if info.data["namespace"] is not None and all(
            metric.found is not None and metric.found.namespaces is not None for metric in metrics
        ):
            raise ValueError("each search names a namespace itself: leave namespace out")
        return metrics

    def check(self, dimensions: Sequence[str]) -> None:
        """Refuse a search that does not go with the dimensions of the workload.

        Raises
        ------
        ValueError
            With what to write instead.
        """
        for number, metric in enumerate(self.metrics):
            if metric.found is not None:
                try:
                    metric.found.within(self.namespace).check(dimensions)
                except InvalidInputError as error:
                    raise ValueError(f"source.cloudwatch.metrics[{number}].search: {error}") from error

    @property
    def fields(self) -> list[str]:
        """The fields of the records."""
        return [metric.column().field for metric in self.metrics]

    def feed(self) -> MetricFeed:
        """Return what the function is told that asks for the metrics."""
        return MetricFeed(self.namespace or "", tuple(metric.column() for metric in self.metrics))


class KinesisStream(Section):
    """A data stream of Kinesis in the account and region of the deployment."""

    stream: Annotated[
        str, _matching(_STREAM, "must be the ARN of a stream: arn:aws:kinesis:REGION:ACCOUNT:stream/NAME")
    ]
    """ARN of the stream. Each record is a JSON object."""
    kms_key: KmsKey | None = None
    """ARN of the key that the stream is encrypted with, where that is one of your own."""


class Reads(Section):
    """Objects that a query reads."""

    bucket: Bucket
    """Name of the bucket."""
    prefix: str = Field(default="", max_length=512)
    """What the keys begin with; without it, all."""


class AthenaQuery(Section):
    """A query of Athena. Its columns are the fields of the records, in small letters as Athena names them."""

    query: Annotated[str, Field(min_length=1, max_length=262_144), AfterValidator(_query)]
    """One SELECT. {from} and {to} stand for the begin and end of what is asked for, in UTC and without a
    zone: write TIMESTAMP '{from}'. The end does not belong to it."""
    database: Annotated[str, Field(min_length=1, max_length=255, pattern=_CATALOG_NAME)]
    """Database of the Data Catalog that has the query's tables."""
    reads: list[Reads] = Field(min_length=1, max_length=20)
    """Where the tables' files are: the function may read there."""
    workgroup: Annotated[str, Field(pattern=r"[a-zA-Z0-9._-]{1,128}")] = "primary"
    """Workgroup that runs the query; one that enforces another place of results cannot be used."""
    offset: Offset = timedelta(0)
    """How long after an interval's end it is asked for."""
    scanned_megabytes: float = Field(default=10.0, gt=0)
    """What one run scans, for `watchkeeper cost`; Athena counts 10 at least."""
    kms_key: KmsKey | None = None
    """ARN of the key that the tables' files are encrypted with, where that is one of your own."""

    def feed(self) -> QueryFeed:
        """Return what the function is told that asks the query."""
        return QueryFeed(self.query, self.database, self.workgroup)


MINUTES_A_DAY = 24 * 60


def check_scheduled_interval(interval: timedelta, info: ValidationInfo) -> timedelta:
    """Refuse an interval after whose end nothing can be scheduled: it must be part of an hour or a day."""
    source = info.data.get("source")
    if source is None or source.scheduled is None:
        return interval
    minutes = interval.total_seconds() / 60
    if minutes != int(minutes) or (60 % minutes and (minutes % 60 or MINUTES_A_DAY % minutes)):
        raise ValueError(
            f"source.{source.place} is asked on a schedule: the interval must be whole minutes that divide "
            "an hour, or whole hours that divide a day, such as 5m, 1h or 1d"
        )
    for metric in source.cloudwatch.metrics if source.cloudwatch is not None else ():
        period = metric.found and metric.found.period_seconds
        if period and period != interval.total_seconds():
            raise ValueError(
                f"a search of source.cloudwatch.metrics has a period of {period} seconds: make that the "
                "interval, or leave it out of the search"
            )
    return interval
