"""Where things are: object keys in the data bucket and names that AWS needs to be physical."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timezone

from watchkeeper.core.errors import InvalidInputError

PREFIX = "watchkeeper"
STACK_PREFIX = "Watchkeeper"
"""What the names of our CloudFormation stacks begin with, and so of what CloudFormation names in them."""
SAGEMAKER_NAME_LENGTH = 63
ENDPOINT_LOGS = "/aws/sagemaker/Endpoints"
"""Below it SageMaker makes a log group an endpoint."""
VARIANT = "primary"
"""The one production variant of every endpoint: a blue/green deployment must keep the name."""

RAW = "raw"
RAW_ERRORS = "raw-errors"
IOT_ERRORS = f"{RAW_ERRORS}/iot"
HISTORY = "history"
QUARANTINE = "quarantine"
SCORES = "scores"
SCORES_BY_HOUR, SCORES_BY_DAY = "scores-by-hour", "scores-by-day"
PAGES = "pages"
RUNS = "runs"
CAPTURES = "captures"
DRIFT = "drift"
QUERIES = "queries"
BACKTESTS = "backtests"


def raw_prefix(workload: str) -> str:
    """Objects that the delivery stream writes: `raw/workload=NAME/year=…/month=…/day=…/hour=…/…`."""
    return f"{RAW}/workload={workload}/"


def fetched_prefix(workload: str, arrived_at: datetime, source: str) -> str:
    """What the keys begin with of telemetry that came from one object of a source; its parts are numbered.

    Parameters
    ----------
    arrived_at
        Aware; the same for every delivery of the object.
    source
        Identifies the content.
    """
    arrival = arrived_at.astimezone(timezone.utc)
    return (
        f"{raw_prefix(workload)}{arrival:year=%Y/month=%m/day=%d/hour=%H/}fetched-{short_hash(source, 24)}-"
    )


def queries_prefix(workload: str) -> str:
    """Where results of the query are that is a workload's source."""
    return f"{QUERIES}/{workload}/"


RESERVED_WORKLOAD = "anomaly_service"
"""A workload whose name begins so would share the names of what the anomaly service makes."""


def workload_of_raw_key(key: str) -> str:
    """Return the workload of an object under `raw/`.

    Raises
    ------
    InvalidInputError
        If the key is not one that the delivery stream writes.
    """
    return _matched(key, rf"^{RAW}/workload=([a-z][a-z0-9_]*)/", "raw/workload=NAME/…")[1]


def hour_of_raw_key(key: str) -> str:
    """Return the hour, such as `2026-11-29T17`, in which an object under `raw/` was delivered.

    Raises
    ------
    InvalidInputError
        If the key is not one that the delivery stream writes.
    """
    form = "raw/workload=NAME/year=…/month=…/day=…/hour=…/…"
    match = _matched(key, r"/year=(\d{4})/month=(\d\d)/day=(\d\d)/hour=(\d\d)/", form)
    return f"{match[1]}-{match[2]}-{match[3]}T{match[4]}"


def history_prefix(workload: str) -> str:
    """Where a user puts a workload's history: `.csv`, `.jsonl`, either with `.gz`, and `labels.json`."""
    return f"{HISTORY}/{workload}/"


def quarantine_key(workload: str, source_key: str, shelf: str | None = None, part: int = 0) -> str:
    """The one object that holds what was refused of one source object, as a whole or by one of its shelves.

    Parameters
    ----------
    shelf, part
        As of `scores_key`.
    """
    of_shelf = "" if shelf is None else _part_of_shelf(shelf, part)
    return f"{QUARANTINE}/{workload}/{short_hash(source_key, 24)}{of_shelf}.jsonl"


def scores_prefix(workload: str) -> str:
    """All scored intervals of a workload, in folders `date=YYYY-MM-DD/hour=HH/`."""
    return f"{SCORES}/workload={workload}/"


def scores_key(workload: str, hour: str, object_id: str, shelf: str, part: int = 0) -> str:
    """The object of the intervals of one shelf that one object of telemetry closed.

    Parameters
    ----------
    hour
        In which the telemetry was delivered, such as `2026-11-29T17`.
    object_id
        What identifies the telemetry object and its content.
    shelf
        Its bits.
    part
        Counts the objects where one is not enough.
    """
    date, _, hour = hour.partition("T")
    name = f"{short_hash(object_id, 24)}{_part_of_shelf(shelf, part)}"
    return f"{scores_prefix(workload)}date={date}/hour={hour}/{name}.jsonl.gz"


