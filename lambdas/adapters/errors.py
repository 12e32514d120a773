"""AWS's errors in the project's own classes, decided by error code and status, never by message."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TypeVar

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as LostConnectionError

from watchkeeper.core.errors import ContractViolationError, UnavailableError

Answer = TypeVar("Answer")

CONDITION_FAILED = frozenset({"ConditionalCheckFailedException"})
"""What DynamoDB answers when the condition of a write does not hold."""

_TRANSIENT_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "KMSThrottlingException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)


def code_of(error: ClientError) -> str:
    """Return AWS's error code, such as `NoSuchKey`."""
    return error.response.get("Error", {}).get("Code", "")


def status_of(error: ClientError) -> int:
    """Return the HTTP status of the answer, 0 if it had none."""
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Classify what AWS raises inside the block; `doing` begins the message: `read s3://bucket/key`.

    Raises
    ------
    UnavailableError
        Throttling, server errors, timeouts and lost connections: try again later.
    ContractViolationError
        Everything else, for instance a missing permission or a resource that should exist.
    """
    try:
        yield
    except ClientError as error:
        transient = code_of(error) in _TRANSIENT_CODES or status_of(error) >= 500 or status_of(error) == 429
        kind = UnavailableError if transient else ContractViolationError
        raise kind(f"{doing}: {error}") from error
    except (LostConnectionError, HTTPClientError) as error:
        raise UnavailableError(f"{doing}: {error}") from error


def unless(codes: Collection[str], doing: str, call: Callable[[], Answer]) -> Answer | None:
    """Return what a call of AWS answers; None where it is refused with one of these codes.

    Raises
    ------
    UnavailableError, ContractViolationError
        As `translated`.
    """
    with translated(doing):
        try:
            return call()
        except ClientError as error:
            if code_of(error) in codes:
                return None
            raise
