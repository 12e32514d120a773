"""Removing one thing after the other: what is busy is tried again, what stays is told with its reason."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

GONE = frozenset(
    {
        "NoSuchBucket",
        "NotFoundException",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "StateMachineDoesNotExist",
    }
)
"""AWS's codes for what is not there any more."""
BUSY = frozenset(
    {
        "BucketNotEmpty",  # access logs arrive hours after what they tell of
        "ConflictException",
        "OperationAborted",
        "ResourceInUse",
        "ResourceInUseException",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""AWS's codes for what may be removed a little later."""


class BusyError(Exception):
    """It is at work and cannot be removed now; the message says at what."""


@dataclass(frozen=True)
class Removal:
    """What became of one thing."""

    what: str
    reason: str | None = None
    """Why it is left; None: it is removed."""


@dataclass(frozen=True)
class Patience:
    """How long is waited for what is busy.

    Parameters
    ----------
    seconds
        For one thing.
    poll_seconds
        Between two attempts.
    """

    seconds: float = 900
    poll_seconds: float = 5
    sleep: Callable[[float], None] = field(default=time.sleep)

    def remove(self, what: str, action: Callable[[], object]) -> Removal | None:
        """Remove one thing by an action and return what became of it; None if it was not there.

        Parameters
        ----------
        action
            Raises `BusyError` or AWS's error while the thing cannot be removed.
        """
        waited = 0.0
        while True:
            try:
                action()
                return Removal(what)
            except BusyError as error:
                reason = str(error)
            except ClientError as error:
                code, reason = error.response["Error"]["Code"], str(error)
                if code in GONE or "does not exist" in reason or "Could not find" in reason:
                    return None
                if code not in BUSY:
                    return Removal(what, reason)
            if waited >= self.seconds:
                return Removal(what, reason)
            self.sleep(self.poll_seconds)
            waited += self.poll_seconds
