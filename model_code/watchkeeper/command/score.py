"""`watchkeeper score`: a detector on a file, with no cloud at all."""

from __future__ import annotations

import functools
import importlib
import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from watchkeeper.command.screen import console, done, errors, say
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.extras import extra
from watchkeeper.core.plan import Dialect, Fill, TimestampPlan, WorkloadPlan
from watchkeeper.core.severity import THRESHOLD_SEVERITY
from watchkeeper.detectors.catalogue import ALGORITHMS, WATCHKEEPER
from watchkeeper.telemetry.missing import read_fill

if TYPE_CHECKING:
    from watchkeeper.command.scored_file import Kept
    from watchkeeper.command.series_file import Columns, Piece

_NAMED_DELIMITERS = {"tab": "\t", "\\t": "\t"}


def score(
    file: Annotated[
        Path, typer.Argument(help="CSV with a header, JSON or Parquet, also packed; rows in time order.")
    ],
    output: Annotated[Path, typer.Option(help="CSV to write: the input's columns and the scores.")],
    timestamp: Annotated[
        str | None, typer.Option(help="Column of the timestamps; without it, that of --workload.")
    ] = None,
    value: Annotated[
        list[str] | None,
        typer.Option(help="Column of the values; repeat it for several. Without it, that of --workload."),
    ] = None,
    workload: Annotated[
        Path | None,
        typer.Option(
            help="Workload file: its measure's rules and its calendars decide what is an anomaly, and its "
            "columns, dimensions, zone and interval are those of the file unless other options say so."
        ),
    ] = None,
    algorithm: Annotated[
        str,
        typer.Option(
            help="What scores the rows. "
            + " ".join(f"{name}: {a.summary}." for name, a in ALGORITHMS.items())
        ),
    ] = WATCHKEEPER,
    parameter: Annotated[
        list[str] | None,
        typer.Option(help="Hyperparameter of the algorithm, such as n_neighbors=10; repeat it for several."),
    ] = None,
    dimension: Annotated[
        list[str] | None,
        typer.Option(help="Column whose values tell series apart: each is scored on its own; repeat it."),
    ] = None,
    labels: Annotated[
        str | None, typer.Option(help="Column of labels, 1 or 0: print how well they are found.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="PNG to draw.")] = None,
    timestamp_format: Annotated[
        str | None,
        typer.Option(
            help="iso8601 (the default), epoch_seconds (_milliseconds, _microseconds, _nanoseconds), or "
            "strptime."
        ),
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option(help="What separates cells; without it, what the header has most of.")
    ] = None,
    decimal_comma: Annotated[
        bool, typer.Option("--decimal-comma", help="Numbers have a decimal comma: 1,5.")
    ] = False,
    timezone: Annotated[
        str | None, typer.Option(help="Zone of timestamps without one; UTC by default.")
    ] = None,
    interval: Annotated[
        float | None, typer.Option(help="Seconds between rows: a longer step counts as missing rows.")
    ] = None,
    missing: Annotated[
        str | None,
        typer.Option(
            help="What watchkeeper learns of missing rows: ignore, zero, previous or a number. Without it, "
            "what --workload says, else ignore."
        ),
    ] = None,
    alert_severity: Annotated[
        float,
        typer.Option(help="Severity from which a row is an anomaly, 0 to 100."),
    ] = THRESHOLD_SEVERITY,
    fit_rows: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="First rows, from which all algorithms but watchkeeper learn, once; without it 15 % of the "
            "file, at most 10,000.",
        ),
    ] = None,
) -> None:
    """Score every row of a file, on this machine.

    `watchkeeper` scores a row with the rows before it only. With several values, it scores each on its own
    and the most anomalous one counts, corrected for their number; algorithms such as isolation_forest take
    all values of a row together.
    """
    # numpy takes long to import, and not every command needs it.
    from watchkeeper.command.ruled_rows import RuledRows, measure_in
    from watchkeeper.command.scored_file import accuracy_table, score_pieces, write_scores
    from watchkeeper.command.series_file import Columns, SeriesFile
    from watchkeeper.detectors.scorer import RowScorer

    if plot:  # said before the file is scored
        with extra("matplotlib", "--plot"):
            importlib.import_module("matplotlib")
    plan = None if workload is None else _plan(workload)
    value = value or ([] if plan is None else list(dict.fromkeys(one.field for one in plan.measures)))
    at = _timestamp(plan, timestamp, timestamp_format, timezone)
    if not value:
        raise InvalidInputError("name the columns, --timestamp and --value, or --workload FILE that has them")
    if plan is not None:
        if len(value) > 1:
            raise InvalidInputError(
                f"{workload} has several measures: name one by --value, of {', '.join(value)}; rules are a "
                "measure's"
            )
        measure = measure_in(plan, value[0], str(workload))
        value, interval = [measure.field], interval or plan.interval_seconds
        missing = missing or str(measure.fill)
        dimension = dimension or list(plan.dimensions)
    if output.resolve() == file.resolve():
        raise InvalidInputError(f"{output} is the input: name another file")
    if dimension and (labels or plot):
        raise InvalidInputError(
            f"{'--labels' if labels else '--plot'} looks at one series: leave it or --dimension out"
        )
    new_scorer = partial(
        RowScorer,
        algorithm,
        alert_severity=alert_severity,
        interval_seconds=interval,
        missing=_fill(missing or "ignore", interval),
        hyperparameters=_hyperparameters(parameter or []),
    )
    scorer_of = functools.cache(lambda _: new_scorer())
    scorer_of(())  # what it refuses, it refuses before the file is read
    columns = Columns(
        at,
        tuple(dict.fromkeys(value)),
        labels,
        Dialect(_NAMED_DELIMITERS.get(delimiter or "", delimiter), "," if decimal_comma else "."),
        tuple(dict.fromkeys(dimension or ())),
    )
    series = SeriesFile(file, columns)
    pieces = _with_progress(iter(series), file)
    learned: list[int] = []
    scored = score_pieces(pieces, scorer_of, fit_rows, learned)
    rules = None if plan is None else RuledRows(plan, measure, columns.dimensions)
    kept = write_scores(scored, columns, output, keep=bool(labels or plot), rules=rules)
    of_series = f" of {kept.series} series" if dimension else ""
    anomalies = f"{kept.anomalies} anomalies (severity {alert_severity:g} or more)"
    done(f"{kept.rows} rows{of_series}, {anomalies}: {output}")
    if learned:
        say(
            f"{algorithm} learned from the first {sum(learned):,} of {kept.rows:,} rows{of_series}: what is "
            "odd in them counts as usual, and their own scores are of rows that it knows"
        )
    for note in series.notes:
        say(f"{file}: {note}")
    if kept.backwards:
        say(
            f"rows earlier than the row before them: {kept.backwards}, the first is row "
            f"{kept.first_backwards}; scored in the order of the file"
        )
    if labels:
        console.print(accuracy_table(kept))
    if plot:
        _plot(plot, file.name, columns, kept, interval, alert_severity)
        done(str(plot))


