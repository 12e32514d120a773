"""What a process has needed at its highest."""

from __future__ import annotations

from pathlib import Path

KIBIBYTES_OF_A_MIB = 1024


def peak_mib() -> float:
    """Return the resident memory of this process at its highest."""
    # getrusage would also count what the parent had when it forked
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / KIBIBYTES_OF_A_MIB
