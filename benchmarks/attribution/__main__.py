"""Measure the contributions of anomaly events; regenerates `docs/benchmarks-attribution.md`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from string import Template

from benchmarks import pages
from benchmarks.attribution.measurements import ANOMALIES, SERIES, SPIKE_SCALES, Agreement, measure
from watchkeeper.core.plan import FeaturePlan

TEMPLATE = Path(__file__).with_name("page.md")
PAGE = pages.DOCS / "benchmarks-attribution.md"
VECTORS = {
    "4 values": FeaturePlan(shingle=4, differences=False),
    "4 values, differences": FeaturePlan(shingle=4),
    "4 values, differences, time of day": FeaturePlan(shingle=4, time_of_day=True),
    "16 values": FeaturePlan(shingle=16, differences=False),
    "48 values, differences": FeaturePlan(shingle=48),
}
_COLUMNS = (
    ("vector", lambda item: item.features),
    ("columns", lambda item: str(item.dimensions)),
    ("rank, all rows", lambda item: f"{item.rank_all:.2f}"),
    ("rank, anomalies", lambda item: f"{item.rank_anomalies:.2f}"),
    ("distance of shares", lambda item: f"{item.share_distance:.3f}"),
    ("of another seed", lambda item: f"{item.share_distance_of_seeds:.3f}"),
    ("oracle", lambda item: f"{item.oracle_rank:.2f}"),
    ("oracle, model's own", lambda item: f"{item.oracle_rank_of_model:.2f}"),
    ("first or second", lambda item: f"{item.oracle_first:.0%}"),
    ("spikes found", lambda item: f"{item.spikes_found:.0%}"),
    ("ms an anomaly", lambda item: f"{item.milliseconds:.1f}"),
    ("kB", lambda item: f"{item.kilobytes:.0f}"),
)


def main() -> None:
    """Measure, print and write the page."""
    page = page_of([measure(features, name) for name, features in VECTORS.items()])
    PAGE.write_text(page)
    print(page)


def page_of(found: Sequence[Agreement]) -> str:
    """Return the page in Markdown."""
    counts = [item.anomalies for item in found]
    return Template(TEMPLATE.read_text()).substitute(
        series=SERIES,
        anomalies=f"{min(counts)} to {max(counts)}",
        explained=ANOMALIES,
        spike_scales=f"{SPIKE_SCALES:g}",
        table=pages.table(
            [name for name, _ in _COLUMNS],
            ([text(item) for _, text in _COLUMNS] for item in found),
            rule="---:",
        ).rstrip(),
    )


if __name__ == "__main__":
    main()
