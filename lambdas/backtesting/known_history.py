"""What a workload's telemetry was, without reading it again: the closed intervals that the last training
prepared, and behind them those that were scored since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from lambdas.adapters.object_store import ObjectStore, ObjectUri
from lambdas.backtesting.requests import read_if_any
from lambdas.history.reading import AHEAD, ReadableObjects, Wanted, read_tables
from watchkeeper.backtest.reading import closing_of
from watchkeeper.backtest.scores import Closed, closed_intervals
from watchkeeper.core import layout
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import EPOCH
from watchkeeper.kinds import anomaly_plan, plan_from_json
from watchkeeper.stream.page import Page, firsts
from watchkeeper.stream.page_format import from_bytes
from watchkeeper.telemetry.columns import Floats, Integers, Intervals
from watchkeeper.telemetry.series import parse_series_key

MOST_INTERVALS = 4_000_000
"""Of all series: what the function holds and judges within its limits."""
_REMEDY = (
    "compare on a machine of yours by `watchkeeper backtest --compare`, or shorten `history.window` and train"
)
Columns = tuple[Integers, Floats]
"""Starts in seconds since 1970, and values."""


def known_history(
    plan: WorkloadPlan,
    run_id: str | None,
    objects: ObjectStore,
    bucket: str,
    scores: ReadableObjects,
    now: datetime,
) -> dict[str, Closed]:
    """Return the closed intervals of a workload's series.

    Parameters
    ----------
    run_id
        Of the training whose model judges.

    Raises
    ------
    InvalidInputError
        If there is none, there are more than `MOST_INTERVALS`, or the last training read the telemetry
        otherwise than the deployed plan does.
    """
    parts: dict[str, list[Columns]] = defaultdict(list)
    ends: dict[str, int] = {}
    count = 0
    for page in () if run_id is None else _prepared(plan, run_id, objects, bucket):
        count = _checked(count + len(page.waiting), plan)
        for series, columns in _of_page(page).items():
            parts[series].append(columns)
            ends[series] = int(columns[0][-1])
    # by the time that was measured, which a replay may have long after; what is kept has an end
    since = EPOCH + timedelta(seconds=max(ends.values())) - AHEAD if ends else EPOCH
    for table in read_tables(scores, Wanted(plan.workload, None, since, now + AHEAD)):
        for series, (starts, values) in _of_table(table, plan).items():
            new = starts > ends.get(series, -1)
            count = _checked(count + int(new.sum()), plan)
            if new.any():
                parts[series].append((starts[new], values[new]))
    found = closed_intervals({series: _joined(each, plan) for series, each in sorted(parts.items())}, plan)
    if not found:
        raise InvalidInputError(
            f"workload {plan.workload} has no closed interval yet: train it on a history, or let its "
            "devices send first"
        )
    return found


def _prepared(plan: WorkloadPlan, run_id: str, objects: ObjectStore, bucket: str) -> Iterable[Page]:
    """Yield the pages that a training prepared; none of one without pages."""
    root = layout.run_prefix(plan.workload, run_id)
    keys = objects.keys_under(ObjectUri(bucket, f"{root}prepared/pages/"))
    kept = read_if_any(objects, ObjectUri(bucket, f"{root}plan.json"))
    if not keys or kept is None:
        return
    trained = anomaly_plan(plan_from_json(kept.decode()))
    if closing_of(trained) != closing_of(plan):
        raise InvalidInputError(
            f"the model that judges was trained before the deployed file changed which intervals there are: "
            f"train {plan.workload}, and backtest then"
        )
    for key in keys:
        body = objects.read(ObjectUri(bucket, key))
        if body is not None:
            yield from_bytes(body)


def _checked(count: int, plan: WorkloadPlan) -> int:
    if count > MOST_INTERVALS:
        raise InvalidInputError(
            f"workload {plan.workload} has more than {MOST_INTERVALS:,} closed intervals, which is what "
            f"the console judges: {_REMEDY}",
            reason="too_much_history",
        )
    return count


def _of_page(page: Page) -> dict[str, Columns]:
    rows = page.waiting
    begins = firsts(rows, "series").tolist()
    return {
        page.series[int(rows["series"][begin])]: (rows["start"][begin:end], rows["value"][begin:end])
        for begin, end in zip(begins, [*begins[1:], len(rows)], strict=True)
    }


def _of_table(table: Any, plan: WorkloadPlan) -> Mapping[str, Columns]:
    """Return the values of a table of scores, of the series that the plan has."""
    if not table.num_rows:
        return {}
    names = table["series"].combine_chunks().dictionary_encode()
    codes = names.indices.to_numpy()
    starts = table["interval_start"].cast("int64").to_numpy() // 1000
    values = table["value"].to_numpy()
    found = {}
    for code, series in enumerate(names.dictionary.to_pylist()):
        key = parse_series_key(series)
        chosen = (codes == code) & ~np.isnan(values) & (starts % plan.interval_seconds == 0)
        known = any(measure.name == key.measure for measure in plan.measures)
        if known and tuple(name for name, _ in key.dimensions) == plan.dimensions and chosen.any():
            found[series] = (starts[chosen], values[chosen])
    return found


def _joined(parts: list[Columns], plan: WorkloadPlan) -> Intervals:
    starts, values = (np.concatenate([part[at] for part in parts]) for at in (0, 1))
    starts, first = np.unique(starts, return_index=True)
    # all of them are closed: the newest reading that there can have been closes the last
    newest = int(starts[-1]) + plan.interval_seconds + plan.lateness_seconds
    return Intervals(starts.astype(np.int64), values[first].astype(np.float64), newest * 1_000_000)
