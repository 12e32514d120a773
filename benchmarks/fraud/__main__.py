"""Measure the models of fraud workloads; regenerates `docs/benchmarks-fraud.md`.

A subject and seed that were measured before, by the same code, are read from `build/benchmarks/fraud.json`;
`--anew` measures them again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from string import Template
from typing import Any

import typer

from benchmarks import pages
from benchmarks.fraud.measurements import measure
from benchmarks.fraud.subjects import SUBJECTS
from benchmarks.processes import in_a_process
from cli.failures import StepFailedError

TEMPLATE = Path(__file__).with_name("page.md")
PAGE = pages.DOCS / "benchmarks-fraud.md"
RESULTS = pages.FOLDER / "fraud.json"
SEEDS = (7, 8, 9)
NAMES = {
    "prevalence": "prevalence: knows nothing",
    "row": "LightGBM, the row alone",
    "as_of": "LightGBM, as-of histories too",
    "graph": "graph network",
    "ensemble": "ensemble of the last two",
}
TABULAR = ("row", "as_of")
_LEVEL = 0.001
"""A difference of areas that is none."""

Runs = Sequence[Mapping[str, Any]]


def main(
    anew: bool = typer.Option(False, help="Measure again what is known."),
    only: str = typer.Option("", help="The one subject to measure; none: all."),
    page: bool = typer.Option(True, help="Write the page."),
) -> None:
    """Measure, print and write the page."""
    results = {} if anew else pages.load(RESULTS)
    for subject in SUBJECTS:
        if only and subject.name != only:
            continue
        for seed in SEEDS:
            key = f"{subject.name} {seed}"
            if key in results:
                continue
            about = pages.machine()
            try:
                results[key] = {**in_a_process(measure, subject.name, seed), "machine": about}
            except StepFailedError as error:
                print(f"{subject.name} is left out: {error}")
                break
            pages.save(RESULTS, results)
            print(key, results[key]["choice"], results[key]["seconds"], flush=True)
    if page:
        text = page_of(results)
        PAGE.write_text(text)
        print(text)


def page_of(results: Mapping[str, Any]) -> str:
    """Return the page in Markdown."""
    found = {
        subject.title: [
            results[f"{subject.name} {seed}"] for seed in SEEDS if f"{subject.name} {seed}" in results
        ]
        for subject in SUBJECTS
    }
    found = {title: runs for title, runs in found.items() if runs}
    return Template(TEMPLATE.read_text()).substitute(
        machine=pages.described(next(iter(found.values()))[0]["machine"]),
        subjects=pages.table(
            ["", "seeds", "transactions", "relations", "trains", "validates", "tests"],
            (_subject(title, runs) for title, runs in found.items()),
            rule="---:",
        ).rstrip(),
        areas="\n".join(
            f"## {title}\n\n{_areas(runs)}\n{_verdict(runs)}\n" for title, runs in found.items()
        ).rstrip(),
        costs=pages.table(
            [
                "",
                "trains on",
                "features",
                "as-of histories",
                "trees",
                "network, 10 epochs",
                "all of the fit",
                "peak memory",
            ],
            (_cost(title, runs) for title, runs in found.items()),
            rule="---:",
        ).rstrip(),
    )


def _subject(title: str, runs: Runs) -> list[str]:
    parts = [runs[0]["parts"][name] for name in ("train", "validation", "test")]
    counts = [f"{part['n']:,}, {part['frauds'] / part['n']:.2%} fraud" for part in parts]
    return [title, str(len(runs)), f"{runs[0]['transactions']:,}", str(runs[0]["relations"]), *counts]


def _areas(runs: Runs) -> str:
    rows = [
        [name, *(_area(runs, key, area) for area in ("roc_auc", "pr_auc"))] for key, name in NAMES.items()
    ]
    return pages.table(["", "ROC-AUC", "PR-AUC"], rows, rule="---:")


def _area(runs: Runs, key: str, area: str) -> str:
    value, low, high = (
        mean(run["areas"][key][area][each] for run in runs) for each in ("value", "low", "high")
    )
    return f"{value:.3f} ({low:.3f}–{high:.3f})"


def _verdict(runs: Runs) -> str:
    """Return which model was chosen on the validation time, and how it does beside the best tabular one."""
    chosen = [run["choice"] for run in runs]
    shipped = mean(run["areas"][run["choice"]]["pr_auc"]["value"] for run in runs)
    tabular = max(mean(run["areas"][key]["pr_auc"]["value"] for run in runs) for key in TABULAR)
    counted = ", ".join(
        f"{NAMES[key]} ({chosen.count(key)} of {len(runs)})" for key in NAMES if key in chosen
    )
    relation, why = "level with", ""
    if shipped > tabular + _LEVEL:
        relation = "above"
    elif shipped < tabular - _LEVEL:
        known = mean(run["validation_pr_auc"][run["choice"]] for run in runs)
        others = mean(max(run["validation_pr_auc"][key] for key in TABULAR) for run in runs)
        relation = "below"
        why = (
            f" The choice is made on the validation time, where it was the best (PR-AUC {known:.3f} against "
            f"{others:.3f}); the test time is another one, and is not looked at to choose."
        )
    return (
        f"Shipped: {counted}. Its PR-AUC on the test time, {shipped:.3f}, is {relation} that of the best "
        f"tabular model, {tabular:.3f}.{why}"
    )


def _cost(title: str, runs: Runs) -> list[str]:
    def seconds(name: str) -> str:
        return f"{mean(run['seconds'][name] for run in runs):.1f} s"

    memory = max(run["peak_memory_bytes"] for run in runs) / 2**30
    return [
        title,
        f"{runs[0]['parts']['train']['n']:,} × {runs[0]['relations']}",
        str(runs[0]["features"]),
        seconds("graph"),
        seconds("trees"),
        seconds("network"),
        f"{seconds('fit')} ({seconds('fit_cpu')} of processor)",
        f"{memory:.1f} GiB",
    ]


if __name__ == "__main__":
    typer.run(main)
