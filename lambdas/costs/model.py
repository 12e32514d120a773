"""What a month costs, by service and item: quantities that follow from templates and specs, times prices.

A month has 30 days. What is assumed of a workload's telemetry is in `Fleet`; what is assumed of the scoring
loop are the constants here, and `make bench-cost` compares them with what it counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lambdas.costs.prices import Prices
from watchkeeper.fraud.schema import schema_of
from watchkeeper.spec import AnomalyWorkload, DeviceBehaviourWorkload, FraudWorkload, WorkloadSpec
from watchkeeper.spec.fraud import Capacity
from watchkeeper.spec.schedules import runs_a_month
from watchkeeper.stream.placement import SHELF_SERIES

SECONDS_A_MONTH = 30 * 24 * 3600
HOURS_A_MONTH = SECONDS_A_MONTH / 3600
SERIES = 1000
"""Of how many series the price of scoring is told where nobody says."""
METERED_BYTES = 5 * 1024
"""IoT and Firehose round every message up to a multiple of this."""

MULTIPART_REQUESTS, MULTIPART_BELOW_SECONDS = 3, 60
"""Firehose uploads in parts where it buffers for less: begin, a part, complete."""
UNBUFFERED_SECONDS = 1
"""Firehose says "within a few seconds" where nothing is buffered: an object a second is assumed."""
JQ_SECONDS_A_RECORD = 0.001
QUEUE_REQUESTS_AN_OBJECT = 4
"""Sent, received, held by a heartbeat, deleted."""
IDEMPOTENCY_WRITES_AN_OBJECT = 2
KEY_REQUESTS_AN_OBJECT_REQUEST = 0.01
"""A bucket's own key saves up to 99 percent of the requests to KMS."""
OBJECT_BYTES, RAW_BYTES_A_RECORD, SCORE_BYTES, PAGE_BYTES_A_SERIES = 300, 20, 45, 11_000
"""Stored: of an object as such; packed, of a record, of a scored interval, of a series on a page."""
KEPT_MONTHS = 12
LAMBDA_GB = 1.0
LAMBDA_SECONDS_AN_OBJECT, LAMBDA_SECONDS_A_SHELF, LAMBDA_SECONDS_A_READING = 0.04, 0.28, 0.00002
"""Of an object four short requests; of a full shelf 11 MB each way at 90 MB/s, and 19 ms of a processor, of
which the function has 0.58; of a reading 10 µs of it."""
LOG_BYTES_AN_OBJECT = 1700
FETCH_GB, FETCH_SECONDS_A_FILE, FETCH_SECONDS_A_RECORD = 1.73, 0.15, 0.00005
"""Of fetching a file from a bucket: read, write, and what reading and writing a record takes."""
SCORING_METRICS = 1
"""What the scoring loop writes of each workload in every hour: `records`."""
RARE_METRICS, RARE_HOURS = 5, 0.05
"""What it writes only of hours in which it happened (anomalies, alerts, refused lines, …), and the share of
those. CloudWatch meters a metric by the hours in which something was written."""
TICK_LAMBDA_SECONDS = 0.05
ANOMALIES_A_MONTH = 1000
"""Of how many the price of incidents is told."""
INCIDENT_WRITE_UNITS, INCIDENT_READ_UNITS, INCIDENT_SECONDS = 14, 6, 0.3
"""Of an anomaly that comes alone: book, incident and outbox in a transaction, index, outbox deleted; book,
outbox, incidents near it, live release."""
ALERT_WRITE_UNITS, ALERT_READ_UNITS, ALERT_SECONDS = 5, 3, 0.3
"""Of an alert: done once, claim, who was told; claims and incident looked at; `publish_alert`."""
DELIVERY_WRITE_UNITS, DELIVERY_SECONDS = 2, 0.5
"""Of an alert to a webhook, Slack or a bus that takes it at once."""
ANSWER_WRITE_UNITS = 2
"""What waits for an answer: written, deleted."""
DIGEST_READ_UNITS = 50
"""Of a digest: a week's incidents."""
ALERT_GB = 0.5
"""Of `publish_alert` and `deliver_alert`."""
MERGES_A_MONTH, MERGED_DATES, LISTED_AT_ONCE = 30 * 24, 4, 1000
MERGE_GB, MERGE_SECONDS, MERGE_SECONDS_AN_OBJECT = 2.94, 0.5, 0.02
TRAINING_JOBS, TRAINING_JOB_HOURS, TRAINING_STATES = 6, 5 / 60, 40
STREAMING_JOBS = 3
"""Of a run that warms a streaming detector up: nothing is fitted or transformed."""
FRAUD_JOBS, PROCESSING_HOURS = 2, 10 / 60
"""Of a fraud workload's run: it trains and evaluates, after Glue made the graph."""
TRANSACTIONS_A_MONTH = 1_000_000
"""Of how many the price of a graph in a table is told."""
FLOAT_BYTES, SPARE_NEIGHBOURS, PACKED = 4, 4, 0.6
"""Of a vector's feature; latest transactions that an entity's item has beside those of the model; how small
packing makes them."""
READ_UNIT_BYTES, WRITE_UNIT_BYTES, TRANSACTION_FACTOR = 4096, 1024, 2

