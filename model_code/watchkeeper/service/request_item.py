"""A request as an item of the requests table: its keys, its attributes, and how its status moves.

`queued` → `running` → `succeeded` or `failed`; a final status stays. The API makes the item; the workflow
writes `status`, `history`, `progress`, `results`, `metrics` and `error`; `close_task` closes what the
workflow could not.
"""

from __future__ import annotations

from enum import Enum

REQUEST_DAYS = 90
"""An item is kept for so long after its last change by the API."""
BY_CREATION = "by_creation"
"""The index of a tenant's requests in the order of `created_at`."""


PLACES = "places"
"""Sort key of a tenant's item with the places of its open tasks, and the attribute that has them: a set of
`REQUEST@ISO 8601`."""


class Status(str, Enum):
    """How far a request is."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


OPEN = (Status.QUEUED, Status.RUNNING)
"""A status that may still change; a write of a status is conditional on it."""


class Attribute(str, Enum):
    """Attributes of an item. Those told as JSON are text."""

    PK = "pk"
    """`tenant#TENANT`."""
    SK = "sk"
    """`tasks.request_key_id` of the request."""
    TASK = "task"
    REQUEST_ID = "request_id"
    """The UUID of its POST: the `_id` that callers know."""
    BODY_HASH = "body_hash"
    PARAMETERS = "parameters"
    """JSON."""
    INPUT = "input"
    """JSON of the execution's `TaskInput`: whoever finds a request that has not started can start it."""
    STATUS = "status"
    HISTORY = "history"
    """List of maps `{"status", "at"}`."""
    PROGRESS = "progress"
    """Map `{"done": number, "total": number, "message": text}`."""
    RESULTS = "results"
    """JSON: `TaskInput.results`."""
    METRICS = "metrics"
    """JSON object."""
    ERROR = "error"
    """Map `{"type", "message"}`; the type is a problem's, see `failures`."""
    TASK_ID = "task_id"
    """ARN of the execution."""
    CREATED_AT = "created_at"
    """ISO 8601, UTC, as is `updated_at`."""
    UPDATED_AT = "updated_at"
    EXPIRES_AT = "expires_at"
    """Epoch seconds: the table's time to live."""


def partition_key(tenant: str) -> str:
    """Return the partition key of a tenant's requests."""
    return f"tenant#{tenant}"


def places_key(tenant: str) -> dict[str, str]:
    """Return the key of the item with the places of a tenant's open tasks."""
    return {Attribute.PK.value: partition_key(tenant), Attribute.SK.value: PLACES}


def item_key(tenant: str, request: str) -> dict[str, str]:
    """Return the key of a request by what it is called in the account: `tasks.request_key_id`."""
    return {Attribute.PK.value: partition_key(tenant), Attribute.SK.value: request}
