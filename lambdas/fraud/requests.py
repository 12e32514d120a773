"""What a request of the fraud API says: its workload, its transactions, its place in a list."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from lambdas.adapters.plan_store import PlanStore
from lambdas.fraud.store import Arrival
from lambdas.http.problems import INVALID_REQUEST, Fault, ServiceProblemError
from lambdas.http.roles import Caller
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.transaction import read_transaction

MOST_TRANSACTIONS = 100
MAX_BODY_BYTES = 2_000_000
"""A hundred transactions of a wide table; API Gateway hands on up to 6 MB."""
_SHOWN_FAULTS = 5


def readable_plan(plans: PlanStore, caller: Caller, workload: str) -> FraudPlan:
    """Return the plan of a fraud workload that the caller may see.

    Raises
    ------
    ServiceProblemError
        If it does not (`forbidden`).
    """
    try:
        plan = plans.fraud_plan_of(workload)
    except InvalidInputError:
        caller.let_read((), workload)
        raise
    caller.let_read(plan.readers, workload)
    return plan


def arrivals_in(
    body: Mapping[str, Any] | list[dict[str, Any]], plan: FraudPlan, now: datetime
) -> list[Arrival]:
    """Return the transactions of a body: an object is one, an array has some.

    Raises
    ------
    ServiceProblemError
        If it has none or too many (`invalid_request`); if transactions cannot be used: each of
        them is named by its place, with the field and what to do.
    """
    rows = body if isinstance(body, list) else [body]
    if not 1 <= len(rows) <= MOST_TRANSACTIONS:
        raise ServiceProblemError(
            INVALID_REQUEST, f"the body has {len(rows)} transactions: send 1 to {MOST_TRANSACTIONS}"
        )
    arrived_at = instant_of(now)
    found: list[Arrival] = []
    refused: list[tuple[str, InvalidInputError]] = []
    for at, row in enumerate(rows):
        read = _arrival_or_error(row, plan, arrived_at)
        if isinstance(read, InvalidInputError):
            refused.append((f"/{at}" if isinstance(body, list) else "", read))
        else:
            found.append(read)
    if refused:
        raise _refusal(refused)
    return found


def instant_of(now: datetime) -> str:
    """Return a time with microseconds, so that its text sorts as it does."""
    return now.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def page_token(place: str) -> str:
    """Return the token of the page that begins after a place in a list."""
    return base64.urlsafe_b64encode(place.encode()).decode()


def page_start(token: str) -> str:
    """Return the place that a token means.

    Raises
    ------
    ServiceProblemError
        If it is not a token of this API.
    """
    try:
        place = base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise _no_token(token) from error
    if "#" not in place:
        raise _no_token(token)
    return place


def _arrival_or_error(
    row: Mapping[str, Any], plan: FraudPlan, arrived_at: str
) -> Arrival | InvalidInputError:
    try:
        return Arrival(read_transaction(row, plan, strict=True), row, arrived_at)
    except InvalidInputError as error:
        return error


def _refusal(refused: Sequence[tuple[str, InvalidInputError]]) -> ServiceProblemError:
    reasons = {error.reason for _, error in refused}
    shown = "; ".join(f"{place or 'body'}: {error}" for place, error in refused[:_SHOWN_FAULTS])
    more = len(refused) - _SHOWN_FAULTS
    return ServiceProblemError(
        reasons.pop() if len(reasons) == 1 else INVALID_REQUEST,
        f"{shown}; and {more} more" if more > 0 else shown,
        [Fault(pointer=place, detail=str(error)) for place, error in refused],
    )


def _no_token(token: str) -> ServiceProblemError:
    return ServiceProblemError(
        INVALID_REQUEST, f"page_token {token[:40]!r} is not the next_page_token of an answer"
    )