LIVE_PEOPLE, LIVE_HOURS, LIVE_EVENTS_A_DAY = 10, 8 * 22, 500
"""Who has the console open, for how many hours of a month, and what happens on a day."""
PAGE_FILES, PAGE_BYTES, PAGE_LOADS_A_DAY, ASKED_AN_HOUR, ANSWER_BYTES = 20, 120_000, 2, 240, 8_000
"""Of a page: its files, what they weigh, how often it is loaded; what it asks of the API, and is told."""
WORKING_DAYS = 22

SHARD_RECORDS, SHARD_BYTES = 1000, 1_000_000
"""What a shard of a data stream takes in a second."""
LISTED_METRICS = 500
"""Of one ListMetrics."""
LEAST_SCANNED_MEGABYTES = 10
"""What Athena counts of a query at least."""

_SERVICES = {
    "athena": "Athena",
    "appsync": "AppSync Events",
    "apigateway": "API Gateway",
    "cloudfront": "CloudFront",
    "cloudwatch": "CloudWatch",
    "dynamodb": "DynamoDB",
    "firehose": "Firehose",
    "glue": "Glue",
    "iot": "IoT Core",
    "kinesis": "Kinesis",
    "kms": "KMS",
    "lambda": "Lambda",
    "neptune": "Neptune",
    "s3": "S3",
    "sagemaker": "SageMaker",
    "scheduler": "EventBridge Scheduler",
    "secretsmanager": "Secrets Manager",
    "sqs": "SQS",
    "states": "Step Functions",
}


@dataclass(frozen=True)
class Cost:
    """One thing that is paid for in a month."""

    service: str
    what: str
    quantity: float
    unit: str
    unit_usd: float | None
    """None where the list has no price for it."""
    as_of: str

    @property
    def usd(self) -> float | None:
        """Quantity times price."""
        return None if self.unit_usd is None else self.quantity * self.unit_usd

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**asdict(self), "usd": self.usd}


@dataclass(frozen=True)
class Fleet:
    """What sends a workload's telemetry."""

    series: int = SERIES
    devices: int | None = None
    """None: one for each place where all measures are read, which sends them in one message."""
    messages_an_interval: float = 1.0
    """Of each device."""
    message_bytes: int = 200

    def devices_of(self, spec: AnomalyWorkload) -> int:
        """Return how many devices send."""
        return self.devices or math.ceil(self.series / len(spec.measures))


@dataclass(frozen=True)
class Flow:
    """How many of everything a workload's telemetry is in a month."""

    messages: float
    objects: float
    shelf_steps: float
    """Shelves that objects touch, summed over the objects."""
    intervals: float
    readings: float
    """One of each series a message of its device."""

    @classmethod
    def of(cls, spec: AnomalyWorkload, fleet: Fleet) -> Flow:
        """Count; messages are spread evenly over time, so this is at most what devices in step cause."""
        intervals = SECONDS_A_MONTH / spec.interval.total_seconds()
        messages = fleet.devices_of(spec) * intervals * fleet.messages_an_interval
        objects = min(messages, SECONDS_A_MONTH / (spec.delivery.buffer_seconds or UNBUFFERED_SECONDS))
        if spec.source.place in ("folders", "cloudwatch", "athena"):
            objects = intervals  # an object each, with what all devices sent
        shelves = shelves_of(fleet.series)
        touched = shelves * (1 - (1 - 1 / shelves) ** (messages / objects))
        closed = fleet.series * intervals
        return cls(messages, objects, objects * touched, closed, closed * fleet.messages_an_interval)


