"""Whether the kernel for Linux on Arm says, to the bit, what this machine's says: run in an emulator.

`python -m benchmarks.speed.arm`. It needs two packages that the project does not: `uv pip install unicorn
pyelftools`.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from watchkeeper.detectors.native.compiling import compile_kernel
from watchkeeper.detectors.native.library import BUILT
from watchkeeper.detectors.streaming.kernel import OUTPUT, advance_all
from watchkeeper.detectors.streaming.state import Parameters, new_states
from watchkeeper.detectors.streaming.together import advance_together, new_together

_CODE, _MEMORY, _STACK = 0x1000_0000, 0x2000_0000, 0x7000_0000
_CODE_BYTES, _MEMORY_BYTES, _STACK_BYTES = 1 << 21, 64 << 20, 1 << 20
_VECTORS_ON = 0x30_0000
_RELATIVE = 1027
_IN_REGISTERS = 8
ROWS, TABLE_ROWS = 5000, 1500

Array = npt.NDArray[Any]


class Arm:
    """An emulated processor with the kernel in its memory."""

    def __init__(self) -> None:
        import unicorn
        from elftools.elf.elffile import ELFFile
        from unicorn import arm64_const as registers

        self._registers = registers
        self._processor = unicorn.Uc(unicorn.UC_ARCH_ARM64, unicorn.UC_MODE_ARM)
        for begin, size in ((_CODE, _CODE_BYTES), (_MEMORY, _MEMORY_BYTES), (_STACK, _STACK_BYTES)):
            self._processor.mem_map(begin, size)
        self._processor.reg_write(registers.UC_ARM64_REG_CPACR_EL1, _VECTORS_ON)
        with compile_kernel("linux-aarch64", BUILT).open("rb") as file:
            library = ELFFile(file)
            for segment in library.iter_segments("PT_LOAD"):
                self._processor.mem_write(_CODE + segment["p_vaddr"], segment.data())
            tables = library.iter_sections("SHT_RELA")
            for relocation in (one for table in tables for one in table.iter_relocations()):
                if relocation["r_info_type"] != _RELATIVE:
                    raise RuntimeError(f"relocation of type {relocation['r_info_type']}: not known here")
                place = _CODE + relocation["r_offset"]
                self._processor.mem_write(place, struct.pack("<Q", _CODE + relocation["r_addend"]))
            symbols = library.get_section_by_name(".dynsym").iter_symbols()
            self._functions = {symbol.name: _CODE + symbol["st_value"] for symbol in symbols}

    def call(self, function: str, *arguments: Array | int) -> list[Array]:
        """Call a function; return its arrays as they are afterwards."""
        top, places, numbers = _MEMORY, [], []
        for argument in arguments:
            if isinstance(argument, int):
                numbers.append(argument)
                continue
            self._processor.mem_write(top, argument.tobytes())
            places.append((top, argument))
            numbers.append(top)
            top += -(-argument.nbytes // 64) * 64
        stack = _STACK + _STACK_BYTES - 4096
        for at, number in enumerate(numbers):
            if at < _IN_REGISTERS:
                self._processor.reg_write(getattr(self._registers, f"UC_ARM64_REG_X{at}"), number)
            else:
                self._processor.mem_write(stack + 8 * (at - _IN_REGISTERS), struct.pack("<Q", number))
        self._processor.reg_write(self._registers.UC_ARM64_REG_SP, stack)
        self._processor.reg_write(self._registers.UC_ARM64_REG_LR, _STACK)
        self._processor.emu_start(self._functions[function], _STACK)
        return [
            np.frombuffer(bytes(self._processor.mem_read(place, array.nbytes)), dtype=array.dtype)
            for place, array in places
        ]


def differences(arm: Arm) -> Iterator[tuple[str, int, int]]:
    """Yield what was compared: its name, its rows, and how many bytes are other ones."""
    parameters = Parameters().record()
    for kind in range(9):
        values = _series(kind)
        hours, missing = np.arange(ROWS) // 12 % 168, np.where(np.arange(ROWS) % 97 == 96, 3, 0)
        state, outputs = new_states(1), np.zeros(ROWS, dtype=OUTPUT)
        there = arm.call("advance_all", state, parameters, ROWS, hours, missing, values, outputs)
        here = advance_all(state, parameters, hours, missing, values)
        yield f"series {kind}", ROWS, _other(there[-1], here) + _other(there[0], state)
    for columns in (3, 12):
        values = np.array([_series(kind)[:TABLE_ROWS] for kind in range(columns)]).T.copy()
        record, hours = new_together(columns), np.arange(TABLE_ROWS) // 12 % 168
        scratch = np.zeros(3 * columns + 2 * columns**2)
        found = (np.zeros(TABLE_ROWS), np.zeros(TABLE_ROWS), np.zeros(values.shape))
        there = arm.call("advance_together", record, columns, TABLE_ROWS, hours, values, scratch, *found)
        here_ = advance_together(record, hours, values)
        pairs = zip(there[-3:], (here_.surprise, here_.onset, here_.parts), strict=True)
        off = _other(there[0], record) + sum(_other(one, other) for one, other in pairs)
        yield f"{columns} columns", TABLE_ROWS, off


def _series(kind: int) -> npt.NDArray[np.float64]:
    generator = np.random.default_rng(kind)
    values = generator.normal(size=ROWS)
    if kind % 3 == 1:
        values = values.cumsum()
    if kind % 3 == 2:
        values += 10 * np.sin(np.arange(ROWS) / 46) + 30 * (np.arange(ROWS) // 288 % 7 >= 5)
    values[3000:3200] = values[3000]
    values[generator.random(ROWS) < 0.005] += 6 * np.abs(values).max()
    values[generator.random(ROWS) < 0.02] = np.nan
    return values


def _other(one: Array, other: Array) -> int:
    """Return how many bytes differ."""
    first, second = (np.frombuffer(array.tobytes(), dtype=np.uint8) for array in (one, other))
    return int((first != second).sum())


if __name__ == "__main__":
    off = 0
    for name, rows, others in differences(Arm()):
        print(f"{name}: {rows:,} rows, {others} bytes differ")
        off += others
    sys.exit(f"{off} bytes differ" if off else None)
