"""The rows that a stateless model is asked with: closed intervals and what was known before them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import format_instant
from watchkeeper.stream.judging import (
    INTERVAL_CHANGED,
    Answer,
    Judged,
    judged,
)
from watchkeeper.stream.object_lines import Refusal
from watchkeeper.stream.page import KNOWN, Page, firsts
from watchkeeper.telemetry.context import Context, ContextRow, extend
from watchkeeper.telemetry.rows import format_row

MAX_STEP_ROWS = 20_000
"""Of one page and request for scores; the rest waits for the next one."""


@dataclass(frozen=True)
class WaitingRow:
    """An interval that waits to be scored: one row of a request to the endpoint."""

    series: str
    context: ContextRow
    text: str

    @property
    def name(self) -> str:
        """Series and interval, for whoever looks into a refusal."""
        return f"{self.series}#{format_instant(self.context.interval_start)}"


@dataclass(frozen=True)
class Asked:
    """The oldest intervals that wait on a page, taken from it, and the rows that stand for them."""

    page: Page
    """As it is when they are scored."""
    rows: tuple[WaitingRow, ...]
    """In the order of series and time."""
    intervals: tuple[tuple[int, ContextRow, bool], ...]
    """Series, interval and whether there is a row of it, of all that are taken."""

    def judged(self, answers: Sequence[Answer], plan: WorkloadPlan) -> Judged:
        """Say what the answers, one a row, mean."""
        given = iter(answers)
        all_answers = [
            next(given) if scorable else Answer(None, reason=INTERVAL_CHANGED)
            for _, _, scorable in self.intervals
        ]
        rows = [(series, context) for series, context, _ in self.intervals]
        refused = [
            Refusal(1, "refused_by_model", answer.refusal, row.text, row.name)
            for row, answer in zip(self.rows, answers, strict=True)
            if answer.refusal is not None
        ]
        found = judged(self.page, rows, all_answers, plan)
        return dataclasses.replace(found, refusals=tuple(refused))


def asked(page: Page, plan: WorkloadPlan, limit: int | None = None) -> Asked:
    """Take intervals that wait from a page, and make the rows of those that a model can score.

    Parameters
    ----------
    limit
        How many, `MAX_STEP_ROWS` by default; of each series, the oldest.
    """
    limit = MAX_STEP_ROWS if limit is None else limit
    waiting = page.waiting[:limit]
    contexts = _contexts(page)
    rows: list[WaitingRow] = []
    intervals = []
    for begin, end in _groups(waiting):
        series = int(waiting["series"][begin])
        key = page.series[series]
        context = contexts.get(series, ())
        for _, start, value, scorable in waiting[begin:end].tolist():
            if not scorable:
                intervals.append((series, ContextRow(start, value, (), None), False))
                continue
            context, row = extend(context, start, value, plan)
            intervals.append((series, row, True))
            rows.append(WaitingRow(key, row, format_row(row.row(key))))
        contexts[series] = context
    known = [(series, *item) for series, context in sorted(contexts.items()) for item in context]
    after = dataclasses.replace(page, waiting=page.waiting[limit:], context=np.array(known, dtype=KNOWN))
    return Asked(after, tuple(rows), tuple(intervals))


def unanswered(asked: Asked, reason: str) -> list[Answer]:
    """Return answers without scores."""
    return [Answer(None, reason=reason)] * len(asked.rows)


def _contexts(page: Page) -> dict[int, Context]:
    return {
        int(page.context["series"][begin]): tuple(
            (start, value) for _, start, value in page.context[begin:end].tolist()
        )
        for begin, end in _groups(page.context)
    }


def _groups(rows: np.ndarray) -> list[tuple[int, int]]:
    begins = firsts(rows, "series")
    return list(zip(begins.tolist(), np.append(begins, len(rows))[1:].tolist(), strict=True))