def shelves_of(series: int) -> int:
    """Return how many shelves so many series fill: each holds 1,024 and splits in two."""
    return int(2 ** math.ceil(math.log2(max(1.0, series / SHELF_SERIES))))


def total(costs: Iterable[Cost]) -> float:
    """Return the sum of what has a price, USD."""
    return sum(cost.usd or 0.0 for cost in costs)


def cost(prices: Prices, what: str, quantity: float, price: str) -> Cost:
    """Return what a quantity costs; `price` is a name of the list."""
    known = prices.units.get(price)
    service = _SERVICES[price.partition(".")[0]]
    if known is None:
        return Cost(service, what, quantity, "", None, prices.as_of)
    return Cost(service, what, quantity, known.unit, known.usd, known.as_of)


def instance_hours(prices: Prices, what: str, hours: float, kind: str) -> Cost:
    """Return what hours of a SageMaker instance cost."""
    usd = prices.instance_hour_usd.get(kind)
    return Cost(_SERVICES["sagemaker"], what, hours, "instance-hour", usd, prices.instances_as_of)


def console_month(prices: Prices) -> Iterator[Cost]:
    """Give what it costs that people look at the console; while nobody does, it costs nothing."""
    people = f"{LIVE_PEOPLE} people look for {LIVE_HOURS} hours"
    events = LIVE_EVENTS_A_DAY * WORKING_DAYS
    loads = LIVE_PEOPLE * WORKING_DAYS * PAGE_LOADS_A_DAY
    asked = LIVE_PEOPLE * LIVE_HOURS * ASKED_AN_HOUR
    yield cost(prices, people, LIVE_PEOPLE * LIVE_HOURS * 60, "appsync.event_connection_minute")
    # an event is published to two channels, and heard by everybody; a page connects, subscribes, is let
    operations = events * (2 + LIVE_PEOPLE) + 3 * loads
    yield cost(
        prices,
        f"{LIVE_EVENTS_A_DAY} events a day, published and heard",
        operations,
        "appsync.event_operation",
    )
    yield cost(prices, people, loads * PAGE_FILES + asked, "cloudfront.https_request")
    yield cost(prices, people, (loads * PAGE_BYTES + asked * ANSWER_BYTES) / 1e9, "cloudfront.gb")
    yield cost(prices, "what the page asks of the API", asked, "apigateway.http_request")


def endpoints_month(workloads: Iterable[WorkloadSpec], prices: Prices) -> Iterator[Cost]:
    """Give what the endpoints cost in a month once they are trained; serverless ones cost by use."""
    for spec in workloads:
        if spec.endpoint is not None and spec.endpoint.serverless is None:
            kind, count = spec.endpoint.instance_type, spec.endpoint.instance_count
            what = f"endpoint of {spec.name}, {count} × {kind}"
            yield instance_hours(prices, what, count * HOURS_A_MONTH, kind)


def training_month(workloads: Sequence[WorkloadSpec], prices: Prices) -> Iterator[Cost]:
    """Give what the scheduled trainings of a month cost; a run has six jobs of five minutes, or three."""
    for spec in workloads:
        if spec.training.schedule is None:
            continue
        runs = runs_a_month(spec.training.schedule)
        what = f"{runs:.1f} trainings of {spec.name}"
        jobs = STREAMING_JOBS if spec.is_streaming else TRAINING_JOBS
        if isinstance(spec, FraudWorkload):
            jobs = FRAUD_JOBS
            units = spec.processing.workers * spec.processing.worker_units
            yield cost(prices, what, runs * units * PROCESSING_HOURS, "glue.dpu_hour")
        hours = runs * jobs * TRAINING_JOB_HOURS
        yield instance_hours(prices, what, hours, spec.training.instance_type)
        yield cost(prices, what, runs * TRAINING_STATES, "states.transition")


