"""What one cell says: whether it has a value, and which number it is. One list of words for "no value"."""

from __future__ import annotations

import json
import math
import re

from watchkeeper.core.errors import InvalidInputError

MISSING = frozenset(
    {
        "",
        "#n/a",
        "#n/a n/a",
        "#na",
        "-1.#ind",
        "-1.#qnan",
        "-nan",
        "1.#ind",
        "1.#qnan",
        "<na>",
        "n/a",
        "na",
        "nan",
        "nat",
        "none",
        "null",
    }
)
"""Cells of a number or a time without a value, in any case. A text is missing only where it is empty: NA is a
country, and None may be a name."""

MAX_MAGNITUDE = 1e30
"""Larger numbers would overflow in sums, differences and the detectors' single-precision arithmetic."""

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
_MAX_SHOWN = 60
_LONGEST_MISSING = max(map(len, MISSING))
_FLOAT = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_FLOAT_WORD = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}([ ,'’\u00a0\u202f]\d{3})+(\.\d*)?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(\.\d{3})+(,\d*)?", re.ASCII)


def is_missing(value: object) -> bool:
    """Whether a cell of a number or a time has no value: null, or a word such as `NA`.

    Examples
    --------
    >>> [is_missing(cell) for cell in (None, "", " NULL ", "0", 0.0)]
    [True, True, True, False, False]
    """
    if value is None:
        return True
    if not isinstance(value, str):
        return False
    text = value.strip()
    return not text or (len(text) <= _LONGEST_MISSING and text.lower() in MISSING)


def is_empty(value: object) -> bool:
    """Whether a cell of text has no value: null, or nothing but spaces."""
    return value is None or (isinstance(value, str) and not value.strip())


def is_number(text: str) -> bool:
    """Whether a cell's text is a finite number: digits, not a word, and no underscores as in Python."""
    return _FLOAT.fullmatch(text.strip()) is not None


def parse_number(value: object, name: str) -> float:
    """Return a finite number of at most 1e30 in magnitude from a JSON number or its text.

    Raises
    ------
    InvalidInputError
        With reason `not_a_number`, `not_finite` or `out_of_range`; the message begins with `name`.
    """
    written = value
    if isinstance(value, str):
        text = value.strip()
        if _FLOAT.fullmatch(text) or _FLOAT_WORD.fullmatch(text):
            value = float(text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInputError(
            f"{name}: {shown(value)} is not a number; {_remedy(value)}", reason="not_a_number"
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidInputError(
            f"{name}: {shown(written)} is not finite; leave the cell empty where a value is missing",
            reason="not_finite",
        )
    if abs(value) > MAX_MAGNITUDE:
        raise InvalidInputError(f"{name}: {shown(value)} is beyond ±{MAX_MAGNITUDE:g}", reason="out_of_range")
    return float(value)


def with_decimal_point(cell: str) -> str:
    """Write a number that has a decimal comma with a point; any other text stays.

    Where the comma separates the fraction, points separate thousands.

    Examples
    --------
    >>> with_decimal_point(" -1,5"), with_decimal_point("1.234,5"), with_decimal_point("a,5")
    ('-1.5', '1234.5', 'a,5')
    """
    text = cell.strip()
    if not (_DECIMAL_COMMA.fullmatch(text) or _THOUSANDS.fullmatch(text)):
        return cell
    return text.replace(".", "").replace(",", ".")


def cell_text(value: object) -> str:
    """Return what a CSV cell would say of a value; empty where there is none.

    Examples
    --------
    >>> [cell_text(value) for value in (None, 1.5, True, "a")]
    ['', '1.5', 'true', 'a']
    """
    if value is None or value != value:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | list | dict):
        return json.dumps(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def shown(value: object) -> str:
    """Return a value for a message, cut to 60 characters.

    Examples
    --------
    >>> shown("high"), len(shown("x" * 1000))
    ("'high'", 60)
    """
    # The text of a deep or huge value is not made only to be cut.
    text = repr(value[:_MAX_SHOWN] if isinstance(value, str) else value)
    cut = isinstance(value, str) and len(value) > _MAX_SHOWN
    return text if len(text) <= _MAX_SHOWN and not cut else text[: _MAX_SHOWN - 3] + "..."


def names_shown(names: list[str] | tuple[str, ...], most: int = 12) -> str:
    """Return the names of columns for a message: the first twelve, each cut, and how many more there are.

    Examples
    --------
    >>> names_shown(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    first = ", ".join(shown(name) for name in names[:most]) or "none"
    return first if len(names) <= most else f"{first} and {len(names) - most} more"


def _remedy(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if _DECIMAL_COMMA.fullmatch(text):
        return "if the comma is its decimal sign, say so: --decimal-comma, or in a spec history.decimal: ','"
    if _GROUPED.fullmatch(text):
        return "write it without signs between thousands"
    return "write digits with a point, or leave the cell empty where a value is missing"


def inert_text(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; a number stays as it is.

    Examples
    --------
    >>> inert_text("=HYPERLINK(1)"), inert_text("-1.5"), inert_text("pump")
    ("'=HYPERLINK(1)", '-1.5', 'pump')
    """
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) and not _FLOAT.fullmatch(text) else text
