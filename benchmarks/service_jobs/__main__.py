"""`python -m benchmarks.service_jobs`: measure, and write `docs/benchmarks-service-jobs.md`."""

from __future__ import annotations

import argparse
import itertools
from dataclasses import asdict

from benchmarks import pages
from benchmarks.service_jobs.growth import Judged, judge_growing
from benchmarks.service_jobs.labelled_sets import labelled_sets
from benchmarks.service_jobs.page import page_of
from benchmarks.service_jobs.quality import ALGORITHMS, Compared, compare

PAGE = pages.DOCS / "benchmarks-service-jobs.md"
JSON = pages.FOLDER / "service-jobs.json"
SIZES = (10_000, 100_000, 1_000_000)
TIMED = ("ECOD", "IsolationForest", "DBSCAN")
METHODS = ("iqr", "quantile", "persist")


def main() -> None:
    """Measure and write; of a run that does not measure everything, what is not measured anew is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--algorithms", nargs="*", default=list(ALGORITHMS), help="to search; none: keep")
    parser.add_argument("--sizes", nargs="*", type=int, default=list(SIZES), help="to judge; none: keep")
    chosen = parser.parse_args()
    sets = labelled_sets()
    everything = chosen.algorithms == list(ALGORITHMS) and chosen.sizes == list(SIZES)
    results = {"compared": {}, "judged": {}} | ({} if everything else pages.load(JSON))
    total = len(sets) * len(chosen.algorithms) + 2 * len(chosen.sizes) * len(TIMED + METHODS)
    numbers = itertools.count(1)
    for labelled in sets:
        for found in compare(labelled, tuple(chosen.algorithms)):
            told = f"{found.set_name}, {found.algorithm}: F1 {found.searched:.2f} in {found.seconds:.0f} s"
            print(f"{next(numbers)} of {total}: {told}", flush=True)
            results["compared"][f"{found.set_name} {found.algorithm}"] = asdict(found)
            pages.save(JSON, results)
    for run in judge_growing(tuple(chosen.sizes), TIMED, METHODS):
        how = " by hand" if run.by_hand else ""
        told = f"{run.what}{how}, {run.rows:,} rows: {run.rows_a_second:,.0f} rows a CPU-second"
        print(f"{next(numbers)} of {total}: {told}", flush=True)
        results["judged"][f"{run.what} {run.rows} {'by hand' if run.by_hand else 'job'}"] = asdict(run)
        pages.save(JSON, results)
    compared = [Compared(**each) for _, each in sorted(results["compared"].items())]
    judged = sorted(
        (Judged(**each) for each in results["judged"].values()), key=lambda run: (run.what, run.rows)
    )
    PAGE.write_text(page_of(sets, compared, judged))


if __name__ == "__main__":
    main()
