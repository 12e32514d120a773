"""What the processing jobs of every kind share: the run and its window, lines in and out, the answers of a
batch transform (one score a row, in the order of the rows), and the rows of the smoke test."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from containers.runtime.job import only_file, processing_input
from watchkeeper.core.errors import ContractViolationError, InvalidInputError
from watchkeeper.core.timestamps import epoch_seconds, format_instant, parse_instant
from watchkeeper.judgement.evaluation import HoldbackRow
from watchkeeper.lifecycle.release import SCORE_TOLERANCE

NO_VALUE = ("", "null", "None")
"""How the workflow writes an end of the window that was not given."""
SMOKE_ROWS = 20


@dataclass(frozen=True)
class PrepareSettings:
    """The window of telemetry to learn from, in seconds since 1970; None where it is open."""

    start: int | None = None
    end: int | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> PrepareSettings:
        """Read `WATCHKEEPER_START` and `WATCHKEEPER_END`, ISO 8601; the end is not included.

        Raises
        ------
        InvalidInputError
            If one is not a timestamp, or the window is empty.
        """
        start, end = (_instant(environment, name) for name in ("WATCHKEEPER_START", "WATCHKEEPER_END"))
        if start is not None and end is not None and end <= start:
            window = f"{format_instant(start)} to {format_instant(end)}"
            raise InvalidInputError(f"the window of the run is empty: {window}", reason="bad_window")
        return cls(start, end)


def run_id(environment: Mapping[str, str] = os.environ) -> str:
    """Return `WATCHKEEPER_RUN_ID`: which run an evaluation is of.

    Raises
    ------
    ContractViolationError
        If it is not set.
    """
    found = environment.get("WATCHKEEPER_RUN_ID", "")
    if not found:
        raise ContractViolationError("the environment variable WATCHKEEPER_RUN_ID is not set")
    return found


def input_files(folder: Path, *, but: Collection[str] = ()) -> list[Path]:
    """Return the files of an input with something in them, in order, but for hidden ones and those named."""
    if not folder.is_dir():
        return []
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in but and not path.name.startswith(".") and path.stat().st_size
    ]


def nothing_accepted(
    what: str, counts: str, *, outside: int, refused: Iterable[str], remedy: str
) -> InvalidInputError:
    """Return the error of a run without a row: what it read, and why none of it counts."""
    reasons = [f"{outside} outside the window of the run"] if outside else []
    why = "; ".join([*reasons, *refused]) or remedy
    return InvalidInputError(
        f"no {what} to learn from: {counts}, none accepted: {why}", reason="too_few_rows"
    )


def read_lines(path: Path) -> list[str]:
    """Return a file's lines without their ends."""
    with path.open(encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file]


def read_holdback(prepared: Path) -> list[HoldbackRow]:
    """Return the index of the held-back rows."""
    with (prepared / "holdback" / "index.jsonl").open(encoding="utf-8") as file:
        return list(HoldbackRow.from_lines(file))


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write lines to a file whose folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def write_json(path: Path, document: Mapping[str, object]) -> None:
    """Write a document for people and programs."""
    path.write_text(json.dumps(document, sort_keys=True, indent=2, allow_nan=False))


def smoke_case(rows: Sequence[str], answers: Sequence[float], *, name: str = "scores") -> dict[str, Any]:
    """Return rows with known answers for the deployed endpoint: spread over all, and that with the highest.

    Parameters
    ----------
    name
        What the answers are called: `scores` or `predictions`.
    """
    step = max(1, len(answers) // (SMOKE_ROWS - 1))
    highest = max(range(len(answers)), key=answers.__getitem__)
    chosen = sorted({*range(0, len(answers), step)[: SMOKE_ROWS - 1], highest})
    return {
        "rows": [rows[position] for position in chosen],
        name: [answers[position] for position in chosen],
        "tolerance": SCORE_TOLERANCE,
    }


def of_champion(read: Callable[[Path, int], list[float]], n_rows: int) -> list[float] | None:
    """Return the champion's answers; None where the job has none."""
    folder = processing_input("champion")
    return read(folder, n_rows) if folder.is_dir() and any(folder.iterdir()) else None


def read_scores(folder: Path, n_rows: int) -> list[float]:
    """Return the anomaly scores in the one `.out` file of a folder; see `read_predictions`.

    Raises
    ------
    ContractViolationError
        If a score is negative, too.
    """
    scores = read_predictions(folder, n_rows)
    for number, score in enumerate(scores, start=1):
        if score < 0.0:
            raise ContractViolationError(f"{folder.name}, row {number}: {score} is not an anomaly_score")
    return scores


def read_predictions(folder: Path, n_rows: int) -> list[float]:
    """Return the answers in the one `.out` file of a folder.

    The built-in algorithm's lines have been seen with a comma at their end, and empty lines where batches
    were joined: both are passed over.

    Raises
    ------
    ContractViolationError
        If a line is not a finite score, or there are not as many scores as rows.
    """
    path = only_file(folder, "*.out")
    scores: list[float] = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            text = line.strip().rstrip(",")
            if text:
                scores.extend(_scores(text, f"{folder.name}/{path.name}, line {number}"))
    if len(scores) != n_rows:
        raise ContractViolationError(
            f"{folder.name}/{path.name} has {len(scores)} scores for {n_rows} rows of the holdback part"
        )
    return scores


def _scores(text: str, where: str) -> Iterator[float]:
    try:
        document: Any = json.loads(text)
        for answer in document.get("scores", [document]):
            score = float(answer["score"])
            if not math.isfinite(score):
                raise ContractViolationError(f"{where}: {score} is not a score")
            yield score
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ContractViolationError(f'{where}: expected {{"score": …}}, got {text[:100]!r}') from error


def _instant(environment: Mapping[str, str], name: str) -> int | None:
    text = environment.get(name, "").strip()
    if text in NO_VALUE:
        return None
    try:
        return epoch_seconds(parse_instant(text))
    except InvalidInputError as error:
        raise InvalidInputError(f"{name}: {error}", reason=error.reason) from error
