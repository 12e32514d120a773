"""The development and the validation half of the corpus.

Every choice in the detector was made on the development half. The halves are stratified by category and
drawn once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.quality.corpus import LabelledSeries

_SEED = 20260101


def development_files(corpus: Sequence[LabelledSeries]) -> set[str]:
    """Return the names of the files that choices were made on."""
    generator = np.random.default_rng(_SEED)
    chosen: set[str] = set()
    extra = 0
    for category in sorted({series.category for series in corpus}):
        names = [series.name for series in corpus if series.category == category]
        generator.shuffle(names)
        chosen.update(names[: (len(names) + extra) // 2])
        if len(names) % 2:
            extra = 1 - extra
    return chosen
