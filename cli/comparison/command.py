"""The comparison from its options to what is shown and written."""

from __future__ import annotations

import dataclasses
import importlib
import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from cli.comparison.kept_scores import KeptScores, read_kept
from cli.comparison.reading import ReadHistory, files_of, read_history, version_of
from cli.comparison.report import figures_table, history_line, lines, markdown
from cli.comparison.versions import spec_before, spec_here
from lambdas.backtesting.comparing import alerts_of
from lambdas.costs.model import (
    Fleet,
    endpoints_month,
    ingestion_month,
    scoring_month,
    total,
    training_month,
    workload_month,
)
from lambdas.costs.prices import Prices
from watchkeeper.backtest.document import Comparison, Judged, compared, judged
from watchkeeper.backtest.kept import rejudged
from watchkeeper.backtest.outcome import Outcome, Version, backtested, check_scores_here
from watchkeeper.backtest.reading import reading_of
from watchkeeper.command.screen import console, done, say
from watchkeeper.core.errors import InvalidInputError, WatchkeeperError
from watchkeeper.core.extras import extra
from watchkeeper.core.plan import WorkloadPlan
from watchkeeper.core.timestamps import epoch_seconds
from watchkeeper.incidents.feedback import Verdict, moved_thresholds
from watchkeeper.judgement.moved import NOTHING_MOVED, MovedThresholds
from watchkeeper.spec import AnomalyWorkload
from watchkeeper.telemetry.labels import Labels, read_labels


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What is to be compared, and shown."""

    before: str
    """A git ref, or a workload file."""
    workload: str
    history: Sequence[Path]
    scores: Path | None = None
    """Kept scores, in place of a history."""
    labels: Path | None = None
    verdicts: Path | None = None
    since: datetime | None = None
    until: datetime | None = None
    as_json: bool = False
    markdown: Path | None = None
    plot: Path | None = None


def compare(wanted: Wanted) -> Comparison:
    """Compare two versions and show what differs.

    Raises
    ------
    InvalidInputError
        If a version, the history or the labels cannot be read, or an endpoint would have to score.
    """
    _check_outputs(wanted)
    path, after = spec_here(wanted.workload)
    before = spec_before(wanted.before, path)
    labels = None if wanted.labels is None else read_labels(wanted.labels)
    moved = NOTHING_MOVED if wanted.verdicts is None else _moved_by(wanted.verdicts)
    names = (wanted.before, str(path))
    specs = (before, after)
    plans = [spec.plan() for spec in specs]
    kept = None if wanted.scores is None else read_kept(wanted.scores)
    if kept is None:
        for name, plan in zip(names, plans, strict=True):
            check_scores_here(name, plan)
        histories = _histories(files_of(wanted.history), plans)
    else:
        histories = [kept.history(name, plan) for name, plan in zip(names, plans, strict=True)]
    versions, notes = _versions(names, plans, histories, labels, moved, kept)
    times = [None if each is None else epoch_seconds(each) for each in (wanted.since, wanted.until)]
    outcomes = backtested(versions, *times) if kept is None else rejudged(versions, kept.series, *times)
    prices = Prices.read()
    sides = [
        _judged(outcome, spec, history, prices)
        for outcome, spec, history in zip(outcomes, specs, histories, strict=True)
    ]
    found = compared(
        *sides,
        records=histories[1].records,
        series=len(versions[1].history),
        intervals=sum(len(one.starts) for one in versions[1].history.values()),
        notes=notes,
    )
    _show(found, wanted)
    return found


def _check_outputs(wanted: Wanted) -> None:
    """Refuse what could not be written or is said twice, before anything is judged."""
    if wanted.scores is not None and wanted.history:
        raise InvalidInputError("--scores: its scores are judged, and no --history; leave one of them out")
    if wanted.plot is not None:
        with extra("matplotlib", "--plot"):
            importlib.import_module("matplotlib")
    for option, path in (("--markdown", wanted.markdown), ("--plot", wanted.plot)):
        if path is not None and not path.absolute().parent.is_dir():
            raise InvalidInputError(f"{option} {path}: there is no folder {path.parent}")


def _moved_by(path: Path) -> MovedThresholds:
    """Return where verdicts move thresholds, from a file that `watchkeeper feedback --list --json` wrote."""
    try:
        return moved_thresholds(Verdict.from_lines(path.read_bytes().splitlines()))
    except FileNotFoundError as error:
        raise InvalidInputError(f"--verdicts {path}: there is no such file") from error
    except WatchkeeperError as error:
        raise InvalidInputError(
            f"--verdicts {path}: {error}; `watchkeeper feedback WORKLOAD --list --json` writes such a file"
        ) from error


def _histories(files: Sequence[Path], plans: Sequence[WorkloadPlan]) -> list[ReadHistory]:
    """Read the files by each plan; once where both take the same of them."""
    first = read_history(files, plans[0])
    same = reading_of(plans[0]) == reading_of(plans[1])
    return [first, first if same else read_history(files, plans[1])]


def _versions(
    names: Sequence[str],
    plans: Sequence[WorkloadPlan],
    histories: Sequence[ReadHistory],
    labels: Labels | None,
    moved: MovedThresholds,
    kept: KeptScores | None,
) -> tuple[list[Version], list[str]]:
    found, notes = [], dict.fromkeys(note for history in histories for note in history.said)
    for name, plan, history in zip(names, plans, histories, strict=True):
        version, unmet = (
            version_of(name, plan, history, labels, moved)
            if kept is None
            else kept.version(name, plan, labels, moved)
        )
        found.append(version)
        if unmet:
            notes[unmet] = None
    return found, list(notes)


def _judged(outcome: Outcome, spec: AnomalyWorkload, history: ReadHistory, prices: Prices) -> Judged:
    fleet = Fleet(len(history.intervals), history.places, history.messages_an_interval)
    months = (endpoints_month, training_month)
    costs = [cost for month in months for cost in month([spec], prices)]
    in_use = (workload_month, ingestion_month, scoring_month)
    costs += [cost for month in in_use for cost in month(spec, prices, fleet)]
    return judged(outcome, alerts_of(outcome), total(costs))


def _show(found: Comparison, wanted: Wanted) -> None:
    if wanted.as_json:
        console.out(json.dumps(found.to_dict(), indent=1), highlight=False)
    else:
        for note in found.notes:
            say(note)
        say(f"{history_line(found)}.")
        for key, old, new in found.changes:
            say(f"  {key}: {old} → {new}")
        if not found.changes:
            say("Nothing that the running parts read differs between the versions.")
        console.print(figures_table(found))
        for line in lines(found):
            say(line)
    if wanted.markdown is not None:
        wanted.markdown.write_text(markdown(found), encoding="utf-8")
        _done(str(wanted.markdown), wanted)
    if wanted.plot is not None:
        _plot(found, wanted.plot)
        _done(str(wanted.plot), wanted)


def _done(message: str, wanted: Wanted) -> None:
    if not wanted.as_json:
        done(message)


def _plot(found: Comparison, path: Path) -> None:
    from watchkeeper.charts.backtest import Mark, draw_incidents
    from watchkeeper.charts.style import save

    sides: tuple[list[Mark], list[Mark]] = ([], [])
    for marks, drawn in zip(sides, found.marks(), strict=True):
        marks += [
            Mark(np.datetime64(each.opened, "s"), np.datetime64(each.last, "s"), each.severity, each.fate)
            for each in drawn
        ]
    outcome = found.after.outcome
    plan = outcome.version.plan
    names = [each.outcome.version.name for each in (found.before, found.after)]
    figure = draw_incidents(
        f"Incidents of {plan.workload}, {outcome.weeks:.1f} weeks",
        dict(zip(names, sides, strict=True)),
        (np.datetime64(outcome.since, "s"), np.datetime64(outcome.until, "s")),
        [(np.datetime64(first, "us"), np.datetime64(last, "us")) for first, last in found.windows()],
        timezone=plan.timestamp.timezone,
    )
    save(figure, path)
