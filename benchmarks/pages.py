"""What the pages of measured figures share: tables, the machine, and results that are kept between runs."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numba
import psutil

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
FOLDER = ROOT / "build" / "benchmarks"

Results = dict[str, Any]


def table(header: Sequence[object], rows: Iterable[Sequence[object]], *, rule: str = "---") -> str:
    """Return a table in Markdown, a line end at its end.

    Parameters
    ----------
    rule
        Of every column but the first, such as `---:` for numbers.
    """
    lines = [header, ["---", *[rule] * (len(header) - 1)], *rows]
    return "".join(f"| {' | '.join(map(str, cells))} |\n" for cells in lines)


def machine() -> dict[str, Any]:
    """Return what is measured on, and when; asked before the start, the load is that of other work."""
    return {
        "processor": _processor(),
        "cores": psutil.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "load": psutil.getloadavg()[0],
        "python": platform.python_version(),
        "numba": numba.__version__,
        "measured_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def described(about: dict[str, Any]) -> str:
    """Return what `machine` found, in a sentence."""
    return (
        f"Measured {about['measured_at'][:10]} on {about['processor']}, {about['cores']} cores, "
        f"{about['memory_bytes'] / 2**30:.0f} GiB, load {about['load']:.1f}; Python {about['python']}, "
        f"numba {about['numba']}."
    )


def load(path: Path) -> Results:
    """Return the results of earlier runs, so that a part can be measured anew."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def save(path: Path, results: Results) -> None:
    """Write the results."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
