"""What is refused is kept: one JSON object a line, with where it was, why, and the line as it was written."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import IO

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.layout import short_hash


def quarantine_line(
    source: str, line: int, reason: str, message: str, text: str = "", **more: str | int
) -> str:
    """Return a refusal as a line of JSON; the same refusal gives the same text.

    Parameters
    ----------
    line
        From 1; 0 for the source as a whole.
    more
        What else is known of the source.
    """
    document = {"source": source, "line": line, "reason": reason, "message": message, "text": text, **more}
    return json.dumps(document, sort_keys=True) + "\n"


class QuarantineFile(AbstractContextManager["QuarantineFile"]):
    """The refused lines of one source, in a file that is made with the first of them.

    Parameters
    ----------
    folder
        Where the file is made.
    source
        What the lines are of.
    """

    def __init__(self, folder: Path, source: str) -> None:
        self._path = folder / f"{short_hash(source, 24)}.jsonl"
        self._source = source
        self._file: IO[str] | None = None

    def write(self, line: int, text: str, error: InvalidInputError) -> None:
        """Append a refused line."""
        if self._file is None:
            self._file = self._path.open("w", encoding="utf-8")
        self._file.write(quarantine_line(self._source, line, error.reason, str(error), text))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()
