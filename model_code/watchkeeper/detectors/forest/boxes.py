"""How much a row would make a box grow: the innermost loop of the forest, in vector instructions.

LLVM does not find them by itself here: it unrolls so short a loop before it looks for vectors. The
instructions are LLVM's own portable vectors, so any processor runs them.
"""

from __future__ import annotations

from typing import Any

from watchkeeper.detectors.forest.compiled import HAVE_NUMBA

_LANES = 4
_ACCUMULATORS = 4
_DOUBLE_BYTES = 8
_FINITE = ("nnan", "ninf", "nsz")

if HAVE_NUMBA:
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    def _grown_span(typing_context: Any, features: Any, row: Any, highest: Any, lowest: Any) -> Any:
        """Return the sum over features of max(row, highest) - min(row, lowest).

        Parameters
        ----------
        features : literal int
            Doubles to read at each of the three addresses.
        row, highest, lowest : address of the first double
        """
        if not isinstance(features, types.IntegerLiteral):
            return None
        width = features.literal_value

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            spans = _Spans(builder, arguments[1:])
            vectors = [spans.at(start, _LANES) for start in range(0, width - _LANES + 1, _LANES)]
            sums = [spans.total(vectors[first::_ACCUMULATORS]) for first in range(_ACCUMULATORS)]
            singles = [spans.at(start, 1) for start in range(len(vectors) * _LANES, width)]
            found = [one for one in sums if one is not None]
            return spans.total([*([spans.across(spans.total(found))] if found else []), *singles])

        return types.float64(features, types.uint64, types.uint64, types.uint64), generate

    class _Spans:
        """Emits the instructions; `addresses` are those of row, highest and lowest."""

        def __init__(self, builder: Any, addresses: Any) -> None:
            self._builder = builder
            self._addresses = addresses

        def at(self, start: int, lanes: int) -> Any:
            """Return max(row, highest) - min(row, lowest) of the features from `start`."""
            row, highest, lowest = (self._load(address, start, lanes) for address in self._addresses)
            upper = self._choose(">", row, highest)
            return self._builder.fsub(upper, self._choose("<", row, lowest))

        def total(self, terms: list[Any]) -> Any:
            """Return the sum; None of nothing."""
            if not terms:
                return None
            result = terms[0]
            for term in terms[1:]:
                result = self._builder.fadd(result, term)
            return result

        def across(self, vector: Any) -> Any:
            """Return the sum of a vector's lanes."""
            positions = [ir.Constant(ir.VectorType(ir.IntType(32), 2), pair) for pair in ([0, 1], [2, 3])]
            halves = [self._builder.shuffle_vector(vector, vector, pair) for pair in positions]
            pair = self._builder.fadd(*halves)
            first, second = (
                self._builder.extract_element(pair, ir.Constant(ir.IntType(32), lane)) for lane in (0, 1)
            )
            return self._builder.fadd(first, second)

        def _load(self, address: Any, start: int, lanes: int) -> Any:
            kind = ir.DoubleType() if lanes == 1 else ir.VectorType(ir.DoubleType(), lanes)
            place = self._builder.add(address, ir.Constant(address.type, start * _DOUBLE_BYTES))
            return self._builder.load(self._builder.inttoptr(place, kind.as_pointer()), align=_DOUBLE_BYTES)

        def _choose(self, comparison: str, first: Any, second: Any) -> Any:
            chosen = self._builder.fcmp_ordered(comparison, first, second, flags=_FINITE)
            return self._builder.select(chosen, first, second)

    grown_span = intrinsic(prefer_literal=True)(_grown_span)
