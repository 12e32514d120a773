"""Decodes a training job's hyperparameters, which SageMaker gives as text, into a typed dataclass."""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from watchkeeper.core.errors import InvalidInputError

TOOLKIT_PREFIX = "sagemaker_"
"""Names that belong to the training toolkit."""

T = TypeVar("T")


def read_hyperparameters(kind: type[T], folder: Path) -> T:
    """Read `input/config/hyperparameters.json` under a job's root.

    Parameters
    ----------
    kind
        A dataclass; the types of its fields are `int`, `float`, `bool` or `str`, each also with `None`.

    Raises
    ------
    InvalidInputError
        If one is unknown, missing or of the wrong type; names it and what is allowed.
    """
    path = folder / "input" / "config" / "hyperparameters.json"
    return decode(kind, json.loads(path.read_text()) if path.exists() else {})


def decode(kind: type[T], document: Mapping[str, Any]) -> T:
    """Decode hyperparameters; see `read_hyperparameters`."""
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]  # T is a dataclass
    own = {name: value for name, value in document.items() if not name.startswith(TOOLKIT_PREFIX)}
    unknown = sorted(set(own) - set(fields))
    if unknown:
        allowed = ", ".join(fields) or "none"
        raise InvalidInputError(f"unknown hyperparameter {unknown[0]!r}; allowed: {allowed}")
    required = [name for name, field in fields.items() if field.default is dataclasses.MISSING]
    missing = [name for name in required if name not in own]
    if missing:
        raise InvalidInputError(f"hyperparameter {missing[0]!r} is missing")
    kinds = get_type_hints(kind)
    return kind(**{name: _value(name, value, kinds[name]) for name, value in own.items()})


def _value(name: str, value: Any, kind: Any) -> Any:
    if get_origin(kind) is types.UnionType:
        (kind,) = (member for member in get_args(kind) if member is not type(None))
    text = str(value).strip()
    if kind is str:
        return text
    if kind is bool:
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        raise InvalidInputError(f"hyperparameter {name}={text!r}: expected true or false")
    try:
        return kind(text)
    except ValueError as error:
        raise InvalidInputError(f"hyperparameter {name}={text!r}: expected {kind.__name__}") from error
