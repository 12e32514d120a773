"""Scoring what waits in the outboxes of several series, and emptying them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lambdas.adapters.object_store import ObjectUri
from lambdas.scoring.batches import Batch, RequestRow, batches_of, packed, request_rows
from lambdas.scoring.effects import ScoringEffects
from lambdas.scoring.explaining import Finding
from lambdas.scoring.merging import StoredState, commit
from lambdas.scoring.probing import ProbedEndpoint
from lambdas.scoring.requests import Outcome, score_request
from lambdas.scoring.score_lines import (
    INTERVAL_CHANGED,
    NO_LIVE_MODEL,
    UNKNOWN_MEASURE,
    ScoreLine,
    adaptation_after,
    anomalies_in,
    findings_in,
    from_document,
    lines_of,
    to_document,
    with_events,
)
from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.core import layout
from watchkeeper.core.errors import ContractViolationError, UnavailableError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.judgement.adaptation import Adaptation
from watchkeeper.stream.series_state import Dropped, SeriesState
from watchkeeper.telemetry.context import ContextRow
from watchkeeper.telemetry.rows import format_row
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
class ScoredBatch:
    """A batch with the outcome of each of its rows."""

    batch: Batch
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class JudgedBatch:
    """A scored batch with its lines, which lack the events yet, and what was found in it."""

    scored: ScoredBatch
    lines: list[ScoreLine]
    findings: list[Finding]


def score_outboxes(stored: Sequence[StoredState], plan: WorkloadPlan, effects: ScoringEffects) -> Tally:
    """Score all batches, publish their anomalies, and take them out of the outboxes.

    Requests to the endpoint hold rows of several series. If one of them fails, the series of the others are
    finished first.

    Raises
    ------
    UnavailableError, ContractViolationError
        The first failure; what it concerns stays in its outbox.
    """
    queues = [batches_of(item.state, plan) for item in stored]
    batches = list(itertools.chain.from_iterable(queues))
    if not batches:
        return Tally()
    rows = list(request_rows(batches))
    outcomes, failures = _outcomes(rows, batches, plan, effects)
    scored = _scored_batches(batches, rows, outcomes)
    finished = [_leading(scored[batch] for batch in queue) for queue in _positions(queues)]
    written = _write_scores(stored, finished, plan, effects)
    lines = [line for of_series in written for line in of_series]
    events = _publish(lines, effects)
    _settle(stored, finished, written, plan, effects)
    for failure in failures:
        raise failure
    with_score = sum(line["anomaly_score"] is not None for line in lines)
    without_reason = sum(not event.contributions for event in events)
    return Tally(with_score, len(lines) - with_score, len(events), without_reason)


def write_dropped(dropped: Dropped, plan: WorkloadPlan, effects: ScoringEffects) -> None:
    """Write lines without score for closed intervals that no model of the new interval can score."""
    rows = tuple(ContextRow(start, value, (), None) for start, value in dropped.outbox)
    if rows:
        unscored = [Outcome(None, reason=INTERVAL_CHANGED)] * len(rows)
        lines = lines_of(Batch(dropped.series, rows), unscored, plan)
        _publish(_write_once(lines, dropped.series, plan, effects), effects)


def _publish(lines: Iterable[ScoreLine], effects: ScoringEffects) -> list[AnomalyEvent]:
    events = anomalies_in(lines)
    if events:
        effects.anomalies.put(events)
        effects.alerts.put(events)
    return events


def _outcomes(
    rows: Sequence[RequestRow], batches: Sequence[Batch], plan: WorkloadPlan, effects: ScoringEffects
) -> tuple[dict[RequestRow, Outcome], list[Failure]]:
    candidates = effects.releases.candidates(plan.workload)
    if not candidates:
        return {row: Outcome(None, reason=NO_LIVE_MODEL) for row in rows}, []
    known = {parse_series_key(series).measure for series in candidates[0].step_scales}
    measures = [parse_series_key(batch.series).measure for batch in batches]
    outcomes = {
        row: Outcome(None, reason=UNKNOWN_MEASURE) for row in rows if measures[row.batch] not in known
    }
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


def _scored_batches(
    batches: Sequence[Batch], rows: Iterable[RequestRow], outcomes: dict[RequestRow, Outcome]
) -> list[ScoredBatch | None]:
    """Return each batch with its outcomes, or None where some are missing."""
    scored: list[ScoredBatch | None] = []
    for index, members in itertools.groupby(rows, key=lambda row: row.batch):
        known = tuple(outcomes[row] for row in members if row in outcomes)
        complete = len(known) == len(batches[index].rows)
        scored.append(ScoredBatch(batches[index], known) if complete else None)
    return scored


def _positions(queues: Iterable[Sequence[Batch]]) -> list[range]:
    ends = list(itertools.accumulate((len(queue) for queue in queues), initial=0))
    return [range(first, end) for first, end in itertools.pairwise(ends)]


def _leading(scored: Iterable[ScoredBatch | None]) -> list[ScoredBatch]:
    """Return the batches before the first one that is not scored: an outbox is emptied from its beginning."""
    leading = []
    for item in scored:
        if item is None:
            break
        leading.append(item)
    return leading


def _write_scores(
    stored: Sequence[StoredState],
    finished: Sequence[Sequence[ScoredBatch]],
    plan: WorkloadPlan,
    effects: ScoringEffects,
) -> list[list[ScoreLine]]:
    """Write each batch's objects and return the lines that are final, series by series."""
    judged = [
        item
        for state, queue in zip(stored, finished, strict=True)
        for item in _judged(queue, state.state.adaptation, plan)
    ]
    reasons = effects.explainers.reasons([found for item in judged for found in item.findings])

    def write(item: JudgedBatch) -> list[ScoreLine]:
        _quarantine_refused(item.scored, plan, effects)
        lines = with_events(item.lines, item.findings, plan, reasons)
        return _write_once(lines, item.scored.batch.series, plan, effects)

    final = iter(effects.for_each(write, judged))
    return [[line for lines in itertools.islice(final, len(queue)) for line in lines] for queue in finished]