def scores_of_date(workload: str, date: str) -> str:
    """The scores objects of telemetry that was delivered on a date (`YYYY-MM-DD`)."""
    return f"{scores_prefix(workload)}date={date}/"


def hour_of_scores_key(key: str) -> str:
    """Return the hour of a scores object, such as `2026-11-29T17`.

    Raises
    ------
    InvalidInputError
        If the key is not one of `scores_key`.
    """
    match = _matched(key, r"/date=(\d{4}-\d\d-\d\d)/hour=(\d\d)/", "…/date=…/hour=…/…")
    return f"{match[1]}T{match[2]}"


def shelf_of_scores_key(key: str) -> str:
    """Return the bits of the shelf whose intervals a scores object has; see `hour_of_scores_key`."""
    match = _matched(key, r"/[0-9a-f]{24}-(root|[01]+)(-\d+)?\.jsonl\.gz$", "…/HASH-SHELF.jsonl.gz")
    return "" if match[1] == shelf_name("") else match[1]


def merged_hours_prefix(workload: str, date: str) -> str:
    """The hours of a date that are merged."""
    return f"{SCORES_BY_HOUR}/workload={workload}/date={date}/"


def merged_hour_key(workload: str, hour: str) -> str:
    """The intervals of one hour's scores objects as one Parquet file, sorted by series."""
    date, _, hour = hour.partition("T")
    return f"{merged_hours_prefix(workload, date)}hour={hour}.parquet"


def merged_days_prefix(workload: str) -> str:
    """The days of a workload that are merged."""
    return f"{SCORES_BY_DAY}/workload={workload}/"


def date_of_key(key: str) -> str:
    """Return the date (`YYYY-MM-DD`) in the key of a scores object, a merged file, or of their folder."""
    return _matched(key, r"/date=(\d{4}-\d\d-\d\d)/", "…/date=YYYY-MM-DD/…")[1]


def merged_day_key(workload: str, date: str) -> str:
    """The intervals of one day's scores objects as one Parquet file, sorted by series."""
    return f"{merged_days_prefix(workload)}date={date}/day.parquet"


def series_scores_key(workload: str, series: str, interval_start: str) -> str:
    """The object of one series' scored intervals from `interval_start` on, of releases without pages."""
    return f"{SCORES}/{workload}/{interval_start[:10]}/{short_hash(series, 16)}-{interval_start}.jsonl"


def pages_prefix(workload: str) -> str:
    """The pages of a workload's shelves, in the bucket of pages or among a run's files."""
    return f"{PAGES}/workload={workload}/"


def streams_prefix(workload: str) -> str:
    """What the scoring loop keeps when it runs in Spark: manifests and checkpoints."""
    return f"streams/{workload}/"


def page_key(workload: str, shelf: str) -> str:
    """The page of a shelf."""
    return f"{pages_prefix(workload)}shelf={shelf_name(shelf)}.page"


def shelf_name(shelf: str) -> str:
    """How a shelf's bits are written; the first shelf has none."""
    return shelf or "root"


def runs_of(workload: str) -> str:
    """What all executions of a workload's training workflow write."""
    return f"{RUNS}/{workload}/"


def run_prefix(workload: str, run_id: str) -> str:
    """Everything that one execution of the training workflow writes."""
    return f"{runs_of(workload)}{run_id}/"


def capture_prefix(workload: str) -> str:
    """What the endpoint's data capture writes."""
    return f"{CAPTURES}/{workload}/"


def drift_prefix(workload: str) -> str:
    """What the attribution drift monitor writes, a folder a run."""
    return f"{DRIFT}/{workload}/"


def dashed(workload: str) -> str:
    """A workload's name where AWS allows no underscore."""
    return workload.replace("_", "-")


def backtests_prefix(workload: str) -> str:
    """The backtests that the console asked for, a folder each; they expire."""
    return f"{BACKTESTS}/workload={workload}/"


def backtest_key(workload: str, backtest_id: str, name: str) -> str:
    """An object of a backtest."""
    return f"{backtests_prefix(workload)}{backtest_id}/{name}"


def endpoint_name(workload: str) -> str:
    """The SageMaker endpoint of a workload. It outlives every model that it serves."""
    return f"{PREFIX}-{dashed(workload)}"


def endpoint_log_group(workload: str) -> str:
    """The log group that SageMaker writes an endpoint's logs to."""
    return f"{ENDPOINT_LOGS}/{endpoint_name(workload)}"


