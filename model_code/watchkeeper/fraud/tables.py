"""Files of a history: which table each is, whether they have the plan's columns, and what their rows say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import IO, Literal

from watchkeeper.core.errors import InvalidInputError
from watchkeeper.fraud.plan import FraudPlan
from watchkeeper.fraud.transaction import Transaction, read_label, read_transaction
from watchkeeper.telemetry.cells import is_empty
from watchkeeper.telemetry.csv_rows import header_error
from watchkeeper.telemetry.dialect import read_fields

Table = Literal["transactions", "identities"]
TableRow = tuple[int, Transaction | InvalidInputError | None]
"""Line, from 1, and the transaction, or why it is refused; None of an identity."""


def table_of(name: str, plan: FraudPlan) -> Table | None:
    """Return which table a file is, by its name without folders; None if it is of neither."""
    files = plan.history.files
    if files.identities is not None and fnmatchcase(name, files.identities):
        return "identities"
    return "transactions" if fnmatchcase(name, files.transactions) else None


def check_columns(
    name: str, transactions: Sequence[str], plan: FraudPlan, identities: Sequence[str] | None = None
) -> None:
    """Check that tables have all columns of the plan.

    Parameters
    ----------
    name
        What messages call the file of transactions.
    transactions, identities
        Names of the columns; None where there is no second table, or none is at hand: then the columns that
        may be its are not looked for.

    Raises
    ------
    InvalidInputError
        Naming the first that is missing, with reason `missing_column`, or one that both tables have, with
        reason `duplicate_column`.
    """
    key = plan.history.files.identity_key
    for column in (plan.id_field, plan.timestamp.field, plan.amount_field, plan.label.field):
        if column not in transactions:
            raise header_error(name, column, list(transactions))
    others = [] if identities is None else [column for column in identities if column != key]
    both = [column for column in plan.fields if column in transactions and column in others]
    if both:
        raise InvalidInputError(
            f"column {both[0]!r} is in both tables: rename it in one of them", reason="duplicate_column"
        )
    elsewhere = identities is None and plan.history.files.identities is not None
    for column in () if elsewhere else plan.fields:
        if column not in transactions and column not in others:
            raise header_error(name, column, [*transactions, *others])


def read_rows(
    stream: IO[bytes], plan: FraudPlan, name: str, table: Table, identities: Sequence[str] | None = None
) -> Iterator[TableRow]:
    """Read the rows of a file as a row of the table alone: what the other table says of it is missing here.

    Parameters
    ----------
    identities
        As `check_columns`.

    Raises
    ------
    InvalidInputError
        If the file cannot be read as a whole (see `watchkeeper.telemetry.dialect.TableFile`), or as
        `check_columns`.
    """
    if table == "identities":
        check: Callable[[list[str]], None] = partial(check_key, name, plan)
    else:
        check = partial(_check_table, name, plan, identities)
    for line, _, fields in read_fields(stream, name, check_header=check, dialect=plan.history.dialect):
        if isinstance(fields, InvalidInputError):
            yield line, fields
        elif table == "identities":
            empty = is_empty(fields.get(plan.history.files.identity_key or ""))
            yield line, InvalidInputError("the key is empty", reason="bad_id") if empty else None
        else:
            try:
                outcome: Transaction | InvalidInputError = read_transaction(fields, plan)
                read_label(fields, plan)
            except InvalidInputError as error:
                outcome = error
            yield line, outcome


def check_key(name: str, plan: FraudPlan, identities: Sequence[str]) -> None:
    """Check that a file of identities has the key; see `check_columns`."""
    key = plan.history.files.identity_key
    if key not in identities:
        raise header_error(name, str(key), list(identities))


def _check_table(name: str, plan: FraudPlan, identities: Sequence[str] | None, header: list[str]) -> None:
    check_columns(name, header, plan, identities)