def _judged(
    queue: Sequence[ScoredBatch], adaptation: Adaptation | None, plan: WorkloadPlan
) -> Iterator[JudgedBatch]:
    """Say which intervals of a series are anomalies, one batch after the other."""
    for item in queue:
        lines = lines_of(item.batch, item.outcomes, plan, adaptation)
        adaptation = adaptation_after(lines, adaptation)
        yield JudgedBatch(item, lines, findings_in(item.batch, item.outcomes, lines))


def _write_once(
    lines: list[ScoreLine], series: str, plan: WorkloadPlan, effects: ScoringEffects
) -> list[ScoreLine]:
    """Write lines that no earlier delivery wrote.

    An earlier one may have seen the beginning of a batch only, if more than `state.MAX_APPLIED_OBJECTS`
    objects came while nothing could be scored; then the rest is an object of its own.
    """
    final: list[ScoreLine] = []
    while lines:
        key = layout.scores_key(plan.workload, series, lines[0]["interval_start"])
        document = to_document(lines)
        stored = effects.objects.write_once(ObjectUri(effects.bucket, key), document)
        if stored == document:
            return final + lines
        earlier = from_document(stored)
        final += earlier
        written = {line["interval_start"] for line in earlier}
        if lines[0]["interval_start"] not in written:
            raise ContractViolationError(f"{key} does not hold the interval that it is named for")
        lines = [line for line in lines if line["interval_start"] not in written]
    return final


def _quarantine_refused(item: ScoredBatch, plan: WorkloadPlan, effects: ScoringEffects) -> None:
    """Keep the rows that the model refused, each under a key of its own."""
    for row, outcome in zip(item.batch.rows, item.outcomes, strict=True):
        if outcome.refusal is None:
            continue
        source = f"{item.batch.series}#{format_instant(row.interval_start)}"
        document = {
            "source": source,
            "line": 1,
            "reason": "refused_by_model",
            "message": outcome.refusal,
            "text": format_row(row.row(item.batch.series)),
        }
        uri = ObjectUri(effects.bucket, layout.quarantine_key(plan.workload, source))
        effects.objects.write(uri, json.dumps(document, sort_keys=True).encode() + b"\n")


def _settle(
    stored: Sequence[StoredState],
    finished: Sequence[Sequence[ScoredBatch]],
    written: Sequence[Sequence[ScoreLine]],
    plan: WorkloadPlan,
    effects: ScoringEffects,
) -> None:
    def settle(item: tuple[StoredState, Sequence[ScoredBatch], Sequence[ScoreLine]]) -> None:
        state, batches, lines = item
        through = batches[-1].batch.rows[-1].interval_start
        adaptation = adaptation_after(lines, state.state.adaptation)

        def settled(current: SeriesState) -> SeriesState:
            return current.settle(through, plan, adaptation)

        commit(plan.workload, state, settled, effects.states, effects.pause)

    effects.for_each(settle, [item for item in zip(stored, finished, written, strict=True) if item[1]])
