"""`python -m benchmarks.service_jobs`: measure, and write `docs/benchmarks-service-jobs.md`."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.service_jobs.growth import Judged, judge_growing
from benchmarks.service_jobs.labelled_sets import LabelledSet, labelled_sets
from benchmarks.service_jobs.quality import ALGORITHMS, Compared, compare

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "benchmarks-service-jobs.md"
JSON = ROOT / "build" / "benchmarks" / "service-jobs.json"
SIZES = (10_000, 100_000, 1_000_000)
TIMED = ("ECOD", "IsolationForest")
METHODS = ("iqr", "persist")


def main() -> None:
    """Measure and write; what is not measured anew is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--algorithms", nargs="*", default=list(ALGORITHMS), help="to search; none: keep")
    parser.add_argument("--sizes", nargs="*", type=int, default=list(SIZES), help="to judge; none: keep")
    chosen = parser.parse_args()
    sets = labelled_sets()
    results = json.loads(JSON.read_text()) if JSON.exists() else {"compared": {}, "judged": {}}
    for labelled in sets:
        for found in compare(labelled, tuple(chosen.algorithms)):
            print(found, flush=True)
            results["compared"][f"{found.set_name} {found.algorithm}"] = asdict(found)
            _save(results)
    for run in judge_growing(tuple(chosen.sizes), TIMED, METHODS):
        print(run, f"{run.rows_a_second:.0f} rows/s", flush=True)
        results["judged"][f"{run.what} {run.rows}"] = asdict(run)
        _save(results)
    compared = [Compared(**each) for _, each in sorted(results["compared"].items())]
    judged = sorted(
        (Judged(**each) for each in results["judged"].values()), key=lambda run: (run.what, run.rows)
    )
    PAGE.write_text(_page(sets, compared, judged))


def _save(results: dict[str, Any]) -> None:
    JSON.parent.mkdir(parents=True, exist_ok=True)
    JSON.write_text(json.dumps(results, indent=1))


def _page(sets: list[LabelledSet], compared: list[Compared], judged: list[Judged]) -> str:
    lines = [
        "# The anomaly service's jobs",
        "",
        "Made by `make bench-service-jobs` (`python -m benchmarks.service_jobs`).",
        "",
        "## F1 with a search and without",
        "",
        "Sets that come with scikit-learn, one class made rare:",
        "",
        *(
            f"- {each.name}: {each.what}; {len(each.labels)} rows, {int(each.labels.sum())} anomalies, "
            f"{len(each.table.columns)} columns"
            for each in sets
        ),
        "",
        "A quarter of each is held out before the search begins. *Defaults* and *search* are F1 on those",
        "rows; *in the search* is what it saw itself, by three-fold cross-validation, which promises too",
        "much. Labels choose among candidates and thresholds only; no detector learns from them.",
        "",
        "| set | algorithm | candidates | defaults | search | in the search | chosen |",
        "| --- | --- | --: | --: | --: | --: | --- |",
        *(
            f"| {each.set_name} | {each.algorithm} | {each.tried} | {each.defaults:.2f} | "
            f"{each.searched:.2f} | {each.in_search:.2f} | {each.chosen} |"
            for each in compared
        ),
        "",
        *_means(compared),
        "## Rows a CPU-second and memory",
        "",
        "The judging job in a process of its own, from CSV (a time and four columns) to predictions. Memory",
        "is the process at its highest, libraries included. Models were trained on 5,000 rows. A rule needs",
        "its whole column, a model 50,000 rows at a time.",
        "",
        "| what | rows | rows a CPU-second | peak MiB |",
        "| --- | --: | --: | --: |",
        *(
            f"| {run.what} | {run.rows:,} | {run.rows_a_second:,.0f} | {run.peak_mib:,.0f} |"
            for run in judged
        ),
        "",
    ]
    return "\n".join(lines)


def _means(compared: list[Compared]) -> list[str]:
    if not compared:
        return []
    defaults = sum(each.defaults for each in compared) / len(compared)
    searched = sum(each.searched for each in compared) / len(compared)
    better = sum(each.searched > each.defaults for each in compared)
    worse = [f"{each.algorithm} on {each.set_name}" for each in compared if each.searched < each.defaults]
    return [
        f"Mean F1: {defaults:.2f} with the defaults, {searched:.2f} with a search. Of {len(compared)} cases "
        f"the search is better in {better}, equal in {len(compared) - better - len(worse)}, "
        f"worse in {len(worse)}"
        f"{': ' + ', '.join(worse) if worse else ''}.",
        "",
    ]


if __name__ == "__main__":
    main()
