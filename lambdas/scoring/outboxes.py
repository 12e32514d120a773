"""Scoring what waits in the outboxes of several series, and emptying them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lambdas.adapters.object_store import ObjectUri
from lambdas.scoring.effects import ScoringEffects
from lambdas.scoring.merging import StoredState, commit
from lambdas.scoring.probing import ProbedEndpoint
from lambdas.scoring.requests import Batch, Outcome, RequestRow, batches_of, packed, score_request
from lambdas.scoring.score_lines import (
    INTERVAL_CHANGED,
    NO_LIVE_MODEL,
    UNKNOWN_MEASURE,
    JudgedRow,
    adaptation_after,
    judged,
    with_events,
)
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core import layout
from watchkeeper.core.errors import ContractViolationError, UnavailableError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.stream.series_state import Dropped, SeriesState
from watchkeeper.telemetry.context import ContextRow
from watchkeeper.telemetry.series import parse_series_key

Failure = UnavailableError | ContractViolationError


@dataclass(frozen=True)
class Tally:
    """What was done with the intervals of outboxes."""

    intervals_scored: int = 0
    intervals_without_score: int = 0
    anomalies: int = 0
    anomalies_unexplained: int = 0
    """Those of them whose event says why it has no contributions."""


@dataclass(frozen=True)
class ScoredOutbox:
    """The batches of one series that are scored: an outbox is emptied from its beginning."""

    stored: StoredState
    batches: list[list[JudgedRow]]

    @property
    def series(self) -> str:
        """Its series."""
        return self.stored.state.series


def score_outboxes(stored: Sequence[StoredState], plan: WorkloadPlan, effects: ScoringEffects) -> Tally:
    """Score all batches, publish their anomalies, and take them out of the outboxes.

    Requests to the endpoint hold rows of several series. If one of them fails, the series of the others are
    finished first.

    Raises
    ------
    UnavailableError, ContractViolationError
        The first failure; what it concerns stays in its outbox.
    """
    waiting = [(item, batches_of(item.state, plan)) for item in stored]
    rows = [row for _, batches in waiting for batch in batches for row in batch]
    if not rows:
        return Tally()
    outcomes, failures = _outcomes(rows, plan, effects)
    outboxes = [_scored(item, batches, outcomes, plan) for item, batches in waiting]
    written = _write_scores(outboxes, plan, effects)
    lines = list(itertools.chain.from_iterable(written.values()))
    events = _publish(lines, effects)
    _settle(outboxes, written, plan, effects)
    for failure in failures:
        raise failure
    with_score = sum(line.anomaly_score is not None for line in lines)
    without_reason = sum(not event.contributions for event in events)
    return Tally(with_score, len(lines) - with_score, len(events), without_reason)


def write_dropped(dropped: Dropped, plan: WorkloadPlan, effects: ScoringEffects) -> None:
    """Write lines without score for closed intervals that no model of the new interval can score."""
    batch = tuple(
        RequestRow.of(dropped.series, ContextRow(start, value, (), None)) for start, value in dropped.outbox
    )
    unscored = dict.fromkeys(batch, Outcome(None, reason=INTERVAL_CHANGED))
    lines = [row.line for row in judged(batch, unscored, plan, None)]
    _publish(_write_once(lines, plan, effects), effects)


def _publish(lines: Iterable[ScoreLine], effects: ScoringEffects) -> list[AnomalyEvent]:
    events = [line.anomaly for line in lines if line.anomaly is not None]
    if events:
        effects.anomalies.put(events)
        effects.alerts.put(events)
    return events


def _outcomes(
    rows: Sequence[RequestRow], plan: WorkloadPlan, effects: ScoringEffects
) -> tuple[dict[RequestRow, Outcome], list[Failure]]:
    candidates = effects.releases.candidates(plan.workload)
    if not candidates:
        return dict.fromkeys(rows, Outcome(None, reason=NO_LIVE_MODEL)), []
    known = {parse_series_key(series).measure for series in candidates[0].step_scales}
    unknown = {
        series for series in {row.series for row in rows} if parse_series_key(series).measure not in known
    }
    outcomes = dict.fromkeys(
        (row for row in rows if row.series in unknown), Outcome(None, reason=UNKNOWN_MEASURE)
    )
    failures: list[Failure] = []
    endpoint = ProbedEndpoint(plan.workload, effects.endpoint, effects.releases)

    def score(request: list[RequestRow]) -> dict[RequestRow, Outcome]:
        try:
            return score_request(request, endpoint)
        except (UnavailableError, ContractViolationError) as failure:
            failures.append(failure)
            return {}

    requests = packed(row for row in rows if row not in outcomes)
    for answered in effects.for_each(score, requests):
        outcomes.update(answered)
    return outcomes, failures


def _scored(
    stored: StoredState,
    batches: Iterable[Batch],
    outcomes: Mapping[RequestRow, Outcome],
    plan: WorkloadPlan,
) -> ScoredOutbox:
    scored = ScoredOutbox(stored, [])
    adaptation = stored.state.adaptation
    for batch in batches:
        if any(row not in outcomes for row in batch):
            break
        scored.batches.append(judged(batch, outcomes, plan, adaptation))
        adaptation = adaptation_after((row.line for row in scored.batches[-1]), adaptation)
    return scored


def _write_scores(
    outboxes: Sequence[ScoredOutbox], plan: WorkloadPlan, effects: ScoringEffects
) -> dict[str, list[ScoreLine]]:
    """Write each batch's objects and return the lines that are final, by series."""
    batches = [batch for outbox in outboxes for batch in outbox.batches]
    reasons = effects.explainers.reasons([row.finding for batch in batches for row in batch if row.finding])

    def write(batch: list[JudgedRow]) -> list[ScoreLine]:
        _quarantine_refused(batch, plan, effects)
        return _write_once(with_events(batch, plan, reasons), plan, effects)

    written: dict[str, list[ScoreLine]] = {outbox.series: [] for outbox in outboxes}
    for lines in effects.for_each(write, batches):
        written[lines[0].series] += lines
    return written


