"""The streaming detector inside the step: it scores closed intervals and learns them, a shelf at a time.

The numbers are those of `WatchkeeperDetector` on each series' intervals, bit for bit: the same kernel, the
same reading of what it says.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core.layout import short_hash
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.detectors.streaming.kernel import OUTPUT, advance_all, advance_rows
from watchkeeper.detectors.streaming.score_parts import score_parts
from watchkeeper.detectors.streaming.scores import SeriesScores, interpret
from watchkeeper.detectors.streaming.state import BLOCK_ROWS, BLOCKS, Parameters, new_states
from watchkeeper.detectors.streaming.times import hours_of_week, missing_before, missing_between
from watchkeeper.features.contributions import Contribution, ExplainedScore, Explanation, largest_first
from watchkeeper.lifecycle.release import Release, StreamModel
from watchkeeper.stream.deciding import decide, lines_of_rows
from watchkeeper.stream.findings import Finding, Reasons, also_anomalous, explained_by_rule
from watchkeeper.stream.judging import INTERVAL_CHANGED, Instants, Judged, Thresholds, unscored
from watchkeeper.stream.page import WAITING, Integers, Page, Records, firsts, in_order
from watchkeeper.telemetry.series import parse_series_key

_LONGEST_GAP = BLOCK_ROWS * BLOCKS


@dataclass(frozen=True)
class _Learning:
    """Rows of several series, in the order of series and time, and the detector that meets them."""

    rows: Records
    parameters: Records
    """Of `Parameters.record`."""
    interval_seconds: int

    @classmethod
    def of(cls, page: Page, model: StreamModel, rows: Records | None = None) -> _Learning:
        """Return what a page's states are to learn: some rows, or those that wait."""
        chosen = page.waiting[page.waiting["scorable"] == 1] if rows is None else rows
        return cls(chosen, _parameters(model).record(), page.interval_seconds)

    def scores(self, outputs: Records, model: StreamModel) -> SeriesScores:
        """Return what the kernel's outputs mean."""
        return interpret(outputs[np.newaxis], model.alert_rarity, np.zeros(len(self.rows), dtype=np.bool_))

    @property
    def seconds(self) -> npt.NDArray[np.float64]:
        return self.rows["start"].astype(np.float64)

    def groups(self) -> Iterator[tuple[int, slice]]:
        """Yield each series with its rows."""
        begins = firsts(self.rows, "series")
        for begin, end in zip(begins.tolist(), np.append(begins, len(self.rows))[1:].tolist(), strict=True):
            yield int(self.rows["series"][begin]), slice(begin, end)

    def advance(self, states: Records) -> Records:
        """Learn the rows, in place; return what the kernel says of each."""
        outputs = np.zeros(len(self.rows), dtype=OUTPUT)
        counts = np.diff(np.append(firsts(self.rows, "series"), len(self.rows)))
        if len(counts) and counts.max() > len(counts):
            for series, part in self.groups():
                outputs[part] = self.advance_series(states[series : series + 1], part)
        else:
            self._advance_by_rounds(states, outputs, counts)
        return outputs

    def advance_series(self, state: Records, part: slice) -> Records:
        """Learn consecutive rows of one series, in place; return what the kernel says of each."""
        seconds = self.seconds[part]
        last = float(state["last_time"][0])
        missing = missing_before(seconds, last, self.interval_seconds, limit=_LONGEST_GAP)
        values = np.ascontiguousarray(self.rows["value"][part])
        outputs = advance_all(state, self.parameters, hours_of_week(seconds), missing, values)
        state["last_time"] = seconds[-1]
        return outputs

    def _advance_by_rounds(self, states: Records, outputs: Records, counts: npt.NDArray[np.int64]) -> None:
        """Learn the first row of every series, then the second, and so on."""
        begins = firsts(self.rows, "series")
        for round_ in range(int(counts.max(initial=0))):
            chosen = begins[counts > round_] + round_
            series = self.rows["series"][chosen].astype(np.int64)
            seconds = self.seconds[chosen]
            missing = missing_between(
                states["last_time"][series], seconds, self.interval_seconds, limit=_LONGEST_GAP
            )
            values = np.ascontiguousarray(self.rows["value"][chosen])
            hours = hours_of_week(seconds)
            outputs[chosen] = advance_rows(states, self.parameters, hours, missing, values, places=series)
            states["last_time"][series] = seconds


def learner_of(model: StreamModel) -> str:
    """Return what a page remembers of a detector's parameters: states go on only where it is the same."""
    parameters = dataclasses.asdict(_parameters(model))
    return short_hash(repr(sorted((name, float(value)) for name, value in parameters.items())))


def parameters_apart(model: StreamModel, other: StreamModel) -> list[str]:
    """Return the parameters in which two detectors differ, with the value of each, as text."""
    ours, theirs = (dataclasses.asdict(_parameters(each)) for each in (model, other))
    return [
        f"{name} {theirs[name]:g}, here {value:g}" for name, value in ours.items() if theirs[name] != value
    ]


def _parameters(model: StreamModel) -> Parameters:
    given: dict[str, Any] = model.parameters
    return Parameters(**given)