def graph_month(spec: FraudWorkload, prices: Prices) -> Iterator[Cost]:
    """Give what a month of a workload's graph costs: Neptune idle, a table with a million transactions."""
    if spec.graph.store == "neptune":
        yield neptune_idle(spec, prices)
        return
    plan = spec.plan()
    vectors = (plan.neighbours + SPARE_NEIGHBOURS) * len(schema_of(plan).names) * FLOAT_BYTES
    entity = math.ceil(vectors * PACKED)
    relations = len(plan.relations)
    read = relations * math.ceil(entity / READ_UNIT_BYTES)
    written = TRANSACTION_FACTOR * (relations * math.ceil(entity / WRITE_UNIT_BYTES) + 1)
    what = f"graph of {spec.name}, {TRANSACTIONS_A_MONTH:,} transactions"
    yield cost(prices, what, TRANSACTIONS_A_MONTH * read, "dynamodb.read_unit")
    yield cost(prices, what, TRANSACTIONS_A_MONTH * written, "dynamodb.write_unit")


def neptune_idle(spec: FraudWorkload, prices: Prices) -> Cost:
    """Return what a month of a workload's graph costs in Neptune at least, whether or not anything comes."""
    least = (spec.graph.capacity or Capacity()).least
    what = f"graph of {spec.name} in Neptune Serverless, {least:g} NCU at least, idle too"
    return cost(prices, what, least * HOURS_A_MONTH, "neptune.ncu_hour")


def ingestion_month(spec: AnomalyWorkload, prices: Prices, fleet: Fleet) -> Iterator[Cost]:
    """Give what a month of a workload's telemetry costs until it is objects, whoever scores them."""
    flow, delivery = Flow.of(spec, fleet), spec.delivery
    if spec.source.place not in ("topic", "kinesis"):
        yield from _fetched(spec, flow, prices, fleet)
        return
    metered = flow.messages * math.ceil(fleet.message_bytes / METERED_BYTES)
    if spec.source.topic is not None:
        if not isinstance(spec, DeviceBehaviourWorkload):  # which sees what devices send to others
            connected = fleet.devices_of(spec) * SECONDS_A_MONTH / 60
            published = 0.0 if spec.source.basic_ingest else metered
            yield cost(prices, "messages (Basic Ingest: none)", published, "iot.message")
            yield cost(prices, "connections", connected, "iot.connection_minute")
        yield cost(prices, "rules evaluated", metered, "iot.rule")
        yield cost(prices, "actions", metered, "iot.action")
    if spec.source.kinesis is not None:
        shards = shards_of(flow.messages / SECONDS_A_MONTH, fleet.message_bytes)
        what = f"{shards} shards of the data stream, which are there for its other readers, too"
        yield cost(prices, what, shards * HOURS_A_MONTH, "kinesis.shard_hour")
    yield cost(prices, "records, rounded up to 5 KB", metered * METERED_BYTES / 1e9, "firehose.gb")
    if delivery.partitioned:
        gigabytes = flow.messages * fleet.message_bytes / 1e9
        hours = flow.messages * JQ_SECONDS_A_RECORD / 3600
        yield cost(prices, "partitioned", gigabytes, "firehose.partitioned_gb")
        yield cost(prices, "objects of partitions", flow.objects, "firehose.partitioned_object")
        yield cost(prices, "JQ", hours, "firehose.jq_hour")
    in_parts = not delivery.partitioned and delivery.buffer_seconds < MULTIPART_BELOW_SECONDS
    puts = flow.objects * (MULTIPART_REQUESTS if in_parts else 1)
    yield cost(prices, "telemetry objects put by Firehose", puts, "s3.put")


def shards_of(records_a_second: float, record_bytes: int) -> int:
    """Return how many shards of a provisioned data stream take so many records."""
    return math.ceil(
        max(1.0, records_a_second / SHARD_RECORDS, records_a_second * record_bytes / SHARD_BYTES)
    )


def _fetched(spec: AnomalyWorkload, flow: Flow, prices: Prices, fleet: Fleet) -> Iterator[Cost]:
    """Give what fetching telemetry costs: one file or answer an interval, as `Flow` has it.

    What is asked on a schedule is asked for each interval again while late records are taken. Then a file is
    put again, which S3 refuses and bills; of answers, what was delivered is read, and nothing is put.
    """
    plan, scheduled = spec.plan(), spec.source.scheduled is not None
    times = 1 + math.ceil(plan.lateness_seconds / plan.interval_seconds) if scheduled else 1
    read, puts = times * flow.objects, flow.objects if spec.source.folders is None else times * flow.objects
    seconds = read * FETCH_SECONDS_A_FILE + times * flow.messages * FETCH_SECONDS_A_RECORD
    function = "fetch_due" if scheduled else "fetch_telemetry"
    for what, quantity, price in (
        ("messages of what is fetched", flow.objects * QUEUE_REQUESTS_AN_OBJECT, "sqs.fifo_request"),
        ("files read", read, "s3.get"),
        ("telemetry objects put", puts, "s3.put"),
        (function, flow.objects, "lambda.request"),
        (function, seconds * FETCH_GB, "lambda.arm_gb_second"),
        (f"logs of {function}", flow.objects * LOG_BYTES_AN_OBJECT / 1e9, "cloudwatch.log_gb"),
        *_asked(spec, flow.objects, read, fleet),
    ):
        yield cost(prices, what, quantity, price)