def shadow_endpoint_prefix(workload: str) -> str:
    """What the names of the endpoints begin with that a workload's explain job makes and removes."""
    return endpoint_name(workload)[:32].rstrip("-") + "-explain"


def job_name(workload: str, step: str, run_id: str) -> str:
    """A SageMaker name, unique for each execution: at most 63 characters of `[a-zA-Z0-9-]`."""
    tail = f"-{step}-{run_id}"
    return f"{PREFIX}-{dashed(workload)}"[: SAGEMAKER_NAME_LENGTH - len(tail)].rstrip("-") + tail


def workload_stack(workload: str) -> str:
    """The CloudFormation stack of what belongs to one workload alone."""
    return f"{STACK_PREFIX}-{dashed(workload)}"


def state_machine_name(workload: str, purpose: str) -> str:
    """A state machine of a workload; `purpose` is `training` or `drift`."""
    return f"{endpoint_name(workload)}-{purpose}"


def workload_of_machine(machine: str) -> str:
    """Return the workload of a state machine's name; a name has no dash where a workload has none.

    Examples
    --------
    >>> workload_of_machine(state_machine_name("machine_temperature", "training"))
    'machine_temperature'
    """
    return machine.removeprefix(f"{PREFIX}-").rpartition("-")[0].replace("-", "_")


STREAM_LOGS = "/aws-glue/jobs"
"""Beginning of the log groups of Glue's jobs; the names of the role and of its encryption follow."""


def stream_job_name(workload: str) -> str:
    """The Glue job that scores a workload's telemetry in Spark."""
    return f"{endpoint_name(workload)}-stream"


def process_job_name(workload: str) -> str:
    """The Glue job that makes a graph of a fraud workload's transactions."""
    return f"{endpoint_name(workload)}-process"


def topic_rule_name(workload: str) -> str:
    """The IoT rule of a workload; devices name it where they publish by Basic Ingest."""
    return f"{PREFIX}_{workload}"


def basic_ingest_topic(workload: str, topic: str) -> str:
    """Where a message goes to the workload's rule without the message broker, and without its price."""
    return f"$aws/rules/{topic_rule_name(workload)}/{topic}"


DEVICES = f"{PREFIX}-devices"
"""The thing group of all devices that joined the fleet."""
QUARANTINED = f"{PREFIX}-quarantine"
"""The thing group of devices that may do nothing, and the policy that denies it."""
DEVICE_POLICY = f"{PREFIX}-device"
CLAIM_POLICY = f"{PREFIX}-claim"
PROVISIONING_TEMPLATE = f"{PREFIX}-device"
"""Devices name it in the topics by which they join."""
DEVICE_TOPICS = "devices"
"""Below it each device of the fleet has its own topics."""
COMMANDS = "commands"
"""Below it a device's topics are on which it is told something."""


def thing_name(serial_number: str) -> str:
    """The thing, and so the MQTT client id, of a device of the fleet."""
    return f"{PREFIX}-{serial_number}"


def claim_client(serial_number: str) -> str:
    """The MQTT client id of a device that is about to join."""
    return f"{CLAIM_POLICY}-{serial_number}"


def device_topic(thing: str, rest: str) -> str:
    """A topic of one device's own.

    Examples
    --------
    >>> device_topic(thing_name("A17"), "readings")
    'devices/watchkeeper-A17/readings'
    """
    return f"{DEVICE_TOPICS}/{thing}/{rest}"


LIVE_PARAMETER = f"/{PREFIX}/live"
"""The parameter that says where live events are published: JSON with `http` and `realtime`."""


ANSWERS_PARAMETER = f"/{PREFIX}/answers"
"""The parameter that says where the page is by which links of alerts answer."""


def plan_parameter(workload: str) -> str:
    """The parameter that holds a workload's detection plan."""
    return f"/{PREFIX}/{workload}/plan"


def spec_parameter(workload: str) -> str:
    """The parameter that holds the text of a workload's file; under a path that nobody lists."""
    return f"/{PREFIX}-specs/{workload}"


def short_hash(text: str, length: int = 16) -> str:
    """A stable identifier made from text: `length` hexadecimal characters of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def _part_of_shelf(shelf: str, part: int) -> str:
    return f"-{shelf_name(shelf)}" + (f"-{part}" if part else "")


def _matched(key: str, pattern: str, form: str) -> re.Match[str]:
    match = re.search(pattern, key)
    if match is None:
        raise InvalidInputError(f"object key {key!r} is not of the form {form}")
    return match