def _write_once(lines: list[ScoreLine], plan: WorkloadPlan, effects: ScoringEffects) -> list[ScoreLine]:
    """Write lines of a series that no earlier delivery wrote.

    An earlier one may have seen the beginning of a batch only, if more than `state.MAX_APPLIED_OBJECTS`
    objects came while nothing could be scored; then the rest is an object of its own.
    """
    final: list[ScoreLine] = []
    while lines:
        key = layout.series_scores_key(plan.workload, *lines[0].interval)
        document = "".join(f"{line.to_json()}\n" for line in lines).encode()
        stored = effects.objects.write_once(ObjectUri(effects.bucket, key), document)
        if stored == document:
            return final + lines
        earlier = list(ScoreLine.from_lines(stored.splitlines()))
        final += earlier
        written = {line.interval for line in earlier}
        if lines[0].interval not in written:
            raise ContractViolationError(f"{key} does not hold the interval that it is named for")
        lines = [line for line in lines if line.interval not in written]
    return final


def _quarantine_refused(batch: Iterable[JudgedRow], plan: WorkloadPlan, effects: ScoringEffects) -> None:
    """Keep the rows that the model refused, each under a key of its own."""
    for row in batch:
        if row.outcome.refusal is None:
            continue
        source = "#".join(row.line.interval)
        document = {
            "source": source,
            "line": 1,
            "reason": "refused_by_model",
            "message": row.outcome.refusal,
            "text": row.request.text,
        }
        uri = ObjectUri(effects.bucket, layout.quarantine_key(plan.workload, source))
        effects.objects.write(uri, json.dumps(document, sort_keys=True).encode() + b"\n")


def _settle(
    outboxes: Iterable[ScoredOutbox],
    written: Mapping[str, Sequence[ScoreLine]],
    plan: WorkloadPlan,
    effects: ScoringEffects,
) -> None:
    def settle(outbox: ScoredOutbox) -> None:
        through = outbox.batches[-1][-1].request.context.interval_start
        adaptation = adaptation_after(written[outbox.series], outbox.stored.state.adaptation)

        def settled(current: SeriesState) -> SeriesState:
            return current.settle(through, plan, adaptation)

        commit(plan.workload, outbox.stored, settled, effects.states, effects.pause)

    effects.for_each(settle, [outbox for outbox in outboxes if outbox.batches])