def _asked(
    spec: AnomalyWorkload, times: float, lists: float, fleet: Fleet
) -> Iterator[tuple[str, float, str]]:
    """Give what it costs beside that a source is asked so many times, for so many intervals."""
    if spec.source.scheduled is None:
        return
    yield "schedule of the source", times, "scheduler.invocation"
    yield "lists of what there is", lists, "s3.put"
    if spec.source.cloudwatch is not None:
        feed = spec.source.cloudwatch.feed()
        searches = [feed.search(column, spec.dimensions) for column in feed.metrics]
        listed = {name for search in searches for name in search.names or [""]}
        pages = len(listed) * math.ceil(fleet.series / len(spec.measures) / LISTED_METRICS)
        yield (
            f"{fleet.series:,} metrics asked for, each interval",
            times * fleet.series,
            "cloudwatch.metric_requested",
        )
        yield "lists of metrics", times * pages, "cloudwatch.request"
    if spec.source.athena is not None:
        scanned = max(LEAST_SCANNED_MEGABYTES, spec.source.athena.scanned_megabytes)
        yield f"{scanned:g} MB scanned, each interval", times * scanned / 1e6, "athena.tb"


def scoring_month(spec: AnomalyWorkload, prices: Prices, fleet: Fleet) -> Iterator[Cost]:
    """Give what a month of scoring a workload's telemetry costs, and of keeping it."""
    flow = Flow.of(spec, fleet)
    seconds = scoring_seconds(flow)
    written, read = 2 * flow.shelf_steps, flow.objects + 2 * flow.shelf_steps
    for what, quantity, price in (
        ("telemetry objects read", flow.objects, "s3.get"),
        ("pages read", flow.shelf_steps, "s3.get"),
        ("pages put", flow.shelf_steps, "s3.put"),
        ("scores objects looked for", flow.shelf_steps, "s3.get"),
        ("scores objects put", flow.shelf_steps, "s3.put"),
        ("requests of buckets", (written + read) * KEY_REQUESTS_AN_OBJECT_REQUEST, "kms.request"),
        ("messages of objects", flow.objects * QUEUE_REQUESTS_AN_OBJECT, "sqs.fifo_request"),
        ("idempotency", flow.objects * IDEMPOTENCY_WRITES_AN_OBJECT, "dynamodb.write_unit"),
        ("live release", flow.objects, "dynamodb.read_unit"),
        ("score_telemetry", flow.objects, "lambda.request"),
        ("score_telemetry", seconds * LAMBDA_GB, "lambda.arm_gb_second"),
        ("logs", flow.objects * LOG_BYTES_AN_OBJECT / 1e9, "cloudwatch.log_gb"),
    ):
        yield cost(prices, what, quantity, price)
    yield from _stored(spec, prices, fleet)


def scoring_seconds(flow: Flow) -> float:
    """Return how long `score_telemetry` runs in a month."""
    return (
        flow.objects * LAMBDA_SECONDS_AN_OBJECT
        + flow.shelf_steps * LAMBDA_SECONDS_A_SHELF
        + flow.readings * LAMBDA_SECONDS_A_READING
    )


