"""What a backtest is, as objects: what was asked for, how far it is, and what it found.

`backtests/workload=NAME/ID/` has `request.json`, which `console_api` writes, and of `run_backtest`
`state.json` and `result.json`. They expire.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from lambdas.adapters.object_store import ObjectStore, ObjectUri
from watchkeeper.core import layout
from watchkeeper.core.documents import Document
from watchkeeper.core.timestamps import format_instant, parse_instant
from watchkeeper.judgement.moved import MovedThresholds

MOST_DAYS = 366
"""Scores are merged for so long, and no longer."""
TIMEOUT_SECONDS = 300
QUEUED_SECONDS = 3600
"""One that has not begun by then will not: the queue holds its dead letter."""

Status = Literal["waiting", "running", "succeeded", "failed"]
Stage = Literal["reading", "judging"]


@dataclass(frozen=True)
class BacktestAsked(Document, name="message of a backtest"):
    """What is sent to `run_backtest`: the rest is in the bucket."""

    workload: str
    backtest_id: str


@dataclass(frozen=True)
class BacktestRequest(Document, name="backtest request"):
    """What was asked for, and all that is known of the workload beside its telemetry."""

    workload: str
    backtest_id: str
    who: str
    asked_at: str
    """ISO 8601, UTC."""
    days: int
    """Judged, before the end of the history."""
    text: str
    """The edited file."""
    before: str
    """The deployed plan, as JSON."""
    after: str
    """The edited file's plan, as JSON."""
    changes: tuple[str, ...]
    """Keys of the file that differ."""
    run_id: str | None
    """Of the release that judges; None where no model does."""
    said: str
    """What people called real, as a file of labels."""
    moved: MovedThresholds = field(default_factory=MovedThresholds)
    """Where people's feedback has moved thresholds."""


@dataclass(frozen=True)
class BacktestState(Document, name="state of a backtest"):
    """How far it is."""

    status: Status
    at: str
    """Since when; ISO 8601, UTC."""
    stage: Stage | None = None
    why: str | None = None
    """What a failure says."""


@dataclass(frozen=True)
class Backtests:
    """The backtests of all workloads, in the data bucket."""

    objects: ObjectStore
    bucket: str
    now: Callable[[], datetime]

    def ids(self, workload: str) -> list[str]:
        """Return those that are kept, the newest first."""
        prefix = layout.backtests_prefix(workload)
        keys = self.objects.keys_under(ObjectUri(self.bucket, prefix))
        return sorted({key.removeprefix(prefix).partition("/")[0] for key in keys}, reverse=True)

    def request(self, workload: str, backtest_id: str) -> BacktestRequest | None:
        """Return what was asked for; None where there is no such backtest, or not any more."""
        found = self._read(workload, backtest_id, "request")
        return None if found is None else BacktestRequest.from_json(found)

    def state(self, request: BacktestRequest) -> BacktestState:
        """Return how far one is; one whose function has died has failed."""
        found = self._read(request.workload, request.backtest_id, "state")
        state = (
            BacktestState("waiting", request.asked_at) if found is None else BacktestState.from_json(found)
        )
        limit = {"waiting": QUEUED_SECONDS, "running": TIMEOUT_SECONDS}.get(state.status)
        since = parse_instant(state.at)
        if limit is None or self.now() <= since + timedelta(seconds=limit):
            return state
        return BacktestState(
            "failed", format_instant(since + timedelta(seconds=limit)), state.stage, died(state.status)
        )

    def result(self, workload: str, backtest_id: str) -> bytes | None:
        """Return what it found, as JSON."""
        return self._read(workload, backtest_id, "result")

    def ask(self, request: BacktestRequest) -> None:
        """Keep a request."""
        self._write(request.workload, request.backtest_id, "request", request.to_json().encode())

    def tell(
        self, request: BacktestRequest, status: Status, stage: Stage | None = None, why: str | None = None
    ) -> None:
        """Keep how far one is."""
        state = BacktestState(status, format_instant(self.now()), stage, why)
        self._write(request.workload, request.backtest_id, "state", state.to_json().encode())

    def keep(self, request: BacktestRequest, result: bytes) -> None:
        """Keep what one found; it has succeeded."""
        self._write(request.workload, request.backtest_id, "result", result)
        self.tell(request, "succeeded")

    def _read(self, workload: str, backtest_id: str, name: str) -> bytes | None:
        key = layout.backtest_key(workload, backtest_id, f"{name}.json")
        return read_if_any(self.objects, ObjectUri(self.bucket, key))

    def _write(self, workload: str, backtest_id: str, name: str, body: bytes) -> None:
        key = layout.backtest_key(workload, backtest_id, f"{name}.json")
        self.objects.write(ObjectUri(self.bucket, key), body)


def read_if_any(objects: ObjectStore, uri: ObjectUri) -> bytes | None:
    """Return an object's bytes, or None where there is none.

    Who may list below a prefix only is refused what is not there.
    """
    return objects.read(uri) if objects.any_under(uri) else None


def died(status: Status = "running") -> str:
    """Return what is said of one whose function ended without a word."""
    if status == "waiting":
        return (
            "It was not begun within an hour. Ask for it again; alarms of BacktestQueue say what holds it up."
        )
    return (
        "It needed more memory or time than its function has. Judge a part: leave series out by `exclude`, "
        "shorten `history.window` and train, or run `watchkeeper backtest --compare` on a machine of yours."
    )
