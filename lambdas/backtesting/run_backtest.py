"""Run a backtest that the console asked for.

A message comes from a queue: few run at once, and one whose function died comes again, which is then told.

Permissions
-----------
- `s3:GetObject` on the data bucket under `runs/`, `history/`, `scores/`, `scores-by-hour/`,
  `scores-by-day/` and `backtests/`; `s3:ListBucket` of those; `s3:PutObject` under `backtests/`
- `sqs:ReceiveMessage`, `sqs:DeleteMessage`, `sqs:ChangeMessageVisibility`, … on its queue
- `xray:PutTraceSegments`, `xray:PutTelemetryRecords`; the key of the bucket
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import ClassVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from lambdas.adapters import clients
from lambdas.adapters.object_store import ObjectStore, ObjectUri, S3ObjectStore
from lambdas.backtesting.comparing import comparison_of, result_of
from lambdas.backtesting.known_history import known_history
from lambdas.backtesting.requests import BacktestAsked, BacktestRequest, Backtests, died, read_if_any
from lambdas.history.effects import S3MergedObjects
from lambdas.history.reading import ReadableObjects
from lambdas.runtime.queue_handler import queue_handler
from lambdas.runtime.typed_environment import TypedEnvironment
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError, UnavailableError
from watchkeeper.kinds import anomaly_plan, plan_from_json
from watchkeeper.telemetry.labels import LABELS_NAME

ATTEMPTS = 5


@dataclass(frozen=True, kw_only=True)
class RunBacktestEnvironment(TypedEnvironment):
    """What `run_backtest` is told when it is deployed."""

    service: ClassVar[str] = "run_backtest"

    data_bucket: str


logger = Logger(service=RunBacktestEnvironment.service)


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class BacktestEffects:
    """Everything outside of `run_backtest`."""

    bucket: str
    objects: ObjectStore
    scores: ReadableObjects
    now: Callable[[], datetime] = _now

    @classmethod
    def in_aws(cls, environment: RunBacktestEnvironment) -> BacktestEffects:
        """Return the effects in AWS."""
        bucket = environment.data_bucket
        return cls(bucket, S3ObjectStore(clients.s3()), S3MergedObjects(clients.s3(), bucket))


@functools.cache
def backtest_effects() -> BacktestEffects:
    """Return the effects of this process."""
    return BacktestEffects.in_aws(RunBacktestEnvironment.from_environ())


def handle_message(record: SQSRecord) -> None:
    """Run one backtest."""
    asked = BacktestAsked.from_json(record.body)
    run(asked, int(record.attributes.approximate_receive_count), backtest_effects())


def run(asked: BacktestAsked, attempt: int, effects: BacktestEffects) -> None:
    """Run a backtest, unless it was; what is wrong with what was asked for is its result.

    Parameters
    ----------
    attempt
        How often the message has come, from 1.

    Raises
    ------
    UnavailableError
        If something does not answer: the message comes again.
    """
    backtests = Backtests(effects.objects, effects.bucket, effects.now)
    request = backtests.request(asked.workload, asked.backtest_id)
    if request is None:
        logger.warning("a backtest that is gone", extra=asked.to_dict())
        return
    state = backtests.state(request)
    if state.status in ("succeeded", "failed"):
        return
    if attempt > 1 and state.status == "running":  # the attempt before ended without a word
        backtests.tell(request, "failed", state.stage, died())
        logger.error("the function died", extra=asked.to_dict())
        return
    try:
        backtests.tell(request, "running", "reading")
        backtests.keep(request, _result(request, backtests, effects))
    except InvalidInputError as error:
        backtests.tell(request, "failed", why=str(error))
        logger.info("refused", extra={**asked.to_dict(), "problem": str(error)})
    except UnavailableError as error:
        last = attempt >= ATTEMPTS
        backtests.tell(request, "failed" if last else "waiting", why=str(error) if last else None)
        raise
    except Exception:
        backtests.tell(request, "failed", why="It failed by a fault of Watchkeeper's: its log says which.")
        raise


def _result(request: BacktestRequest, backtests: Backtests, effects: BacktestEffects) -> bytes:
    plans = (
        anomaly_plan(plan_from_json(request.before)),
        anomaly_plan(plan_from_json(request.after)),
    )
    history = known_history(
        plans[0], request.run_id, effects.objects, effects.bucket, effects.scores, effects.now()
    )
    labels = read_if_any(
        effects.objects,
        ObjectUri(effects.bucket, f"{layout.history_prefix(request.workload)}{LABELS_NAME}"),
    )
    backtests.tell(request, "running", "judging")
    result = result_of(comparison_of(request, plans, history, labels))
    logger.info("compared", extra={"backtest": request.backtest_id, "intervals": result["history"]})
    return json.dumps(result).encode()


handle = queue_handler(handle_message, RunBacktestEnvironment)
