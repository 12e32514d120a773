"""Backtests that the console asks for: their queue, and the function that runs them."""

from __future__ import annotations

from pathlib import Path

from constructs import Construct

from infra.constructs.python_function import PythonFunction
from infra.constructs.work_queue import WorkQueue
from infra.permissions import (
    list_keys,
    permit,
    read_encrypted_objects,
    read_objects,
    write_encrypted_objects,
    write_objects,
)
from infra.storage import StorageStack
from lambdas.backtesting.requests import TIMEOUT_SECONDS
from lambdas.backtesting.run_backtest import ATTEMPTS, RunBacktestEnvironment
from watchkeeper.core import layout

MEMORY_MB = 3008
"""What an account may have at once without asking AWS; 1.7 processors."""
AT_ONCE = 2


class Backtesting(Construct):
    """`run_backtest` behind a queue: few run at once, and one whose function died is told.

    Parameters
    ----------
    code
        Its bundle.
    """

    def __init__(self, scope: Construct, construct_id: str, *, code: Path, storage: StorageStack) -> None:
        super().__init__(scope, construct_id)
        bucket = storage.bucket
        self.work = WorkQueue(self, "Asked", handled_within_seconds=TIMEOUT_SECONDS, attempts=ATTEMPTS)
        self.run_backtest = PythonFunction(
            self,
            "RunBacktest",
            code=code,
            environment=RunBacktestEnvironment(data_bucket=bucket.bucket_name),
            purpose="Judges a workload's history as it is deployed and as somebody would have it",
            memory_mb=MEMORY_MB,
            timeout_seconds=TIMEOUT_SECONDS,
        )
        merged = (layout.SCORES, layout.SCORES_BY_HOUR, layout.SCORES_BY_DAY)
        read_whole = (layout.RUNS, layout.HISTORY, layout.BACKTESTS)
        read = [f"{prefix}/*" for prefix in (*read_whole, *merged)]
        permit(
            self.run_backtest.role,
            list_keys(bucket, layout.SCORES, *(f"{each}/" for each in read_whole)),
            read_objects(self, bucket, *read),
            write_objects(self, bucket, f"{layout.BACKTESTS}/*"),
            read_encrypted_objects(storage.key),
            write_encrypted_objects(storage.key),
        )
        self.run_backtest.consume(self.work, max_concurrency=AT_ONCE, batch_size=1)
