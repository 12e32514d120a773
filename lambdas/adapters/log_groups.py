"""Log groups that AWS would otherwise make itself: kept for ever, and without the project's key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from lambdas.adapters.errors import translated, unless

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

ALREADY_THERE = frozenset({"ResourceAlreadyExistsException"})
RETENTION_DAYS = 30


class LogGroups(Protocol):
    """Log groups by name."""

    def settle(self, name: str) -> None:
        """Make the group, encrypted by the key, unless it is there; let it forget after `RETENTION_DAYS`."""


@dataclass(frozen=True)
class KeyedLogGroups:
    """`LogGroups` in CloudWatch Logs.

    Parameters
    ----------
    key_arn
        A key whose policy lets CloudWatch Logs use it for these groups.
    """

    client: CloudWatchLogsClient
    key_arn: str

    def settle(self, name: str) -> None:
        unless(
            ALREADY_THERE,
            f"make log group {name}",
            lambda: self.client.create_log_group(logGroupName=name, kmsKeyId=self.key_arn),
        )
        with translated(f"set the retention of log group {name}"):
            self.client.put_retention_policy(logGroupName=name, retentionInDays=RETENTION_DAYS)
