"""The step: what an object of telemetry does to a shelf, from its readings to lines and events.

A host reads the page, makes the step, and writes the page with what comes out as pending; then it writes
that, the object of scores last. A crash at any point is healed by the object's next delivery, or by the next
object of the shelf: what is pending is written again under the same names.

With a model at an endpoint, the host asks it between `take_in` and `concluded`:
`take_in` → `asked` → the endpoint → `Asked.judged` → the anomalies' reasons → `concluded`.
"""

from __future__ import annotations

import dataclasses
import gzip
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from watchkeeper.anomalies.event import AnomalyEvent
from watchkeeper.anomalies.quality import IntervalCounts, QualityEvent
from watchkeeper.anomalies.score_line import ScoreLine
from watchkeeper.core import layout
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.lifecycle.release import Release
from watchkeeper.stream.asking import asked, unanswered
from watchkeeper.stream.counting import reported
from watchkeeper.stream.findings import Reasons, reasons_by_rule
from watchkeeper.stream.intake import TakenIn, take_in
from watchkeeper.stream.judging import NO_LIVE_MODEL, Judged, with_events
from watchkeeper.stream.learning import learned
from watchkeeper.stream.object_lines import Refusal, quarantine_document
from watchkeeper.stream.page import Output, Page
from watchkeeper.stream.readings import Readings, Source

LATE = "late"
_LATE_MESSAGE = "its interval had closed before the object came"
_PACKED_LEVEL = 4
"""Of gzip: a third of the time of its default, for 5 % more bytes."""


@dataclass(frozen=True)
class Tally:
    """What was done with closed intervals."""

    intervals_scored: int = 0
    intervals_without_score: int = 0
    anomalies: int = 0
    anomalies_unexplained: int = 0
    """Those of them whose event says why it has no contributions."""

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(mine + yours for mine, yours in zip(_numbers(self), _numbers(other), strict=True)))


@dataclass(frozen=True)
class Outcome:
    """What a step makes of a page."""

    page: Page
    """With the output as its newest pending one, if there is one."""
    output: Output | None = None
    events: tuple[AnomalyEvent, ...] = ()
    """Of the output."""
    tally: Tally = Tally()
    told: tuple[QualityEvent, ...] = ()
    """Of the output: what is unusual in how records came."""


def step(
    page: Page, readings: Readings, source: Source, release: Release | None, plan: WorkloadPlan
) -> tuple[Outcome, TakenIn]:
    """Take in the readings of an object and score what they close, where that needs no endpoint.

    Parameters
    ----------
    page
        Not changed.
    readings
        Of the series that lie on this shelf.
    release
        The live one, which has a streaming detector; or None: then lines have no score.

    Returns
    -------
    Outcome, TakenIn
        The page as it is to be written and what is to be written beside it; what was late or dropped.

    Raises
    ------
    UnavailableError
        As `take_in`.
    """
    taken = take_in(page, readings, source, plan)
    judged = scored_here(taken.page, release, plan)
    return concluded(judged, judged.reasons, source, plan, late(taken.late, readings)), taken


def scored_here(page: Page, release: Release | None, plan: WorkloadPlan) -> Judged:
    """Say what the intervals that wait are worth, by a streaming detector; without a release, by rules."""
    if release is not None:
        return learned(page, release, plan)
    everything = asked(page, plan, limit=len(page.waiting))
    judged = everything.judged(unanswered(everything, NO_LIVE_MODEL), plan)
    return dataclasses.replace(judged, reasons=reasons_by_rule(judged.findings.values()))


def late(lines: Iterable[int], readings: Readings) -> list[Refusal]:
    """Return the refusals of lines that came too late."""
    texts = ((number, readings.texts[number].decode(errors="backslashreplace")) for number in lines)
    return [Refusal(number, LATE, _LATE_MESSAGE, text) for number, text in texts]


def concluded(
    judged: Judged,
    reasons: Mapping[tuple[str, int], Reasons],
    source: Source,
    plan: WorkloadPlan,
    refusals: Iterable[Refusal] = (),
) -> Outcome:
    """Return the page with what is to be written of judged intervals and refused lines.

    Parameters
    ----------
    reasons
        Of each finding, by its key.
    """
    page = judged.page
    refused, told = [*refusals, *judged.refusals], page.quality.told
    if not judged.lines and not refused and not told:
        return Outcome(page)
    lines = with_events(judged.lines, judged.findings, reasons, plan)
    counts: list[IntervalCounts] = []
    if lines or told:
        rest, counts = reported(page.quality, lines)
        page = dataclasses.replace(page, quality=rest)
    part = _part(page, source)
    output = Output(
        scores_key=layout.scores_key(plan.workload, source.hour, source.object_id, page.shelf, part),
        scores=packed(lines, counts, told),
        quarantine_key=layout.quarantine_key(plan.workload, source.key, page.shelf, part),
        quarantine=quarantine_document(source, refused),
    )
    events = tuple(line.anomaly for line in lines if line.anomaly is not None)
    scored = sum(line.anomaly_score is not None for line in lines)
    unexplained = sum(not event.contributions for event in events)
    after = dataclasses.replace(page, applied=_counted(page, source), pending=(*page.pending, output))
    tally = Tally(scored, len(lines) - scored, len(events), unexplained)
    return Outcome(after, output, events, tally, told)


def written(page: Page, outputs: Iterable[Output]) -> Page:
    """Return a page on which these outputs are not pending any more."""
    done = {output.scores_key for output in outputs}
    return dataclasses.replace(
        page, pending=tuple(output for output in page.pending if output.scores_key not in done)
    )


def packed(
    lines: Iterable[ScoreLine], counts: Iterable[IntervalCounts] = (), told: Iterable[QualityEvent] = ()
) -> bytes:
    """Return an object of scores; equal lines give equal bytes, and none give none.

    Parameters
    ----------
    counts, told
        How the telemetry came: lines of their own, before the others.
    """
    said = [*(one.to_line() for one in counts), *(event.to_line() for event in told)]
    text = "".join(f"{line}\n" for line in [*said, *(line.to_json() for line in lines)])
    return gzip.compress(text.encode(), _PACKED_LEVEL, mtime=0) if text else b""


def _part(page: Page, source: Source) -> int:
    found = page.applied["parts"][page.applied["object"] == np.uint64(source.number)]
    return int(found[-1]) if len(found) else 0


def _counted(page: Page, source: Source) -> np.ndarray:
    applied = page.applied.copy()
    applied["parts"][applied["object"] == np.uint64(source.number)] += 1
    return applied


def _numbers(tally: Tally) -> tuple[int, ...]:
    return dataclasses.astuple(tally)