def adopt(
    page: Page,
    model: StreamModel,
    warm: Page | None = None,
    values: Mapping[str, Sequence[tuple[int, float]]] | None = None,
) -> Page:
    """Return a page whose states are those of a release's detector.

    What was learned with the same parameters stays. Otherwise series begin with what the run learned of them,
    and learn what came after it.

    Parameters
    ----------
    warm
        Page of the run, with at least those of its series that are on this shelf.
    values
        Of intervals before those that wait, by series; start and value, in the order of time. Those that the
        warm page knows are passed over.
    """
    learner = learner_of(model)
    keeps = page.learner == learner and len(page.states) == len(page)
    if keeps and warm is None:
        return page
    states = page.states.copy() if keeps else new_states(len(page))
    begin = np.flatnonzero(states["slots"] == 0)
    if warm is not None and len(warm.states):
        warmed = {name: position for position, name in enumerate(warm.series)}
        for position in begin.tolist():
            if page.series[position] in warmed:
                states[position] = warm.states[warmed[page.series[position]]]
    rows = _between(page, begin, states, values or {})
    _Learning.of(page, model, rows).advance(states)
    return dataclasses.replace(page, states=states, learner=learner)


def _between(
    page: Page, begin: Integers, states: Records, values: Mapping[str, Sequence[tuple[int, float]]]
) -> Records:
    """Return the intervals of series that begin: those after their states and before those that wait."""
    firsts_waiting = firsts(page.waiting, "series")
    until = dict(
        zip(
            page.waiting["series"][firsts_waiting].tolist(),
            page.waiting["start"][firsts_waiting].tolist(),
            strict=True,
        )
    )
    rows = [
        (position, start, value, 1)
        for position in begin.tolist()
        for start, value in values.get(page.series[position], ())
        if not start <= states["last_time"][position] and start < until.get(position, math.inf)
    ]
    return in_order(np.array(rows, dtype=WAITING))


def learn(page: Page, model: StreamModel) -> tuple[Page, Records, SeriesScores]:
    """Score the intervals that wait on a page and learn them.

    Returns
    -------
    Page
        With their states after them; nothing waits but what no model can score.
    ndarray of WAITING
        The intervals, in the order of series and time.
    SeriesScores
        What is said of each of them.
    """
    after, rows, [scores] = learn_once(page, [model])
    return after, rows, scores


def learn_once(page: Page, models: Sequence[StreamModel]) -> tuple[Page, Records, list[SeriesScores]]:
    """Do what `learn` does for several models that learn alike: `learner_of` is the same for all."""
    page = adopt(page, models[0])
    learning = _Learning.of(page, models[0])
    outputs, after = _advanced(page, learning)
    return after, learning.rows, [learning.scores(outputs, model) for model in models]


def learned(page: Page, release: Release, plan: WorkloadPlan) -> Judged:
    """Score the intervals that wait on a page, learn them, and say which are anomalies, and why.

    Parameters
    ----------
    release
        One with a streaming detector.
    plan
        Whose rules decide with it.
    """
    model = release.streaming
    page = adopt(page, model)
    learning = _Learning.of(page, model)
    outputs, after = _advanced(page, learning)
    scores = learning.scores(outputs, model)
    thresholds = Thresholds(after)
    decisions = decide(after, learning.rows, scores, release, thresholds)
    lines, findings = lines_of_rows(after, learning.rows, scores, decisions, release, plan)
    after = thresholds.page(after)
    of_detector = {position for position, finding in findings.items() if not finding.by_rule}
    shares = _explained(page, learning, outputs, scores, of_detector)
    also = also_anomalous(findings.values())
    reasons = {
        finding.key: Reasons(
            explained_by_rule(finding)
            if finding.by_rule
            else ExplainedScore(shares[position], Explanation("detector")),
            also[finding.key],
        )
        for position, finding in findings.items()
    }
    if len(after.waiting):
        lines, findings = _with_dropped(after, lines, findings)
    return Judged(
        dataclasses.replace(after, waiting=page.waiting[:0], model=release.run_id),
        lines,
        findings,
        reasons=reasons,
    )


def _advanced(page: Page, learning: _Learning) -> tuple[Records, Page]:
    states = page.states.copy()
    outputs = learning.advance(states)
    rest = page.waiting[page.waiting["scorable"] == 0]
    return outputs, dataclasses.replace(page, states=states, waiting=rest, context=page.context[:0])


def _explained(
    page: Page, learning: _Learning, outputs: Records, scores: SeriesScores, chosen: set[int]
) -> dict[int, tuple[Contribution, ...]]:
    """Say what the scores of some rows are made of: their series learn once more, from one such row to the
    next, because the parts follow from the states before and after it."""
    parts: dict[int, tuple[Contribution, ...]] = {}
    if not chosen:
        return parts
    for series, part in learning.groups():
        places = sorted(chosen.intersection(range(part.start, part.stop)))
        state = page.states[series : series + 1].copy()
        position = part.start
        for place in places:
            if place > position:
                learning.advance_series(state, slice(position, place))
            before = state.copy()
            learning.advance_series(state, slice(place, place + 1))
            score = float(scores.anomaly_score[place])
            measure = parse_series_key(page.series[series]).measure
            found = score_parts(outputs[place], learning.parameters, before, state, score)
            parts[place] = largest_first(
                Contribution(one.feature, measure, one.lag, one.score) for one in found
            )
            position = place + 1
    return parts


def _with_dropped(
    page: Page, lines: list[ScoreLine], findings: dict[int, Finding]
) -> tuple[list[ScoreLine], dict[int, Finding]]:
    """Add lines of what still waits, since nothing can score it any more, in the order of series and time."""
    instants = Instants()
    more = [
        unscored(page, series, instants[start], value, INTERVAL_CHANGED)
        for series, start, value, _ in page.waiting.tolist()
    ]
    merged = sorted([*lines, *more], key=lambda line: line.interval)
    places = {(line.series, line.start): place for place, line in enumerate(merged) if line.is_anomaly}
    return merged, {places[finding.key]: finding for finding in findings.values()}
