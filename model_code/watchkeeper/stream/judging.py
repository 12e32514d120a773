"""What the scores of closed intervals mean: their lines, and the anomalies among them.

Each score is judged by the threshold of the model that gave it; a threshold that moves stands where the
intervals before left it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.severity import THRESHOLD_SEVERITY
from watchkeeper.core.timestamps import format_instant
from watchkeeper.judgement.acquaintance import Acquaintance, Judgement
from watchkeeper.judgement.adaptation import Adaptation, adapted, threshold_now
from watchkeeper.judgement.moved import FEEDBACK
from watchkeeper.judgement.rules import RuleBook, SeriesRules
from watchkeeper.judgement.thresholds import ADAPTIVE
from watchkeeper.lifecycle.release import Release
from watchkeeper.stream.findings import Finding, Reasons
from watchkeeper.stream.object_lines import Refusal
from watchkeeper.stream.page import NO_RUN, THRESHOLD, Page
from watchkeeper.telemetry.context import ContextRow
from watchkeeper.telemetry.expectation import expectation
from watchkeeper.telemetry.series import parse_series_key

NO_LIVE_MODEL = "no live model"
UNKNOWN_MEASURE = "the live model was not trained on this measure"
INTERVAL_CHANGED = "the workload's interval changed before it was scored"
REFUSED = "refused by the model"
ALLOWED_LIMIT = 1.0
"""Score and threshold of an anomaly that is one by its allowed range alone."""


@dataclass(frozen=True)
class Answer:
    """What became of a row: a score and the release whose model gave it, or the reason why there is none.

    With a release and no score, its model has not seen the series: the series is judged by itself.
    """

    score: float | None
    release: Release | None = None
    reason: str | None = None
    refusal: str | None = None
    """The model's message, if it refused the row."""


@dataclass(frozen=True)
class Judged:
    """Closed intervals with what is said of them; their anomalies are not explained yet."""

    page: Page
    """After them."""
    lines: list[ScoreLine]
    """In the order of series and time, without events."""
    findings: dict[int, Finding]
    """Of the anomalies, by position in `lines`."""
    refusals: tuple[Refusal, ...] = ()
    reasons: Mapping[tuple[str, int], Reasons] = dataclasses.field(default_factory=dict)
    """Those that are known already."""


class Instants(dict[int, str]):
    """Seconds since 1970 as text: many rows have the same."""

    def __missing__(self, seconds: int) -> str:
        text = self[seconds] = format_instant(seconds)
        return text


class Thresholds:
    """Where the thresholds of a page's series stand, while rows are judged in the order of time.

    Parameters
    ----------
    page
        Not changed.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._moved: dict[int, Adaptation] = {}

    def of(self, series: int) -> Adaptation | None:
        """Return where a series' threshold stands; None where none has moved."""
        if series in self._moved:
            return self._moved[series]
        run, alerting, value = self._page.thresholds[series].item()
        return None if run == NO_RUN else Adaptation(self._page.runs[run], value, bool(alerting))

    def judge(self, series: int, score: float, release: Release) -> tuple[float, float | None]:
        """Return the threshold of a score and, where it moves, the next one."""
        if release.threshold.rule != ADAPTIVE:
            return release.threshold.value, None
        before = self.of(series)
        after = adapted(release.threshold, release.run_id, before, score)
        if after is not None:
            self._moved[series] = after
        return threshold_now(release.threshold, release.run_id, before), after.value if after else None

    def page(self, page: Page) -> Page:
        """Return a page of the same series with the thresholds as they stand now."""
        if not self._moved:
            return page
        rows = page.thresholds.copy()
        runs = list(page.runs)
        for series, standing in self._moved.items():
            if standing.run_id not in runs:
                runs.append(standing.run_id)
            rows[series] = (runs.index(standing.run_id), standing.alerting, standing.value)
        used = sorted({runs[run] for run in rows["run"].tolist() if run != NO_RUN})
        moved = np.array([used.index(name) if name in used else NO_RUN for name in runs], dtype=np.int32)
        of_series = rows["run"] != NO_RUN
        rows["run"][of_series] = moved[rows["run"][of_series]]
        return dataclasses.replace(page, thresholds=rows.astype(THRESHOLD), runs=tuple(used))


