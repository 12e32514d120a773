"""States that write the request's item: status, progress, results.

Every write is conditional on what it expects, and a write that has been made already is passed over: a state
that is carried out twice changes nothing.
"""

from __future__ import annotations

from typing import Any

from stepfunctions.steps.states import Catch, State, Task

from pipeline.contracts import task_path as path
from pipeline.substitutions import Substitution
from pipeline.tasks import JsonObject, formatted, integration, retry, service_task
from watchkeeper.service.request_item import Attribute, Status, partition_key

MADE_ALREADY = "DynamoDB.ConditionalCheckFailedException"
COUNTED = "counted"
"""Attribute with the shares of a search that have been counted, a set of text."""
UPDATE = "dynamodb:updateItem"
NOW = "$$.State.EnteredTime"


def mark_running(name: str, total: int, message: str) -> Task:
    """Say that the task runs: `queued` → `running`.

    Parameters
    ----------
    total
        Steps of the task; `progress.done` counts them.
    """
    return _update(
        name,
        "SET #status = :status, #history = list_append(#history, :change), #progress = :progress, #at = :at",
        {
            ":status": _text(Status.RUNNING.value),
            ":queued": _text(Status.QUEUED.value),
            ":change": _change(Status.RUNNING),
            ":progress": _progress(0, total, message),
            ":at": _text(NOW),
        },
        condition="#status = :queued",
        names=("status", "history", "progress"),
    )


def report(name: str, done: int, total: int, message: str) -> Task:
    """Say what the task does now."""
    return _update(
        name,
        "SET #progress = :progress, #at = :at",
        {
            ":running": _text(Status.RUNNING.value),
            ":progress": _progress(done, total, message),
            ":at": _text(NOW),
        },
        condition="#status = :running",
        names=("status", "progress"),
    )


def count_share() -> Task:
    """Count a finished share of the search, once."""
    share = formatted("{}", path("chunk"))
    return _update(
        "CountShare",
        "SET #progress.#done = #progress.#done + :one, #at = :at ADD #counted :share",
        {
            ":one": {"N": "1"},
            ":share": {"SS": f"States.Array({share})"},
            ":name": _text(share),
            ":at": _text(NOW),
        },
        condition="NOT contains(#counted, :name)",
        names=("progress", "done", COUNTED),
    )


def mark_succeeded(name: str, total: int) -> Task:
    """Say that the task is done, with its results and measures."""
    return _update(
        name,
        "SET #status = :status, #history = list_append(#history, :change), #results = :results, "
        "#metrics = :metrics, #progress = :progress, #at = :at",
        {
            ":status": _text(Status.SUCCEEDED.value),
            ":running": _text(Status.RUNNING.value),
            ":change": _change(Status.SUCCEEDED),
            ":results": _text(f"States.JsonToString({path('results')})"),
            ":metrics": _text(path("judged.metrics")),
            ":progress": _progress(total, total, "done"),
            ":at": _text(NOW),
        },
        condition="#status = :running",
        names=("status", "history", "results", "metrics", "progress"),
    )


def pass_over(state: State, *, then: State) -> None:
    """Go on when a state's write is refused because it has been made; other states stay as they are."""
    if state.state_type == "Task" and state.fields["resource"] == integration(UPDATE):
        state.add_catch(Catch(error_equals=[MADE_ALREADY], result_path=None, next_step=then))


def _update(
    name: str,
    expression: str,
    values: JsonObject,
    *,
    condition: str,
    names: tuple[str, ...],
) -> Task:
    state: Task = service_task(
        name,
        UPDATE,
        {
            "TableName": Substitution.REQUESTS_TABLE_NAME.placeholder,
            "Key": {
                Attribute.PK.value: _text(formatted(partition_key("{}"), path("tenant"))),
                Attribute.SK.value: _text(path("id")),
            },
            "UpdateExpression": expression,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {
                "#at": Attribute.UPDATED_AT.value,
                **{f"#{each}": each for each in names},
            },
            "ExpressionAttributeValues": values,
        },
    )
    errors = ("Throttling", "ProvisionedThroughputExceeded", "InternalServerError", "TransactionConflict")
    state.add_retry(retry(*(f"DynamoDB.{error}Exception" for error in errors), seconds=1, attempts=6))
    return state


def _text(value: str) -> JsonObject:
    return {"S": value}


def _change(status: Status) -> JsonObject:
    return {"L": [{"M": {"status": _text(status.value), "at": _text(NOW)}}]}


def _progress(done: int, total: int, message: str) -> JsonObject:
    values: dict[str, Any] = {
        "done": {"N": str(done)},
        "total": {"N": str(total)},
        "message": _text(message),
    }
    return {"M": values}
