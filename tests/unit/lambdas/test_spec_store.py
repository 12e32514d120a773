"""A workload's file in a parameter: what a short one is, and what becomes of others."""

from __future__ import annotations

import pytest

from lambdas.adapters.spec_store import ADVANCED_BYTES, packed_spec, unpacked_spec
from watchkeeper.core.errors import ContractViolationError


def test_a_short_file_stays_as_it_is() -> None:
    assert packed_spec("name: pump\n") == "name: pump\n"


@pytest.mark.parametrize("text", ["name: pump # Zürich\n", "a: {b: {{c: 1}}}\n", "# x\n" * 2000, ""])
def test_what_a_parameter_would_change_or_refuse_is_packed(text: str) -> None:
    kept = packed_spec(text)
    assert kept is not None
    assert kept.startswith("gzip:")
    assert len(kept) <= ADVANCED_BYTES
    assert unpacked_spec(kept) == text


def test_what_fits_no_parameter_is_not_kept() -> None:
    assert packed_spec("".join(f"m{number * 7919 % 100_003}: {number}\n" for number in range(9000))) is None


def test_something_else_is_told_from_a_file() -> None:
    with pytest.raises(ContractViolationError, match="cannot be read"):
        unpacked_spec("gzip:nonsense")
