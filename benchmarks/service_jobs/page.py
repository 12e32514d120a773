"""The page of what was measured."""

from __future__ import annotations

from benchmarks.service_jobs.growth import COLUMNS, TRAINING_ROWS, Judged
from benchmarks.service_jobs.labelled_sets import LabelledSet
from benchmarks.service_jobs.quality import Compared


def page_of(sets: list[LabelledSet], compared: list[Compared], judged: list[Judged]) -> str:
    """Return the page as Markdown."""
    return "\n".join(
        [
            "# The anomaly service's jobs",
            "",
            "Made by `make bench-service-jobs` (`python -m benchmarks.service_jobs`).",
            "",
            *_quality(sets, compared),
            *_growth(judged),
        ]
    )


def _quality(sets: list[LabelledSet], compared: list[Compared]) -> list[str]:
    return [
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
        "A quarter of each is held out before the search begins. *Defaults*, *at 0.1* and *search* are F1 on",
        "those rows; *in the search* is what it saw itself, by three-fold cross-validation, which promises",
        "too much. Labels choose among candidates and thresholds only; no detector learns from them.",
        "",
        "The defaults are an alert budget: one ordinary row in 1,000, whatever the share of anomalies, so",
        "they find little where one row in ten is one. *At 0.1* has the default hyperparameters with PyOD's",
        "default contamination, which happens to be near the share here. *Like the library* counts the",
        "labels that scikit-learn or PyOD called by hand gives too: of the held-out rows at 0.1, of DBSCAN",
        "the noise of the fit's rows. PyOD's ECOD and COPOD are asked one row at a time, since they take the",
        "asked rows into their distributions. RCF is the project's own. `watchkeeper` is not here: it judges",
        "a row by the ones before it, and the rows of these sets are in no order of time.",
        "PyOD's PCA divides by the variance of components that have none, as the constant columns of digits",
        "give it, and finds infinity; the project's divides by a smallest number instead.",
        "",
        "| set | algorithm | candidates | defaults | at 0.1 | search | in the search | like the library "
        "| chosen |",
        "| --- | --- | --: | --: | --: | --: | --: | --: | --- |",
        *(
            f"| {each.set_name} | {each.algorithm} | {each.tried} | {each.defaults:.2f} | "
            f"{each.at_peers_default:.2f} | {each.searched:.2f} | {each.in_search:.2f} | "
            f"{'–' if each.equal is None else f'{each.equal} of {each.judged}'} | {each.chosen} |"
            for each in compared
        ),
        "",
        *_means(compared),
    ]


def _means(compared: list[Compared]) -> list[str]:
    if not compared:
        return []
    defaults, at_peers, searched = (
        sum(getattr(each, name) for each in compared) / len(compared)
        for name in ("defaults", "at_peers_default", "searched")
    )
    return [
        f"Mean F1: {defaults:.2f} with the defaults, {at_peers:.2f} at contamination 0.1, "
        f"{searched:.2f} with a search.",
        "",
        f"- {_against(compared, 'defaults')}",
        f"- {_against(compared, 'at_peers_default')}",
        "",
    ]


def _against(compared: list[Compared], name: str) -> str:
    beside = {"defaults": "the defaults", "at_peers_default": "contamination 0.1"}[name]
    better = sum(each.searched > getattr(each, name) for each in compared)
    worse = [
        f"{each.algorithm} on {each.set_name}" for each in compared if each.searched < getattr(each, name)
    ]
    return (
        f"Beside {beside}, of {len(compared)} cases the search is better in {better}, equal in "
        f"{len(compared) - better - len(worse)}, worse in {len(worse)}"
        f"{': ' + ', '.join(worse) if worse else ''}."
    )


def _growth(judged: list[Judged]) -> list[str]:
    by_hand = {(run.what, run.rows): run for run in judged if run.by_hand}
    return [
        "## Rows a CPU-second and memory",
        "",
        f"The judging job in a process of its own, from CSV (a time and {COLUMNS} columns) to predictions,",
        "beside the same by hand: pandas reads the whole table, PyOD or scikit-learn scores it (DBSCAN: the",
        "nearest core row by `NearestNeighbors`; a rule: pandas' quantiles, or its rolling median), pandas",
        "writes label and score. The job writes severity too, and its scores are on the common scale. Memory",
        f"is the process at its highest, libraries included. Models were trained on {TRAINING_ROWS:,} rows.",
        "",
        "A model's job has 50,000 rows in memory, whatever the table; a rule's has one column and the times,",
        "whatever the number of columns.",
        "",
        "| what | rows | rows a CPU-second | by hand | ratio | peak MiB | by hand | ratio |",
        "| --- | --: | --: | --: | --: | --: | --: | --: |",
        *(
            _line(run, by_hand[run.what, run.rows])
            for run in judged
            if not run.by_hand and (run.what, run.rows) in by_hand
        ),
        "",
    ]


def _line(ours: Judged, theirs: Judged) -> str:
    return (
        f"| {ours.what} | {ours.rows:,} | {ours.rows_a_second:,.0f} | {theirs.rows_a_second:,.0f} | "
        f"{ours.rows_a_second / theirs.rows_a_second:.2f} | {ours.peak_mib:,.0f} | {theirs.peak_mib:,.0f} | "
        f"{ours.peak_mib / theirs.peak_mib:.2f} |"
    )