def _plan(path: Path) -> WorkloadPlan:
    from watchkeeper.spec import AnomalyWorkload, load_workload

    spec = load_workload(path)
    if not isinstance(spec, AnomalyWorkload):
        raise InvalidInputError(f"--workload {path}: a workload of kind {spec.kind} has no measures")
    return spec.plan()


def _timestamp(
    plan: WorkloadPlan | None, field: str | None, form: str | None, zone: str | None
) -> TimestampPlan:
    """Return how timestamps are read: as options say, else as the workload's file does."""
    if field is None and plan is None:
        raise InvalidInputError("name the columns, --timestamp and --value, or --workload FILE that has them")
    said = TimestampPlan(field or "") if plan is None else plan.timestamp
    return TimestampPlan(field or said.field, form or said.format, zone or said.timezone)


def _fill(missing: str, interval: float | None) -> Fill:
    try:
        fill = read_fill(missing)
    except InvalidInputError as error:
        raise InvalidInputError(f"--missing {missing}: {error}", reason=error.reason) from error
    if fill != "ignore" and interval is None:
        raise InvalidInputError(f"--missing {missing}: name --interval too, or no row is known to be missing")
    return fill


def _plot(path: Path, title: str, columns: Columns, kept: Kept, interval: float | None, limit: float) -> None:
    from watchkeeper.charts.series import detector_panels, draw_series, labelled_windows
    from watchkeeper.charts.style import save

    times = (kept.seconds * 1e6).astype("datetime64[us]")
    windows = () if kept.labels is None else labelled_windows(times, kept.labels)
    step = None if interval is None else timedelta(seconds=interval)
    panels = detector_panels(columns.values, times, kept.values, kept.scores, windows, limit=limit, step=step)
    save(draw_series(title, panels, timezone=columns.timestamp.timezone), path)


def _hyperparameters(settings: list[str]) -> dict[str, Any]:
    """Read `NAME=VALUE`; a value is JSON (a number, true, null), else it is the text."""
    found: dict[str, Any] = {}
    for setting in settings:
        name, separator, text = setting.partition("=")
        if not separator or not name:
            raise InvalidInputError(f"parameter {setting!r}: write NAME=VALUE, such as n_neighbors=10")
        try:
            found[name] = json.loads(text)
        except ValueError:
            found[name] = text
    return found


def _with_progress(pieces: Iterator[Piece], file: Path) -> Iterator[Piece]:
    shape = (TextColumn(file.name, markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*shape, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("", total=1.0)
        for piece in pieces:
            yield piece
            bar.update(task, completed=piece.read)