def workload_month(spec: AnomalyWorkload, prices: Prices, fleet: Fleet) -> Iterator[Cost]:
    """Give what a workload in use costs beside its scoring: metrics, ticks, and merging scores."""
    ticks = SECONDS_A_MONTH / spec.plan().tick_seconds
    sources = Flow.of(spec, fleet).shelf_steps
    listed = MERGES_A_MONTH * MERGED_DATES + sources / LISTED_AT_ONCE
    merging = MERGES_A_MONTH * MERGE_SECONDS + sources * MERGE_SECONDS_AN_OBJECT
    metrics = SCORING_METRICS + RARE_METRICS * RARE_HOURS
    yield cost(prices, "metrics of the scoring loop", metrics, "cloudwatch.metric_month")
    yield from _incidents(prices)
    yield from alerts_month(spec, prices)
    yield cost(prices, "ticks", ticks, "scheduler.invocation")
    yield cost(prices, "ticks in the queue", ticks * QUEUE_REQUESTS_AN_OBJECT, "sqs.fifo_request")
    yield cost(prices, "pages looked at by ticks", ticks * shelves_of(fleet.series), "s3.get")
    yield cost(prices, "ticks handled", ticks * TICK_LAMBDA_SECONDS * LAMBDA_GB, "lambda.arm_gb_second")
    yield cost(prices, "scores objects read to be merged", sources, "s3.get")
    yield cost(prices, "lists and merged files", listed + MERGES_A_MONTH, "s3.put")
    yield cost(prices, "merge_scores", merging * MERGE_GB, "lambda.arm_gb_second")


def _incidents(prices: Prices) -> Iterator[Cost]:
    what = f"{ANOMALIES_A_MONTH:,} anomalies made incidents"
    for quantity, price in (
        (INCIDENT_WRITE_UNITS, "dynamodb.write_unit"),
        (INCIDENT_READ_UNITS, "dynamodb.read_unit"),
        (QUEUE_REQUESTS_AN_OBJECT, "sqs.fifo_request"),
        (1, "lambda.request"),
        (INCIDENT_SECONDS * LAMBDA_GB, "lambda.arm_gb_second"),
    ):
        yield cost(prices, what, ANOMALIES_A_MONTH * quantity, price)


def alerts_month(spec: AnomalyWorkload, prices: Prices) -> Iterator[Cost]:
    """Give what telling of as many alerts as the gate allows costs, with deliveries, escalations, digests.

    A workload's delivery queue is polled like every other one: it is among the polls of an idle month.
    """
    routes = spec.alerts.routes
    alerts = spec.gate.max_alerts_per_week * 30 / 7 if routes else 0.0
    delivered = alerts * sum(bool(route.receiver) for route in routes)
    escalated = alerts * sum(route.escalate_after is not None for route in routes)
    digests = 30.0 * sum(route.digest is not None for route in routes)
    told = alerts + escalated + digests
    for what, quantity, price in (
        ("alerts routed", told * ALERT_WRITE_UNITS, "dynamodb.write_unit"),
        ("alerts routed", told * ALERT_READ_UNITS, "dynamodb.read_unit"),
        ("alerts routed", told * QUEUE_REQUESTS_AN_OBJECT, "sqs.standard_request"),
        ("alerts routed", told * ALERT_SECONDS * ALERT_GB, "lambda.arm_gb_second"),
        ("deliveries to webhooks, Slack, buses", delivered * DELIVERY_WRITE_UNITS, "dynamodb.write_unit"),
        (
            "deliveries to webhooks, Slack, buses",
            delivered * QUEUE_REQUESTS_AN_OBJECT,
            "sqs.standard_request",
        ),
        (
            "deliveries to webhooks, Slack, buses",
            delivered * DELIVERY_SECONDS * ALERT_GB,
            "lambda.arm_gb_second",
        ),
        ("answers waited for", escalated * ANSWER_WRITE_UNITS, "dynamodb.write_unit"),
        ("digests", digests, "scheduler.invocation"),
        ("digests", digests * DIGEST_READ_UNITS, "dynamodb.read_unit"),
    ):
        if quantity:
            yield cost(prices, what, quantity, price)


def _stored(spec: AnomalyWorkload, prices: Prices, fleet: Fleet) -> Iterator[Cost]:
    flow = Flow.of(spec, fleet)
    raw = flow.objects * OBJECT_BYTES + flow.messages * RAW_BYTES_A_RECORD
    scores = flow.shelf_steps * OBJECT_BYTES + flow.intervals * SCORE_BYTES
    pages = fleet.series * PAGE_BYTES_A_SERIES
    for what, stored in (
        ("telemetry, kept for a year", KEPT_MONTHS * raw),
        ("scores, kept for a year", KEPT_MONTHS * scores),
        ("pages", pages),
    ):
        yield cost(prices, what, stored / 1e9, "s3.gb_month")
