"""Makes matplotlib, which the image lacks, importable and able to run in a container."""

from __future__ import annotations

import os
import tempfile

from containers.runtime.vendored import use_vendored


def prepare_matplotlib() -> None:
    """Call before the first import of matplotlib."""
    # matplotlib keeps its font list in a folder that it must be able to write.
    os.environ.setdefault("MPLCONFIGDIR", tempfile.mkdtemp(prefix="matplotlib-"))
    use_vendored()
