"""What the alert bus and Step Functions say, as live events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.timestamps import format_instant
from watchkeeper.fraud.decided import DECIDED_DETAIL_TYPE, DecidedTransaction
from watchkeeper.incidents.summary import CHANGED_DETAIL_TYPE, LiveEvent
from watchkeeper.lifecycle.published import PUBLISHED_DETAIL_TYPE, PublishedRelease
from watchkeeper.lifecycle.run import run_id_of

RUN_DETAIL_TYPE = "Step Functions Execution Status Change"

_STATUS = {
    "RUNNING": "running",
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "TIMED_OUT": "failed",
    "ABORTED": "stopped",
}


def events_in(message: str) -> list[LiveEvent]:
    """Read EventBridge's event: what is told of it.

    Raises
    ------
    InvalidInputError
        If it is none of those that are told.
    """
    try:
        envelope = json.loads(message)
        detail_type, detail = envelope["detail-type"], envelope["detail"]
        if detail_type == CHANGED_DETAIL_TYPE:
            return [LiveEvent(**event) for event in detail["events"]]
        if detail_type == DECIDED_DETAIL_TYPE:
            return [_decision(DecidedTransaction.from_dict(detail))]
        if detail_type == PUBLISHED_DETAIL_TYPE:
            return [_release(PublishedRelease.from_dict(detail))]
        if detail_type == RUN_DETAIL_TYPE:
            return [_run(detail)]
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError(
            f"not an event that is told live: {error!r} in {message[:200]!r}", reason="bad_event"
        ) from error
    raise InvalidInputError(f"events of type {detail_type!r} are not told live", reason="bad_event")


def _decision(decided: DecidedTransaction) -> LiveEvent:
    return LiveEvent(
        id=f"{decided.workload}:{decided.id}",
        at=format_instant(datetime.fromtimestamp(decided.time, timezone.utc)),
        kind="decision",
        workload=decided.workload,
        detail={
            "id": decided.id,
            "amount": decided.amount,
            "flag": decided.flag,
            "pred_prob": decided.pred_prob,
            "severity": decided.severity,
            "time": decided.time,
            "reasons": list(decided.reasons),
        },
    )


def _release(release: PublishedRelease) -> LiveEvent:
    return LiveEvent(
        id=release.event_id,
        at=release.at,
        kind="release",
        workload=release.workload,
        detail={"run_id": release.run_id, "what": release.what, "previous": release.previous},
    )


def _run(detail: Mapping[str, Any]) -> LiveEvent:
    """Read the status of a training: the start is in it, and so is the run's id."""
    execution, status = detail["executionArn"], _STATUS[detail["status"]]
    started = datetime.fromtimestamp(detail["startDate"] / 1000, timezone.utc)
    at = started if status == "running" else datetime.fromtimestamp(detail["stopDate"] / 1000, timezone.utc)
    return LiveEvent(
        id=f"{execution}:{status}",
        at=format_instant(at),
        kind="run",
        workload=layout.workload_of_machine(detail["stateMachineArn"].rpartition(":")[2]),
        detail={"execution": execution, "run_id": run_id_of(execution, started), "status": status},
    )
