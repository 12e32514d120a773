"""Scoring a file piece by piece: what is written, and what is remembered for the measures and the picture."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
from rich.table import Table

from watchkeeper.command.ruled_rows import RuledRows, Texts
from watchkeeper.command.series_file import Columns, Piece
from watchkeeper.core.errors import InvalidInputError
from watchkeeper.detectors.protocol.events import EventRows, Events
from watchkeeper.detectors.protocol.scores import joined
from watchkeeper.detectors.scorer import RowScorer
from watchkeeper.detectors.streaming.scores import SeriesScores
from watchkeeper.judgement import accuracy
from watchkeeper.telemetry.cells import inert_text

_BANDS = ("expected", "lower", "upper")
_MOSTLY = 0.5
FIT_SHARE = 0.15
MOST_FIT_ROWS = 10_000

Scored = tuple[Piece, SeriesScores]
Series = tuple[str, ...]


def score_pieces(
    pieces: Iterator[Piece],
    scorer_of: Callable[[Series], RowScorer],
    fit_rows: int | None,
    learned: list[int],
) -> Iterator[Scored]:
    """Score rows as they come; one that learns first learns from the first ones of its series.

    Parameters
    ----------
    scorer_of
        Gives the scorer of a series, always the same.
    fit_rows
        How many; None is `FIT_SHARE` of the file, `MOST_FIT_ROWS` at most.
    learned
        Gets how many they were.
    """
    if scorer_of(()).learns_first:
        first: list[Piece] = []
        wanted = 0
        for piece in pieces:
            first.append(piece)
            rows = sum(len(one.rows) for one in first)
            wanted = fit_rows or max(2, min(int(FIT_SHARE * rows / max(piece.read, 1e-9)), MOST_FIT_ROWS))
            if rows >= wanted and set(piece.series) == {()}:
                break
        pieces = chain(first, pieces)
        for series, values in _values_of(first).items():
            own = fit_rows or max(2, min(int(FIT_SHARE * len(values)), MOST_FIT_ROWS))
            beginning = values[: own if series else wanted]
            scorer_of(series).learn(beginning)
            learned.append(len(beginning))
    for piece in pieces:
        parts = [
            scorer_of(series).score(piece.seconds[rows], piece.values[rows])
            for series, rows in piece.series.items()
        ]
        yield piece, joined(parts).rows(np.argsort(np.concatenate(list(piece.series.values()))))


def _values_of(pieces: Sequence[Piece]) -> dict[Series, npt.NDArray[np.float64]]:
    """Return the values of each series, shape (n_rows, n_columns)."""
    found: dict[Series, list[npt.NDArray[np.float64]]] = {}
    for piece in pieces:
        for series, rows in piece.series.items():
            found.setdefault(series, []).append(piece.values[rows])
    return {series: np.concatenate(values) for series, values in found.items()}


class Kept:
    """What is remembered of the rows: counts, and the numbers where they are asked for (8 bytes each)."""

    def __init__(self, keep: bool) -> None:
        self.rows = self.anomalies = self.backwards = 0
        self.first_backwards: int | None = None
        self._last: dict[Series, float] = {}
        self._keep = keep
        self._pieces: list[Scored] = []

    def add(self, piece: Piece, scores: SeriesScores) -> None:
        """Remember some rows."""
        backwards = np.zeros(len(piece.rows), dtype=bool)
        for series, rows in piece.series.items():
            last = self._last.get(series, -np.inf)
            backwards[rows] = np.diff(piece.seconds[rows], prepend=last) < 0
            self._last[series] = float(piece.seconds[rows][-1])
        if self.first_backwards is None and backwards.any():
            self.first_backwards = self.rows + int(backwards.argmax()) + 1
        self.rows += len(piece.rows)
        self.anomalies += int(scores.is_anomaly.sum())
        self.backwards += int(backwards.sum())
        if self._keep:
            bare = Piece(piece.header, [], piece.seconds, piece.values, piece.labels, piece.read, {})
            self._pieces.append((bare, scores))

    @property
    def series(self) -> int:
        """Number of series."""
        return len(self._last)

    @property
    def seconds(self) -> npt.NDArray[np.float64]:
        """Shape (n_rows,)."""
        return np.concatenate([piece.seconds for piece, _ in self._pieces])

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """Shape (n_rows, n_columns)."""
        return np.concatenate([piece.values for piece, _ in self._pieces])

    @property
    def labels(self) -> npt.NDArray[np.bool_] | None:
        """Shape (n_rows,)."""
        found = [piece.labels for piece, _ in self._pieces if piece.labels is not None]
        return np.concatenate(found) if found else None

    @property
    def scores(self) -> SeriesScores:
        """Of all rows."""
        return joined([scores for _, scores in self._pieces])


def write_scores(
    scored: Iterator[Scored],
    columns: Columns,
    output: Path,
    *,
    keep: bool,
    rules: RuledRows | None = None,
) -> Kept:
    """Write rows with their scores; the file appears when it is complete.

    Parameters
    ----------
    rules
        Beside the score; a column `rule` says which one decided.
    """
    kept = Kept(keep)
    events: defaultdict[Series, Events] = defaultdict(Events)
    unfinished = output.with_name(output.name + ".part")
    output.parent.mkdir(parents=True, exist_ok=True)
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            for piece, scores in scored:
                if kept.rows == 0:
                    _require_time_order(piece, columns)
                found, decided = (scores, None) if rules is None else rules.judge(piece, scores)
                followed = _followed(events, piece, found)
                _write_piece(file, piece, found, followed, decided, columns, header=kept.rows == 0)
                kept.add(piece, found)
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)
    return kept


def _followed(events: Mapping[Series, Events], piece: Piece, scores: SeriesScores) -> EventRows:
    """Return what each row is of an event of its series."""
    state, severity = np.full(len(scores), "", dtype="<U7"), scores.severity.copy()
    for series, rows in piece.series.items():
        found = events[series].follow(scores.rows(rows))
        state[rows], severity[rows] = found.state, found.severity
    return EventRows(state, severity)


def _require_time_order(piece: Piece, columns: Columns) -> None:
    """Refuse a file whose rows run backwards: a few may, such as those of the hour that a clock repeats."""
    steps = np.concatenate([np.diff(piece.seconds[rows]) for rows in piece.series.values()])
    if (steps < 0).sum() > _MOSTLY * len(steps):
        raise InvalidInputError(
            f"most rows are earlier than the row before them: sort the file by {columns.timestamp.field!r}, "
            "the oldest row first"
        )


def _write_piece(
    file: IO[str],
    piece: Piece,
    scores: SeriesScores,
    events: EventRows,
    decided: Texts | None,
    columns: Columns,
    *,
    header: bool,
) -> None:
    several = len(columns.values) > 1
    bands = [f"{band}_{name}" for name in columns.values for band in _BANDS] if several else list(_BANDS)
    shares = [f"contribution_{name}" for name in columns.values] if several else []
    added = ["anomaly_score", "severity", "is_anomaly", "state", "event_severity", *bands, *shares]
    added += [] if decided is None else ["rule"]
    writer = csv.writer(file, lineterminator="\n")
    if header:
        if taken := sorted(set(added) & set(piece.header)):
            raise InvalidInputError(f"the input has a column {taken[0]!r} already: rename or remove it")
        writer.writerow([*map(inert_text, piece.header), *map(inert_text, added)])
    by_row = [getattr(scores, band).reshape(len(piece.rows), -1) for band in _BANDS]
    bands_of_rows = np.stack(by_row, axis=2).reshape(len(piece.rows), -1)
    if several:
        bands_of_rows = np.hstack((bands_of_rows, scores.contributions))
    rules = [[]] * len(piece.rows) if decided is None else [[inert_text(each)] for each in decided]
    for row, anomaly_score, severity, is_anomaly, state, of_event, cells, rule in zip(
        piece.rows,
        scores.anomaly_score.tolist(),
        scores.severity.tolist(),
        scores.is_anomaly.tolist(),
        events.state.tolist(),
        events.severity.tolist(),
        bands_of_rows.tolist(),
        rules,
        strict=True,
    ):
        numbers = (_number(cell) for cell in cells)
        scored = [
            _number(anomaly_score),
            _number(severity),
            str(is_anomaly).lower(),
            state,
            _number(of_event),
        ]
        writer.writerow([*map(inert_text, row), *scored, *numbers, *rule])


def _number(value: float) -> str:
    return format(value, ".10g") if value == value else ""  # NaN is the one that is not


def accuracy_table(kept: Kept) -> Table:
    labels = kept.labels
    table = Table(box=None, show_header=False)
    if labels is None or not labels.any():
        table.add_row("no row is labelled as an anomaly: nothing to measure")
        return table
    scores = kept.scores
    found = accuracy.measure(labels, kept.values[:, 0], scores.anomaly_score, scores.is_anomaly)
    names = ("precision of rows", "recall of rows", "F1 of rows", "PR-AUC", "VUS-PR")
    for name, number in zip(names, found, strict=True):
        table.add_row(name, f"{number:.3f}")
    windows = accuracy.windows_of(labels)
    hit = sum(bool(scores.is_anomaly[first : last + 1].any()) for first, last in windows)
    table.add_row("labelled windows found", f"{hit} of {len(windows)}")
    table.add_row("anomalies outside them", str(int((scores.is_anomaly & ~labels).sum())))
    return table
