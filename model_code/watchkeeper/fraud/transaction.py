"""A transaction as the plan reads it: from a row of the history, or from a request.

One definition checks both, so that what trained can be asked for. An entity is text: `315`, `315.0` and
`"315"` are one, since files write whole numbers with a fraction where a column has gaps.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.core.layout import short_hash
from watchkeeper.core.timestamps import parse_timestamp
from watchkeeper.fraud.plan import FraudPlan, RelationPlan
from watchkeeper.telemetry.cells import is_empty, is_missing, names_shown, parse_number, shown

MAX_ID_LENGTH = 128
MAX_TEXT_LENGTH = 256
"""Characters of a category, and of one column of an entity's key."""

_WHOLE = re.compile(r"-?\d+\.0+")


@dataclass(frozen=True)
class Transaction:
    """What is known of a transaction when it happens."""

    id: str
    time: float
    """Epoch seconds."""
    amount: float
    numeric: tuple[float | None, ...]
    """In the plan's order; None where a value is missing."""
    categorical: tuple[str | None, ...]
    entities: Mapping[str, str]
    """Key of the entity by relation; a relation without one is absent."""

    @property
    def order(self) -> tuple[float, str]:
        """What makes one transaction earlier than another."""
        return self.time, self.id

    @property
    def digest(self) -> str:
        """What tells its content from another's: 16 hexadecimal characters."""
        content = [self.id, self.time, self.amount, self.numeric, self.categorical, dict(self.entities)]
        return short_hash(json.dumps(content, sort_keys=True, separators=(",", ":")))


def read_transaction(fields: Mapping[str, Any], plan: FraudPlan, *, strict: bool = False) -> Transaction:
    """Read a transaction from fields by name.

    Parameters
    ----------
    strict
        Whether a field that the plan does not know is refused, as in a request: it may be a misspelt one.

    Raises
    ------
    InvalidInputError
        Naming the field and what to do, with reason `missing_field`, `bad_id`, `bad_timestamp`,
        `not_a_number`, `not_finite`, `out_of_range`, `negative_amount`, `bad_text` or `unknown_field`.
    """
    if strict:
        _refuse_unknown(fields, plan)
    for name in (plan.id_field, plan.timestamp.field, plan.amount_field):
        if is_missing(fields.get(name)):
            raise InvalidInputError(
                f"field {name!r} is missing: a transaction needs an id, a time and an amount",
                reason="missing_field",
            )
    try:
        time = read_time(fields[plan.timestamp.field], plan)
    except InvalidInputError as error:
        raise InvalidInputError(f"field {plan.timestamp.field!r}: {error}", reason=error.reason) from error
    keys = {relation.name: _entity(fields, relation) for relation in plan.relations}
    return Transaction(
        id=_id(fields[plan.id_field], plan.id_field),
        time=time,
        amount=_amount(fields[plan.amount_field], plan.amount_field),
        numeric=tuple(_number(fields.get(name), name) for name in plan.numeric),
        categorical=tuple(_text(fields.get(name), name) for name in plan.categorical),
        entities={name: key for name, key in keys.items() if key is not None},
    )


def read_time(value: Any, plan: FraudPlan) -> float:
    """Return the epoch seconds of a transaction's time; errors are those of `parse_timestamp`."""
    return parse_timestamp(value, plan.timestamp).timestamp() + plan.origin_seconds


def read_label(fields: Mapping[str, Any], plan: FraudPlan) -> bool | None:
    """Return whether a row of the history was fraud; None if that is unknown."""
    value = fields.get(plan.label.field)
    text = None if is_missing(value) else _text(value, plan.label.field)
    if text in plan.label.fraud:
        return True
    return False if text in plan.label.legitimate else None


def _refuse_unknown(fields: Mapping[str, Any], plan: FraudPlan) -> None:
    unknown = [name for name in fields if name not in plan.fields]
    if not unknown:
        return
    near = difflib.get_close_matches(unknown[0], plan.fields, n=1)
    remedy = f"is {near[0]!r} meant?" if near else f"known are {names_shown(plan.fields)}"
    raise InvalidInputError(f"field {shown(unknown[0])} is unknown: {remedy}", reason="unknown_field")


def _id(value: Any, name: str) -> str:
    text = _text(value, name, most=MAX_ID_LENGTH)
    if text is None:
        raise InvalidInputError(f"field {name!r} is empty: send the transaction's id", reason="bad_id")
    return text


def _amount(value: Any, name: str) -> float:
    amount = parse_number(value, f"field {name!r}")
    if amount < 0:
        raise InvalidInputError(
            f"field {name!r}: {shown(value)} is negative; send the amount without a sign, and what kind of "
            "transaction it is as a category",
            reason="negative_amount",
        )
    return amount


def _number(value: Any, name: str) -> float | None:
    return None if is_missing(value) else parse_number(value, f"field {name!r}")


def _entity(fields: Mapping[str, Any], relation: RelationPlan) -> str | None:
    parts = [_text(fields.get(column), column) for column in relation.columns]
    if len(parts) == 1:
        return parts[0]
    escaped = [part.replace("\\", "\\\\").replace("|", "\\|") for part in parts if part is not None]
    return "|".join(escaped) if len(escaped) == len(parts) else None


def _text(value: Any, name: str, most: int = MAX_TEXT_LENGTH) -> str | None:
    if is_empty(value) or value != value:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        raise InvalidInputError(
            f"field {name!r}: {shown(value)} is neither text nor a number; send one value", reason="bad_text"
        )
    text = str(value).strip()
    if _WHOLE.fullmatch(text):
        text = text.partition(".")[0]
    if len(text) > most or not text.isprintable():
        raise InvalidInputError(
            f"field {name!r}: {shown(value)} is not printable text of at most {most} characters; "
            "shorten it or hash it",
            reason="bad_text",
        )
    return text
