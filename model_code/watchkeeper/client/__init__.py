"""A thin client of the anomaly service: `from watchkeeper.client import Client`. Standard library only."""

from __future__ import annotations

from watchkeeper.client.client import Client, RunningTask
from watchkeeper.client.problems import ServiceProblemError, TaskFailedError
from watchkeeper.client.tokens import SignIn
from watchkeeper.client.transactions import TransactionClient

__all__ = ["Client", "RunningTask", "ServiceProblemError", "SignIn", "TaskFailedError", "TransactionClient"]
