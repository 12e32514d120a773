"""The page in the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.explain.measurements import ENOUGH, PLAIN_ROWS, SAMPLES
from benchmarks.pages import described, table

INTRODUCTION = """# Benchmarks: explanations

Written by `make bench-explain` (`python -m benchmarks.explain`); nothing is typed by hand. {machine}

UCI's abalones: eight features, one of them one-hot, a baseline of one row, {samples} samples a row. Seconds
are processor seconds of one thread, so trust the ratios more than the figures. "Plain" is
`shap.KernelExplainer` as its interface asks for it, row by row, measured on {plain_rows} rows; the others are
measured on 1,000. The generator is set to the same seed before each row, so that all look at the same
coalitions.
"""


def render(results: dict[str, Any]) -> str:
    """Return the page."""
    parts = [
        INTRODUCTION.format(machine=described(results["machine"]), samples=SAMPLES, plain_rows=PLAIN_ROWS),
        "## Seconds for 1,000 rows\n",
        table(
            [
                "model",
                "plain",
                "the job's Kernel SHAP",
                "the job's tree method",
                "largest difference from plain",
            ],
            (_speed(item) for item in results["speeds"]),
        ),
        "A support-vector or nearest-neighbour model spends its time in each row, so that asking for many "
        "rows at once saves "
        "what a call costs and equal rows only.\n",
        "## How exact\n",
        *_exactness(results["agreement"], results["speeds"]),
        "## Growth and memory\n",
        table(["method", "rows", "features", "seconds", "peak memory"], map(_cost, results["growth"])),
        "Random forest of 100 trees (8 features) and of 50 (10 and more, drawn numbers). Memory is that "
        "of the whole process, "
        "libraries and model included. Kernel SHAP holds a bounded number of coalitions at once.\n",
    ]
    return "\n".join(parts)


def _speed(item: dict[str, Any]) -> list[str]:
    def with_ratio(seconds: float | None) -> str:
        return "–" if seconds is None else f"{seconds:.2g} ({item['plain'] / seconds:.0f} × faster)"

    return [
        item["model"],
        f"{item['plain']:.3g}",
        with_ratio(item["kernel"]),
        with_ratio(item["tree"]),
        f"{item['difference']:.0e}",
    ]


def _exactness(found: dict[str, Any], speeds: Sequence[dict[str, Any]]) -> Iterable[str]:
    trees = max(item["tree_difference"] for item in speeds if item["tree_difference"] is not None)
    whole, published = found["whole"], found["published"]
    yield (
        "- Additivity: with the baseline's prediction, the values miss the model's prediction by "
        f"{found['additivity']:.0e} at most.\n"
        f"- All {ENOUGH} coalitions and the tree method differ by {trees:.0e} at most.\n"
        f"- On {whole['rows']} rows in whole numbers, the tree method and `shap.TreeExplainer` "
        f"(interventional) differ by {whole['difference']:.0e} at most: shap keeps thresholds and leaves in "
        "single precision.\n"
        "- On the same rows as published, with decimals, that costs shap its additivity: its values miss "
        f"the prediction by up to {published['shap_additivity']:.2g} rings. The tree method misses it by "
        f"{published['our_additivity']:.0e}, and Kernel SHAP on all coalitions confirms it "
        f"({published['kernel_difference']:.0e}).\n"
    )
    yield table(
        [
            "samples",
            "rank correlation of global importance with the exact one",
            "largest error of a value",
            "additivity",
        ],
        (
            [
                samples,
                f"{item['rank_correlation']:.3f}",
                f"{item['difference']:.2g} rings",
                f"{item['additivity']:.0e}",
            ]
            for samples, item in found["samples"].items()
        ),
    )


def _cost(item: dict[str, Any]) -> list[str]:
    return [
        item["method"],
        f"{item['rows']:,}",
        str(item["features"]),
        f"{item['seconds']:.2g}",
        f"{item['peak_bytes'] / 1024**2:,.0f} MiB",
    ]