class Acquaintances:
    """What is known of series that the model has not seen, while rows are judged in the order of time.

    Parameters
    ----------
    page
        Not changed.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._known: dict[int, Acquaintance] = {}

    def judge(self, series: int, context: ContextRow, fleet_scale: float) -> tuple[Judgement, float]:
        """Return what an interval is worth, and the usual size of its residual."""
        before = self._known.get(series) or Acquaintance(*self._page.acquainted[series].item())
        self._known[series] = before.after(context.value, context.expected)
        return before.judge(context.value, context.expected, fleet_scale), before.scale(fleet_scale)

    def page(self, page: Page) -> Page:
        """Return a page of the same series with what is known of them now."""
        if not self._known:
            return page
        rows = page.acquainted.copy()
        for series, known in self._known.items():
            rows[series] = dataclasses.astuple(known)
        return dataclasses.replace(page, acquainted=rows)


def unasked(series: str, release: Release) -> Answer | None:
    """Return what is said of rows of a series without asking the model; None if it is to be asked."""
    if series in release.step_scales:
        return None
    if parse_series_key(series).measure in release.fleet_scales:
        return Answer(None, release)
    return Answer(None, reason=UNKNOWN_MEASURE)


def unscored(page: Page, series: int, start: str, value: float, reason: str) -> ScoreLine:
    """Return the line of an interval that no model scores."""
    return ScoreLine(page.workload, page.series[series], start, value, None, None, None, None, reason)


def by_rules(
    line: ScoreLine, start: int, found: Finding | None, rules: SeriesRules, release: Release | None
) -> tuple[ScoreLine, Finding | None]:
    """Return a line and its finding, if any, as the rules of its series have them.

    Parameters
    ----------
    line
        As its score decides.
    start
        Of the interval, in seconds since 1970.
    release
        That judged it; None where none did.
    """
    if line.value is None:
        return line, found
    decision = rules.judge(start, line.value, line.expected, line.is_anomaly)
    if decision.rule is None:
        return line, found
    if not decision.is_anomaly:
        return dataclasses.replace(line, is_anomaly=False, rule=decision.rule), None
    severity = max(line.severity or 0.0, decision.severity_at_least)
    line = dataclasses.replace(line, is_anomaly=True, rule=decision.rule, severity=severity)
    if found is not None:
        return line, dataclasses.replace(found, severity=severity)
    context = ContextRow(start, line.value or 0.0, (), line.expected)
    return line, Finding(
        line.series,
        context,
        ALLOWED_LIMIT,
        ALLOWED_LIMIT,
        severity,
        release,
        outside=rules.allowed_range(),
    )


def judged(
    page: Page, rows: Sequence[tuple[int, ContextRow]], answers: Sequence[Answer], plan: WorkloadPlan
) -> Judged:
    """Say which rows of a stateless model are anomalies.

    Parameters
    ----------
    page
        From which the rows are taken already.
    rows
        Series and interval, in the order of series and time.
    """
    thresholds, instants, acquaintances = Thresholds(page), Instants(), Acquaintances(page)
    scales: dict[tuple[str, int], float] = {}
    lines: list[ScoreLine] = []
    findings: dict[int, Finding] = {}
    model = page.model
    book = RuleBook(plan)

    def add(line: ScoreLine, found: Finding | None, start: int, release: Release | None) -> None:
        rules = book.of(line.series) if book else None
        if rules is not None:
            line, found = by_rules(line, start, found, rules, release)
        if found is not None:
            findings[len(lines)] = found
        lines.append(line)

    for (series, context), answer in zip(rows, answers, strict=True):
        score, release = answer.score, answer.release
        line = ScoreLine(
            workload=plan.workload,
            series=page.series[series],
            interval_start=instants[context.interval_start],
            value=context.value,
            expected=context.expected,
            lower=None,
            upper=None,
            anomaly_score=score,
            reason=answer.reason,
        )
        if release is None:
            add(line, None, context.interval_start, None)
            continue
        scale = scales.get((release.run_id, series))
        if scale is None:
            scale = scales[release.run_id, series] = release.step_scale(line.series)
        confidence = None
        if score is None:
            own, scale = acquaintances.judge(series, context, scale)
            score, threshold, following = own.anomaly_score, own.threshold, None
            severity, confidence = own.severity, own.confidence
        else:
            threshold, following = thresholds.judge(series, score, release)
            severity = release.severity.severity_beyond(score, threshold)
        band = None if context.expected is None else expectation(context.expected, scale)
        model = release.run_id
        is_anomaly, level = score > threshold, THRESHOLD_SEVERITY
        if release.moved:
            level = release.moved.of_value(line.series, context.value, context.expected)
        moved = level != THRESHOLD_SEVERITY
        if moved:
            is_anomaly = severity > level
        found = None
        if is_anomaly:
            found = Finding(line.series, context, score, threshold, severity, release, confidence)
        line = dataclasses.replace(
            line,
            lower=band.lower if band else None,
            upper=band.upper if band else None,
            anomaly_score=score,
            confidence=confidence,
            threshold=threshold,
            severity=severity,
            severity_threshold=level if moved else None,
            is_anomaly=is_anomaly,
            rule=FEEDBACK if is_anomaly != (score > threshold) else None,
            run_id=release.run_id,
            next_threshold=following,
        )
        add(line, found, context.interval_start, release)
    after = acquaintances.page(thresholds.page(dataclasses.replace(page, model=model)))
    return Judged(after, lines, findings)


def with_events(
    lines: Iterable[ScoreLine],
    findings: Mapping[int, Finding],
    reasons: Mapping[tuple[str, int], Reasons],
    plan: WorkloadPlan,
) -> list[ScoreLine]:
    """Return lines with the events of the anomalies among them."""
    found = list(lines)
    for position, finding in findings.items():
        event = _event(found[position], finding, reasons[finding.key], plan)
        found[position] = dataclasses.replace(found[position], anomaly=event)
    return found


def _event(line: ScoreLine, finding: Finding, reasons: Reasons, plan: WorkloadPlan) -> AnomalyEvent:
    release = finding.release
    return AnomalyEvent(
        workload=line.workload,
        series=line.series,
        interval_start=line.interval_start,
        interval_seconds=plan.interval_seconds,
        observed=line.value,
        expected=line.expected,
        lower=line.lower,
        upper=line.upper,
        score=finding.score,
        threshold=finding.threshold,
        severity=finding.severity,
        run_id=release.run_id if release else "",
        execution_arn=release.execution_arn if release else "",
        model_package_arn=release.model_package_arn if release else "",
        contributions=reasons.explained.contributions,
        explanation=reasons.explained.explanation,
        also_anomalous=reasons.also_anomalous,
        confidence=finding.confidence,
        severity_threshold=line.severity_threshold,
    )
